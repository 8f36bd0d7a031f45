/* Traces for the tests of histories, made at random. */
#include "tests/unit/test_replay_history.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* From now on the trace is one that was recorded without flow. */
void
without_flow(const struct pt_trace *trace)
{
    struct pt_header *header = (struct pt_header *)pt_trace_header(trace);
    header->optional &= ~(uint32_t)PT_OPTIONAL_FLOW;
}

struct pt_trace *
make_threads(struct synth *s, uint32_t threads, uint32_t events, uint32_t chunk)
{
    synth_begin(s);
    uint32_t codes[3] = {synth_code(s, "a"), synth_code(s, "b"),
                         synth_code(s, "c")};
    uint32_t callee = synth_callable(s, PT_CALLABLE_BUILTIN, "len");
    struct {
        struct pt_stack stack;
        int64_t time;
        uint32_t id, left;
    } *t = calloc(threads, sizeof *t);
    uint64_t state = 42;
    for (uint32_t i = 0; i < threads; i++) {
        t[i].id = synth_thread(s, 1000 + i);
        t[i].left = events;
        t[i].time = 1 + dice(&state, 100);
    }
    for (bool more = true; more;) {
        more = false;
        for (uint32_t i = 0; i < threads; i++) {
            s->stack = t[i].stack;
            s->thread = t[i].id;
            for (uint32_t n = 1 + dice(&state, chunk); n && t[i].left; n--) {
                struct pt_event e;
                t[i].time += dice(&state, 20);
                t[i].left--;
                switch (s->stack.depth ? dice(&state, 6) : 0) {
                case 0:
                    e = ev_enter(PT_CALL, t[i].time, codes[dice(&state, 3)], 0);
                    break;
                case 1:
                    e = ev_plain(PT_RETURN, t[i].time);
                    break;
                case 2:
                    e = ev_c_call(t[i].time, callee);
                    break;
                case 3:
                    e = ev_plain(PT_C_RETURN, t[i].time);
                    break;
                default:
                    e = ev_line(1 + dice(&state, 20));
                }
                synth_event(s, &e);
            }
            synth_flush(s);
            t[i].stack = s->stack;
            more |= t[i].left != 0;
        }
    }
    memset(&s->stack, 0, sizeof s->stack);
    for (uint32_t i = 0; i < threads; i++)
        pt_stack_clear(&t[i].stack);
    free(t);
    return synth_end(s);
}

/* --- flow ------------------------------------------------------------------
 */

/*  0 RESUME  2 LOAD  4 FOR_ITER to 24  8 LOAD  10 CALL  18 JUMP_BACKWARD to 4
 * 20 END_FOR  22 POP_TOP  24 RETURN_VALUE */
static const char looping[] =
    "1: RESUME; LOAD; FOR_ITER 6; 2: LOAD; 3: CALL; JUMP_BACKWARD 8;"
    "1: END_FOR; POP_TOP; 4: RETURN_VALUE";
enum { LOOP = 4, BODY = 8, CALLS = 10, DONE = 24 };

enum { FLOW_DEPTH = 12 };

/* A program that calls itself and loops, at random. */
struct flow_thread {
    uint32_t id, process, code;
    struct pt_block *block;
    uint64_t time, state;
    struct stand stand, key;
    bool looping[FLOW_DEPTH]; /* in the loop's body */
};

static void
flow_push(struct flow_thread *t, uint8_t kind, unsigned mask, uint32_t off,
          uint32_t dst)
{
    if (t->block->n == 0)
        t->key = t->stand;
    t->time += 1 + dice(&t->state, 30);
    const struct pt_event e = {.time = (int64_t)t->time,
                               .arg = kind == PT_GAP ? 5 : 0,
                               .id = t->code,
                               .pos = off,
                               .dst = dst,
                               .kind = kind,
                               .has = (uint8_t)mask};
    cr_assert_eq(pt_block_push(t->block, e.kind, e.has, t->time, e.id, e.pos,
                               e.dst, e.arg),
                 PT_OK);
    stand_step(&t->stand, &e);
}

static void
flow_flush(struct flow *f, struct flow_thread *t)
{
    if (t->block->n)
        cr_assert_eq(pt_writer_events(f->writer, t->block, t->process, t->id,
                                      t->key.frames, t->key.depth, NULL),
                     PT_OK);
}

static void
flow_enter(struct flow_thread *t)
{
    size_t depth = t->stand.depth;
    unsigned mask = PT_HAS(TIME) | PT_HAS(CODE) | (depth ? PT_HAS(OFF) : 0);
    t->looping[depth] = false;
    flow_push(t, PT_CALL, mask, CALLS, 0);
}

/* One or two events; `damage` in a hundred times something that does not fit,
 * or a gap. */
static void
flow_turn(struct flow_thread *t, uint32_t damage)
{
    unsigned stamp = dice(&t->state, 4) ? 0 : PT_HAS(TIME);
    unsigned mask = PT_HAS(OFF) | PT_HAS(DST) | stamp;
    if (dice(&t->state, 100) < damage) {
        if (dice(&t->state, 3) == 0)
            flow_push(t, PT_GAP, PT_HAS(TIME) | PT_HAS(ARG), 0, 0);
        else if (t->stand.depth)
            flow_push(t, PT_BRANCH, mask, LOOP,
                      2 * dice(&t->state, DONE / 2 + 2));
        return;
    }
    if (t->stand.depth == 0) {
        flow_enter(t);
        return;
    }
    bool *in = &t->looping[t->stand.depth - 1];
    if (*in && t->stand.depth < FLOW_DEPTH && dice(&t->state, 3) == 0) {
        flow_enter(t);
    } else if (dice(&t->state, 3)) {
        flow_push(t, PT_BRANCH, mask, LOOP, BODY);
        *in = true;
    } else {
        flow_push(t, PT_BRANCH, mask, LOOP, DONE);
        flow_push(t, PT_RETURN, stamp, 0, 0);
    }
}

uint32_t
make_flow(struct flow *f, uint32_t threads, uint32_t turns, uint32_t damage)
{
    struct flow_thread *t = calloc(threads, sizeof *t);
    uint64_t state = 5, time = 1;
    flow_begin(f, PY_3_13);
    uint32_t code = flow_code(f, looping, NULL);
    struct pt_process process = {.interpreter = f->interpreter, .pid = 7};
    uint32_t pid;
    cr_assert_eq(pt_writer_process(f->writer, &process, &pid), PT_OK);
    for (uint32_t i = 0; i < threads; i++) {
        struct pt_thread thread = {.process = pid, .tid = 10 + i};
        t[i] = (struct flow_thread){.code = code, .process = pid, .state = i};
        cr_assert_eq(pt_writer_thread(f->writer, &thread, &t[i].id), PT_OK);
        cr_assert_eq(pt_block_new(&t[i].block), PT_OK);
    }
    for (uint32_t turn = 0; turn < turns; turn++) {
        struct flow_thread *now = &t[dice(&state, threads)];
        now->time = now->time < time ? time : now->time;
        for (uint32_t n = 1 + dice(&state, 30); n; n--)
            flow_turn(now, damage);
        time = now->time - dice(&state, 20);
        if (dice(&state, 4) == 0)
            flow_flush(f, now);
    }
    for (uint32_t i = 0; i < threads; i++) {
        flow_flush(f, &t[i]);
        pt_block_free(t[i].block);
    }
    free(t);
    flow_ready(f);
    return code;
}
