/* Writes the golden tests' traces of lines: spread.ptr, in which lines follow
 * from the flow, and lines.ptr, in which they have events.  In both, the program
 * with the source below calls total(3), which calls itself, at these times:
 *
 *   ns     0  call <module>          300  call total(1)
 *        100  call total(3)          400  call total(0)
 *        200  call total(2)          500, 600, 700, 800  return
 *                                    900  c_call len, 950 c_return, 1000 return
 *
 * total's bytecode, in lines 2 to 5; line 4 has no code, nor has its end:
 *    0 RESUME  line 2     2 LOAD   4 POP_JUMP_IF_FALSE to 10   line 3
 *    6 CALL    8 LOAD     line 5  10 RETURN_VALUE   line 6
 * <module>'s: 0 RESUME, 2 LOAD in line 2, 4 CALL in line 9, 6 CALL and
 * 8 RETURN_VALUE in line 10. */
#include <pt/syntax.h>
#include <pt/writer.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STR(s) ((struct pt_str){(s), sizeof(s) - 1})

static const char source[] = "# in a file of its own\n"
                             "def total(n):\n"
                             "\tif n:\n"
                             "\t\t# all below\n"
                             "\t\tn += total(n - 1)\n"
                             "\treturn n\n"
                             "\n"
                             "\n"
                             "total(3)\n"
                             "len('a line that does not fit into eighty columns, "
                             "whatever is left out before it')\n";

struct maker {
    struct pt_writer *writer;
    struct pt_block *block;
    bool lines; /* with events */
    uint32_t module, total, len, process, thread;
};

static void
must(enum pt_status st)
{
    if (st != PT_OK) {
        fprintf(stderr, "make_lines: %s\n", pt_status_name(st));
        exit(1);
    }
}

static uint32_t
interpreter(struct pt_writer *w)
{
    struct pt_interpreter *python = calloc(1, sizeof *python);
    uint32_t id;
    python->hexversion = 0x030d00f0;
    python->version = STR("3.13.0 (golden)");
    python->opcodes[1] = (struct pt_opcode){STR("RESUME"), PT_OP_ARG, 0};
    python->opcodes[2] = (struct pt_opcode){STR("LOAD"), 0, 0};
    python->opcodes[3] =
        (struct pt_opcode){STR("POP_JUMP_IF_FALSE"), PT_OP_ARG | PT_OP_JREL, 0};
    python->opcodes[4] = (struct pt_opcode){STR("RETURN_VALUE"), 0, 0};
    python->opcodes[5] = (struct pt_opcode){STR("CALL"), PT_OP_ARG, 0};
    must(pt_writer_interpreter(w, python, &id));
    free(python);
    return id;
}

static void
define(struct maker *m)
{
    uint32_t python = interpreter(m->writer), text;
    struct pt_process p = {.interpreter = python, .pid = 100};
    must(pt_writer_process(m->writer, &p, &m->process));
    struct pt_thread t = {.process = m->process, .tid = 100};
    must(pt_writer_thread(m->writer, &t, &m->thread));
    struct pt_source s = {.file = STR("/home/u/app.py"),
                          .path = STR("/home/u/app.py"),
                          .text = {source, sizeof source - 1},
                          .hash = 1};
    must(pt_writer_source(m->writer, &s, &text));
    struct pt_code code = {
        .interpreter = python,
        .source = text,
        .file = STR("/home/u/app.py"),
        .name = STR("total"),
        .qualname = STR("total"),
        .firstline = 2,
        .bytecode = STR("\1\0\2\0\3\2\5\0\2\0\4\0"),
        .linetable = STR("\xe8\0\xe9\2\xe9\4\xe8\2"),
    };
    must(pt_writer_code(m->writer, &code, &m->total));
    code.name = code.qualname = STR("<module>");
    code.firstline = 1;
    code.bytecode = STR("\1\0\2\0\5\0\5\0\4\0");
    code.linetable = STR("\xe8\0\xe8\2\xe8\x0e\xe9\2");
    must(pt_writer_code(m->writer, &code, &m->module));
    struct pt_callable len = {.kind = PT_CALLABLE_BUILTIN,
                              .module = STR("builtins"),
                              .name = STR("len")};
    must(pt_writer_callable(m->writer, &len, &m->len));
}

/* What a parser says of the source. */
static void
describe(struct maker *m)
{
    static const struct pt_str names[] = {{"total", 5}};
    static const struct pt_statement statements[] = {
        {.kind = PT_STATEMENT_DEF,
         .line = 2,
         .end_line = 6,
         .end_column = 9,
         .first = 2,
         .name = 1},
        {PT_STATEMENT_IF, 0, 1, 3, 1, 5, 19, 3, 0},
        {PT_STATEMENT_ASSIGN, 0, 2, 5, 2, 5, 19, 5, 0},
        {PT_STATEMENT_RETURN, 0, 1, 6, 1, 6, 9, 6, 0},
        {PT_STATEMENT_EXPRESSION, 0, 0, 9, 0, 9, 8, 9, 0},
        {PT_STATEMENT_EXPRESSION, 0, 0, 10, 0, 10, 82, 10, 0},
    };
    static const struct pt_suite suites[] = {
        {PT_SUITE_MODULE, 0, 0, 1, 0, 0, 0, 10},
        {PT_SUITE_BODY, 0, 1, 2, 0, 2, 12, 6},
        {PT_SUITE_BODY, 0, 2, 3, 1, 3, 5, 5},
    };
    static const struct pt_expression expressions[] = {
        {.op = PT_EXPRESSION_ATOM,
         .context = PT_CONTEXT_IF,
         .statement = 2,
         .line = 3,
         .column = 4,
         .end_line = 3,
         .end_column = 5},
    };
    static const struct pt_comment comments[] = {{1, 0}, {4, 2}};
    static const struct pt_code_line code[] = {{2}, {3}, {5}, {6}, {9}, {10}};
    const struct pt_syntax syntax = {.source = 1,
                                     .version = 3 << 8 | 13,
                                     .lines = 10,
                                     .statements = statements,
                                     .suites = suites,
                                     .expressions = expressions,
                                     .comments = comments,
                                     .code = code,
                                     .names = names,
                                     .nstatements = 6,
                                     .nsuites = 3,
                                     .nexpressions = 1,
                                     .ncomments = 2,
                                     .ncode = 6,
                                     .nnames = 1};
    must(pt_writer_syntax(m->writer, &syntax));
}

static void
push(struct maker *m, uint8_t kind, unsigned mask, uint64_t time, uint32_t id,
     uint32_t pos, uint32_t dst)
{
    must(pt_block_push(m->block, kind, (uint8_t)mask, time, id, pos, dst, 0));
}

/* `off` is the caller's place. */
static void
call(struct maker *m, uint8_t kind, uint64_t time, uint32_t id, uint32_t off)
{
    unsigned mask = kind == PT_CALL ? PT_HAS(CODE) : PT_HAS(CALLEE);
    bool placed = !m->lines && off;
    push(m, kind, PT_HAS(TIME) | mask | (placed ? PT_HAS(OFF) : 0), time, id,
         placed ? off : 0, 0);
}

static void
line(struct maker *m, uint64_t time, uint32_t number)
{
    if (m->lines)
        push(m, PT_LINE, PT_HAS(TIME) | PT_HAS(LINE), time, 0, number, 0);
}

static void
branch(struct maker *m, uint32_t dst)
{
    if (!m->lines)
        push(m, PT_BRANCH, PT_HAS(OFF) | PT_HAS(DST), 0, 0, 4, dst);
}

static void
leave(struct maker *m, uint8_t kind, uint64_t time)
{
    push(m, kind, PT_HAS(TIME), time, 0, 0, 0);
}

static void
run(struct maker *m)
{
    call(m, PT_CALL, 0, m->module, 0);
    line(m, 10, 2);
    line(m, 50, 9);
    for (uint64_t time = 100; time <= 400; time += 100) {
        call(m, PT_CALL, time, m->total, time == 100 ? 4 : 6);
        line(m, time + 20, 3);
        branch(m, time < 400 ? 6 : 10);
        if (time < 400)
            line(m, time + 60, 5);
    }
    for (uint64_t time = 500; time <= 800; time += 100) {
        line(m, time - 20, 6);
        leave(m, PT_RETURN, time);
    }
    line(m, 850, 10);
    call(m, PT_C_CALL, 900, m->len, 6);
    leave(m, PT_C_RETURN, 950);
    leave(m, PT_RETURN, 1000);
}

static void
make(const char *directory, const char *name, bool lines)
{
    struct maker m = {.lines = lines};
    const uint32_t stack = 1u << PT_CALL | 1u << PT_RETURN | 1u << PT_YIELD |
                           1u << PT_RESUME | 1u << PT_THROW | 1u << PT_UNWIND |
                           1u << PT_C_CALL | 1u << PT_C_RETURN |
                           1u << PT_C_EXCEPTION;
    const uint32_t raises = 1u << PT_EXCEPTION | 1u << PT_HANDLED;
    struct pt_header header = {
        .version = 1 << 16,
        .optional = lines ? 0 : PT_OPTIONAL_FLOW,
        .clock = {.mult = 1, .quantum = 1, .source = "monotonic"},
        .writer = STR("golden 1"),
        .preset = lines ? STR("lines") : STR("flow"),
        .cwd = STR("/home/u"),
        .uuid = STR("00112233445566778899aabbccddeeff"),
        .events = stack | raises |
                  (lines ? 1u << PT_LINE : 1u << PT_BRANCH | 1u << PT_JUMP),
        .stamped = stack | (lines ? 1u << PT_LINE : 0),
    };
    struct pt_writer_options options = {.force = true};
    struct pt_end end = {.reason = STR("complete")};
    struct pt_error error;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    must(pt_writer_open(path, &header, &options, &error, &m.writer));
    must(pt_block_new(&m.block));
    define(&m);
    describe(&m);
    run(&m);
    must(pt_writer_events(m.writer, m.block, m.process, m.thread, NULL, 0,
                          NULL));
    end.events = pt_writer_event_count(m.writer);
    must(pt_writer_close(m.writer, &end, &error));
    pt_block_free(m.block);
}

int
main(int argc, char **argv)
{
    const char *directory = argc > 1 ? argv[1] : ".";
    make(directory, "lines.ptr", true);
    make(directory, "spread.ptr", false);
    return 0;
}
