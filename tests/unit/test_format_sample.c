#include "tests/unit/test_format.h"

#include "format/chunk.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

void
place_make(struct place *p)
{
    snprintf(p->dir, sizeof p->dir, "/tmp/pt-format-XXXXXX");
    cr_assert_not_null(mkdtemp(p->dir));
    snprintf(p->path, sizeof p->path, "%s/t.ptr", p->dir);
    snprintf(p->part, sizeof p->part, "%s/t.ptr.part", p->dir);
    snprintf(p->second, sizeof p->second, "%s/u.ptr", p->dir);
}

void
place_remove(struct place *p)
{
    DIR *d = opendir(p->dir);
    cr_assert_not_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.')
            unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
    cr_expect_eq(rmdir(p->dir), 0);
}

const struct pt_header *
sample_header(void)
{
    static const struct pt_str argv[] = {
        {"ptrec", 5}, {"run", 3}, {"a\xff\x62.py", 6}};
    static const struct pt_str filters[] = {{"source=/home/a\xff", 15},
                                            {"exclude-stdlib", 14}};
    static const struct pt_header header = {
        .required = PT_REQUIRED_PREDICTED,
        .optional = 5,
        .clock = {.origin = UINT64_C(1) << 63,
                  .mult = 1627389952,
                  .shift = 32,
                  .quantum = 32,
                  .source = "tsc",
                  .unix_ns = 1700000000123456789},
        .writer = {"ptrec 0.1.0", 11},
        .preset = {"calls", 5},
        .host = {"host", 4},
        .system = {"Linux", 5},
        .cwd = {"/home/\xc3\xa9", 8},
        .uuid = {"00112233445566778899aabbccddeeff", 32},
        .argv = argv,
        .argc = 3,
        .events = 0x7ffffe,
        .stamped = 0x1e07e,
        .filters = filters,
        .nfilters = 2,
    };
    return &header;
}

struct pt_code
sample_code(uint32_t interpreter, uint32_t source, uint32_t nested)
{
    static struct pt_const consts[24];
    static const struct pt_str names[] = {{"print", 5}, {"", 0}};
    static const struct pt_str locals[] = {{"a", 1}, {"\xed\xa0\x80", 3}};
    const struct pt_const all[] = {
        {.kind = PT_CONST_NONE},
        {.kind = PT_CONST_ELLIPSIS},
        {.kind = PT_CONST_BOOL, .i = 1},
        {.kind = PT_CONST_BOOL, .i = 0},
        {.kind = PT_CONST_INT, .i = INT64_MIN},
        {.kind = PT_CONST_INT, .i = INT64_MAX},
        {.kind = PT_CONST_BIGINT, .s = S("10000000000000000")},
        {.kind = PT_CONST_BIGINT, .s = S("-10000000000000000")},
        {.kind = PT_CONST_FLOAT, .f = -0.0},
        {.kind = PT_CONST_COMPLEX, .f = 1.5, .g = -2.25},
        {.kind = PT_CONST_STR, .s = S("\xe2\x82\xac")},
        {.kind = PT_CONST_STR, .s = S("\xed\xb2\x80")},
        {.kind = PT_CONST_BYTES, .s = S("\x00\xff")},
        {.kind = PT_CONST_TUPLE, .n = 2},
        {.kind = PT_CONST_TUPLE, .n = 0},
        {.kind = PT_CONST_FROZENSET, .n = 1},
        {.kind = PT_CONST_STR, .s = {"", 0}},
        {.kind = PT_CONST_CODE, .n = nested},
        {.kind = PT_CONST_SLICE, .n = 3},
        {.kind = PT_CONST_NONE},
        {.kind = PT_CONST_INT, .i = -1},
        {.kind = PT_CONST_NONE},
        {.kind = PT_CONST_OTHER, .s = S("array.array")},
    };
    memcpy(consts, all, sizeof all);
    return (struct pt_code){
        .interpreter = interpreter,
        .source = source,
        .file = S("/home/\xc3\xa9/app.py"),
        .name = S("f"),
        .qualname = S("C.f"),
        .firstline = 10,
        .argcount = 1,
        .posonly = 2,
        .kwonly = 3,
        .flags = 0x1000003,
        .stacksize = 5,
        .nlocals = 2,
        .bytecode = S("\x97\x00\x7c\x00\x53\x00"),
        .linetable = S("\x80\x00\xd8\x04\x0a"),
        .exctable = S("\x81\x00"),
        .names = names,
        .nnames = 2,
        .locals = locals,
        .nlocalsplus = 2,
        .localkinds = S("\x20\x40"),
        .consts = consts,
        .nconsts = sizeof all / sizeof *all,
    };
}

/* --- writing the sample --------------------------------------------------- */

struct ids {
    uint32_t interpreter, source, code, other, callable, type, process, thread,
        second, string, task;
};

#define TRY(call)                                                              \
    do {                                                                       \
        enum pt_status st_ = (call);                                           \
        if (st_ != PT_OK)                                                      \
            return st_;                                                        \
    } while (0)

static enum pt_status
define(struct pt_writer *w, struct ids *id)
{
    static struct pt_interpreter in = {.hexversion = 0x030c01f0,
                                       .stdlib = {"/usr/lib/python3.12", 19}};
    in.version = S("3.12.1 (main)");
    in.soabi = S("cpython-312-x86_64-linux-gnu");
    in.executable = S("/usr/bin/python3");
    in.opcodes[0x97] = (struct pt_opcode){S("RESUME"), PT_OP_ARG, 0};
    in.opcodes[0x7c] =
        (struct pt_opcode){S("LOAD_FAST"), PT_OP_ARG | PT_OP_LOCAL, 0};
    in.opcodes[0x53] = (struct pt_opcode){S("RETURN_VALUE"), 0, 0};
    TRY(pt_writer_interpreter(w, &in, &id->interpreter));
    struct pt_source source = {S("app.py"), S("/home/app.py"),
                               S("print(1)\n\xff"), 0x1122334455667788};
    TRY(pt_writer_source(w, &source, &id->source));
    struct pt_code plain = {.interpreter = id->interpreter,
                            .file = S("<string>"),
                            .name = S("<module>"),
                            .qualname = S("<module>"),
                            .firstline = 1};
    TRY(pt_writer_code(w, &plain, &id->other));
    struct pt_code code = sample_code(id->interpreter, id->source, id->other);
    TRY(pt_writer_code(w, &code, &id->code));
    struct pt_callable callable = {PT_CALLABLE_METHOD, S("builtins"), S("list"),
                                   S("append"),
                                   S("<method 'append' of 'list' objects>")};
    TRY(pt_writer_callable(w, &callable, &id->callable));
    struct pt_type type = {S("builtins"), S("ValueError")};
    TRY(pt_writer_type(w, &type, &id->type));
    TRY(pt_writer_string(w, S("a mark"), &id->string));
    static const struct pt_str argv[] = {{"python3", 7}, {"app.py", 6}};
    struct pt_process process = {.interpreter = id->interpreter,
                                 .pid = 4242,
                                 .time = 12,
                                 .executable = S("/usr/bin/python3"),
                                 .cwd = S("/home"),
                                 .argv = argv,
                                 .argc = 2};
    TRY(pt_writer_process(w, &process, &id->process));
    struct pt_thread thread = {id->process, 4242, 100, S("MainThread"), 0};
    TRY(pt_writer_thread(w, &thread, &id->thread));
    thread.tid = 4243;
    thread.name = S("");
    thread.carrier = id->thread;
    TRY(pt_writer_thread(w, &thread, &id->second));
    struct pt_task task = {id->process, 0, id->code, S("")};
    TRY(pt_writer_task(w, &task, &id->task));
    task.parent = id->task;
    task.name = S("Task-2");
    return pt_writer_task(w, &task, &id->task);
}

/* Times that need every width and an escape both ways. */
static uint64_t
step(unsigned i)
{
    static const uint64_t steps[] = {0, 3, 200, 70000, 5, 20000000, 1};
    if (i == 9)
        return (uint64_t)-40; /* the clock went back */
    return i == 11 ? UINT64_C(1) << 33 : steps[i % 7];
}

enum { MAIN_EVENTS = 26, SECOND_EVENTS = 8 };

static enum pt_status
push_all(struct pt_block *b, const struct ids *id)
{
    uint64_t q = 1000;
    unsigned i = 0;
    uint8_t time = PT_HAS(TIME),
            key = PT_HAS(TIME) | PT_HAS(CODE) | PT_HAS(ARG);
#define PUSH(kind, mask, ...)                                                  \
    TRY(pt_block_push(b, kind, mask, q += step(i++), __VA_ARGS__))
    PUSH(PT_PROCESS, time | PT_HAS(ARG), 0, 0, 0, 1);
    PUSH(PT_THREAD, PT_HAS(ARG), 0, 0, 0, 1);
    PUSH(PT_CALL, time | PT_HAS(CODE), id->other, 0, 0, 0);
    PUSH(PT_LINE, PT_HAS(LINE), 0, 70000, 0, 0);
    PUSH(PT_CALL, key, id->code, 0, 0, UINT64_C(1) << 40);
    PUSH(PT_INSTRUCTION, PT_HAS(OFF), 0, 2, 0, 0);
    PUSH(PT_C_CALL, time | PT_HAS(CALLEE), id->callable, 0, 0, 0);
    PUSH(PT_C_RETURN, time, 0, 0, 0, 0);
    PUSH(PT_BRANCH, PT_HAS(OFF) | PT_HAS(DST), 0, 4, 300, 0);
    PUSH(PT_BRANCH, time | PT_HAS(OFF) | PT_HAS(DST), 0, 4, 6, 0);
    PUSH(PT_JUMP, PT_HAS(OFF) | PT_HAS(DST), 0, 4, 0, 0);
    PUSH(PT_YIELD, time, 0, 0, 0, 0);
    PUSH(PT_RESUME, key, id->code, 0, 0, (UINT64_C(1) << 40) + 1);
    PUSH(PT_LINE, time | PT_HAS(LINE), 0, 0, 0, 0);
    PUSH(PT_YIELD, 0, 0, 0, 0, 0);
    PUSH(PT_THROW, key, id->code, 0, 0, 7);
    PUSH(PT_C_CALL, time | PT_HAS(CALLEE), id->callable, 0, 0, 0);
    PUSH(PT_C_EXCEPTION, time, 0, 0, 0, 0);
    PUSH(PT_EXCEPTION, time | PT_HAS(OFF) | PT_HAS(TYPE) | PT_HAS(ARG),
         id->type, 2, 0, PT_RERAISED);
    PUSH(PT_HANDLED, PT_HAS(OFF), 0, 4, 0, 0);
    PUSH(PT_UNWIND, time, 0, 0, 0, 0);
    PUSH(PT_TASK, time | PT_HAS(DST) | PT_HAS(ARG), 0, 0, PT_TASK_RUNS,
         id->task);
    PUSH(PT_MARK, time | PT_HAS(ARG), 0, 0, 0, id->string);
    PUSH(PT_RETURN, time, 0, 0, 0, 0);
    PUSH(PT_GAP, PT_HAS(ARG), 0, 0, 0, UINT64_MAX);
    PUSH(PT_THREAD, time | PT_HAS(ARG), 0, 0, 0, 0);
#undef PUSH
    return PT_OK;
}

static enum pt_status
write_events(struct pt_writer *w, struct pt_block *b, const struct ids *id)
{
    uint64_t seq;
    TRY(push_all(b, id));
    TRY(pt_writer_events(w, b, id->process, id->thread, NULL, 0, &seq));
    cr_expect_eq(seq, 0);

    const struct pt_frame stack[] = {
        {.id = id->other,
         .seq = 2,
         .line = 3,
         .off = 4,
         .at = PT_AT_RAISED,
         .dst = 70000,
         .time = 100},
        {.id = id->code,
         .key = 1u << 20,
         .seq = UINT64_MAX,
         .off = UINT32_MAX,
         .time = INT64_MIN},
        {.id = id->callable,
         .callable = 1,
         .seq = 9,
         .off = UINT32_MAX,
         .time = -5},
    };
    for (unsigned i = 0; i < SECOND_EVENTS; i++)
        TRY(pt_block_push(b, PT_LINE, PT_HAS(LINE), 0, 0, 1000 + i, 0, 0));
    /* Of this chunk alone. */
    pt_writer_clock_pair(w, (struct pt_clock_pair){UINT64_MAX, -7});
    TRY(pt_writer_events(w, b, id->process, id->second, stack, 3, &seq));
    cr_expect_eq(seq, MAIN_EVENTS);

    TRY(pt_writer_events(w, b, id->process, id->second, stack, 1, &seq));

    struct pt_type type = {S("late"), S("Definition")};
    uint32_t late;
    TRY(pt_writer_type(w, &type, &late));
    for (unsigned i = 0; i < SECOND_EVENTS; i++)
        TRY(pt_block_push(b, PT_RETURN, PT_HAS(TIME), 100000 + 3 * i, 0, 0, 0,
                          0));
    return pt_writer_events(w, b, id->process, id->second, NULL, 0, NULL);
}

_Static_assert(SAMPLE_EVENTS == MAIN_EVENTS + 2 * SECOND_EVENTS, "events");

static enum pt_status
write_sample(struct pt_writer *w, struct pt_block *b)
{
    struct ids id = {0};
    TRY(define(w, &id));
    TRY(write_events(w, b, &id));
    TRY(pt_writer_thread_name(w, id.second, S("worker")));
    struct pt_costs costs = {
        .process = id.process,
        .of = {[PT_CALL] = {21500, 9000}, [PT_BRANCH] = {0, 1}}};
    TRY(pt_writer_costs(w, &costs));
    TRY(pt_writer_task_name(w, 1, S("main")));
    struct pt_process_end end = {id.process, PT_ENDED_SIGNAL, 9, 123456, 3};
    return pt_writer_process_end(w, &end);
}

enum pt_status
sample_write(const char *path)
{
    struct pt_writer *w = NULL;
    struct pt_block *b = NULL;
    struct pt_error error = {.status = PT_OK};
    TRY(pt_block_new(&b));
    enum pt_status st = pt_writer_open(path, sample_header(), NULL, &error, &w);
    if (st == PT_OK)
        st = write_sample(w, b);
    else
        cr_expect(error.status == st && error.text[0] != 0);
    if (w != NULL && pt_writer_error(w)->status != PT_OK)
        cr_expect(pt_writer_error(w)->status == st &&
                  pt_writer_error(w)->text[0] != 0);
    if (w != NULL) {
        struct pt_end end = {.lost = 3, .time = 99999, .reason = S("complete")};
        enum pt_status closed = pt_writer_close(w, &end, &error);
        if (st == PT_OK)
            st = closed;
    }
    pt_block_free(b);
    return st;
}

/* The bytes of a chunk that no writer makes yet. */
static size_t
optional_chunk(unsigned char *out, size_t room, uint8_t type)
{
    static const unsigned char item[] = {0xa1, 0x61, 'x', 0x01};
    struct pt_chunk_header h = {
        .info = {.type = type, .raw_size = sizeof item}};
    size_t n = ZSTD_compress(out + PT_CHUNK_HEADER_SIZE,
                             room - PT_CHUNK_HEADER_SIZE, item, sizeof item, 1);
    cr_assert(!ZSTD_isError(n));
    h.info.packed_size = n;
    h.hash = pt_hash64(out + PT_CHUNK_HEADER_SIZE, n);
    pt_chunk_encode(&h, out);
    return PT_CHUNK_HEADER_SIZE + n;
}

void
sample_write_all(const struct place *p)
{
    static const uint8_t types[] = {PT_CHUNK_SYNTAX, PT_CHUNK_VALUES,
                                    PT_CHUNK_OUTPUT, PT_CHUNK_VARIABLES, 0xc0};
    cr_assert_eq(sample_write(p->second), PT_OK);
    size_t size;
    unsigned char *bytes = slurp(p->second, &size);
    struct pt_trace *t;
    cr_assert_eq(pt_trace_open(p->second, NULL, &t), PT_OK);
    size_t cut = pt_trace_chunk(t, 2)->offset;
    pt_trace_close(t);
    unsigned char *more = malloc(size + 4096);
    cr_assert_not_null(more);
    memcpy(more, bytes, cut);
    size_t at = cut;
    for (size_t i = 0; i < sizeof types; i++)
        at += optional_chunk(more + at, 1024, types[i]);
    memcpy(more + at, bytes + cut, size - cut);
    spit(p->second, more, at + size - cut);
    free(bytes);
    free(more);
    /* The index does not know them; a repaired log's does. */
    cr_assert_eq(pt_trace_open(p->second, NULL, &t), PT_OK);
    cr_assert_eq(pt_trace_repair(t, p->path, NULL), PT_OK);
    pt_trace_close(t);
}

/* --- files ---------------------------------------------------------------- */

unsigned char *
slurp(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    cr_assert_not_null(f, "%s", path);
    fseek(f, 0, SEEK_END);
    *size = (size_t)ftell(f);
    rewind(f);
    unsigned char *bytes = malloc(*size + 1);
    cr_assert_not_null(bytes);
    cr_assert_eq(fread(bytes, 1, *size, f), *size);
    fclose(f);
    return bytes;
}

void
spit(const char *path, const unsigned char *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert(fd >= 0);
    cr_assert_eq(write(fd, bytes, size), (ssize_t)size);
    close(fd);
}
