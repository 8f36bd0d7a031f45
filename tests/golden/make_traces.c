/* Writes the golden tests' traces into the directory it is given, through the
 * public writer, with nothing in them that depends on time, machine or
 * interpreter.  One tick of their clock is 1 ns, so that what the reports must
 * say can be worked out by hand from the calls below. */
#include <pt/writer.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STR(s) ((struct pt_str){(s), sizeof(s) - 1})
#define TIMED PT_HAS(TIME)

enum { CODE_UNITS = 32 };

struct maker {
    struct pt_writer *writer;
    struct pt_block *block;
    uint32_t interpreter, process, thread;
    struct pt_frame stack[16]; /* at the start of the block */
    size_t depth;
    uint64_t seq; /* of the first event of the last chunk */
};

static void
must(enum pt_status st)
{
    if (st != PT_OK) {
        fprintf(stderr, "make_traces: %s\n", pt_status_name(st));
        exit(1);
    }
}

/* --- what every trace has --------------------------------------------------
 */

static void
begin(struct maker *m, const char *path, const char *preset, uint32_t kinds,
      uint32_t stamped)
{
    static const struct pt_str argv[] = {STR("ptrec"), STR("run"),
                                         STR("the app.py"), STR("--quick")};
    struct pt_header header = {
        .version = 1 << 16,
        .clock = {.mult = 1,
                  .quantum = 1,
                  .source = "monotonic",
                  .unix_ns = 1600000000123456789},
        .writer = STR("golden 1"),
        .preset = {preset, strlen(preset)},
        .host = STR("host"),
        .system = STR("Linux"),
        .cwd = STR("/home/u"),
        .uuid = STR("00112233445566778899aabbccddeeff"),
        .argv = argv,
        .argc = 4,
        .events = kinds,
        .stamped = stamped,
    };
    struct pt_interpreter *python = calloc(1, sizeof *python);
    struct pt_writer_options options = {.force = true};
    struct pt_error error;
    memset(m, 0, sizeof *m);
    unlink(path);
    if (pt_writer_open(path, &header, &options, &error, &m->writer) != PT_OK) {
        fprintf(stderr, "make_traces: %s\n", error.text);
        exit(1);
    }
    must(pt_block_new(&m->block));
    python->hexversion = 0x030c01f0;
    python->version = STR("3.12.1 (golden)");
    python->soabi = STR("cpython-312-x86_64-linux-gnu");
    python->executable = STR("/usr/bin/python3.12");
    python->opcodes[9] = (struct pt_opcode){.name = STR("NOP")};
    python->opcodes[114] = (struct pt_opcode){
        .name = STR("POP_JUMP_IF_FALSE"), .flags = PT_OP_ARG, .caches = 1};
    must(pt_writer_interpreter(m->writer, python, &m->interpreter));
    free(python);
}

static void
process(struct maker *m, uint32_t pid, uint32_t parent, int64_t time)
{
    static const struct pt_str argv[] = {STR("python3"), STR("the app.py"),
                                         STR("--quick")};
    struct pt_process p = {.parent = parent,
                           .interpreter = m->interpreter,
                           .pid = pid,
                           .time = time,
                           .executable = STR("/usr/bin/python3"),
                           .cwd = STR("/home/u"),
                           .argv = argv,
                           .argc = 3};
    must(pt_writer_process(m->writer, &p, &m->process));
}

static uint32_t
thread(struct maker *m, uint32_t tid, int64_t time, const char *name)
{
    struct pt_thread t = {.process = m->process,
                          .tid = tid,
                          .time = time,
                          .name = {name, strlen(name)}};
    must(pt_writer_thread(m->writer, &t, &m->thread));
    return m->thread;
}

static void
process_end(struct maker *m, uint8_t how, int32_t value, int64_t time,
            uint64_t lost)
{
    struct pt_process_end e = {m->process, how, value, time, lost};
    must(pt_writer_process_end(m->writer, &e));
}

/* A code object of 32 units, two to a line; unit 4 (offset 8) is a branch. */
static uint32_t
code_at(struct maker *m, struct pt_str file, struct pt_str name,
        struct pt_str qualname, uint32_t line)
{
    char bytes[2 * CODE_UNITS] = {0}, table[3 * CODE_UNITS];
    size_t used = 0;
    for (unsigned i = 0; i < CODE_UNITS; i++)
        bytes[2 * i] = 9;
    bytes[8] = 114;
    for (unsigned i = 0; i < CODE_UNITS / 2; i++) {
        table[used++] = (char)(0x80 | 13 << 3 | 1); /* no columns, two units */
        table[used++] = i ? 2 : 0;                  /* line + 1 */
    }
    struct pt_code c = {.interpreter = m->interpreter,
                        .file = file,
                        .name = name,
                        .qualname = qualname,
                        .firstline = line,
                        .bytecode = {bytes, sizeof bytes},
                        .linetable = {table, used}};
    uint32_t id;
    must(pt_writer_code(m->writer, &c, &id));
    return id;
}

static uint32_t
callable(struct maker *m, uint8_t kind, const char *module, const char *owner,
         const char *name, const char *label)
{
    struct pt_callable c = {kind,
                            {module, strlen(module)},
                            {owner, strlen(owner)},
                            {name, strlen(name)},
                            {label, strlen(label)}};
    uint32_t id;
    must(pt_writer_callable(m->writer, &c, &id));
    return id;
}

static void
flush(struct maker *m)
{
    must(pt_writer_events(m->writer, m->block, m->process, m->thread, m->stack,
                          m->depth, &m->seq));
    m->depth = 0;
}

static void
finish(struct maker *m, int64_t time, const char *reason)
{
    struct pt_end end = {.events = pt_writer_event_count(m->writer),
                         .time = time,
                         .reason = {reason, strlen(reason)}};
    struct pt_error error;
    if (m->block->n)
        flush(m);
    if (pt_writer_close(m->writer, &end, &error) != PT_OK) {
        fprintf(stderr, "make_traces: %s\n", error.text);
        exit(1);
    }
    pt_block_free(m->block);
}

/* --- events ----------------------------------------------------------------
 */

static void
enter(struct maker *m, unsigned kind, uint64_t t, uint32_t code, uint64_t key)
{
    unsigned mask = TIMED | PT_HAS(CODE) | (key ? PT_HAS(ARG) : 0);
    must(pt_block_push(m->block, (uint8_t)kind, (uint8_t)mask, t, code, 0, 0,
                       key));
}

/* return, yield, unwind, c_return, c_exception */
static void
end(struct maker *m, unsigned kind, uint64_t t)
{
    must(pt_block_push(m->block, (uint8_t)kind, TIMED, t, 0, 0, 0, 0));
}

static void
c_call(struct maker *m, uint64_t t, uint32_t callee)
{
    must(pt_block_push(m->block, PT_C_CALL, TIMED | PT_HAS(CALLEE), t, callee,
                       0, 0, 0));
}

static void
line(struct maker *m, uint32_t number)
{
    must(pt_block_push(m->block, PT_LINE, PT_HAS(LINE), 0, 0, number, 0, 0));
}

static void
at(struct maker *m, unsigned kind, uint32_t off)
{
    must(pt_block_push(m->block, (uint8_t)kind, PT_HAS(OFF), 0, 0, off, 0, 0));
}

static void
jump(struct maker *m, unsigned kind, uint32_t off, uint32_t dst)
{
    must(pt_block_push(m->block, (uint8_t)kind, PT_HAS(OFF) | PT_HAS(DST), 0, 0,
                       off, dst, 0));
}

static void
raised(struct maker *m, uint64_t t, uint32_t off, uint32_t type, uint64_t how)
{
    must(pt_block_push(m->block, PT_EXCEPTION,
                       TIMED | PT_HAS(OFF) | PT_HAS(TYPE) | PT_HAS(ARG), t,
                       type, off, 0, how));
}

static void
told(struct maker *m, unsigned kind, uint64_t t, uint64_t arg)
{
    must(pt_block_push(m->block, (uint8_t)kind, TIMED | PT_HAS(ARG), t, 0, 0, 0,
                       arg));
}

/* --- the traces ------------------------------------------------------------
 */

static const uint32_t FLOW = 1u << PT_CALL | 1u << PT_RETURN | 1u << PT_YIELD |
                             1u << PT_RESUME | 1u << PT_THROW |
                             1u << PT_UNWIND | 1u << PT_C_CALL |
                             1u << PT_C_RETURN | 1u << PT_C_EXCEPTION;
static const uint32_t ALL = 1u << PT_LINE | 1u << PT_INSTRUCTION |
                            1u << PT_BRANCH | 1u << PT_JUMP |
                            1u << PT_EXCEPTION | 1u << PT_HANDLED;

/* What make_basic() names. */
struct basic {
    uint32_t value_error, odd_error;
    uint32_t module, fact, gen, bad;
    uint32_t len, dict, append, partial, from_bytes, print;
};

static struct basic
define_basic(struct maker *m)
{
    struct basic n;
    struct pt_type type = {STR("builtins"), STR("ValueError")};
    must(pt_writer_type(m->writer, &type, &n.value_error));
    type = (struct pt_type){STR("app.errors"), STR("Odd.Error")};
    must(pt_writer_type(m->writer, &type, &n.odd_error));
    struct pt_str app = STR("/home/u/the app.py");
    n.module = code_at(m, app, STR("<module>"), STR("<module>"), 1);
    n.fact = code_at(m, app, STR("fact"), STR("fact"), 10);
    n.gen = code_at(m, app, STR("gen"), STR("Source.gen"), 20);
    n.bad = code_at(m,
                    STR("/usr/lib/python3.12/a/rather/long/path/to/"
                        "some/package/module.py"),
                    STR("bad"),
                    STR("Outer.make.<locals>.Inner.very_long_name_that_"
                        "will_not_fit_anywhere.bad"),
                    30);
    n.len = callable(m, PT_CALLABLE_BUILTIN, "builtins", "", "len",
                     "<built-in method builtins.len>");
    n.dict =
        callable(m, PT_CALLABLE_TYPE, "collections", "", "OrderedDict", "");
    n.append = callable(m, PT_CALLABLE_METHOD, "", "list", "append",
                        "<method 'append' of 'list' objects>");
    n.partial = callable(m, PT_CALLABLE_OBJECT, "functools", "", "partial", "");
    n.from_bytes = callable(m, PT_CALLABLE_BUILTIN, "", "int", "from_bytes",
                            "<built-in method from_bytes>");
    n.print = callable(m, PT_CALLABLE_BUILTIN, "builtins", "", "print",
                       "<built-in method builtins.print>");
    return n;
}

/* One thread that holds every kind.  Spans (start-end, ns):
 *
 *   main 1000-10000
 *     fact(3) 2000-2900  fact(2) 2200-2800  fact(1) 2400-2600
 *     builtins.len 3000-3100
 *     collections.OrderedDict (a type) 3200-3600
 *       list.append 3300-3400
 *     gen 4000-4100, waits to 4300, 4300-4500, waits to 5000, 5000-5050
 *     functools.partial (an object) 5100-5300
 *     bad 6000-6500: c_call of int.from_bytes 6100 without an end, the
 *       exception at 6200 closes it; unwind 6500
 *     builtins.print 7000-, ends with an exception at 7100
 *   and main is still open at the end of the thread, 10000. */
static void
make_basic(const char *path)
{
    struct maker m, *p = &m;
    begin(&m, path, "instructions", FLOW | ALL, FLOW | 1u << PT_EXCEPTION);
    process(&m, 4242, 0, 900);
    thread(&m, 4242, 950, "MainThread");
    const struct basic n = define_basic(&m);
    told(p, PT_PROCESS, 900, 1);
    told(p, PT_THREAD, 950, 1);
    enter(p, PT_CALL, 1000, n.module, 0);
    line(p, 1);
    at(p, PT_INSTRUCTION, 0);
    at(p, PT_INSTRUCTION, 4);
    enter(p, PT_CALL, 2000, n.fact, 0);
    line(p, 11);
    jump(p, PT_BRANCH, 8, 12); /* offset 8 + 2 + one cache: not taken */
    enter(p, PT_CALL, 2200, n.fact, 0);
    jump(p, PT_BRANCH, 8, 12);
    enter(p, PT_CALL, 2400, n.fact, 0);
    jump(p, PT_BRANCH, 8, 40);
    end(p, PT_RETURN, 2600);
    end(p, PT_RETURN, 2800);
    end(p, PT_RETURN, 2900);
    c_call(p, 3000, n.len);
    end(p, PT_C_RETURN, 3100);
    line(p, 2);
    c_call(p, 3200, n.dict);
    /* As a subclass in Python would, here a method of its own. */
    enter(p, PT_CALL, 3250, n.gen, 0);
    c_call(p, 3300, n.append);
    end(p, PT_C_RETURN, 3400);
    end(p, PT_RETURN, 3500);
    end(p, PT_C_RETURN, 3600);
    enter(p, PT_CALL, 4000, n.gen, 77);
    end(p, PT_YIELD, 4100);
    enter(p, PT_RESUME, 4300, n.gen, 77);
    end(p, PT_YIELD, 4500);
    enter(p, PT_THROW, 5000, n.gen, 77);
    at(p, PT_HANDLED, 20);
    end(p, PT_RETURN, 5050);
    c_call(p, 5100, n.partial);
    end(p, PT_C_RETURN, 5300);
    jump(p, PT_JUMP, 30, 4);
    enter(p, PT_CALL, 6000, n.bad, 0);
    c_call(p, 6100, n.from_bytes);
    raised(p, 6200, 14, n.value_error, PT_RAISED);
    raised(p, 6300, 16, n.value_error, PT_RERAISED);
    end(p, PT_UNWIND, 6500);
    raised(p, 6600, 6, n.odd_error, PT_STOP_ITERATION);
    c_call(p, 7000, n.print);
    end(p, PT_C_EXCEPTION, 7100);
    line(p, 0);
    told(p, PT_THREAD, 10000, 0);
    process_end(p, PT_ENDED_EXIT, 3, 10001, 0);
    finish(p, 10002, "complete");
}

/* Two processes, three threads.  Thread #1 has two chunks, the second with the
 * stack that the first leaves; a coroutine is suspended on #1 and goes on on
 * #2, whose chunk lies before the one of #1 that suspends it.  #1 and #2 have
 * events of equal times, which seq decides. */
static void
make_threads(const char *path)
{
    struct maker m;
    begin(&m, path, "calls", FLOW, FLOW);
    process(&m, 100, 0, 0);
    uint32_t first = thread(&m, 100, 10, "MainThread");
    uint32_t second = thread(&m, 101, 20, "worker-1");
    uint32_t home = m.process;
    process(&m, 200, home, 30);
    uint32_t child = m.process, third = thread(&m, 200, 40, "");
    struct pt_str file = STR("/home/u/pool.py");
    uint32_t run = code_at(&m, file, STR("run"), STR("Pool.run"), 5);
    uint32_t work = code_at(&m, file, STR("work"), STR("Pool.work"), 15);
    uint32_t task = code_at(&m, file, STR("task"), STR("task"), 25);
    uint32_t wait = callable(&m, PT_CALLABLE_METHOD, "", "lock", "acquire",
                             "<method 'acquire' of '_thread.lock' objects>");
    struct maker *p = &m;
    p->process = home;
    p->thread = first;
    told(p, PT_THREAD, 10, 1);
    enter(p, PT_CALL, 100, run, 0);
    enter(p, PT_CALL, 200, work, 0);
    flush(p);
    p->thread = second;
    told(p, PT_THREAD, 20, 1);
    enter(p, PT_CALL, 200, run, 0);
    enter(p, PT_RESUME, 700, task, 9);
    end(p, PT_RETURN, 800);
    c_call(p, 850, wait);
    flush(p);
    p->thread = first;
    p->depth = 2;
    p->stack[0] =
        (struct pt_frame){.seq = 1, .id = run, .off = UINT32_MAX, .time = 100};
    p->stack[1] =
        (struct pt_frame){.seq = 2, .id = work, .off = 12, .time = 200};
    end(p, PT_RETURN, 300);
    enter(p, PT_CALL, 400, task, 9);
    end(p, PT_YIELD, 500);
    end(p, PT_RETURN, 900);
    told(p, PT_THREAD, 1000, 0);
    flush(p);
    p->process = child;
    p->thread = third;
    told(p, PT_THREAD, 40, 1);
    enter(p, PT_CALL, 200, work, 0);
    end(p, PT_UNWIND, 650);
    flush(p);
    process_end(p, PT_ENDED_SIGNAL, 9, 660, 0);
    p->process = home;
    process_end(p, PT_ENDED_EXIT, 0, 1001, 0);
    finish(p, 1002, "complete");
}

/* A gap of 7 events and one of unknown length, each followed by a keyframe; a
 * chunk whose keyframe contradicts the events before it; an end that has
 * nothing to end. */
static void
make_gaps(const char *path)
{
    struct maker m;
    begin(&m, path, "lines", FLOW | 1u << PT_LINE, FLOW);
    process(&m, 7, 0, 0);
    thread(&m, 7, 0, "MainThread");
    struct pt_str file = STR("/home/u/lossy.py");
    uint32_t a = code_at(&m, file, STR("a"), STR("a"), 1);
    uint32_t b = code_at(&m, file, STR("b"), STR("b"), 2);
    uint32_t c = code_at(&m, file, STR("c"), STR("c"), 3);
    struct maker *p = &m;
    struct pt_frame in_a = {.seq = 0, .id = a, .off = UINT32_MAX, .time = 100};
    enter(p, PT_CALL, 100, a, 0);
    enter(p, PT_CALL, 200, b, 0);
    told(p, PT_GAP, 300, 7);
    flush(p);
    p->stack[0] = in_a;
    p->stack[1] = (struct pt_frame){
        .seq = UINT64_MAX, .id = c, .off = 8, .time = INT64_MIN};
    p->depth = 2;
    end(p, PT_RETURN, 500); /* of c, whose call is missing */
    line(p, 9);
    told(p, PT_GAP, 600, UINT64_MAX);
    flush(p);
    p->stack[0] = in_a;
    p->depth = 1;
    enter(p, PT_CALL, 700, b, 0);
    flush(p);
    p->stack[0] = in_a; /* without b: a desync */
    p->depth = 1;
    end(p, PT_RETURN, 900);
    end(p, PT_RETURN, 1000);
    flush(p);
    process_end(p, PT_ENDED_UNKNOWN, 0, 1000, 7);
    finish(p, 1000, "collector stopped");
}

/* Names as bad as they get: a lone surrogate, control characters, quotes, what
 * is no UTF-8, the empty one, characters beyond the basic plane. */
static void
make_names(const char *path)
{
    struct maker m;
    begin(&m, path, "calls", FLOW, FLOW);
    process(&m, 1, 0, 0);
    thread(&m, 1, 0, "T\x1b[31m\n");
    static const struct pt_str names[] = {
        STR("sur\xed\xb2\x80rogate"),
        STR("esc\x1b[31m\n\t\"q\"\\"),
        STR("bad\xff\xc0\x80utf"),
        STR(""),
        STR("\xf0\x9f\x90\x8d.\xc3\xa9\xe2\x82\xac"),
        STR("del\x7f\xc2\x9b")};
    struct maker *p = &m;
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        uint32_t id = code_at(p, names[i], names[i], names[i], i + 1);
        enter(p, PT_CALL, 100 * (i + 1), id, 0);
        end(p, PT_RETURN, 100 * (i + 1) + 10);
    }
    finish(p, 1000, "complete");
}

/* No events at all, as of a program that could not be traced. */
static void
make_empty(const char *path)
{
    struct maker m;
    begin(&m, path, "coverage", 1u << PT_LINE | 1u << PT_BRANCH, 0);
    process(&m, 55, 0, 0);
    process_end(&m, PT_ENDED_GONE, 0, 10, 0);
    finish(&m, 20, "disk full");
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*make)(const char *);
    } traces[] = {{"basic.ptr", make_basic},
                  {"threads.ptr", make_threads},
                  {"gaps.ptr", make_gaps},
                  {"names.ptr", make_names},
                  {"empty.ptr", make_empty}};
    if (argc != 2 || chdir(argv[1]) != 0) {
        fputs("usage: make_traces DIRECTORY\n", stderr);
        return 2;
    }
    for (size_t i = 0; i < sizeof traces / sizeof *traces; i++)
        traces[i].make(traces[i].name);
    return 0;
}
