/* Which kinds of events a recording asks for: presets, and how --events
 * changes them.
 * Thread rule: plain data. */
#ifndef PT_RECORD_EVENTS_H
#define PT_RECORD_EVENTS_H

#include <pt/event.h>
#include <pt/status.h>

/* The preset's name and what it is for, by index; NULL after the last. */
struct pt_preset {
    const char *name;
    const char *what;
    double quantum;  /* resolution of its times by default, ns */
    uint32_t events; /* bit per kind */
    bool flow;       /* events say where they happen, for a walk */
    bool once;       /* each line and way of a branch is told once */
};
const struct pt_preset *pt_preset_at(unsigned i);

/* The preset called `name`; PT_EUSAGE with a sentence where there is none. */
enum pt_status pt_preset_find(const char *name, const struct pt_preset **out,
                              struct pt_error *error);

/* Applies the value of --events to `events`: "call,line" sets, "+line,-c_call"
 * edits.  Kinds that only make sense together come together: asking for or
 * leaving out one of call, return, yield, resume, throw, unwind does so for
 * all six, because the stack follows from them; so it is with c_call,
 * c_return and c_exception.  line, instruction, branch, jump, exception and
 * handled happen in a frame, so any of them brings those six along. */
enum pt_status pt_events_parse(const char *text, uint32_t *events,
                               struct pt_error *error);

/* The kinds that always carry a time when a preset, changed to `events`, is
 * recorded: those that were asked for, but of flow's branches only some and
 * nothing that is told once, and the edges of threads and gaps. */
uint32_t pt_events_stamped(uint32_t events, const struct pt_preset *);

#endif
