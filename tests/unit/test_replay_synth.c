#include "tests/unit/test_replay.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { UNITS = 64 };

void
synth_begin(struct synth *s)
{
    struct pt_writer_options options = {.force = true};
    struct pt_interpreter *python = calloc(1, sizeof *python);
    struct pt_header header = *sample_header();
    memset(s, 0, sizeof *s);
    header.clock =
        (struct pt_clock){.mult = 1, .quantum = 1, .source = "monotonic"};
    place_make(&s->place);
    cr_assert_eq(
        pt_writer_open(s->place.path, &header, &options, NULL, &s->writer),
        PT_OK);
    cr_assert_eq(pt_block_new(&s->block), PT_OK);
    python->version = S("3.12.1");
    cr_assert_eq(pt_writer_interpreter(s->writer, python, &s->interpreter),
                 PT_OK);
    free(python);
    struct pt_process process = {.interpreter = s->interpreter, .pid = 77};
    cr_assert_eq(pt_writer_process(s->writer, &process, &s->process), PT_OK);
}

uint32_t
synth_thread(struct synth *s, uint32_t tid)
{
    struct pt_thread thread = {.process = s->process, .tid = tid};
    uint32_t id;
    cr_assert_eq(pt_writer_thread(s->writer, &thread, &id), PT_OK);
    return id;
}

uint32_t
synth_code(struct synth *s, const char *name)
{
    char bytecode[2 * UNITS] = {0}, table[UNITS];
    for (unsigned i = 0; i < UNITS; i += 2) {
        table[i] = (char)(0x80 | 13 << 3 | 1);
        table[i + 1] = i ? 2 : 0;
    }
    struct pt_str text = {name, strlen(name)};
    struct pt_code code = {.interpreter = s->interpreter,
                           .file = S("synth.py"),
                           .name = text,
                           .qualname = text,
                           .firstline = 1,
                           .bytecode = {bytecode, sizeof bytecode},
                           .linetable = {table, sizeof table}};
    uint32_t id;
    cr_assert_eq(pt_writer_code(s->writer, &code, &id), PT_OK);
    return id;
}

uint32_t
synth_callable(struct synth *s, uint8_t kind, const char *name)
{
    struct pt_str text = {name, strlen(name)};
    struct pt_callable callable = {
        .kind = kind, .module = S("m"), .name = text, .label = text};
    uint32_t id;
    cr_assert_eq(pt_writer_callable(s->writer, &callable, &id), PT_OK);
    return id;
}

void
synth_event(struct synth *s, const struct pt_event *e)
{
    struct pt_step step;
    if (s->block->n == 0) {
        free(s->key);
        s->key_depth = s->stack.depth;
        s->key = malloc((s->key_depth + 1) * sizeof *s->key);
        if (s->key_depth)
            memcpy(s->key, s->stack.frames, s->key_depth * sizeof *s->key);
    }
    uint64_t seq = pt_writer_event_count(s->writer) + s->block->n;
    cr_assert_eq(pt_stack_step(&s->stack, e, seq, &step), PT_OK);
    cr_assert_eq(pt_block_push(s->block, e->kind, e->has, (uint64_t)e->time,
                               e->id, e->pos, e->dst, e->arg),
                 PT_OK);
    if (pt_block_full(s->block))
        synth_flush(s);
}

void
synth_flush(struct synth *s)
{
    if (s->block->n == 0)
        return;
    cr_assert_eq(pt_writer_events(s->writer, s->block, s->process, s->thread,
                                  s->key, s->key_depth, &s->seq),
                 PT_OK);
}

struct pt_trace *
synth_end(struct synth *s)
{
    struct pt_end end = {.events = pt_writer_event_count(s->writer),
                         .reason = S("complete")};
    struct pt_trace *trace;
    synth_flush(s);
    cr_assert_eq(pt_writer_close(s->writer, &end, NULL), PT_OK);
    pt_block_free(s->block);
    free(s->key);
    pt_stack_clear(&s->stack);
    cr_assert_eq(pt_trace_open(s->place.path, NULL, &trace), PT_OK);
    return trace;
}

void
synth_clear(struct synth *s)
{
    place_remove(&s->place);
}

struct pt_event
ev_enter(uint8_t kind, int64_t time, uint32_t code, uint64_t key)
{
    uint8_t has = PT_HAS(CODE) | (time ? PT_HAS(TIME) : 0);
    if (key)
        has |= PT_HAS(ARG);
    return (struct pt_event){
        .kind = kind, .has = has, .time = time, .id = code, .arg = key};
}

struct pt_event
ev_plain(uint8_t kind, int64_t time)
{
    return (struct pt_event){
        .kind = kind, .has = time ? PT_HAS(TIME) : 0, .time = time};
}

struct pt_event
ev_c_call(int64_t time, uint32_t callee)
{
    return (struct pt_event){.kind = PT_C_CALL,
                             .has = PT_HAS(TIME) | PT_HAS(CALLEE),
                             .time = time,
                             .id = callee};
}

struct pt_event
ev_line(uint32_t line)
{
    return (struct pt_event){.kind = PT_LINE, .has = PT_HAS(LINE), .pos = line};
}

struct pt_event
ev_at(uint8_t kind, uint32_t off)
{
    return (struct pt_event){.kind = kind, .has = PT_HAS(OFF), .pos = off};
}

struct pt_event
ev_gap(int64_t time, uint64_t lost)
{
    return (struct pt_event){.kind = PT_GAP,
                             .has = PT_HAS(TIME) | PT_HAS(ARG),
                             .time = time,
                             .arg = lost};
}

uint32_t
dice(uint64_t *state, uint32_t n)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)((*state >> 33) % n);
}
