/* Writes the golden tests' trace of a program's flow, flow.ptr, in which lines
 * and instructions are recorded as well.  One function runs four times:
 *
 *    0 RESUME     line 1        2 LOAD       line 2
 *    4 POP_JUMP_IF_FALSE to 8   6 LOAD       line 3
 *    8 RETURN_VALUE  line 4
 *
 * The first time all is as it must be, the second time the line 4 is left out,
 * the third time the branch is, the fourth time it leads nowhere. */
#include <pt/writer.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STR(s) ((struct pt_str){(s), sizeof(s) - 1})

struct maker {
    struct pt_writer *writer;
    struct pt_block *block;
    uint32_t code;
    uint64_t time;
};

static void
must(enum pt_status st)
{
    if (st != PT_OK) {
        fprintf(stderr, "make_flow: %s\n", pt_status_name(st));
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
    must(pt_writer_interpreter(w, python, &id));
    free(python);
    return id;
}

static void
begin(struct maker *m, const char *path, uint32_t *process, uint32_t *thread)
{
    struct pt_header header = {
        .version = 1 << 16,
        .optional = PT_OPTIONAL_FLOW,
        .clock = {.mult = 1, .quantum = 1, .source = "monotonic"},
        .writer = STR("golden 1"),
        .preset = STR("flow"),
        .uuid = STR("00112233445566778899aabbccddeeff"),
        .events = (1u << PT_THREAD) - 2,
        .stamped = 1u << PT_CALL | 1u << PT_RETURN,
    };
    struct pt_writer_options options = {.force = true};
    struct pt_error error;
    if (pt_writer_open(path, &header, &options, &error, &m->writer) != PT_OK) {
        fprintf(stderr, "make_flow: %s\n", error.text);
        exit(1);
    }
    must(pt_block_new(&m->block));
    uint32_t python = interpreter(m->writer);
    struct pt_process p = {.interpreter = python, .pid = 100};
    must(pt_writer_process(m->writer, &p, process));
    struct pt_thread t = {.process = *process, .tid = 100};
    must(pt_writer_thread(m->writer, &t, thread));
    struct pt_code code = {
        .interpreter = python,
        .file = STR("/home/u/app.py"),
        .name = STR("choose"),
        .qualname = STR("choose"),
        .firstline = 1,
        .bytecode = STR("\1\0\2\0\3\1\2\0\4\0"),
        .linetable = STR("\xe8\0\xe9\2\xe8\2\xe8\2"),
    };
    must(pt_writer_code(m->writer, &code, &m->code));
}

static void
push(struct maker *m, uint8_t kind, unsigned mask, uint32_t pos, uint32_t dst)
{
    m->time += 10;
    must(pt_block_push(m->block, kind, (uint8_t)mask, m->time, m->code, pos,
                       dst, 0));
}

static void
call(struct maker *m)
{
    push(m, PT_CALL, PT_HAS(TIME) | PT_HAS(CODE), 0, 0);
}

static void
line(struct maker *m, uint32_t number)
{
    push(m, PT_LINE, PT_HAS(LINE), number, 0);
}

static void
ran(struct maker *m, uint32_t off)
{
    push(m, PT_INSTRUCTION, PT_HAS(OFF), off, 0);
}

static void
branch(struct maker *m, uint32_t dst)
{
    push(m, PT_BRANCH, PT_HAS(OFF) | PT_HAS(DST), 4, dst);
}

static void
leave(struct maker *m)
{
    push(m, PT_RETURN, PT_HAS(TIME), 0, 0);
}

/* What comes before the branch. */
static void
enter(struct maker *m)
{
    call(m);
    line(m, 2);
    ran(m, 2);
    ran(m, 4);
}

int
main(int argc, char **argv)
{
    char path[4096];
    struct maker m = {0};
    struct pt_end end = {.reason = STR("complete")};
    struct pt_error error;
    uint32_t process, thread;
    snprintf(path, sizeof path, "%s/flow.ptr", argc > 1 ? argv[1] : ".");
    begin(&m, path, &process, &thread);
    enter(&m);
    branch(&m, 8);
    line(&m, 4);
    ran(&m, 8);
    leave(&m);
    enter(&m);
    branch(&m, 6);
    line(&m, 3);
    ran(&m, 6);
    ran(&m, 8);
    leave(&m);
    enter(&m);
    line(&m, 4);
    ran(&m, 8);
    leave(&m);
    enter(&m);
    branch(&m, 2);
    leave(&m);
    must(pt_writer_events(m.writer, m.block, process, thread, NULL, 0, NULL));
    end.events = pt_writer_event_count(m.writer);
    must(pt_writer_close(m.writer, &end, &error));
    pt_block_free(m.block);
    return 0;
}
