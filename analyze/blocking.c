#include "analyze/blocking.h"

#include <string.h>

/* Functions by their module, methods by their type; names between blanks. */
static const struct {
    const char *where, *names;
} blocking[] = {
    {"time", " sleep "},
    {"posix",
     " read readv pread preadv write writev pwrite pwritev fsync fdatasync "
     "sync sendfile splice copy_file_range wait wait3 wait4 waitid waitpid "
     "system lockf posix_spawn posix_spawnp "},
    {"_posixsubprocess", " fork_exec "},
    {"select", " select "},
    {"select.poll", " poll "},
    {"select.epoll", " poll "},
    {"fcntl", " flock lockf "},
    {"signal", " pause sigwait sigwaitinfo sigtimedwait "},
    {"_signal", " pause sigwait sigwaitinfo sigtimedwait "},
    {"builtins", " input "},
    {"_socket",
     " getaddrinfo gethostbyname gethostbyname_ex gethostbyaddr getnameinfo "},
    {"_socket.socket",
     " accept _accept connect connect_ex recv recv_into recvfrom recvfrom_into "
     "recvmsg recvmsg_into send sendall sendto sendmsg "},
    {"_ssl._SSLSocket", " do_handshake read write shutdown "},
    {"_thread.lock", " acquire acquire_lock __enter__ "},
    {"_thread.RLock", " acquire __enter__ "},
    {"_thread._ThreadHandle", " join "},
    {"_queue.SimpleQueue", " get "},
    {"_multiprocessing.SemLock", " acquire __enter__ "},
    {"_io.FileIO", " read readall readinto write "},
    {"_io.BufferedReader", " read read1 readinto readinto1 readline peek "},
    {"_io.BufferedWriter", " write flush "},
    {"_io.BufferedRandom", " read read1 readinto readline write flush "},
    {"_io.TextIOWrapper", " read readline write flush "},
};

static bool
is(struct pt_str s, const char *text, size_t len)
{
    return s.len == len && memcmp(s.data, text, len) == 0;
}

/* Whether it is of "module", or of the type "module.Type"; the recorder may not
 * know a type's module. */
static bool
is_from(const struct pt_callable *c, const char *where)
{
    const char *dot = strchr(where, '.');
    if (!dot)
        return c->owner.len == 0 && is(c->module, where, strlen(where));
    return is(c->owner, dot + 1, strlen(dot + 1)) &&
           (c->module.len == 0 || is(c->module, where, (size_t)(dot - where)));
}

bool
pt_callable_blocks(const struct pt_callable *c)
{
    char word[32];
    if (c->name.len == 0 || c->name.len + 2 >= sizeof word ||
        memchr(c->name.data, ' ', c->name.len))
        return false;
    word[0] = ' ';
    memcpy(word + 1, c->name.data, c->name.len);
    word[c->name.len + 1] = ' ';
    word[c->name.len + 2] = '\0';
    for (size_t i = 0; i < sizeof blocking / sizeof *blocking; i++)
        if (strstr(blocking[i].names, word) && is_from(c, blocking[i].where))
            return true;
    return false;
}
