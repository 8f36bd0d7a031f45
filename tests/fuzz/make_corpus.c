/* Writes the corpus of small logs that fuzzing starts from, through the public
 * writer: make_corpus DIRECTORY.  The same bytes each time. */
#include "format/chunk.h"

#include <pt/syntax.h>
#include <pt/value.h>
#include <pt/writer.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#define S(literal) ((struct pt_str){literal, sizeof(literal) - 1})

static const char *directory;

static void
must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "make_corpus: %s\n", what);
    exit(1);
}

static const char *
path_of(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

/* --- whole logs ----------------------------------------------------------- */

/* What the header says of values. */
static struct pt_str values_of;

/* A log being written, with one process, thread and interpreter, a few code
 * objects, and the block of its thread. */
struct log {
    struct pt_writer *w;
    struct pt_block *b;
    uint32_t interpreter, process, thread, code[3], callable[4], type;
    uint64_t now; /* quanta */
};

static void
begin_as(struct log *l, const char *name, uint32_t optional,
         const struct pt_str *filters, size_t nfilters)
{
    struct pt_header h = {.clock = {.mult = 1627389952,
                                    .shift = 32,
                                    .quantum = 32,
                                    .source = "tsc",
                                    .unix_ns = 1700000000000000000},
                          .writer = S("make_corpus"),
                          .preset = S("instructions"),
                          .optional = optional,
                          .values = values_of,
                          .filters = filters,
                          .nfilters = nfilters,
                          .events = 0xfffffe,
                          .stamped = 0x1fffe};
    struct pt_writer_options force = {.force = true};
    memset(l, 0, sizeof *l);
    l->now = 1000;
    must(pt_writer_open(path_of(name), &h, &force, NULL, &l->w) == PT_OK, name);
    must(pt_block_new(&l->b) == PT_OK, "no block");
    static struct pt_interpreter in = {.hexversion = 0x030c01f0};
    in.version = S("3.12.1");
    in.opcodes[83] = (struct pt_opcode){S("RETURN_VALUE"), 0, 0};
    in.opcodes[114] =
        (struct pt_opcode){S("POP_JUMP_IF_FALSE"), PT_OP_ARG | PT_OP_JREL, 0};
    pt_writer_interpreter(l->w, &in, &l->interpreter);
    struct pt_process p = {.interpreter = l->interpreter, .pid = 4242};
    pt_writer_process(l->w, &p, &l->process);
    struct pt_thread t = {.process = l->process, .tid = 4242, .time = 7};
    pt_writer_thread(l->w, &t, &l->thread);
    for (unsigned i = 0; i < 3; i++) {
        static const char names[3][4] = {"f", "g", "h"};
        struct pt_code c = {.interpreter = l->interpreter,
                            .file = S("app.py"),
                            .name = {names[i], 1},
                            .qualname = {names[i], 1},
                            .firstline = 10 * i,
                            .bytecode = S("\x97\x00\x72\x01\x53\x00"),
                            .linetable = S("\x80\x00\xd8\x04\x0a")};
        pt_writer_code(l->w, &c, &l->code[i]);
        struct pt_callable k = {
            (uint8_t)(i + 1), S("m"), S("T"), {names[i], 1}, S("<label>")};
        pt_writer_callable(l->w, &k, &l->callable[i]);
    }
    struct pt_type type = {S("builtins"), S("ValueError")};
    pt_writer_type(l->w, &type, &l->type);
}

static void
begin(struct log *l, const char *name)
{
    begin_as(l, name, 0, NULL, 0);
}

static void
push(struct log *l, enum pt_kind kind, unsigned mask, uint32_t id, uint32_t pos,
     uint32_t dst, uint64_t arg)
{
    must(pt_block_push(l->b, (uint8_t)kind, (uint8_t)mask, l->now += 7, id, pos,
                       dst, arg) == PT_OK,
         "push");
}

static void
flush(struct log *l, const struct pt_frame *stack, size_t depth)
{
    must(pt_writer_events(l->w, l->b, l->process, l->thread, stack, depth,
                          NULL) == PT_OK,
         "events");
}

static void
finish(struct log *l, const char *reason)
{
    struct pt_process_end e = {l->process, PT_ENDED_EXIT, 0, 12345, 0};
    struct pt_end end = {.time = 12345, .reason = {reason, strlen(reason)}};
    pt_writer_process_end(l->w, &e);
    pt_block_free(l->b);
    must(pt_writer_close(l->w, &end, NULL) == PT_OK, "close");
}

enum {
    TIME = PT_HAS(TIME),
    CODE = PT_HAS(CODE),
    ARG = PT_HAS(ARG),
    OFF = PT_HAS(OFF),
    DST = PT_HAS(DST),
    LINE = PT_HAS(LINE),
    CALLEE = PT_HAS(CALLEE),
    TYPE = PT_HAS(TYPE)
};

static void
every_kind(void)
{
    struct log l;
    begin(&l, "kinds.ptr");
    push(&l, PT_PROCESS, TIME | ARG, 0, 0, 0, 1);
    push(&l, PT_THREAD, TIME | ARG, 0, 0, 0, 1);
    push(&l, PT_CALL, TIME | CODE, l.code[0], 0, 0, 0);
    push(&l, PT_LINE, TIME | LINE, 0, 11, 0, 0);
    push(&l, PT_INSTRUCTION, OFF, 0, 2, 0, 0);
    push(&l, PT_BRANCH, OFF | DST, 0, 2, 4, 0);
    push(&l, PT_JUMP, OFF | DST, 0, 4, 0, 0);
    push(&l, PT_C_CALL, TIME | CALLEE, l.callable[0], 0, 0, 0);
    push(&l, PT_C_RETURN, TIME, 0, 0, 0, 0);
    push(&l, PT_CALL, TIME | CODE | ARG, l.code[1], 0, 0, 4096);
    push(&l, PT_YIELD, TIME, 0, 0, 0, 0);
    push(&l, PT_RESUME, TIME | CODE | ARG, l.code[1], 0, 0, 4096);
    push(&l, PT_YIELD, TIME, 0, 0, 0, 0);
    push(&l, PT_THROW, TIME | CODE | ARG, l.code[1], 0, 0, 4096);
    push(&l, PT_EXCEPTION, TIME | OFF | TYPE | ARG, l.type, 2, 0, 0);
    push(&l, PT_UNWIND, TIME, 0, 0, 0, 0);
    push(&l, PT_EXCEPTION, TIME | OFF | TYPE | ARG, l.type, 2, 0, 1);
    push(&l, PT_HANDLED, TIME | OFF, 0, 4, 0, 0);
    push(&l, PT_C_CALL, TIME | CALLEE, l.callable[1], 0, 0, 0);
    push(&l, PT_C_EXCEPTION, TIME, 0, 0, 0, 0);
    const struct pt_task task = {l.process, 0, l.code[0], S("Task-1")};
    uint32_t id;
    must(pt_writer_task(l.w, &task, &id) == PT_OK, "task");
    push(&l, PT_TASK, TIME | DST | ARG, 0, 0, PT_TASK_CREATED, id);
    for (unsigned k = PT_SWITCH; k <= PT_VALUE; k++)
        push(&l, (enum pt_kind)k, TIME | ARG, 0, 0, 0, k);
    push(&l, PT_RETURN, TIME, 0, 0, 0, 0);
    push(&l, PT_THREAD, TIME | ARG, 0, 0, 0, 0);
    flush(&l, NULL, 0);
    finish(&l, "complete");
}

/* --- values --------------------------------------------------------------- */

static struct pt_value_place
find_object(void *state, uint64_t number)
{
    return (struct pt_value_place){
        .known = number == 5, .record = 0, .seq = *(uint64_t *)state};
}

static void
value(struct log *l, uint32_t role, uint32_t index, struct pt_str raw,
      struct pt_value_place same, uint64_t *seq)
{
    const uint32_t types[] = {0, l->type};
    struct pt_value_maker m = {.types = types,
                               .ntypes = 2,
                               .same = same,
                               .state = seq,
                               .find = find_object};
    must(pt_block_value(l->b, l->code[1], 4, role << PT_ROLE_SHIFT | index, raw,
                        &m) == PT_OK,
         "value");
}

/* Each kind of item, and values that were told before, in this chunk and in the
 * one before. */
static void
every_value(void)
{
    static const struct pt_str items[] = {
        S("\x87\x07\x01\x05\x01\x02\x01\x82\x01\x05"),
        S("\xf6"),
        S("\xf4"),
        S("\x20"),
        S("\xc2\x49\x01\x00\x00\x00\x00\x00\x00\x00\x00"),
        S("\xc3\x41\x07"),
        S("\xfb\x3f\xf8\x00\x00\x00\x00\x00\x00"),
        S("\xf9\x3e\x00"),
        S("\x62hi"),
        S("\x63\xed\xa0\x80"),
        S("\x42hi"),
        S("\xf7"),
        S("\x83\x03\x18\x64\x62hi"),
        S("\x83\x04\x18\x64\x42hi"),
        S("\x83\x05\x19\x40\x00\x01"),
        S("\x81\x06"),
        S("\x81\x08"),
        S("\x81\x09"),
        S("\x81\x0a"),
        S("\x89\x07\x01\x06\x03\x02\x61k\x01\x61l\x02"),
        S("\x86\x07\x01\x07\x01\x01\x83\x0b\x05\x02"),
    };
    struct log l;
    uint64_t first = 0, here = UINT64_MAX;
    struct pt_value_place nowhere = {.known = false};
    values_of = S("locals");
    begin_as(&l, "values.ptr", PT_OPTIONAL_FLOW, NULL, 0);
    values_of = (struct pt_str){NULL, 0};
    push(&l, PT_CALL, TIME | CODE, l.code[1], 0, 0, 0);
    for (unsigned i = 0; i < sizeof items / sizeof *items; i++)
        value(&l, PT_ROLE_LOCAL, i % 3, items[i], nowhere, &here);
    value(&l, PT_ROLE_LOCAL, 0, S("\x81\x02"),
          (struct pt_value_place){true, 8, UINT64_MAX}, &here);
    flush(&l, NULL, 0);
    struct pt_frame stack = {.id = l.code[1],
                             .seq = 0,
                             .off = UINT32_MAX,
                             .at = PT_AT_START,
                             .next = 4,
                             .time = 5};
    value(&l, PT_ROLE_LOCAL, 0, S("\x81\x02"),
          (struct pt_value_place){true, 8, first}, &first);
    value(&l, PT_ROLE_NAME, 1, S("\x83\x0b\x05\x02"), nowhere, &first);
    value(&l, PT_ROLE_NAME, 1, S("\x83\x0b\x06\x02"), nowhere, &first);
    value(&l, PT_ROLE_LOCAL, 2, S("\x81\x02"), nowhere, &first);
    push(&l, PT_RETURN, TIME, 0, 0, 0, 0);
    flush(&l, &stack, 1);
    finish(&l, "complete");
}

static void
every_constant(void)
{
    struct log l;
    begin(&l, "constants.ptr");
    const struct pt_const consts[] = {
        {.kind = PT_CONST_NONE},
        {.kind = PT_CONST_ELLIPSIS},
        {.kind = PT_CONST_BOOL, .i = 1},
        {.kind = PT_CONST_INT, .i = -12345678901},
        {.kind = PT_CONST_BIGINT, .s = S("123456789abcdef0123456789")},
        {.kind = PT_CONST_BIGINT, .s = S("-123456789abcdef0123456789")},
        {.kind = PT_CONST_FLOAT, .f = 1.5},
        {.kind = PT_CONST_COMPLEX, .f = 1.5, .g = -2.5},
        {.kind = PT_CONST_STR, .s = S("text \xe2\x82\xac")},
        {.kind = PT_CONST_STR, .s = S("\xed\xa0\x80")},
        {.kind = PT_CONST_BYTES, .s = S("\x00\x01")},
        {.kind = PT_CONST_TUPLE, .n = 2},
        {.kind = PT_CONST_FROZENSET, .n = 1},
        {.kind = PT_CONST_INT, .i = 1},
        {.kind = PT_CONST_SLICE, .n = 3},
        {.kind = PT_CONST_NONE},
        {.kind = PT_CONST_NONE},
        {.kind = PT_CONST_INT, .i = 2},
        {.kind = PT_CONST_CODE, .n = l.code[0]},
        {.kind = PT_CONST_OTHER, .s = S("T")},
    };
    const struct pt_str names[] = {S("print"), S("x")};
    struct pt_code c = {.interpreter = l.interpreter,
                        .file = S("b.py"),
                        .name = S("c"),
                        .qualname = S("C.c"),
                        .firstline = 3,
                        .argcount = 1,
                        .flags = 3,
                        .bytecode = S("\x97\x00\x53\x00"),
                        .linetable = S("\xf8\x00"),
                        .exctable = S("\x82\x01\x02\x00"),
                        .names = names,
                        .nnames = 2,
                        .locals = names,
                        .nlocalsplus = 2,
                        .localkinds = S("\x20\x20"),
                        .consts = consts,
                        .nconsts = sizeof consts / sizeof *consts};
    uint32_t id;
    must(pt_writer_code(l.w, &c, &id) == PT_OK, "code");
    struct pt_source source = {S("b.py"), S("/b.py"), S("def c(): pass\n"), 5};
    pt_writer_source(l.w, &source, &id);
    pt_writer_string(l.w, S("a string"), &id);
    pt_writer_thread_name(l.w, l.thread, S("main"));
    struct pt_costs costs = {.process = l.process,
                             .of = {[PT_CALL] = {21500, 9000}}};
    pt_writer_costs(l.w, &costs);
    push(&l, PT_CALL, TIME | CODE, id, 0, 0, 0);
    flush(&l, NULL, 0);
    finish(&l, "complete");
}

static void
threads_and_keyframes(void)
{
    struct log l;
    begin(&l, "threads.ptr");
    struct pt_frame stack[3] = {
        {.id = l.code[0], .seq = 0, .line = 3, .off = 2, .time = 5},
        {.id = l.code[1],
         .key = 77,
         .seq = UINT64_MAX,
         .off = UINT32_MAX,
         .time = INT64_MIN},
        {.id = l.callable[1], .callable = 1, .seq = 1, .off = UINT32_MAX}};
    for (unsigned i = 0; i < 4; i++) {
        struct pt_thread t = {.process = l.process, .tid = 100 + i};
        push(&l, PT_LINE, TIME | LINE, 0, i, 0, 0);
        push(&l, PT_RETURN, 0, 0, 0, 0, 0);
        flush(&l, stack, i);
        pt_writer_thread(l.w, &t, &l.thread);
    }
    flush(&l, stack, 3);
    finish(&l, "complete");
}

/* A recording of a part of the program: its header says of which. */
static void
filtered(void)
{
    struct log l;
    const struct pt_str filters[] = {S("source=/home/u/app"), S("exclude=g"),
                                     S("max-depth=3")};
    begin_as(&l, "filters.ptr", 0, filters, sizeof filters / sizeof *filters);
    push(&l, PT_CALL, TIME | CODE, l.code[0], 0, 0, 0);
    push(&l, PT_RETURN, TIME, 0, 0, 0, 0);
    flush(&l, NULL, 0);
    finish(&l, "complete");
}

/* A stack that greenlets run on, beside the thread that carries it. */
static void
greenlets(void)
{
    struct log l;
    begin(&l, "greenlets.ptr");
    struct pt_thread t = {.process = l.process, .tid = 100};
    for (unsigned i = 0; i < 2; i++) {
        push(&l, PT_CALL, TIME | CODE, l.code[i], 0, 0, 0);
        push(&l, PT_SWITCH, TIME | ARG, 0, 0, 0, 1 - i);
        push(&l, PT_SWITCH, TIME | DST | ARG, 0, 0, 1 - i, i);
        push(&l, PT_RETURN, TIME, 0, 0, 0, 0);
        flush(&l, NULL, 0);
        t.carrier = l.thread;
        pt_writer_thread(l.w, &t, &l.thread);
    }
    finish(&l, "complete");
}

/* Tasks: all that becomes of them, one within another's step, one renamed. */
static void
tasks(void)
{
    struct log l;
    begin(&l, "tasks.ptr");
    struct pt_task task = {l.process, 0, l.code[0], S("Task-1")};
    uint32_t id[3];
    must(pt_writer_task(l.w, &task, &id[0]) == PT_OK, "task");
    task = (struct pt_task){l.process, id[0], l.code[1], S("")};
    must(pt_writer_task(l.w, &task, &id[1]) == PT_OK, "task");
    task = (struct pt_task){l.process, id[1], 0, S("\xed\xa0\x80")};
    must(pt_writer_task(l.w, &task, &id[2]) == PT_OK, "task");
    pt_writer_task_name(l.w, id[1], S("w\xc3\xb6rker"));
    static const struct {
        unsigned task, act;
    } told[] = {
        {0, PT_TASK_CREATED}, {0, PT_TASK_RUNS},     {1, PT_TASK_CREATED},
        {2, PT_TASK_CREATED}, {2, PT_TASK_RUNS},     {2, PT_TASK_WAITS},
        {1, PT_TASK_AWAITS},  {0, PT_TASK_WAITS},    {1, PT_TASK_RUNS},
        {1, PT_TASK_RAISED},  {0, PT_TASK_RUNS},     {0, PT_TASK_RETURNED},
        {2, PT_TASK_RUNS},    {2, PT_TASK_CANCELLED}};
    push(&l, PT_CALL, TIME | CODE, l.code[0], 0, 0, 0);
    for (unsigned i = 0; i < sizeof told / sizeof *told; i++)
        push(&l, PT_TASK, TIME | DST | ARG, 0, 0, told[i].act,
             id[told[i].task]);
    push(&l, PT_TASK, TIME | DST | ARG, 0, 0, 77,
         id[0]); /* of a later version */
    push(&l, PT_RETURN, TIME, 0, 0, 0, 0);
    flush(&l, NULL, 0);
    finish(&l, "complete");
}

/* Every transform and width, escapes, a gap. */
static void
columns(void)
{
    struct log l;
    begin(&l, "columns.ptr");
    for (unsigned bits = 1; bits < 40; bits++) {
        l.now += UINT64_C(1) << bits;
        push(&l, PT_CALL, TIME | CODE | ARG, 1 + bits % 3, 0, 0,
             (UINT64_C(1) << 50) + bits);
        push(&l, PT_BRANCH, OFF | DST, 0, 1u << bits % 32, 100000 + bits, 0);
    }
    l.now -= 100000;
    push(&l, PT_LINE, TIME | LINE, 0, 70000, 0, 0);
    push(&l, PT_GAP, TIME | ARG, 0, 0, 0, UINT64_MAX);
    flush(&l, NULL, 0);
    for (unsigned i = 0; i < 300; i++) {
        l.now += UINT64_C(1) << 20;
        push(&l, PT_LINE, TIME | LINE, 0, 70000 + i, 0, 0);
    }
    flush(&l, NULL, 0);
    finish(&l, "disk full");
}

/* Predicted events: a loop over a generator, which takes turns with another,
 * with calls and an exception; a second chunk with frames below. */
static void
predicted(void)
{
    struct log l;
    begin_as(&l, "predicted.ptr", PT_OPTIONAL_FLOW, NULL, 0);
    unsigned begins = TIME | CODE | OFF | ARG, resumes = begins | DST;
    const struct pt_frame stack[2] = {
        {.id = l.code[0], .seq = 0, .off = 2, .at = PT_AT_INSIDE, .time = 5},
        {.id = l.code[1], .key = 8, .seq = 1, .off = 2, .time = 6}};
    for (unsigned chunk = 0; chunk < 2; chunk++) {
        if (chunk == 0)
            push(&l, PT_CALL, TIME | CODE, l.code[0], 0, 0, 0);
        else
            push(&l, PT_YIELD, TIME | OFF, 0, 4, 0, 0);
        for (unsigned i = 0; i < 2; i++) {
            push(&l, PT_CALL, begins, l.code[1], 2, 0, 20 * chunk + 7 + i);
            push(&l, PT_YIELD, TIME | OFF, 0, 4, 0, 0);
        }
        for (unsigned i = 0; i < 100; i++) {
            push(&l, PT_BRANCH, OFF | DST | (i % 32 == 9 ? TIME : 0), 0, 2,
                 i % 5 == 0 ? 6 : 4, 0);
            push(&l, PT_RESUME, resumes, l.code[1], 4, 0,
                 20 * chunk + 7 + i % 2);
            push(&l, PT_C_CALL, TIME | CALLEE | OFF, l.callable[i % 3], 2, 0,
                 0);
            push(&l, PT_C_RETURN, TIME, 0, 0, 0, 0);
            push(&l, PT_YIELD, TIME | OFF, 0, 4, 0, 0);
        }
        push(&l, PT_THROW, resumes, l.code[1], 4, 0, 20 * chunk + 7);
        push(&l, PT_EXCEPTION, TIME | OFF | DST | TYPE | ARG, l.type, 2, 2, 0);
        push(&l, PT_UNWIND, TIME, 0, 0, 0, 0);
        flush(&l, stack, chunk == 0 ? 0 : 2);
    }
    finish(&l, "complete");
}

/* The syntax of
 *     # c
 *     def f(a, b):
 *         return (a and
 *                 not b)
 * and of a text that is none. */
static void
syntax(void)
{
    struct log l;
    begin(&l, "syntax.ptr");
    static const struct pt_statement statements[] = {
        {PT_STATEMENT_DEF, 0, 0, 2, 0, 4, 22, 2, 1},
        {PT_STATEMENT_RETURN, 0, 1, 3, 4, 4, 22, 3, 0}};
    static const struct pt_suite suites[] = {
        {PT_SUITE_MODULE, 0, 0, 1, 0, 0, 0, 4},
        {PT_SUITE_BODY, 0, 1, 2, 0, 2, 11, 4}};
    static const struct pt_expression expressions[] = {
        {PT_EXPRESSION_AND, PT_CONTEXT_VALUE, 0, 0, 2, 3, 12, 4, 21},
        {PT_EXPRESSION_ATOM, 0, 0, 1, 2, 3, 12, 3, 13},
        {PT_EXPRESSION_NOT, 0, 0, 1, 2, 4, 16, 4, 21},
        {PT_EXPRESSION_ATOM, 0, 0, 3, 2, 4, 20, 4, 21}};
    static const struct pt_logical logical[] = {{3, 4}};
    static const struct pt_comment comments[] = {{1, 0}};
    static const struct pt_code_line code[] = {{2}, {3}, {4}};
    static const struct pt_str names[] = {S("f")};
    struct pt_source text = {
        S("s.py"), S("/s.py"),
        S("# c\ndef f(a, b):\n    return (a and\n                not b)\n"), 1};
    struct pt_syntax made = {.version = 0x30c,
                             .lines = 4,
                             .statements = statements,
                             .suites = suites,
                             .expressions = expressions,
                             .logical = logical,
                             .comments = comments,
                             .code = code,
                             .names = names,
                             .nstatements = 2,
                             .nsuites = 2,
                             .nexpressions = 4,
                             .nlogical = 1,
                             .ncomments = 1,
                             .ncode = 3,
                             .nnames = 1};
    struct pt_syntax none = {.version = 0x30d,
                             .failure = S("SyntaxError: invalid syntax")};
    must(pt_writer_source(l.w, &text, &made.source) == PT_OK, "source");
    none.source = made.source;
    must(pt_writer_syntax(l.w, &made) == PT_OK, "syntax");
    must(pt_writer_syntax(l.w, &none) == PT_OK, "no syntax");
    push(&l, PT_CALL, TIME | CODE, l.code[0], 0, 0, 0);
    flush(&l, NULL, 0);
    finish(&l, "complete");
}

/* --- damaged ones --------------------------------------------------------- */

static unsigned char bytes[1 << 16];
static size_t size;

static void
load(const char *name)
{
    FILE *f = fopen(path_of(name), "rb");
    must(f != NULL, name);
    size = fread(bytes, 1, sizeof bytes / 2, f);
    fclose(f);
}

static void
save(const char *name)
{
    FILE *f = fopen(path_of(name), "wb");
    must(f != NULL && fwrite(bytes, 1, size, f) == size, name);
    fclose(f);
}

/* Where the first chunk of `type` begins. */
static size_t
chunk_of(uint8_t type)
{
    struct pt_chunk_header h;
    for (size_t at = 0; at + PT_CHUNK_HEADER_SIZE <= size;
         at += (size_t)pt_chunk_total(&h.info)) {
        must(bytes[at + 9] == type || pt_chunk_decode(bytes + at, &h) == PT_OK,
             "walk");
        if (bytes[at + 9] == type)
            return at;
    }
    must(false, "no such chunk");
    return 0;
}

/* Makes the checksum of a changed chunk header right again. */
static void
sign(size_t at)
{
    enum { SELF = PT_CHUNK_HEADER_SIZE - 8 };
    uint64_t hash = pt_hash64(bytes + at, SELF);
    for (unsigned i = 0; i < 8; i++)
        bytes[at + SELF + i] = (unsigned char)(hash >> 8 * i);
}

/* Replaces the body of a chunk; the header is made to fit but for `claim`,
 * which, not 0, is the raw size it says. */
static void
replace(size_t at, const void *item, size_t len, uint64_t claim)
{
    static unsigned char rest[sizeof bytes];
    struct pt_chunk_header h;
    must(pt_chunk_decode(bytes + at, &h) == PT_OK, "header");
    size_t old = at + (size_t)pt_chunk_total(&h.info), more = size - old;
    memcpy(rest, bytes + old, more);
    unsigned char *body = bytes + at + PT_CHUNK_HEADER_SIZE;
    size_t n = ZSTD_compress(body, sizeof bytes / 2, item, len, 19);
    must(!ZSTD_isError(n), "zstd");
    h.info.raw_size = claim != 0 ? claim : len;
    h.info.packed_size = n;
    h.hash = pt_hash64(body, n);
    pt_chunk_encode(&h, bytes + at);
    memcpy(body + n, rest, more);
    size = at + PT_CHUNK_HEADER_SIZE + n + more;
}

/* Writes `from` as `name` with a byte of its first item of `type` changed: that
 * `at` bytes behind the key `key`. */
static void
save_changed(const char *from, uint8_t type, const char *name, const char *key,
             size_t at, unsigned char byte)
{
    static unsigned char item[sizeof bytes];
    struct pt_chunk_header h;
    load(from);
    size_t chunk = chunk_of(type);
    must(pt_chunk_decode(bytes + chunk, &h) == PT_OK, "header");
    size_t n =
        ZSTD_decompress(item, sizeof item, bytes + chunk + PT_CHUNK_HEADER_SIZE,
                        (size_t)h.info.packed_size);
    must(!ZSTD_isError(n), "zstd");
    unsigned char *found = memmem(item, n, key, strlen(key));
    must(found != NULL, key);
    found[strlen(key) + at] = byte;
    replace(chunk, item, n, 0);
    save(name);
}

static void
change_events(const char *name, const char *key, size_t at, unsigned char byte)
{
    save_changed("predicted.ptr", PT_CHUNK_EVENTS, name, key, at, byte);
}

static void
change_syntax(const char *name, const char *key, size_t at, unsigned char byte)
{
    save_changed("syntax.ptr", PT_CHUNK_SYNTAX, name, key, at, byte);
}

static void
damaged_syntax(void)
{
    /* An expression that is its own parent, a suite that there is not, more
     * rows than there are, an earlier line of code. */
    change_syntax("syntax-parent.ptr", "parent\xa3", 30, 1);
    change_syntax("syntax-suite.ptr", "suite\xa3", 31, 77);
    change_syntax("syntax-rows.ptr", "comments\xa3\x64rows", 0, 0x17);
    change_syntax("syntax-code.ptr", "code\xa2\x64rows\x03\x64line\xa3", 31, 1);
}

static void
change_values(const char *name, const char *key, size_t at, unsigned char byte)
{
    save_changed("values.ptr", PT_CHUNK_VALUES, name, key, at, byte);
}

static void
damaged_values(void)
{
    /* A size that is another, a record that names itself, an array of no kind,
     * an object with more items than there are, a variable's index that breaks
     * off. */
    change_values("values-sizes.ptr", "sizes\xa3\x69transform\x65plain", 20,
                  77);
    change_values("values-itself.ptr", "\x82\x02", 0, 21);
    change_values("values-kind.ptr", "\x83\x03", (size_t)-1, 12);
    change_values("values-items.ptr", "bytes\x58", 1, 0x97);
    save_changed("values.ptr", PT_CHUNK_VARIABLES, "values-index.ptr", "chunks",
                 0, 0x97);
}

static void
damaged_predicted(void)
{
    /* A rank, and a run, of which nothing is known; a mark that there is not;
     * a transform of a later version. */
    change_events("predicted-rank.ptr", "marks", 2, 7);
    change_events("predicted-mark.ptr", "marks", 4, 77);
    change_events("predicted-run.ptr", "runs", 3, 254);
    change_events("predicted-transform.ptr", "predic", 0, 'k');
}

static void
damaged(void)
{
    load("kinds.ptr");
    size = size * 2 / 3;
    save("torn.ptr");
    load("kinds.ptr");
    bytes[chunk_of(PT_CHUNK_EVENTS) + 20] ^= 1;
    save("bad-header.ptr");
    load("kinds.ptr");
    bytes[chunk_of(PT_CHUNK_DEFINITIONS) + 300] ^= 1;
    save("bad-definitions.ptr");
    load("threads.ptr");
    memmove(bytes + 900, bytes + 950, size -= 950);
    size += 900;
    save("bytes-missing.ptr");
    load("kinds.ptr");
    memcpy(bytes + size, bytes, size);
    size *= 2;
    save("twice.ptr");
    load("kinds.ptr");
    size -= 5;
    save("no-footer.ptr");

    load("kinds.ptr");
    replace(0, "\xa0", 1, 0);
    save("first-header-empty.ptr");
    load("kinds.ptr");
    bytes[chunk_of(PT_CHUNK_EVENTS) + 10] = 1;
    sign(chunk_of(PT_CHUNK_EVENTS));
    save("later-flags.ptr");

    /* Claims that must cost nothing. */
    static const unsigned char deep[4096] = {0xa1, 0x64, 'd', 'e', 'f', 's'};
    static unsigned char nested[4096];
    memcpy(nested, deep, 6);
    memset(nested + 6, 0x81, sizeof nested - 6);
    load("kinds.ptr");
    replace(chunk_of(PT_CHUNK_DEFINITIONS), nested, sizeof nested, 0);
    save("deep.ptr");
    load("kinds.ptr");
    replace(chunk_of(PT_CHUNK_EVENTS), "\xa0", 1, PT_LIMIT_EVENTS_RAW);
    save("raw-size.ptr");
    static unsigned char zeros[1 << 22];
    load("kinds.ptr");
    replace(chunk_of(PT_CHUNK_DEFINITIONS), zeros, sizeof zeros, 0);
    save("bomb.ptr");
    static const unsigned char ids[] = "\xa1\x64"
                                       "defs\x81\x83\x66"
                                       "string"
                                       "\x1a\xff\xff\xff\xfe\x61x";
    load("kinds.ptr");
    replace(chunk_of(PT_CHUNK_DEFINITIONS), ids, sizeof ids - 1, 0);
    save("large-id.ptr");
    static const unsigned char many[] = "\xa1\x65"
                                        "stack\x9a\x0f\xff\xff\xff";
    load("kinds.ptr");
    replace(chunk_of(PT_CHUNK_EVENTS), many, sizeof many - 1, 0);
    save("many-frames.ptr");
    memcpy(bytes, "not a trace\n", size = 12);
    save("text.ptr");
}

int
main(int argc, char **argv)
{
    must(argc == 2, "usage: make_corpus DIRECTORY");
    directory = argv[1];
    every_kind();
    every_constant();
    every_value();
    threads_and_keyframes();
    greenlets();
    filtered();
    tasks();
    columns();
    predicted();
    syntax();
    damaged();
    damaged_predicted();
    damaged_syntax();
    damaged_values();
    return 0;
}
