/* The parts around the collector: command line, event sets, clock, names of
 * the trace, shared memory, handshake. */
#include "record/collector.h"
#include "record/inside/dial.h"
#include "record/launch.h"
#include "record/options.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* --- options ----------------------------------------------------------------
 */

static enum pt_status
parse(struct pt_options *o, struct pt_error *error, const char *line)
{
    static char copy[512];
    static char *words[32];
    int n = 0;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *w = strtok(copy, " "); w != NULL; w = strtok(NULL, " "))
        words[n++] = w;
    words[n] = NULL;
    return pt_options_parse(o, n, words, error);
}

Test(record_options, programs)
{
    static const struct {
        const char *line;
        const char *program; /* first word */
        const char *command;
        int flags, words;
    } cases[] = {
        {"app.py", "app.py", NULL, 0, 1},
        {"app.py -o x --quiet -c", "app.py", NULL, 0, 5},
        {"-o t.ptr app.py a", "app.py", NULL, 0, 2},
        {"-ot.ptr -f app.py", "app.py", NULL, 0, 1},
        {"-I -S -E app.py", "app.py", NULL, 3, 1},
        {"-ISu -OO app.py", "app.py", NULL, 2, 1},
        {"-X dev -W error -Wignore -Xdev app.py", "app.py", NULL, 6, 1},
        {"-m mod -o x", "-m", NULL, 0, 4},
        {"-mmod x", "-mmod", NULL, 0, 2},
        {"-Im mod x", "-Im", NULL, 0, 3},
        {"-c pass x", "-c", "pass", 0, 3},
        {"-uc pass", "-uc", "pass", 0, 2},
        {"-cpass", "-cpass", "pass", 0, 1},
        {"-", "-", NULL, 0, 1},
        {"- a b", "-", NULL, 0, 3},
        {"-- app.py", "app.py", NULL, 0, 1},
        {"-- -app.py", "-app.py", NULL, 1, 1},
        {"--preset=calls -I -- app.py", "app.py", NULL, 1, 1},
        {"--check-hash-based-pycs never app.py", "app.py", NULL, 2, 1},
        {"--python /usr/bin/python3 --level=3 app.py", "app.py", NULL, 0, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pt_options o;
        struct pt_error error = {0};
        const char *line = cases[i].line;
        cr_assert_eq(parse(&o, &error, line), PT_OK, "%s: %s", line,
                     error.text);
        cr_assert_eq(o.nflags, cases[i].flags, "%s", line);
        cr_assert_eq(o.nprogram, cases[i].words, "%s", line);
        cr_assert_str_eq(o.program[0], cases[i].program);
        if (cases[i].command != NULL)
            cr_assert_str_eq(o.command, cases[i].command);
        else
            cr_assert_null(o.command);
        pt_options_clear(&o);
    }
}

Test(record_options, values)
{
    struct pt_options o;
    struct pt_error error;
    cr_assert_eq(parse(&o, &error,
                       "--preset=calls --events=+line --on-full=drop "
                       "--time-quantum=100 --level=7 --quiet --progress "
                       "--no-wait -o a b"),
                 PT_OK);
    cr_assert(o.drop && o.quiet && o.progress && o.no_wait && !o.force);
    cr_assert_eq(o.level, 7);
    cr_assert_eq((int)o.quantum, 100);
    cr_assert_eq(o.preset->flow, false);
    cr_assert_str_eq(o.output, "a");
    cr_assert_eq(o.events, pt_preset_at(1)->events | 1u << PT_LINE);
    pt_options_clear(&o);
    cr_assert_eq(parse(&o, &error, "--help"), PT_OK);
    cr_assert(o.help);
    pt_options_clear(&o);
}

Test(record_options, mistakes)
{
    static const char *const lines[] = {
        "",
        "-o",
        "-o t.ptr",
        "--nonsense app.py",
        "-Z app.py",
        "-c",
        "-m",
        "--level=0 a",
        "--level=x a",
        "--level=20 a",
        "--time-quantum=-1 a",
        "--time-quantum=0 a",
        "--time-quantum=nan a",
        "--time-quantum=1e7 a",
        "--on-full=maybe a",
        "--preset=coverage --events=+call a",
        "--preset=coverage --function=f a",
        "--max-depth=3 --preset=coverage a",
        "--preset=x a",
        "--events= a",
        "--events=call,+line a",
        "--events=nonsense a",
        "--events=thread a",
        "--events=+ a",
        "--events=call,,line a",
        "--quiet=1 a",
        "-W",
        "--python= a",
        "--preset=calls --events=-call,-c_call,-task a"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct pt_options o;
        struct pt_error error = {0};
        cr_assert_eq(parse(&o, &error, lines[i]), PT_EUSAGE, "%s", lines[i]);
        cr_assert_gt(strlen(error.text), 10);
        pt_options_clear(&o);
    }
}

Test(record_events, families)
{
    uint32_t events = 0;
    struct pt_error error;
    cr_assert_eq(pt_events_parse("throw", &events, &error), PT_OK);
    cr_assert_eq(events, 0x7e); /* call .. unwind */
    cr_assert_eq(pt_events_parse("+c_return,-call", &events, &error), PT_OK);
    cr_assert_eq(events, 7u << PT_C_CALL);
    cr_assert_eq(pt_events_parse("line,exception", &events, &error), PT_OK);
    cr_assert_eq(events, 0x7e | 1u << PT_LINE | 1u << PT_EXCEPTION);
}

/* --- clock -------------------------------------------------------------------
 */

Test(record_clock, runs_like_monotonic_raw)
{
    struct pt_timebase base;
    pt_timebase_start(&base);
    pt_timebase_quantum(&base, 12.4);
    pt_timebase_fix(&base);
    int64_t from = pt_timebase_now(&base);
    const struct timespec pause = {0, 50000000};
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC_RAW, &a);
    nanosleep(&pause, NULL);
    clock_gettime(CLOCK_MONOTONIC_RAW, &b);
    int64_t took = pt_timebase_now(&base) - from;
    int64_t raw = (b.tv_sec - a.tv_sec) * 1000000000 + b.tv_nsec - a.tv_nsec;
    cr_assert_lt(llabs(took - raw), 2000000);
    cr_assert_geq(from, 5000000);
    double quantum = (double)pt_timebase_ns(&base, 1000000) / 1e6;
    cr_assert(quantum <= 12.41 && (quantum > 6.1 || base.quantum_log2 == 0));
    cr_assert_eq(base.clock.origin % base.clock.quantum, 0);
}

/* --- names of the trace
 * --------------------------------------------------------- */

static char folder[64];

static void
enter_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/ptrec-test-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL && chdir(folder) == 0);
}

static void
leave_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_assert_eq(system(command), 0);
}

static void
make_file(const char *name, const char *text, size_t len)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    cr_assert(fd >= 0 && write(fd, text, len) == (ssize_t)len);
    close(fd);
}

static bool
there(const char *name)
{
    return access(name, F_OK) == 0;
}

static const struct pt_header header = {.version = 1 << 16,
                                        .clock = {.mult = 1, .quantum = 1}};
static const struct pt_end end = {.reason = {"complete", 8}};

static void
write_trace(const char *name, bool force)
{
    struct pt_output out;
    struct pt_notes notes = {0};
    struct pt_error error = {0};
    cr_assert_eq(pt_output_init(&out, name, force, 1, &error), PT_OK, "%s",
                 error.text);
    cr_assert_eq(pt_output_open(&out, &header, &notes), PT_OK, "%s",
                 out.error.text);
    cr_assert_eq(pt_output_close(&out, &end), PT_OK);
    pt_output_clear(&out);
    pt_notes_clear(&notes);
}

Test(record_output, old_and_force, .init = enter_folder, .fini = leave_folder)
{
    struct pt_output out;
    struct pt_error error;
    write_trace("a.ptr", false);
    cr_assert(there("a.ptr") && !there("a.ptr.part") && !there("a.ptr.old"));
    write_trace("a.ptr", false);
    cr_assert(there("a.ptr.old"));
    make_file("b.ptr", "precious", 8);
    cr_assert_eq(pt_output_init(&out, "b.ptr", false, 1, &error), PT_EUSAGE);
    write_trace("b.ptr", true);
    make_file("empty.ptr", "", 0);
    write_trace("empty.ptr", false);
    cr_assert(!there("empty.ptr.old"));
    cr_assert_eq(pt_output_init(&out, "/dev/null", true, 1, &error), PT_EUSAGE);
    cr_assert_eq(pt_output_init(&out, ".", true, 1, &error), PT_EUSAGE);
    cr_assert_eq(pt_output_init(&out, "none/t.ptr", false, 1, &error), PT_EIO);
}

Test(record_output, stale_part, .init = enter_folder, .fini = leave_folder)
{
    make_file("a.ptr.part", "half", 4);
    write_trace("a.ptr", false);
    struct stat st;
    cr_assert(stat("a.ptr.part.old", &st) == 0 && st.st_size == 4);
    cr_assert(there("a.ptr") && !there("a.ptr.part"));
}

Test(record_output, two_at_once, .init = enter_folder, .fini = leave_folder)
{
    struct pt_output one, two;
    struct pt_notes notes = {0};
    struct pt_error error;
    cr_assert_eq(pt_output_init(&one, "a.ptr", false, 1, &error), PT_OK);
    cr_assert_eq(pt_output_init(&two, "a.ptr", false, 1, &error), PT_OK);
    cr_assert_eq(pt_output_open(&one, &header, &notes), PT_OK);
    cr_assert_eq(pt_output_open(&two, &header, &notes), PT_OK);
    char name[64];
    snprintf(name, sizeof name, "a.%d.ptr", (int)getpid());
    cr_assert_str_eq(one.path, "a.ptr");
    cr_assert_str_eq(two.path, name);
    cr_assert_eq(notes.count, 1);
    cr_assert_eq(pt_output_close(&two, &end), PT_OK);
    cr_assert_eq(pt_output_close(&one, &end), PT_OK);
    cr_assert(there("a.ptr") && there(name));
    pt_output_clear(&one);
    pt_output_clear(&two);
    pt_notes_clear(&notes);
}

/* --- shared memory and the door
 * ---------------------------------------------------- */

Test(record_arena, sealed_and_held)
{
    struct pt_config config = {.events = 2};
    struct pt_arena_map map;
    struct pt_error error;
    cr_assert_eq(pt_arena_map_init(&map, &config, 0, &error), PT_OK);
    cr_assert_neq(ftruncate(map.fd, 4096), 0);
    cr_assert_neq(ftruncate(map.fd, (off_t)map.size * 2), 0);
    cr_assert_eq(map.arena->magic, PT_PROTO_MAGIC);
    cr_assert_eq(map.arena->config.events, 2);
    cr_assert_eq(pthread_mutex_trylock(&map.arena->alive), EBUSY);
    pt_arena_map_clear(&map);
    pt_arena_map_clear(&map);
}

Test(record_listen, handshake)
{
    struct pt_listener door;
    struct pt_error error;
    pid_t pid = 0;
    cr_assert_eq(pt_listener_open(&door, &error), PT_OK, "%s", error.text);
    cr_assert_eq(pt_listener_accept(&door, &pid), -1);

    int client = pt_dial(door.name);
    cr_assert_geq(client, 0);
    int server = pt_listener_accept(&door, &pid);
    cr_assert_geq(server, 0);
    cr_assert_eq(pid, getpid());
    struct pt_hello hello;
    cr_assert_eq(pt_hello_read(server, &hello), 0);
    struct pt_hello said = {.magic = PT_PROTO_MAGIC, .kind = PT_HELLO_JOIN};
    memset(said.text, 'x', sizeof said.text); /* no terminator */
    cr_assert_eq(send(client, &said, sizeof said, 0), (ssize_t)sizeof said);
    cr_assert_eq(pt_hello_read(server, &hello), 1);
    cr_assert_eq(strlen(hello.text), sizeof hello.text - 1);
    cr_assert_eq(send(client, "short", 5, 0), 5);
    cr_assert_eq(pt_hello_read(server, &hello), -1);
    said.magic = 1;
    cr_assert_eq(send(client, &said, sizeof said, 0), (ssize_t)sizeof said);
    cr_assert_eq(pt_hello_read(server, &hello), -1);

    struct pt_welcome welcome = {.magic = PT_PROTO_MAGIC, .status = ENOSPC};
    cr_assert(pt_welcome_send(server, &welcome, NULL));
    welcome.status = 0;
    cr_assert_eq(recv(client, &welcome, sizeof welcome, 0),
                 (ssize_t)sizeof welcome);
    cr_assert_eq(welcome.status, ENOSPC);
    close(client);
    cr_assert_eq(pt_hello_read(server, &hello), -1);
    cr_assert_not(pt_welcome_send(server, &welcome, NULL));
    close(server);
    pt_listener_close(&door);
    cr_assert_eq(pt_dial(door.name), -ECONNREFUSED);
}

enum { NOBODY = 65534 };

/* Runs `as_nobody` in a child of another user; its status. */
static int
as_stranger(int (*as_nobody)(const char *name), const char *name)
{
    int status = 0;
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0)
        _exit(setuid(NOBODY) != 0 ? 99 : as_nobody(name));
    cr_assert_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The program would send its code to whoever took the name. */
static int
dial_status(const char *name)
{
    return -pt_dial(name);
}

/* A stranger gets no arena: the door closes before it has said anything. */
static int
connect_status(const char *name)
{
    struct sockaddr_un to;
    socklen_t len = pt_socket_address(&to, name);
    int s = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    return connect(s, (struct sockaddr *)&to, len) == 0 ? 0 : errno;
}

Test(record_listen, strangers)
{
    struct pt_listener door;
    struct pt_error error;
    pid_t pid;
    if (geteuid() != 0)
        cr_skip_test("only root can be another user");
    cr_assert_eq(pt_listener_open(&door, &error), PT_OK, "%s", error.text);
    cr_expect_eq(as_stranger(dial_status, door.name), EACCES);
    cr_expect_eq(as_stranger(connect_status, door.name), 0);
    for (int i = 0; i < 2; i++) {
        cr_expect_eq(pt_listener_accept(&door, &pid), -1);
        cr_expect_gt(pid, 0, "whom it turned down");
    }
    cr_expect_eq(pt_listener_accept(&door, &pid), -1);
    cr_expect_eq(pid, 0);
    pt_listener_close(&door);
}

Test(record_listen, names_that_cannot_be)
{
    char name[200];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    cr_expect_eq(pt_dial(name), -EINVAL);
    cr_expect_eq(pt_dial(""), -EINVAL);
}
