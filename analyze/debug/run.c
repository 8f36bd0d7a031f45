/* Commands that move, and what is said when they stop. */
#include "analyze/debug/debugger.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Runs the commands of a breakpoint, which may delete it. */
static bool
run_commands(struct pt_debugger *d, const struct pt_breakpoint *b)
{
    enum { DEEPEST = 16 };
    bool done = true;
    if (!b->commands)
        return true;
    if (d->depth >= DEEPEST)
        return pt_debug_refuse(d,
                               "Commands of breakpoints that run into "
                               "others %d deep.",
                               DEEPEST);
    char *text = strdup(b->commands), *rest = text, *line;
    if (!text)
        return pt_debug_check(d, PT_ENOMEM);
    d->depth++;
    while (done && !d->quit && (line = strsep(&rest, "\n")))
        done = pt_debug_line(d, line, false);
    d->depth--;
    free(text);
    return done;
}

static bool
say_breakpoint(struct pt_debugger *d, struct pt_breakpoint *b)
{
    static const char *const kinds[] = {
        [PT_BREAK_PLACE] = "Breakpoint",  [PT_BREAK_EXCEPTION] = "Catchpoint",
        [PT_BREAK_C_CALL] = "Catchpoint", [PT_BREAK_THREAD] = "Catchpoint",
        [PT_BREAK_WATCH] = "Watchpoint",
    };
    struct pt_breakpoints *all = pt_engine_breakpoints(d->engine);
    pt_out_printf(d->out, "%s %u, ",
                  b->temporary ? "Temporary breakpoint" : kinds[b->kind],
                  b->number);
    bool done = b->kind != PT_BREAK_WATCH || pt_debug_put_change(d, b);
    if (done)
        done = pt_debug_show(d, true);
    if (done)
        done = run_commands(d, b);
    /* Its own commands may have deleted it. */
    for (size_t i = 0; i < all->n; i++)
        if (all->list[i] == b && b->temporary) {
            pt_breakpoint_delete(all, b);
            pt_engine_breakpoints_changed(d->engine);
            break;
        }
    return done;
}

static bool
say(struct pt_debugger *d, const struct pt_halt *halt, bool whole)
{
    switch (halt->reason) {
    case PT_HALT_BREAKPOINT:
        return say_breakpoint(d, halt->breakpoint);
    case PT_HALT_BEGIN:
        pt_out_text(d->out, "Nothing was recorded before this.\n");
        whole = true;
        break;
    case PT_HALT_END:
        pt_out_text(d->out, "Nothing more was recorded.\n");
        whole = true;
        break;
    case PT_HALT_INTERRUPTED:
        pt_out_text(d->out, "Interrupted.\n");
        break;
    case PT_HALT_MOVED:
        break;
    }
    return pt_debug_show(d, whole);
}

static bool
lacks(struct pt_debugger *d, enum pt_motion motion)
{
    bool fine = motion == PT_MOVE_STEPI || motion == PT_MOVE_NEXTI;
    const char *why =
        fine ? pt_engine_lacks(d->engine, PT_GRAIN_INSTRUCTION) : NULL;
    if (why)
        return pt_debug_refuse(
            d,
            "The trace does not tell of instructions: %s; ptrec run "
            "--preset=flow records what is needed.",
            why);
    return pt_debug_refuse(d, "No Python frame is running here.");
}

static bool
move(struct pt_debugger *d, const char *args, enum pt_motion motion,
     bool reverse)
{
    uint64_t count = 1;
    struct pt_halt halt;
    if (!pt_debug_count(d, args, 1, &count))
        return false;
    enum pt_status st =
        pt_engine_move(d->engine, motion, reverse, count, &halt);
    if (st == PT_EUSAGE)
        return lacks(d, motion);
    return pt_debug_check(d, st) && say(d, &halt, motion == PT_MOVE_FINISH);
}

/* To a place that is given. */
static bool
go(struct pt_debugger *d, const char *args, bool reverse, bool leaving)
{
    struct pt_frame f;
    struct pt_located to;
    struct pt_halt halt;
    size_t n = 0;
    enum pt_status st =
        pt_engine_frames(d->engine, pt_engine_selected(d->engine), &f, 1, &n);
    if (st != PT_OK)
        return pt_debug_check(d, st);
    if (pt_locate(d->trace, args, n ? f.id : 0, n ? f.line : 0, &to) != PT_OK)
        return pt_debug_refuse(d, "%s.", to.error.text);
    st =
        pt_engine_advance(d->engine, to.targets, to.n, reverse, leaving, &halt);
    free(to.targets);
    if (st == PT_EUSAGE)
        return pt_debug_refuse(
            d, "The trace does not tell of lines, or no frame is running "
               "here.");
    return pt_debug_check(d, st) && say(d, &halt, false);
}

/* continue N: the breakpoint that it stands at is passed over N - 1 times. */
static bool
go_on(struct pt_debugger *d, const char *args, bool reverse)
{
    uint64_t times = 1;
    struct pt_halt halt;
    if (!pt_debug_count(d, args, 1, &times))
        return false;
    for (uint64_t i = 0; i < times; i++) {
        enum pt_status st =
            pt_engine_move(d->engine, PT_MOVE_CONTINUE, reverse, 1, &halt);
        if (!pt_debug_check(d, st))
            return false;
        if (halt.reason != PT_HALT_BREAKPOINT)
            break;
    }
    return say(d, &halt, true);
}

#define MOVE(name, motion, reverse)                                            \
    bool pt_command_##name(struct pt_debugger *d, const char *args)            \
    {                                                                          \
        return move(d, args, motion, reverse);                                 \
    }
MOVE(step, PT_MOVE_STEP, false)
MOVE(next, PT_MOVE_NEXT, false)
MOVE(finish, PT_MOVE_FINISH, false)
MOVE(stepi, PT_MOVE_STEPI, false)
MOVE(nexti, PT_MOVE_NEXTI, false)
MOVE(rstep, PT_MOVE_STEP, true)
MOVE(rnext, PT_MOVE_NEXT, true)
MOVE(rfinish, PT_MOVE_FINISH, true)
MOVE(rstepi, PT_MOVE_STEPI, true)
MOVE(rnexti, PT_MOVE_NEXTI, true)
#undef MOVE

bool
pt_command_continue(struct pt_debugger *d, const char *args)
{
    return go_on(d, args, false);
}

bool
pt_command_rcontinue(struct pt_debugger *d, const char *args)
{
    return go_on(d, args, true);
}

bool
pt_command_until(struct pt_debugger *d, const char *args)
{
    return *args ? go(d, args, false, true)
                 : move(d, args, PT_MOVE_UNTIL, false);
}

bool
pt_command_runtil(struct pt_debugger *d, const char *args)
{
    return *args ? go(d, args, true, true) : move(d, args, PT_MOVE_UNTIL, true);
}

bool
pt_command_advance(struct pt_debugger *d, const char *args)
{
    return go(d, args, false, false);
}

bool
pt_command_radvance(struct pt_debugger *d, const char *args)
{
    return go(d, args, true, false);
}
