/* The one door of a recorder: what the preload shim, or an import, calls. */
#ifndef PT_INSIDE_ATTACH_H
#define PT_INSIDE_ATTACH_H

#include <stddef.h>
#include <stdint.h>

enum { PT_ATTACH_VERSION = 2 };

struct pt_attach {
    unsigned version;   /* in: PT_ATTACH_VERSION */
    const char *socket; /* in: the collector's name */
    int connection;     /* in: to the collector, taken over, or -1 */
    uint64_t parent;    /* in: number of the process that started this one */
    int (*hook)(const char *, void *, void *); /* in: the shim's audit hook */
    void (*audit)(const char *event); /* out: wants audit events, or NULL */
    uint64_t (*starts)(void); /* out: a program is started; its parent's number,
                                 at any time, between vfork() and exec too */
    void (*exits)(int status); /* out: the process ends by itself */
    char why[200];             /* out: one sentence when it fails */
};

/* Joins the recording that `socket` leads to and turns the hooks on.  Called
 * once, with the GIL, before the program's first own instruction.  0 when
 * events are being recorded; otherwise none will be, and `why` tells. */
int pt_attach(struct pt_attach *);

#endif
