/* info, and search. */
#include "analyze/debug/debugger.h"
#include "analyze/names.h"

#include <pt/choice.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- threads and processes -------------------------------------------------
 */

static bool
info_threads(struct pt_debugger *d, const char *args)
{
    struct pt_thread_state t;
    struct pt_frame f;
    struct pt_place p;
    size_t n;
    if (!pt_debug_nothing(d, args) ||
        !pt_debug_check(d, pt_engine_place(d->engine, &p)))
        return false;
    for (size_t i = 0; i < pt_engine_threads(d->engine); i++) {
        if (!pt_debug_check(d, pt_engine_thread_state(d->engine, i, &t)) ||
            !pt_debug_check(
                d, pt_engine_thread_frames(d->engine, i, 0, &f, 1, &n)))
            return false;
        pt_out_text(d->out, t.thread == p.thread ? "* " : "  ");
        pt_debug_put_thread(d, t.thread);
        pt_out_printf(d->out, " of process #%" PRIu32 ": ", t.process);
        if (!t.begun && !t.ended)
            pt_out_text(d->out, "has not begun");
        else if (n)
            pt_debug_put_frame(d, &f);
        else
            pt_out_text(d->out, t.ended ? "has ended" : "runs nothing");
        pt_out_char(d->out, '\n');
    }
    return true;
}

static bool
info_processes(struct pt_debugger *d, const char *args)
{
    if (!pt_debug_nothing(d, args))
        return false;
    for (uint32_t id = 1; id <= pt_trace_process_count(d->trace); id++) {
        const struct pt_process *p = pt_trace_process(d->trace, id);
        struct pt_growing name = {0};
        if (!p)
            continue;
        pt_name_process(d->trace, id, &name);
        pt_out_printf(d->out, "#%" PRIu32 " pid %" PRIu32, id, p->pid);
        if (p->parent)
            pt_out_printf(d->out, " of #%" PRIu32, p->parent);
        pt_out_text(d->out, ": ");
        pt_out_str(d->out, pt_growing_whole(&name));
        pt_out_char(d->out, '\n');
        pt_growing_free(&name);
    }
    return true;
}

static void
put_task(struct pt_debugger *d, uint32_t id, uint8_t act)
{
    static const char *const states[PT_TASK_ACT_LIMIT] = {
        [PT_TASK_CREATED] = "has not run yet",
        [PT_TASK_RUNS] = "runs",
        [PT_TASK_AWAITS] = "waits",
        [PT_TASK_WAITS] = "waits",
        [PT_TASK_RETURNED] = "has returned",
        [PT_TASK_RAISED] = "has raised",
        [PT_TASK_CANCELLED] = "was cancelled"};
    const struct pt_task *t = pt_trace_task(d->trace, id);
    const struct pt_code *c = t ? pt_trace_code(d->trace, t->code) : NULL;
    if (!t)
        return;
    pt_out_printf(d->out, "#%" PRIu32 " ", id);
    pt_out_str(d->out, t->name);
    if (c) {
        pt_out_text(d->out, " (");
        pt_out_str(d->out, c->qualname);
        pt_out_char(d->out, ')');
    }
    if (t->parent)
        pt_out_printf(d->out, " of #%" PRIu32, t->parent);
    pt_out_printf(d->out, " %s\n",
                  act < PT_TASK_ACT_LIMIT && states[act] ? states[act]
                                                         : "is not there yet");
}

/* What each task did last, as of this moment: its last event, but for those
 * that tell that others wait for it. */
static enum pt_status
last_acts(struct pt_debugger *d, uint8_t *acts, uint32_t n)
{
    const struct pt_search_also also = {.kinds = 1u << PT_TASK};
    struct pt_history *h;
    struct pt_search *search = NULL;
    struct pt_place p;
    struct pt_here here;
    uint32_t left = n;
    enum pt_status st = pt_engine_place(d->engine, &p);
    if (st == PT_OK)
        st = pt_history_open(d->trace, NULL, &h);
    if (st != PT_OK)
        return st;
    if (p.begun)
        st = pt_history_seek(h, p.seq, p.k);
    if (st == PT_OK)
        st = pt_search_new(h, NULL, 0, &search);
    if (st == PT_OK) {
        pt_search_also(search, &also);
        st = pt_history_next(h, PT_GRAIN_ITEM); /* this one counts */
    }
    st = st == PT_END ? PT_OK : st;
    while (st == PT_OK && left && p.begun && !pt_interrupted(NULL)) {
        st = pt_search_go(search, -1);
        if (st == PT_OK)
            st = pt_history_here(h, &here);
        if (st != PT_OK)
            break;
        uint64_t id = here.event->arg;
        if (id && id <= n && !acts[id] && here.event->dst != PT_TASK_AWAITS) {
            acts[id] = (uint8_t)here.event->dst;
            left--;
        }
    }
    pt_search_free(search);
    pt_history_close(h);
    return st == PT_ENOTFOUND ? PT_OK : st;
}

static bool
info_tasks(struct pt_debugger *d, const char *args)
{
    uint32_t n = pt_trace_task_count(d->trace);
    if (!pt_debug_nothing(d, args))
        return false;
    if (n == 0)
        pt_out_text(d->out, "The trace has no asyncio tasks.\n");
    if (n == 0)
        return true;
    uint8_t *acts = calloc((size_t)n + 1, 1);
    enum pt_status st = acts ? last_acts(d, acts, n) : PT_ENOMEM;
    for (uint32_t id = 1; id <= n && st == PT_OK; id++)
        put_task(d, id, acts[id]);
    free(acts);
    return pt_debug_check(d, st);
}

/* --- code ------------------------------------------------------------------
 */

static void
put_code(struct pt_debugger *d, const struct pt_code *c)
{
    pt_out_str(d->out, c->qualname);
    pt_out_text(d->out, " at ");
    pt_debug_put_file(d, c->file);
    pt_out_printf(d->out, ":%" PRIu32 "\n", c->firstline);
}

static bool
info_functions(struct pt_debugger *d, const char *args)
{
    bool any = false;
    for (uint32_t id = 1; id <= pt_trace_code_count(d->trace); id++) {
        const struct pt_code *c = pt_trace_code(d->trace, id);
        if (!c || (*args && !pt_glob_code(args, c)))
            continue;
        put_code(d, c);
        any = true;
    }
    return any || pt_debug_refuse(d, "No function matches \"%s\".", args);
}

static bool
info_sources(struct pt_debugger *d, const char *args)
{
    if (!pt_debug_nothing(d, args))
        return false;
    for (uint32_t id = 1; id <= pt_trace_source_count(d->trace); id++) {
        const struct pt_source *s = pt_trace_source(d->trace, id);
        if (!s)
            continue;
        pt_debug_put_file(d, s->file);
        if (s->text.len == 0)
            pt_out_text(d->out, " (without its text)");
        pt_out_char(d->out, '\n');
    }
    return true;
}

static bool
info_source(struct pt_debugger *d, const char *args)
{
    struct pt_frame f;
    if (!pt_debug_nothing(d, args) || !pt_debug_frame(d, &f))
        return false;
    const struct pt_code *c = f.callable ? NULL : pt_trace_code(d->trace, f.id);
    const struct pt_source *s = c ? pt_trace_source(d->trace, c->source) : NULL;
    if (!c)
        return pt_debug_refuse(d, "A C function has no source.");
    pt_debug_put_file(d, c->file);
    if (s && s->path.len) {
        pt_out_text(d->out, ", read from ");
        pt_out_str(d->out, s->path);
    }
    if (!s || s->text.len == 0)
        pt_out_text(d->out, ", whose text is not in the trace");
    pt_out_char(d->out, '\n');
    return true;
}

static bool
info_line(struct pt_debugger *d, const char *args)
{
    struct pt_frame f;
    struct pt_place p;
    if (!pt_debug_nothing(d, args) || !pt_debug_frame(d, &f) ||
        !pt_debug_check(d, pt_engine_place(d->engine, &p)))
        return false;
    pt_debug_put_frame(d, &f);
    if (p.graph && p.framed && p.frame.seq == f.seq)
        pt_out_printf(d->out, ", offset %" PRIu32 " is next",
                      p.graph->ins[p.index].off);
    else if (!f.callable && f.off != UINT32_MAX)
        pt_out_printf(d->out, ", offset %" PRIu32, f.off);
    pt_out_char(d->out, '\n');
    return true;
}

/* --- info ------------------------------------------------------------------
 */

static const struct info {
    const char *name;
    bool (*run)(struct pt_debugger *, const char *args);
} infos[] = {
    {"locals", pt_info_locals},    {"args", pt_info_args},
    {"threads", info_threads},     {"breakpoints", pt_info_breakpoints},
    {"processes", info_processes}, {"tasks", info_tasks},
    {"marks", pt_info_marks},      {"functions", info_functions},
    {"line", info_line},           {"source", info_source},
    {"sources", info_sources},
};

bool
pt_command_info(struct pt_debugger *d, const char *args)
{
    size_t len = strcspn(args, " \t");
    const char *rest = args + len + strspn(args + len, " \t");
    for (size_t i = 0; i < sizeof infos / sizeof *infos && len; i++)
        if (strncmp(infos[i].name, args, len) == 0)
            return infos[i].run(d, rest);
    return pt_debug_refuse(d, "info about what? help info lists it.");
}

/* --- search ----------------------------------------------------------------
 */

static bool
contains(struct pt_str s, const char *text, size_t len)
{
    return len && memmem(s.data ? s.data : "", s.len, text, len);
}

bool
pt_command_search(struct pt_debugger *d, const char *args)
{
    char name[PT_NAME_TEXT];
    size_t len = strlen(args), found = 0;
    if (len == 0)
        return pt_debug_refuse(d, "search TEXT: for what?");
    for (uint32_t id = 1; id <= pt_trace_code_count(d->trace); id++) {
        const struct pt_code *c = pt_trace_code(d->trace, id);
        if (!c || !contains(c->qualname, args, len))
            continue;
        put_code(d, c);
        found++;
    }
    for (uint32_t id = 1; id <= pt_trace_callable_count(d->trace); id++) {
        struct pt_str s = pt_name_callable(d->trace, id, name);
        if (!contains(s, args, len))
            continue;
        pt_out_str(d->out, s);
        pt_out_text(d->out, " (C)\n");
        found++;
    }
    return found ||
           pt_debug_refuse(d, "No function has \"%s\" in its name.", args);
}
