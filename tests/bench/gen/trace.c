/* Writes a synthetic flow trace of any size, the same one every time:
 *
 *     gen-trace FILE EVENTS [THREADS]
 *
 * A few hundred functions, each of which loops, branches, and calls another
 * function or a builtin one, run as one program would: threads take turns as
 * they do under a global lock.  An event takes about 40 ns of the trace.
 *
 *      0 RESUME                            line 1
 *        LOAD ...                               2
 *   loop FOR_ITER done                          3
 *        LOAD ...                               4
 *        POP_JUMP_IF_FALSE else                 4
 *        LOAD ...                               5
 *   call CALL                                   6    a function of these
 *        JUMP_FORWARD join                      6
 *   else LOAD ...                               7
 *    len CALL                                   8    a builtin function
 *   join JUMP_BACKWARD loop                     8
 *        END_FOR; POP_TOP                       3
 *   done RETURN_VALUE                           9 */
#include <pt/writer.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STR(s) ((struct pt_str){(s), sizeof(s) - 1})

enum {
    FUNCTIONS = 300,
    DEPTH = 24,         /* of calls, at most */
    TURN = 20000,       /* events until another thread runs */
    STAMPED_BRANCH = 32 /* every so many has a time */
};

enum {
    RESUME = 1,
    LOAD,
    FOR_ITER,
    IF_FALSE,
    CALL,
    FORWARD,
    BACKWARD,
    END_FOR,
    POP_TOP,
    RETURN
};

struct function {
    uint32_t id, loop, body, test, then, call, other, len, done;
};

struct frame {
    const struct function *function;
    uint32_t turns; /* of its loop, that are left */
};

struct thread {
    uint32_t id, depth, branches;
    bool in_c; /* a builtin function is running */
    struct frame frames[DEPTH];
    struct pt_frame stack[DEPTH + 1]; /* the same, for keyframes */
    uint32_t began[DEPTH + 1];        /* event of the block, or UINT32_MAX */
    struct pt_frame key[DEPTH + 1];   /* as it was when the block began */
    size_t key_depth;
    struct pt_block *block;
};

struct program {
    struct pt_writer *writer;
    uint32_t process, len;
    struct function functions[FUNCTIONS];
    uint64_t time, state;
};

static void
must(enum pt_status st)
{
    if (st != PT_OK) {
        fprintf(stderr, "gen-trace: %s\n", pt_status_name(st));
        exit(4);
    }
}

static uint32_t
dice(struct program *p, uint32_t n)
{
    p->state = p->state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)((p->state >> 33) % n);
}

/* --- definitions -----------------------------------------------------------
 */

struct assembler {
    char code[512], lines[512];
    uint32_t used, lined, line;
};

/* An instruction and its caches; the offset it is at. */
static uint32_t
emit(struct assembler *a, uint32_t line, uint8_t opcode, uint32_t caches)
{
    uint32_t at = a->used, delta = line - a->line;
    a->code[a->used] = (char)opcode;
    a->used += 2 * (1 + caches);
    a->lines[a->lined++] = (char)(0x80 | 13 << 3 | caches);
    a->lines[a->lined++] =
        (char)((int32_t)delta < 0 ? -delta << 1 | 1 : delta << 1);
    a->line = line;
    return at;
}

static uint32_t
emit_loads(struct assembler *a, uint32_t line, uint32_t n)
{
    uint32_t at = a->used;
    while (n--)
        emit(a, line, LOAD, 0);
    return at;
}

/* Sets a jump's argument: `units` from the instruction behind it. */
static void
aim(struct assembler *a, uint32_t at, uint32_t from, uint32_t to)
{
    a->code[at + 1] = (char)((to > from ? to - from : from - to) / 2);
}

static void
define(struct program *p, struct function *f, uint32_t python, uint32_t number)
{
    struct assembler a = {.line = 10 * number + 1};
    uint32_t line = a.line;
    char name[32];
    emit(&a, line, RESUME, 0);
    emit_loads(&a, line + 1, 1 + number % 5);
    f->loop = emit(&a, line + 2, FOR_ITER, 1);
    f->body = emit_loads(&a, line + 3, 2 + number % 7);
    f->test = emit(&a, line + 3, IF_FALSE, 0);
    f->then = emit_loads(&a, line + 4, 1 + number % 6);
    f->call = emit(&a, line + 5, CALL, 3);
    uint32_t jump = emit(&a, line + 5, FORWARD, 0);
    f->other = emit_loads(&a, line + 6, 1 + number % 4);
    f->len = emit(&a, line + 7, CALL, 3);
    uint32_t join = emit(&a, line + 7, BACKWARD, 0);
    uint32_t end = emit(&a, line + 2, END_FOR, 0);
    emit(&a, line + 2, POP_TOP, 0);
    f->done = emit(&a, line + 8, RETURN, 0);
    aim(&a, f->loop, f->body, end);
    aim(&a, f->test, f->then, f->other);
    aim(&a, jump, f->other, join);
    aim(&a, join, end, f->loop);
    snprintf(name, sizeof name, "function_%u", number);
    struct pt_code code = {.interpreter = python,
                           .file = STR("/srv/app/synthetic.py"),
                           .name = {name, strlen(name)},
                           .qualname = {name, strlen(name)},
                           .firstline = line,
                           .bytecode = {a.code, a.used},
                           .linetable = {a.lines, a.lined}};
    must(pt_writer_code(p->writer, &code, &f->id));
}

static uint32_t
define_python(struct pt_writer *w)
{
    static const struct pt_opcode opcodes[] = {
        [RESUME] = {STR("RESUME"), PT_OP_ARG, 0},
        [LOAD] = {STR("LOAD_FAST"), PT_OP_ARG, 0},
        [FOR_ITER] = {STR("FOR_ITER"), PT_OP_ARG | PT_OP_JREL, 1},
        [IF_FALSE] = {STR("POP_JUMP_IF_FALSE"), PT_OP_ARG | PT_OP_JREL, 0},
        [CALL] = {STR("CALL"), PT_OP_ARG, 3},
        [FORWARD] = {STR("JUMP_FORWARD"), PT_OP_ARG | PT_OP_JREL, 0},
        [BACKWARD] = {STR("JUMP_BACKWARD"), PT_OP_ARG | PT_OP_JBACK, 0},
        [END_FOR] = {STR("END_FOR"), 0, 0},
        [POP_TOP] = {STR("POP_TOP"), 0, 0},
        [RETURN] = {STR("RETURN_VALUE"), 0, 0},
    };
    struct pt_interpreter *python = calloc(1, sizeof *python);
    uint32_t id;
    if (!python)
        must(PT_ENOMEM);
    python->hexversion = 0x030d00f0;
    python->version = STR("3.13.0 (synthetic)");
    memcpy(python->opcodes, opcodes, sizeof opcodes);
    must(pt_writer_interpreter(w, python, &id));
    free(python);
    return id;
}

static void
open_trace(struct program *p, const char *path)
{
    const struct pt_header header = {
        .version = 1 << 16,
        .optional = PT_OPTIONAL_FLOW,
        .clock = {.mult = 1, .quantum = 16, .source = "monotonic"},
        .writer = STR("gen-trace 1"),
        .preset = STR("flow"),
        .uuid = STR("00112233445566778899aabbccddeeff"),
        .events =
            (1u << PT_THREAD) - 2 - (1u << PT_LINE) - (1u << PT_INSTRUCTION),
        .stamped = 1u << PT_CALL | 1u << PT_RETURN | 1u << PT_C_CALL,
    };
    const struct pt_writer_options options = {.force = true};
    const struct pt_callable len = {.kind = PT_CALLABLE_BUILTIN,
                                    .module = STR("builtins"),
                                    .name = STR("len"),
                                    .label = STR("len")};
    struct pt_error error;
    if (pt_writer_open(path, &header, &options, &error, &p->writer) != PT_OK) {
        fprintf(stderr, "gen-trace: %s\n", error.text);
        exit(4);
    }
    uint32_t python = define_python(p->writer);
    const struct pt_process process = {.interpreter = python, .pid = 1000};
    must(pt_writer_process(p->writer, &process, &p->process));
    must(pt_writer_callable(p->writer, &len, &p->len));
    for (uint32_t i = 0; i < FUNCTIONS; i++)
        define(p, &p->functions[i], python, i);
}

/* --- events ----------------------------------------------------------------
 */

/* Writes a thread's block; its frames now have their numbers. */
static void
flush(struct program *p, struct thread *t)
{
    uint64_t seq;
    size_t depth = t->depth + t->in_c;
    must(pt_writer_events(p->writer, t->block, p->process, t->id, t->key,
                          t->key_depth, &seq));
    for (size_t i = 0; i < depth; i++)
        if (t->began[i] != UINT32_MAX) {
            t->stack[i].seq = seq + t->began[i];
            t->began[i] = UINT32_MAX;
        }
    memcpy(t->key, t->stack, depth * sizeof *t->key);
    t->key_depth = depth;
}

static void
push(struct program *p, struct thread *t, uint8_t kind, unsigned mask,
     uint32_t id, uint32_t off, uint32_t dst)
{
    if (pt_block_full(t->block))
        flush(p, t);
    p->time += 32 + dice(p, 16);
    must(pt_block_push(t->block, kind, (uint8_t)mask, p->time / 16, id, off,
                       dst, 0));
}

/* Where the frame on top stands, for a keyframe. */
static void
stand(struct thread *t, uint8_t at, uint32_t off, uint32_t dst)
{
    struct pt_frame *f = &t->stack[t->depth - 1];
    f->at = at;
    f->off = off;
    f->dst = dst;
}

static void
enter(struct program *p, struct thread *t, uint32_t number)
{
    const struct function *f = &p->functions[number % FUNCTIONS];
    unsigned mask = PT_HAS(TIME) | PT_HAS(CODE);
    uint32_t off = 0;
    if (t->depth) {
        mask |= PT_HAS(OFF);
        off = t->frames[t->depth - 1].function->call;
    }
    push(p, t, PT_CALL, mask, f->id, off, 0);
    if (t->depth)
        stand(t, PT_AT_INSIDE, off, 0);
    t->began[t->depth] = t->block->n - 1;
    t->stack[t->depth] = (struct pt_frame){.id = f->id,
                                           .off = UINT32_MAX,
                                           .at = PT_AT_START,
                                           .time = (int64_t)(p->time & -16)};
    t->frames[t->depth++] = (struct frame){f, 1 + dice(p, 6)};
}

static void
branch(struct program *p, struct thread *t, uint32_t off, uint32_t dst)
{
    unsigned mask = PT_HAS(OFF) | PT_HAS(DST);
    if (++t->branches % STAMPED_BRANCH == 0)
        mask |= PT_HAS(TIME);
    push(p, t, PT_BRANCH, mask, 0, off, dst);
    stand(t, PT_AT_JUMPED, off, dst);
}

static void
call_len(struct program *p, struct thread *t, uint32_t off)
{
    push(p, t, PT_C_CALL, PT_HAS(TIME) | PT_HAS(CALLEE) | PT_HAS(OFF), p->len,
         off, 0);
    stand(t, PT_AT_INSIDE, off, 0);
    t->in_c = true;
    t->began[t->depth] = t->block->n - 1;
    t->stack[t->depth] = (struct pt_frame){.id = p->len,
                                           .callable = 1,
                                           .off = UINT32_MAX,
                                           .time = (int64_t)(p->time & -16)};
    push(p, t, PT_C_RETURN, PT_HAS(TIME), 0, 0, 0);
    t->in_c = false;
}

/* A turn of the innermost frame's loop, or its end. */
static void
turn(struct program *p, struct thread *t)
{
    if (t->depth == 0) {
        enter(p, t, dice(p, FUNCTIONS));
        return;
    }
    struct frame *frame = &t->frames[t->depth - 1];
    const struct function *f = frame->function;
    if (frame->turns == 0) {
        branch(p, t, f->loop, f->done);
        push(p, t, PT_RETURN, PT_HAS(TIME), 0, 0, 0);
        t->depth--;
        return;
    }
    frame->turns--;
    branch(p, t, f->loop, f->body);
    if (t->depth < DEPTH && dice(p, 4) == 0) {
        branch(p, t, f->test, f->then);
        enter(p, t, (uint32_t)(f - p->functions) * 7 + dice(p, 3) + 1);
    } else {
        branch(p, t, f->test, f->other);
        call_len(p, t, f->len);
    }
}

int
main(int argc, char **argv)
{
    struct program p = {.state = 1, .time = 1000};
    uint64_t events = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    size_t n = argc > 3 ? strtoul(argv[3], NULL, 10) : 1;
    if (events == 0 || n == 0 || n > 4096) {
        fprintf(stderr, "usage: gen-trace FILE EVENTS [THREADS]\n");
        return 2;
    }
    struct thread *threads = calloc(n, sizeof *threads);
    if (!threads)
        must(PT_ENOMEM);
    open_trace(&p, argv[1]);
    for (size_t i = 0; i < n; i++) {
        const struct pt_thread thread = {.process = p.process,
                                         .tid = 1000 + (uint32_t)i,
                                         .name = STR("worker")};
        must(pt_writer_thread(p.writer, &thread, &threads[i].id));
        must(pt_block_new(&threads[i].block));
        memset(threads[i].began, 0xff, sizeof threads[i].began);
    }
    for (uint64_t made = 0; made < events; made += TURN) {
        struct thread *t = &threads[dice(&p, (uint32_t)n)];
        uint64_t end = p.time + (uint64_t)TURN * 40;
        while (p.time < end)
            turn(&p, t);
    }
    for (size_t i = 0; i < n; i++) {
        if (threads[i].block->n)
            flush(&p, &threads[i]);
        pt_block_free(threads[i].block);
    }
    struct pt_error error;
    struct pt_end end = {.time = (int64_t)p.time, .reason = STR("complete")};
    must(pt_writer_close(p.writer, &end, &error));
    free(threads);
    return 0;
}
