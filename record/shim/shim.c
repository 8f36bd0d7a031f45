/* The preload shim: how a recording begins in an interpreter that knows
 * nothing of it.
 *
 *   ptrec exec()s python with LD_PRELOAD=shim.so and PTREC_RECORDING=...
 *     __libc_start_main (ours)     take our words out of the environment; what
 *                                  this process starts gets them back (words.c,
 *                                  starts.c)
 *     main_wrapper                 no interpreter in this process: no more than
 *                                  that; else register an audit hook and knock
 *                                  at the collector's door
 *     python's main                site runs, unrecorded
 *     audit "cpython.run_..."      load the recorder of this version, attach
 *     the program                  recorded from its first instruction
 *
 * Our words are gone before a program reads its environment, so it sees the one
 * that ptrec, or its parent, gave it.  Nothing here allocates. */
#include "record/inside/attach.h"
#include "record/inside/dial.h"
#include "record/proto.h"
#include "record/shim/starts.h"
#include "record/shim/words.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int main_function(int, char **, char **);
typedef int audit_hook(const char *, void *, void *);

static struct {
    main_function *main;
    char hooks[4096]; /* path of the recorder for this interpreter */
    int connection;   /* to the collector, -1 none */
    bool first;       /* the process that ptrec itself started */
    bool done;
    void (*audit)(const char *event);
} shim = {.connection = -1};

/* --- the door
 * ------------------------------------------------------------------ */

/* So high that what site opens gets the numbers it would get without us. */
enum { DESCRIPTOR = 200 };

/* Connects while the interpreter starts, so that the collector knows of a
 * process that is about to join.  It is tried again where this fails. */
static void
knock(void)
{
    int s = pt_dial(pt_words.socket);
    int high = s >= 0 ? fcntl(s, F_DUPFD_CLOEXEC, DESCRIPTOR) : -1;
    if (high >= 0)
        close(s);
    shim.connection = high >= 0 ? high : s;
}

/* The connection, if it is still ours: site can have closed descriptors and
 * opened others.  Else -1. */
static int
take_connection(void)
{
    struct sockaddr_un want, got;
    socklen_t n = sizeof got;
    socklen_t len = pt_socket_address(&want, pt_words.socket);
    int s = shim.connection;
    shim.connection = -1;
    return s >= 0 && getpeername(s, (struct sockaddr *)&got, &n) == 0 &&
                   n == len && memcmp(&got, &want, n) == 0
               ? s
               : -1;
}

/* --- what cannot be recorded
 * ---------------------------------------------------- */

/* Says hello to the collector; 0 once it has been read, or an errno value. */
static int
say(const struct pt_hello *hello)
{
    char end;
    int s = take_connection(), err = 0;
    if (s < 0)
        s = pt_dial(pt_words.socket);
    if (s < 0)
        return -s;
    if (send(s, hello, sizeof *hello, MSG_NOSIGNAL) < 0 ||
        recv(s, &end, 1, 0) < 0)
        err = errno;
    close(s);
    return err;
}

/* Tells the collector why this interpreter is not recorded.  The process that
 * ptrec itself started ends then, before the program begins; but where ptrec
 * has died meanwhile nobody would know why, and the program runs on as one that
 * loses its collector later. */
static void
refuse(const char *why)
{
    struct pt_hello hello = {.magic = PT_PROTO_MAGIC, .kind = PT_HELLO_REFUSED};
    snprintf(hello.text, sizeof hello.text, "%s", why);
    int err = say(&hello);
    bool dead = err == ECONNREFUSED || err == ECONNRESET || err == EPIPE;
    if (shim.first && !dead)
        _exit(2);
}

/* The versions that record/inside can be built for. */
enum { FIRST_MINOR = 11, LAST_MINOR = 15 };

/* Fills shim.hooks for this interpreter, or returns why there is none. */
static const char *
find_hooks(void)
{
    static char why[200];
    const char *(*version)(void) =
        (const char *(*)(void))(uintptr_t)dlsym(RTLD_DEFAULT, "Py_GetVersion");
    const char *v = version != NULL ? version() : "";
    int major = 0, minor = 0;
    sscanf(v, "%d.%d", &major, &minor);
    if (strstr(v, "free-threading") != NULL)
        return "free-threaded CPython cannot be recorded yet: use the build "
               "with the GIL";
    const char *slash = strrchr(pt_words.shim, '/');
    int n = slash != NULL ? (int)(slash - pt_words.shim) : 0;
    bool debug = dlsym(RTLD_DEFAULT, "_Py_NegativeRefcount") != NULL;
    snprintf(shim.hooks, sizeof shim.hooks, "%.*s/hooks.cpython-%d%d%s-%s.so",
             n, pt_words.shim, major, minor, debug ? "d" : "",
#if defined(__x86_64__)
             "x86_64-linux-gnu"
#elif defined(__aarch64__)
             "aarch64-linux-gnu"
#else
#error "which SOABI suffix does this machine have?"
#endif
    );
    if (access(shim.hooks, R_OK) == 0)
        return NULL;
    if (major != 3 || minor < FIRST_MINOR || minor > LAST_MINOR)
        snprintf(why, sizeof why,
                 "CPython %d.%d cannot be recorded: use one of 3.%d to 3.%d",
                 major, minor, FIRST_MINOR, LAST_MINOR);
    else
        snprintf(why, sizeof why,
                 "this ptrec has no recorder for CPython %d.%d%s: build it "
                 "with PYTHONS=/path/to/that/python",
                 major, minor, debug ? " (debug build)" : "");
    return why;
}

/* --- the beginning
 * --------------------------------------------------------------- */

static int on_audit(const char *event, void *args, void *user);

static void
attach(void)
{
    struct pt_attach a = {.version = PT_ATTACH_VERSION,
                          .socket = pt_words.socket,
                          .connection = -1,
                          .parent = pt_words.parent,
                          .hook = on_audit};
    void *lib = dlopen(shim.hooks, RTLD_NOW | RTLD_LOCAL);
    if (lib == NULL) {
        const char *e = dlerror();
        refuse(e != NULL ? e : "the recorder cannot be loaded");
        return;
    }
    int (*enter)(struct pt_attach *) =
        (int (*)(struct pt_attach *))(uintptr_t)dlsym(lib, "pt_attach");
    if (enter != NULL)
        a.connection = take_connection();
    if (enter == NULL || enter(&a) != 0) {
        refuse(enter != NULL ? a.why : "the recorder has no entry");
        return;
    }
    shim.audit = a.audit;
    pt_words_number = a.starts;
    pt_starts_exits = a.exits;
}

static int
on_audit(const char *event, void *args, void *user)
{
    if (shim.done) {
        if (shim.audit != NULL)
            shim.audit(event);
    } else if (strncmp(event, "cpython.run_", 12) == 0 &&
               strcmp(event + 12, "startup") != 0 &&
               strcmp(event + 12, "interactivehook") != 0) {
        shim.done = true;
        attach();
    }
    return 0;
}

static int
run_main(int argc, char **argv)
{
    int status = shim.main(argc, argv, environ);
    if (pt_starts_exits != NULL)
        pt_starts_exits(status);
    return status;
}

static int
main_wrapper(int argc, char **argv, char **env)
{
    int (*add)(audit_hook *, void *) = (int (*)(audit_hook *, void *))(
        uintptr_t)dlsym(RTLD_DEFAULT, "PySys_AddAuditHook");
    if (add == NULL || !pt_words.known)
        return run_main(argc, argv);
    /* by number: a wrapper script may run other interpreters before it
     * becomes the one to record */
    shim.first = pt_words.main == getpid();
    pt_words.main = 0;
    pt_words.pass = !pt_words.alone;
    const char *why = find_hooks();
    if (why != NULL) {
        refuse(why);
    } else {
        knock();
        add(on_audit, NULL);
    }
    return run_main(argc, argv);
}

/* glibc's, which declares it in no header. */
__attribute__((visibility("default"))) int
__libc_start_main(main_function *entry, int argc, char **argv,
                  void (*init)(void), void (*fini)(void), void (*rtld)(void),
                  void *stack_end);

int
__libc_start_main(main_function *entry, int argc, char **argv,
                  void (*init)(void), void (*fini)(void), void (*rtld)(void),
                  void *stack_end)
{
    int (*real)(main_function *, int, char **, void (*)(void), void (*)(void),
                void (*)(void), void *) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "__libc_start_main");
    shim.main = entry;
    pt_words_take();
    return real(main_wrapper, argc, argv, init, fini, rtld, stack_end);
}
