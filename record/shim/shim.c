/* The preload shim: how a recording begins in an interpreter that knows
 * nothing of it.
 *
 *   ptrec exec()s python with LD_PRELOAD=shim.so and PTREC_SOCKET=...
 *     __libc_start_main (ours)     no interpreter in this process: leave all
 *                                  as it is, so that wrapper scripts work
 *     main_wrapper                 take our variables out of the environment,
 *                                  register an audit hook
 *     python's main                site runs, unrecorded
 *     audit "cpython.run_..."      load the recorder of this version, attach
 *     the program                  recorded from its first instruction
 *
 * Everything is undone before the interpreter reads its environment, so the
 * program sees the one ptrec was started with.  Nothing here allocates. */
#include "record/inside/attach.h"
#include "record/inside/dial.h"
#include "record/proto.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int main_function(int, char **, char **);
typedef int audit_hook(const char *, void *, void *);

static struct {
    main_function *main;
    char socket[108];
    char hooks[4096]; /* path of the recorder for this interpreter */
    bool first;       /* the process that ptrec itself started */
    bool done;
    void (*audit)(const char *event);
} shim;

/* --- the environment
 * ---------------------------------------------------------- */

static char **
env_find(const char *name)
{
    size_t n = strlen(name);
    for (char **e = environ; e != NULL && *e != NULL; e++)
        if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
            return e;
    return NULL;
}

static void
env_remove(char **e)
{
    for (; e != NULL && *e != NULL; e++)
        e[0] = e[1];
}

/* LD_PRELOAD is "ours" or "ours:theirs": what remains is theirs, in place. */
static void
env_restore(void)
{
    char **e = env_find("LD_PRELOAD");
    if (e != NULL) {
        char *value = *e + strlen("LD_PRELOAD=");
        char *theirs = strchr(value, ':');
        if (theirs == NULL)
            env_remove(e);
        else
            memmove(value, theirs + 1, strlen(theirs + 1) + 1);
    }
    env_remove(env_find(PT_ENV_SOCKET));
    env_remove(env_find(PT_ENV_MAIN));
}

/* --- what cannot be recorded
 * ---------------------------------------------------- */

/* Tells the collector why this interpreter is not recorded.  The process that
 * ptrec itself started ends then, before the program begins. */
static void
refuse(const char *why)
{
    struct pt_hello hello = {.magic = PT_PROTO_MAGIC, .kind = PT_HELLO_REFUSED};
    snprintf(hello.text, sizeof hello.text, "%s", why);
    int s = pt_dial(shim.socket);
    if (s >= 0) {
        char end;
        if (send(s, &hello, sizeof hello, MSG_NOSIGNAL) > 0)
            (void)!recv(s, &end, 1, 0); /* until it has been read */
        close(s);
    }
    if (shim.first)
        _exit(2);
}

/* The versions that record/inside can be built for. */
enum { FIRST_MINOR = 11, LAST_MINOR = 13 };

/* Fills shim.hooks for this interpreter, or returns why there is none. */
static const char *
find_hooks(void)
{
    static char why[200];
    const char *(*version)(void) =
        (const char *(*)(void))(uintptr_t)dlsym(RTLD_DEFAULT, "Py_GetVersion");
    const char *v = version != NULL ? version() : "";
    int major = 0, minor = 0;
    Dl_info self;
    sscanf(v, "%d.%d", &major, &minor);
    if (strstr(v, "free-threading") != NULL)
        return "free-threaded CPython cannot be recorded yet: use the build "
               "with the GIL";
    if (dladdr(&shim, &self) == 0 || self.dli_fname == NULL)
        return "the shim does not find its own folder";
    const char *slash = strrchr(self.dli_fname, '/');
    int n = slash != NULL ? (int)(slash - self.dli_fname) : 0;
    bool debug = dlsym(RTLD_DEFAULT, "_Py_NegativeRefcount") != NULL;
    snprintf(shim.hooks, sizeof shim.hooks, "%.*s/hooks.cpython-%d%d%s-%s.so",
             n, self.dli_fname, major, minor, debug ? "d" : "",
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
    struct pt_attach a = {
        .version = PT_ATTACH_VERSION, .socket = shim.socket, .hook = on_audit};
    void *lib = dlopen(shim.hooks, RTLD_NOW | RTLD_LOCAL);
    if (lib == NULL) {
        const char *e = dlerror();
        refuse(e != NULL ? e : "the recorder cannot be loaded");
        return;
    }
    int (*enter)(struct pt_attach *) =
        (int (*)(struct pt_attach *))(uintptr_t)dlsym(lib, "pt_attach");
    if (enter == NULL || enter(&a) != 0) {
        refuse(enter != NULL ? a.why : "the recorder has no entry");
        return;
    }
    shim.audit = a.audit;
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
main_wrapper(int argc, char **argv, char **env)
{
    int (*add)(audit_hook *, void *) = (int (*)(audit_hook *, void *))(
        uintptr_t)dlsym(RTLD_DEFAULT, "PySys_AddAuditHook");
    char **e = env_find(PT_ENV_SOCKET);
    if (add == NULL || e == NULL)
        return shim.main(argc, argv, env);
    snprintf(shim.socket, sizeof shim.socket, "%s",
             *e + strlen(PT_ENV_SOCKET) + 1);
    /* by number: a wrapper script may run other interpreters before it
     * becomes the one to record */
    char **first = env_find(PT_ENV_MAIN);
    shim.first = first != NULL &&
                 atol(*first + strlen(PT_ENV_MAIN) + 1) == (long)getpid();
    env_restore();
    const char *why = find_hooks();
    if (why != NULL)
        refuse(why);
    else
        add(on_audit, NULL);
    return shim.main(argc, argv, environ);
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
    return real(main_wrapper, argc, argv, init, fini, rtld, stack_end);
}
