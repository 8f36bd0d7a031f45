/* Where a trace comes from: a file, or a program that is recorded now. */
#include "analyze/dap/dap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS = 1024, PATH_TEXT = 4096 };

/* --- opening ----------------------------------------------------------------
 */

void
pt_dap_close(struct pt_dap *d)
{
    pt_dap_forget(d);
    pt_dap_stops_clear(d);
    free(d->targets);
    free(d->on_disk);
    pt_locals_free(d->locals);
    pt_operands_free(d->operands);
    pt_graph_cache_free(d->graphs);
    pt_engine_free(d->engine);
    pt_trace_close(d->trace);
    if (d->recorded)
        unlink(d->recorded);
    free(d->recorded);
    d->targets = NULL;
    d->ntargets = 0;
    d->on_disk = NULL;
    d->locals = NULL;
    d->operands = NULL;
    d->graphs = NULL;
    d->engine = NULL;
    d->trace = NULL;
    d->recorded = NULL;
}

static void
choose_start(struct pt_dap *d, const cJSON *args)
{
    const cJSON *entry = cJSON_GetObjectItemCaseSensitive(args, "stopOnEntry");
    d->start = !cJSON_IsBool(entry)  ? PT_START_FAILURE
               : cJSON_IsTrue(entry) ? PT_START_ENTRY
                                     : PT_START_RUN;
}

static enum pt_status
open_trace(struct pt_dap *d, const char *path)
{
    const struct pt_engine_hooks hooks = {.state = d,
                                          .holds = pt_dap_holds,
                                          .log = pt_dap_log,
                                          .interrupted = pt_dap_interrupted};
    struct pt_place place;
    enum pt_status st = pt_trace_open(path, &d->session->error, &d->trace);
    if (st != PT_OK)
        return st;
    st = pt_engine_new(d->trace, &hooks, &d->engine);
    if (st == PT_ENOTFOUND)
        pt_dap_refuse(d, st,
                      "%s has no events that can be read: there is nothing to "
                      "look at",
                      path);
    if (st == PT_OK)
        st = pt_locals_new(d->trace, &d->locals);
    if (st == PT_OK)
        st = pt_graph_cache_new(d->trace, &d->graphs);
    if (st == PT_OK)
        st = pt_operands_new(d->trace, &d->operands);
    if (st == PT_OK)
        st = pt_engine_goto_failure(d->engine, &d->failure);
    if (st == PT_OK)
        st = pt_engine_place(d->engine, &place);
    if (st == PT_OK) {
        d->failed_at = place.seq;
        d->on_disk = calloc(pt_trace_source_count(d->trace) + 1, 1);
        st = d->on_disk ? PT_OK : PT_ENOMEM;
    }
    return st;
}

static enum pt_status
open_or_close(struct pt_dap *d, const char *path)
{
    enum pt_status st = open_trace(d, path);
    if (st != PT_OK) {
        struct pt_error error = d->session->error;
        pt_dap_close(d);
        d->session->error = error;
    }
    return st;
}

static enum pt_status
refuse_second(struct pt_dap *d)
{
    return d->trace ? pt_dap_refuse(d, PT_EUSAGE,
                                    "this session has a trace already; start "
                                    "another one")
                    : PT_OK;
}

enum pt_status
pt_dap_attach(struct pt_dap *d, const cJSON *args, cJSON *body)
{
    const char *path = pt_dap_text(args, "trace", NULL);
    enum pt_status st = refuse_second(d);
    if (st == PT_OK && !path)
        st = pt_dap_refuse(d, PT_EUSAGE,
                           "attach needs the argument \"trace\", the file that "
                           "ptrec run has made");
    choose_start(d, args);
    return st == PT_OK ? open_or_close(d, path) : st;
}

/* --- recording --------------------------------------------------------------
 */

struct words {
    char *list[WORDS + 1];
    size_t n;
    bool failed;
};

static void
add(struct words *w, const char *before, const char *text)
{
    char *word;
    if (w->n == WORDS || asprintf(&word, "%s%s", before, text) < 0) {
        w->failed = true;
        return;
    }
    w->list[w->n++] = word;
}

static void
clear(struct words *w)
{
    while (w->n > 0)
        free(w->list[--w->n]);
}

/* The recorder lies where this program does. */
static bool
find_ptrec(char *path)
{
    static const char name[] = "/ptrec";
    ssize_t n = readlink("/proc/self/exe", path, PATH_TEXT - sizeof name);
    if (n <= 0)
        return false;
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    if (!slash)
        return false;
    memcpy(slash, name, sizeof name);
    return access(path, X_OK) == 0;
}

static void
command(struct words *w, const char *ptrec, const char *trace,
        const cJSON *args)
{
    static const char *const passed[] = {"preset", "values", "python"};
    const cJSON *arg;
    const char *module = pt_dap_text(args, "module", NULL);
    add(w, "", ptrec);
    add(w, "", "run");
    add(w, "", "--quiet");
    add(w, "", "--force");
    add(w, "--output=", trace);
    for (size_t i = 0; i < sizeof passed / sizeof *passed; i++) {
        const char *value = pt_dap_text(args, passed[i], NULL);
        char option[32];
        snprintf(option, sizeof option, "--%s=", passed[i]);
        if (value)
            add(w, option, value);
    }
    if (module) {
        add(w, "", "-m");
        add(w, "", module);
    } else
        add(w, "", pt_dap_text(args, "program", ""));
    cJSON_ArrayForEach(arg, cJSON_GetObjectItemCaseSensitive(
                                args, "args")) if (cJSON_IsString(arg))
        add(w, "", arg->valuestring);
}

/* What came of the program's output and was not passed on yet. */
struct output {
    const char *category;
    char data[4096];
    size_t used;
};

/* How many bytes at the end are the beginning of a character. */
static size_t
begun(const char *data, size_t n)
{
    for (size_t k = 1; k < 4 && k <= n; k++) {
        unsigned char c = (unsigned char)data[n - k];
        if ((c & 0xc0) != 0x80)
            return k < (c >= 0xf0   ? 4u
                        : c >= 0xe0 ? 3u
                        : c >= 0xc0 ? 2u
                                    : 1u)
                       ? k
                       : 0;
    }
    return 0;
}

/* Reads once more; false at the end. */
static bool
read_output(struct pt_dap *d, int fd, struct output *o)
{
    ssize_t n = read(fd, o->data + o->used, sizeof o->data - o->used);
    size_t all = o->used + (n > 0 ? (size_t)n : 0);
    size_t rest = n > 0 ? begun(o->data, all) : 0;
    if (all > rest)
        pt_dap_output(d, o->category, (struct pt_str){o->data, all - rest});
    memmove(o->data, o->data + all - rest, rest);
    o->used = rest;
    return n > 0;
}

/* Passes on what the program writes until it has ended; a disconnect ends it.
 */
static void
pass_on(struct pt_dap *d, pid_t pid, const int fds[2])
{
    struct output output[2] = {{.category = "stdout"}, {.category = "stderr"}};
    struct pollfd p[3] = {{.fd = fds[0], .events = POLLIN},
                          {.fd = fds[1], .events = POLLIN},
                          {.fd = d->wire.in, .events = POLLIN}};
    while (p[0].fd >= 0 || p[1].fd >= 0) {
        if (poll(p, 3, -1) < 0) {
            if (errno != EINTR)
                break;
            continue;
        }
        for (size_t i = 0; i < 2; i++)
            if (p[i].fd >= 0 && p[i].revents &&
                !read_output(d, p[i].fd, &output[i]))
                p[i].fd = -1;
        if (p[2].fd >= 0 && p[2].revents) {
            if (!pt_dap_read_ahead(d))
                p[2].fd = -1;
            if (d->done || pt_dap_waits(d, "disconnect") ||
                pt_dap_waits(d, "terminate"))
                kill(pid, SIGTERM);
        }
    }
}

static enum pt_status
record(struct pt_dap *d, struct words *w, const char *cwd)
{
    posix_spawn_file_actions_t actions;
    int out[2] = {-1, -1}, err[2] = {-1, -1}, failed = ENOMEM, ended = 0;
    pid_t pid = -1;
    if (pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0 &&
        posix_spawn_file_actions_init(&actions) == 0) {
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null",
                                         O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
        posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
        if (cwd)
            posix_spawn_file_actions_addchdir_np(&actions, cwd);
        failed =
            posix_spawn(&pid, w->list[0], &actions, NULL, w->list, environ);
        posix_spawn_file_actions_destroy(&actions);
    }
    if (out[1] >= 0)
        close(out[1]);
    if (err[1] >= 0)
        close(err[1]);
    if (failed == 0) {
        pass_on(d, pid, (const int[2]){out[0], err[0]});
        while (waitpid(pid, &ended, 0) < 0 && errno == EINTR)
            ;
    }
    if (out[0] >= 0)
        close(out[0]);
    if (err[0] >= 0)
        close(err[0]);
    return failed == 0
               ? PT_OK
               : pt_dap_refuse(d, PT_EIO, "%s cannot be started%s%s (%s)",
                               w->list[0], cwd ? " in " : "", cwd ? cwd : "",
                               strerror(failed));
}

/* A name for a trace that nobody wants to keep. */
static enum pt_status
make_name(struct pt_dap *d)
{
    const char *folder = getenv("TMPDIR");
    char path[PATH_TEXT];
    if (d->recorded)
        return PT_OK; /* of a launch before, which did not work */
    int n = snprintf(path, sizeof path, "%s/ptana-dap-XXXXXX.ptr",
                     folder && *folder ? folder : "/tmp");
    int fd = n < (int)sizeof path ? mkstemps(path, 4) : -1;
    if (fd < 0)
        return pt_dap_refuse(d, PT_EIO,
                             "no trace can be made in the folder for temporary "
                             "files; name one with \"trace\"");
    close(fd);
    d->recorded = strdup(path);
    return d->recorded ? PT_OK : PT_ENOMEM;
}

/* As it is meant here: the program may be started in another folder. */
static bool
absolute(const char *path, char *out, size_t size)
{
    char cwd[PATH_TEXT];
    int n;
    if (*path == '/')
        n = snprintf(out, size, "%s", path);
    else
        n = getcwd(cwd, sizeof cwd) ? snprintf(out, size, "%s/%s", cwd, path)
                                    : -1;
    return n >= 0 && (size_t)n < size;
}

enum pt_status
pt_dap_launch(struct pt_dap *d, const cJSON *args, cJSON *body)
{
    char ptrec[PATH_TEXT], kept[2 * PATH_TEXT];
    struct words words = {.n = 0};
    const char *trace = pt_dap_text(args, "trace", NULL);
    enum pt_status st = refuse_second(d);
    if (st != PT_OK)
        return st;
    if (!pt_dap_text(args, "program", NULL) &&
        !pt_dap_text(args, "module", NULL))
        return pt_dap_refuse(d, PT_EUSAGE,
                             "launch needs the argument \"program\", a file "
                             "of Python, or \"module\"");
    if (!find_ptrec(ptrec))
        return pt_dap_refuse(d, PT_EIO,
                             "there is no ptrec beside ptana to record with");
    choose_start(d, args);
    if (!trace && (st = make_name(d)) != PT_OK)
        return st;
    if (trace && !absolute(trace, kept, sizeof kept))
        return pt_dap_refuse(d, PT_EUSAGE, "the name of the trace is too long");
    trace = trace ? kept : d->recorded;
    command(&words, ptrec, trace, args);
    st = words.failed
             ? pt_dap_refuse(d, PT_EUSAGE, "the program has too many arguments")
             : record(d, &words, pt_dap_text(args, "cwd", NULL));
    clear(&words);
    if (st == PT_OK && d->done)
        st = pt_dap_refuse(d, PT_EUSAGE, "the client has gone");
    if (st == PT_OK)
        st = open_or_close(d, trace);
    return st;
}
