#include "tests/unit/test_replay_flow.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORWARD = PT_OP_ARG | PT_OP_JREL, BACK = PT_OP_ARG | PT_OP_JBACK };

static const struct {
    const char *name;
    uint8_t flags, caches;
} opcodes[] = {
    {"CACHE", 0, 0},
    {"RESUME", PT_OP_ARG, 0},
    {"LOAD", PT_OP_ARG, 0},
    {"CALL", PT_OP_ARG, 3},
    {"EXTENDED_ARG", PT_OP_ARG, 0},
    {"POP_TOP", 0, 0},
    {"POP_JUMP_IF_FALSE", FORWARD, 0},
    {"FOR_ITER", FORWARD, 1},
    {"END_FOR", 0, 0},
    {"POP_ITER", 0, 0},
    {"NOT_TAKEN", 0, 0},
    {"JUMP_FORWARD", FORWARD, 0},
    {"JUMP_BACKWARD", BACK, 0},
    {"SEND", FORWARD, 1},
    {"END_SEND", 0, 0},
    {"YIELD_VALUE", 0, 0},
    {"RETURN_GENERATOR", 0, 0},
    {"RETURN_VALUE", 0, 0},
    {"RAISE_VARARGS", PT_OP_ARG, 0},
    {"RERAISE", PT_OP_ARG, 0},
    {"PUSH_EXC_INFO", 0, 0},
    {"END_ASYNC_FOR", PT_OP_ARG, 0},
    {"POP_JUMP_BACKWARD_IF_TRUE", BACK, 0},
};
enum { OPCODES = sizeof opcodes / sizeof *opcodes };

void
flow_begin(struct flow *f, uint32_t hexversion)
{
    struct pt_writer_options options = {.force = true};
    struct pt_interpreter *python = calloc(1, sizeof *python);
    struct pt_header header = *sample_header();
    memset(f, 0, sizeof *f);
    header.optional = PT_OPTIONAL_FLOW;
    header.events = UINT32_MAX;
    place_make(&f->place);
    cr_assert_eq(
        pt_writer_open(f->place.path, &header, &options, NULL, &f->writer),
        PT_OK);
    python->hexversion = f->hexversion = hexversion;
    python->version = S("of a test");
    for (unsigned i = 0; i < OPCODES; i++)
        python->opcodes[i] =
            (struct pt_opcode){{opcodes[i].name, strlen(opcodes[i].name)},
                               opcodes[i].flags,
                               opcodes[i].caches};
    cr_assert_eq(pt_writer_interpreter(f->writer, python, &f->interpreter),
                 PT_OK);
    free(python);
}

static uint32_t
define(struct flow *f, struct pt_code *code)
{
    uint32_t id;
    code->interpreter = f->interpreter;
    code->file = S("flow.py");
    code->name = code->qualname = S("f");
    cr_assert_eq(pt_writer_code(f->writer, code, &id), PT_OK);
    return id;
}

uint32_t
flow_bytes(struct flow *f, struct pt_str bytecode, struct pt_str exctable)
{
    struct pt_code code = {.firstline = 1,
                           .bytecode = bytecode,
                           .linetable = S("\xd8\x01\x02"),
                           .exctable = exctable};
    return define(f, &code);
}

static unsigned
opcode_named(const char *name)
{
    for (unsigned i = 0; i < OPCODES; i++)
        if (strcmp(opcodes[i].name, name) == 0)
            return i;
    cr_assert_fail("no opcode %s", name);
    return 0;
}

/* An exception table as CPython writes it, for numbers below 64. */
static size_t
put_guards(const struct guard *guards, char *out)
{
    size_t n = 0;
    for (; guards && guards->end; guards++) {
        out[n++] = (char)(0x80 | guards->start);
        out[n++] = (char)(guards->end - guards->start);
        out[n++] = (char)guards->handler;
        out[n++] = 0;
    }
    return n;
}

/* A line table's entry: no columns, a signed difference. */
static size_t
put_line(char *out, unsigned units, int delta)
{
    out[0] = (char)(0x80 | 13 << 3 | (units - 1));
    out[1] = (char)(delta < 0 ? -delta << 1 | 1 : delta << 1);
    return 2;
}

uint32_t
flow_code(struct flow *f, const char *text, const struct guard *guards)
{
    char bytes[256] = {0}, lines[256], table[256], copy[1024], *rest = NULL;
    size_t n = 0, nlines = 0;
    int line = 1, last = 1;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *word = strtok_r(copy, ";", &rest); word;
         word = strtok_r(NULL, ";", &rest)) {
        char name[64] = "";
        int arg = 0, used = 0;
        if (sscanf(word, " %d:%n", &line, &used) == 1 && used)
            word += used;
        cr_assert_geq(sscanf(word, " %63s %d", name, &arg), 1);
        unsigned op = opcode_named(name), units = 1u + opcodes[op].caches;
        bytes[n] = (char)op;
        bytes[n + 1] = (char)arg;
        n += 2 * (size_t)units;
        nlines += put_line(lines + nlines, units, line - last);
        last = line;
    }
    size_t nguards = put_guards(guards, table);
    struct pt_code code = {.firstline = 1,
                           .bytecode = {bytes, n},
                           .linetable = {lines, nlines},
                           .exctable = {table, nguards}};
    return define(f, &code);
}

void
flow_ready(struct flow *f)
{
    struct pt_end end = {.reason = S("complete")};
    cr_assert_eq(pt_writer_close(f->writer, &end, NULL), PT_OK);
    cr_assert_eq(pt_trace_open(f->place.path, NULL, &f->trace), PT_OK);
    cr_assert_null(pt_flow_lacks(f->trace));
    cr_assert_eq(pt_graph_cache_new(f->trace, &f->graphs), PT_OK);
    cr_assert_eq(pt_walk_new(f->graphs, &f->walk), PT_OK);
}

const struct pt_graph *
flow_graph(struct flow *f, uint32_t code)
{
    const struct pt_graph *graph = pt_graph_cache_at(f->graphs, code);
    cr_assert_not_null(graph);
    return graph;
}

void
flow_end(struct flow *f)
{
    pt_walk_free(f->walk);
    pt_graph_cache_free(f->graphs);
    pt_trace_close(f->trace);
    place_remove(&f->place);
}

static const char *
tell(struct flow *f)
{
    static const char *const names[] = {
#define X(id, text) #id,
        PT_DESYNCS(X)
#undef X
    };
    struct pt_expand expand;
    struct pt_fine fine;
    int n = 0;
    f->text[0] = '\0';
    if (f->walked.desynced) {
        cr_assert_lt(f->walked.desync.reason, PT_DESYNC_COUNT);
        cr_expect_gt(pt_walk_desyncs(f->walk, f->walked.desync.reason), 0u);
        cr_expect_eq(f->walked.desync.seq, f->seq);
        snprintf(f->text, sizeof f->text, "desync %s",
                 names[f->walked.desync.reason]);
        return f->text;
    }
    if (f->walked.lost)
        return "lost";
    uint64_t instructions, lines, told[PT_KIND_LIMIT] = {0};
    pt_expand_count(&f->walked, &instructions, &lines);
    pt_expand_begin(&expand, &f->walked);
    while (pt_expand_next(&expand, &fine) && n < (int)sizeof f->text - 16) {
        told[fine.kind]++;
        n += sprintf(f->text + n, fine.kind == PT_LINE ? "%sL%u" : "%s%u",
                     n ? " " : "", fine.kind == PT_LINE ? fine.line : fine.off);
    }
    cr_expect_eq(instructions, told[PT_INSTRUCTION]);
    cr_expect_eq(lines, told[PT_LINE]);
    return f->text;
}

const char *
flow_step(struct flow *f, struct pt_event e)
{
    f->seq++;
    cr_assert_eq(pt_walk_step(f->walk, &e, f->seq, &f->walked), PT_OK);
    return tell(f);
}

const char *
flow_sync(struct flow *f, const struct pt_frame *frames, size_t depth)
{
    struct pt_chunk_info info = {.events = 1, .seq = ++f->seq};
    struct pt_event first = {.kind = PT_RETURN};
    struct pt_events chunk = {
        .info = &info, .events = &first, .stack = frames, .depth = depth};
    cr_assert_eq(pt_walk_sync(f->walk, &chunk, &f->walked), PT_OK);
    return tell(f);
}

/* --- events --------------------------------------------------------------- */

static struct pt_event
entering(uint8_t kind, uint32_t code, int caller, int64_t dst)
{
    struct pt_event e = {.kind = kind, .has = PT_HAS(CODE), .id = code};
    if (caller >= 0) {
        e.has |= PT_HAS(OFF);
        e.pos = (uint32_t)caller;
    }
    if (dst >= 0) {
        e.has |= PT_HAS(DST);
        e.dst = (uint32_t)dst;
    }
    return e;
}

struct pt_event
fl_call(uint32_t code, int caller)
{
    return entering(PT_CALL, code, caller, -1);
}

struct pt_event
fl_resume(uint32_t code, int caller, uint32_t dst)
{
    return entering(PT_RESUME, code, caller, dst);
}

struct pt_event
fl_throw(uint32_t code, int caller, uint32_t dst)
{
    return entering(PT_THROW, code, caller, dst);
}

struct pt_event
fl_branch(uint32_t off, uint32_t dst)
{
    return (struct pt_event){.kind = PT_BRANCH,
                             .has = PT_HAS(OFF) | PT_HAS(DST),
                             .pos = off,
                             .dst = dst};
}

struct pt_event
fl_jump(uint32_t off, uint32_t dst)
{
    struct pt_event e = fl_branch(off, dst);
    e.kind = PT_JUMP;
    return e;
}

struct pt_event
fl_raise(uint32_t off, uint32_t last, uint64_t how)
{
    return (struct pt_event){.kind = PT_EXCEPTION,
                             .has = PT_HAS(OFF) | PT_HAS(DST) | PT_HAS(TYPE) |
                                    PT_HAS(ARG),
                             .pos = off,
                             .dst = last,
                             .arg = how};
}

struct pt_event
fl_at(uint8_t kind, uint32_t off)
{
    return (struct pt_event){.kind = kind, .has = PT_HAS(OFF), .pos = off};
}

struct pt_event
fl_end(uint8_t kind)
{
    return (struct pt_event){.kind = kind};
}

/* --- where frames stand ----------------------------------------------------
 */

void
stand_step(struct stand *s, const struct pt_event *e)
{
    struct pt_frame *top = s->depth ? &s->frames[s->depth - 1] : NULL;
    if (pt_kind_enters(e->kind)) {
        if (top && e->has & PT_HAS(OFF) &&
            !(top->at == PT_AT_RAISED && top->off == e->pos)) {
            top->at = PT_AT_INSIDE;
            top->off = e->pos;
        }
        cr_assert_lt(s->depth, sizeof s->frames / sizeof *s->frames);
        s->frames[s->depth++] =
            (struct pt_frame){.id = e->id,
                              .seq = UINT64_MAX,
                              .time = e->time,
                              .off = e->has & PT_HAS(DST) ? e->dst : UINT32_MAX,
                              .dst = e->dst,
                              .at = e->kind == PT_CALL     ? PT_AT_START
                                    : e->kind == PT_RESUME ? PT_AT_JUMPED
                                                           : PT_AT_THROWN};
    } else if (pt_kind_leaves(e->kind)) {
        s->depth -= s->depth > 0;
    } else if (!top) {
        return;
    } else if (e->kind == PT_BRANCH || e->kind == PT_JUMP) {
        top->at = PT_AT_JUMPED;
        top->off = e->pos;
        top->dst = e->dst;
    } else if (e->kind == PT_EXCEPTION) {
        top->at = PT_AT_RAISED;
        top->off = e->dst;
        top->dst = e->pos;
    } else if (e->kind == PT_HANDLED) {
        top->at = PT_AT_JUMPED;
        top->dst = e->pos;
    } else if (e->kind == PT_C_CALL) {
        top->at = PT_AT_INSIDE;
        top->off = e->pos;
    }
}
