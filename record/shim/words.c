#include "record/shim/words.h"
#include "record/proto.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PRELOAD "LD_PRELOAD"

/* More than this an exec does not take either, or our stack. */
enum { ENTRIES_MOST = 1 << 14, LINE_MOST = 1 << 16 };

struct pt_words pt_words;
uint64_t (*pt_words_number)(void);

/* The entry of `name` in an environment, or NULL. */
static char **
find(char *const envp[], const char *name)
{
    size_t n = strlen(name);
    for (char *const *e = envp; e != NULL && *e != NULL; e++)
        if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
            return (char **)e;
    return NULL;
}

static void
drop(char **e)
{
    for (; e != NULL && *e != NULL; e++)
        e[0] = e[1];
}

/* Where our own path stands in a list that ld.so reads, or NULL. */
static char *
find_shim(char *list)
{
    size_t n = strlen(pt_words.shim);
    for (char *p = list; *p != '\0';) {
        size_t len = strcspn(p, ": ");
        if (len == n && memcmp(p, pt_words.shim, n) == 0)
            return p;
        p += len + (p[len] != '\0');
    }
    return NULL;
}

/* "ours" is taken out whole, of "ours:theirs" theirs remains, in place. */
static void
take_preload(void)
{
    char **e = find(environ, PRELOAD);
    char *list = e != NULL ? strchr(*e, '=') + 1 : NULL;
    char *ours = list != NULL ? find_shim(list) : NULL;
    if (ours == NULL)
        return;
    char *behind = ours + strlen(pt_words.shim);
    if (ours == list && *behind == '\0')
        drop(e);
    else if (*behind != '\0')
        memmove(ours, behind + 1, strlen(behind + 1) + 1);
    else
        ours[-1] = '\0';
}

static bool
parse(const char *value)
{
    long main;
    unsigned long long parent;
    unsigned alone;
    char end;
    if (sscanf(value, "%63[^,],%ld,%llu,%u%c", pt_words.socket, &main, &parent,
               &alone, &end) != 4)
        return false;
    pt_words.main = (pid_t)main;
    pt_words.parent = parent;
    pt_words.alone = alone != 0;
    return true;
}

void
pt_words_take(void)
{
    Dl_info self;
    char **e = find(environ, PT_ENV);
    if (e == NULL || dladdr(&pt_words, &self) == 0 || self.dli_fname == NULL)
        return;
    size_t size = strlen(self.dli_fname) + 1;
    if (size > sizeof pt_words.shim)
        return;
    memcpy(pt_words.shim, self.dli_fname, size);
    pt_words.known = pt_words.pass = parse(*e + strlen(PT_ENV) + 1);
    drop(e);
    take_preload();
}

/* --- putting them back ---------------------------------------------------- */

/* An environment that has our variable is one that was made from ours by
 * somebody who knows better. */
size_t
pt_words_room(char *const envp[])
{
    size_t n = 0;
    if (!pt_words.pass || find(envp, PT_ENV) != NULL ||
        access(pt_words.shim, R_OK) != 0) /* not in a chroot */
        return 0;
    while (envp != NULL && envp[n] != NULL)
        if (++n > ENTRIES_MOST)
            return 0;
    char **theirs = find(envp, PRELOAD);
    size_t line = theirs != NULL ? strlen(*theirs) : strlen(PRELOAD "=");
    if (line > LINE_MOST)
        return 0;
    return (n + 3) * sizeof *envp + PT_ENV_LONGEST + line + 1 +
           strlen(pt_words.shim) + 1;
}

/* snprintf() may not be called between vfork() and exec. */
static char *
put_text(char *p, const char *text)
{
    size_t n = strlen(text);
    memcpy(p, text, n + 1);
    return p + n;
}

static char *
put_number(char *p, uint64_t number)
{
    char digits[24];
    char *d = digits + sizeof digits - 1;
    *d = '\0';
    do
        *--d = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    return put_text(p, d);
}

/* NAME=SOCKET,MAIN,PARENT,ALONE */
static void
put_variable(char *p)
{
    uint64_t parent =
        pt_words_number != NULL ? pt_words_number() : pt_words.parent;
    p = put_text(p, PT_ENV "=");
    p = put_text(p, pt_words.socket);
    p = put_text(p, ",");
    p = put_number(p, (uint64_t)pt_words.main);
    p = put_text(p, ",");
    p = put_number(p, parent);
    put_text(p, pt_words.alone ? ",1" : ",0");
}

char **
pt_words_put(void *room, char *const envp[])
{
    char **out = room;
    char **theirs = find(envp, PRELOAD);
    size_t n = 0;
    while (envp != NULL && envp[n] != NULL)
        n++;
    char *variable = (char *)(out + n + 3);
    char *preload = variable + PT_ENV_LONGEST;
    put_variable(variable);
    char *p = put_text(preload, PRELOAD "=");
    p = put_text(p, pt_words.shim);
    if (theirs != NULL) {
        p = put_text(p, ":");
        put_text(p, *theirs + strlen(PRELOAD "="));
    }
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        out[k++] = theirs == &envp[i] ? preload : envp[i];
    if (theirs == NULL)
        out[k++] = preload;
    out[k++] = variable;
    out[k] = NULL;
    return out;
}
