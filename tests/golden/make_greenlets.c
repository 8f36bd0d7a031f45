/* Writes a trace of a thread with two stacks, as greenlets leave it, into the
 * directory it is given.  One tick of its clock is 1 ns:
 *
 *   #1  main 100 .. 200 switch ..... 510 .. 600 switch ..... 910 .. 1000
 *   #2                   work 250 .. 480 switch .. 620 .. 880
 *
 * #1 does not run from 210 to 500 and from 610 to 900, #2 from 499 to 611. */
#include <pt/writer.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STR(s) ((struct pt_str){(s), sizeof(s) - 1})

static struct pt_writer *writer;
static struct pt_block *block;
static uint32_t process;

static void
must(enum pt_status st)
{
    if (st == PT_OK)
        return;
    fprintf(stderr, "make_greenlets: %s\n", pt_status_name(st));
    exit(1);
}

static void
open_log(void)
{
    struct pt_header header = {
        .version = 1 << 16,
        .clock = {.mult = 1, .quantum = 1, .source = "monotonic"},
        .writer = STR("golden 1"),
        .preset = STR("calls"),
        .uuid = STR("00112233445566778899aabbccddeeff"),
        .events = 1u << PT_CALL | 1u << PT_RETURN | 1u << PT_C_CALL,
        .stamped = UINT32_MAX,
    };
    struct pt_writer_options options = {.force = true};
    must(pt_writer_open("greenlets.ptr", &header, &options, NULL, &writer));
    must(pt_block_new(&block));
    struct pt_process p = {.pid = 100};
    must(pt_writer_process(writer, &p, &process));
}

static uint32_t
code(struct pt_str name, uint32_t line)
{
    struct pt_code c = {.file = STR("/home/u/app.py"),
                        .name = name,
                        .qualname = name,
                        .firstline = line};
    uint32_t id;
    must(pt_writer_code(writer, &c, &id));
    return id;
}

static uint32_t
stack(int64_t time, uint32_t carrier)
{
    struct pt_thread t = {
        .process = process, .tid = 100, .time = time, .carrier = carrier};
    uint32_t id;
    must(pt_writer_thread(writer, &t, &id));
    return id;
}

static void
put(uint64_t time, uint8_t kind, uint8_t mask, uint32_t id, uint32_t dst,
    uint64_t arg)
{
    must(pt_block_push(block, kind, mask | PT_HAS(TIME), time, id, 0, dst,
                       arg));
}

static void
leave(uint64_t time, uint64_t to)
{
    put(time, PT_SWITCH, PT_HAS(ARG), 0, 0, to);
}

static void
go_on(uint64_t time, uint64_t greenlet, uint32_t after)
{
    put(time, PT_SWITCH, PT_HAS(ARG) | PT_HAS(DST), 0, after, greenlet);
}

int
main(int argc, char **argv)
{
    if (argc != 2 || chdir(argv[1]) != 0) {
        fputs("usage: make_greenlets DIRECTORY\n", stderr);
        return 2;
    }
    open_log();
    struct pt_callable method = {.kind = PT_CALLABLE_METHOD,
                                 .owner = STR("greenlet"),
                                 .name = STR("switch"),
                                 .label = STR("<method 'switch'>")};
    uint32_t to, first = stack(0, 0), second = stack(211, first);
    uint32_t top = code(STR("main"), 1), work = code(STR("work"), 11);
    must(pt_writer_callable(writer, &method, &to));

    put(0, PT_THREAD, PT_HAS(ARG), 0, 0, 1);
    put(100, PT_CALL, PT_HAS(CODE), top, 0, 0);
    put(200, PT_C_CALL, PT_HAS(CALLEE), to, 0, 0);
    leave(210, 1);
    go_on(500, 0, 1);
    put(510, PT_C_RETURN, 0, 0, 0, 0);
    put(600, PT_C_CALL, PT_HAS(CALLEE), to, 0, 0);
    leave(610, 1);
    go_on(900, 0, 1);
    put(910, PT_C_RETURN, 0, 0, 0, 0);
    put(1000, PT_RETURN, 0, 0, 0, 0);
    put(1000, PT_THREAD, PT_HAS(ARG), 0, 0, 0);
    must(pt_writer_events(writer, block, process, first, NULL, 0, NULL));

    put(211, PT_THREAD, PT_HAS(ARG), 0, 0, 1);
    go_on(211, 1, 0);
    put(250, PT_CALL, PT_HAS(CODE), work, 0, 0);
    put(480, PT_C_CALL, PT_HAS(CALLEE), to, 0, 0);
    leave(499, 0);
    go_on(611, 1, 0);
    put(620, PT_C_RETURN, 0, 0, 0, 0);
    put(880, PT_RETURN, 0, 0, 0, 0);
    leave(899, 0);
    must(pt_writer_events(writer, block, process, second, NULL, 0, NULL));

    struct pt_end end = {.time = 1000, .reason = STR("complete")};
    must(pt_writer_close(writer, &end, NULL));
    pt_block_free(block);
    return 0;
}
