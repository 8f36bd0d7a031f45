/* Where the engine is: the moment, the thread, the frame. */
#include "analyze/debug/state.h"

#include <stdlib.h>
#include <string.h>

bool
pt_engine_interrupted(void *engine)
{
    const struct pt_engine *e = engine;
    return e->hooks.interrupted && e->hooks.interrupted(e->hooks.state);
}

/* --- threads ---------------------------------------------------------------
 */

static enum pt_status
list_threads(struct pt_engine *e)
{
    size_t n = pt_history_threads(e->all);
    struct pt_thread_state state;
    e->threads = calloc(n + 1, sizeof *e->threads);
    if (!e->threads)
        return PT_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        enum pt_status st = pt_history_thread(e->all, i, &state);
        if (st != PT_OK)
            return st;
        e->threads[i] = state.thread;
    }
    e->nthreads = n;
    return n ? PT_OK : PT_ENOTFOUND;
}

static bool
find_thread(const struct pt_engine *e, uint32_t thread, size_t *out)
{
    for (size_t i = 0; i < e->nthreads; i++)
        if (e->threads[i] == thread) {
            *out = i;
            return true;
        }
    return false;
}

/* The view becomes that of another thread, wherever it stands. */
static enum pt_status
open_view(struct pt_engine *e, uint32_t thread)
{
    struct pt_view view;
    if (e->view.history && e->view.thread == thread)
        return PT_OK;
    enum pt_status st =
        pt_view_open(&view, e->trace, thread, e->nthreads == 1 ? e->all : NULL);
    if (st != PT_OK)
        return st;
    pt_search_free(e->searches[1]);
    e->searches[1] = NULL;
    pt_view_close(&e->view);
    e->view = view;
    e->view.interrupted = pt_engine_interrupted;
    e->view.state = e;
    return PT_OK;
}

size_t
pt_engine_threads(const struct pt_engine *e)
{
    return e->nthreads;
}

enum pt_status
pt_engine_thread_state(struct pt_engine *e, size_t i,
                       struct pt_thread_state *out)
{
    return pt_history_thread(e->all, i, out);
}

enum pt_status
pt_engine_thread_frames(struct pt_engine *e, size_t i, size_t skip,
                        struct pt_frame *frames, size_t n, size_t *count)
{
    return pt_history_frames(e->all, i, skip, frames, n, count);
}

/* --- where it is -----------------------------------------------------------
 */

enum pt_status
pt_engine_place(struct pt_engine *e, struct pt_place *out)
{
    struct pt_here here;
    enum pt_status st = pt_history_here(e->view.history, &here);
    if (st == PT_END) {
        const struct pt_thread *t = pt_trace_thread(e->trace, e->view.thread);
        *out = (struct pt_place){.thread = e->view.thread,
                                 .process = t ? t->process : 0};
        return PT_OK;
    }
    if (st != PT_OK)
        return st;
    *out = (struct pt_place){
        .thread = here.thread,
        .process = here.process,
        .begun = true,
        .seq = here.seq,
        .k = here.k,
        .event = *here.event,
        .walked = here.walked,
        .timed = here.timed,
        .frame = here.frame,
        .framed = here.framed,
        .graph = here.graph,
        .index = here.index,
        .callee = here.callee,
        .depth = here.depth,
        .ran = here.ran,
        .desync = here.desync,
        .missing = here.missing,
    };
    return PT_OK;
}

enum pt_status
pt_engine_frames(struct pt_engine *e, size_t skip, struct pt_frame *frames,
                 size_t n, size_t *count)
{
    return pt_history_frames(e->view.history, 0, skip, frames, n, count);
}

size_t
pt_engine_selected(const struct pt_engine *e)
{
    return e->selected;
}

enum pt_status
pt_engine_select(struct pt_engine *e, size_t entry)
{
    struct pt_activation a;
    enum pt_status st = pt_view_entry(&e->view, entry, &a);
    if (st == PT_OK)
        e->selected = entry;
    return st == PT_END ? PT_ENOTFOUND : st;
}

/* The innermost Python frame, below C calls. */
static enum pt_status
select_innermost(struct pt_engine *e)
{
    struct pt_activation top, python;
    enum pt_status st = pt_view_entry(&e->view, 0, &top);
    e->selected = 0;
    if (st == PT_OK)
        st = pt_view_python(&e->view, 0, &python);
    if (st == PT_OK)
        e->selected = top.height - python.height;
    return st == PT_END ? PT_OK : st;
}

enum pt_status
pt_engine_thread(struct pt_engine *e, uint32_t thread)
{
    struct pt_thread_state state;
    size_t i;
    if (!find_thread(e, thread, &i))
        return PT_ENOTFOUND;
    if (e->view.thread == thread)
        return PT_OK;
    enum pt_status st = pt_history_thread(e->all, i, &state);
    if (st == PT_OK)
        st = open_view(e, thread);
    if (st != PT_OK)
        return st;
    if (state.begun)
        st = pt_view_seek(&e->view, state.seq, state.k);
    else
        pt_history_begin(e->view.history);
    return st == PT_OK ? select_innermost(e) : st;
}

const char *
pt_engine_lacks(const struct pt_engine *e, enum pt_grain grain)
{
    return pt_history_lacks(e->all, grain);
}

enum pt_stops
pt_engine_stops(const struct pt_engine *e)
{
    return pt_engine_lacks(e, PT_GRAIN_LINE) ? PT_STOPS_CALLS : PT_STOPS_LINES;
}

const struct pt_trace *
pt_engine_trace(const struct pt_engine *e)
{
    return e->trace;
}

struct pt_trouble
pt_engine_trouble(const struct pt_engine *e)
{
    return pt_history_trouble(e->all);
}

/* --- the moment and the view -----------------------------------------------
 */

enum pt_status
pt_engine_follow(struct pt_engine *e)
{
    struct pt_here here;
    enum pt_status st = PT_OK;
    if (e->view.history != e->all) {
        st = pt_history_here(e->view.history, &here);
        if (st == PT_OK)
            st = pt_history_seek(e->all, here.seq, here.k);
        if (st == PT_OK)
            st = pt_view_settle(e->all);
    }
    return st == PT_OK ? select_innermost(e) : st;
}

enum pt_status
pt_engine_adopt(struct pt_engine *e)
{
    struct pt_here here;
    enum pt_status st = pt_view_settle(e->all);
    if (st == PT_OK)
        st = pt_history_here(e->all, &here);
    if (st == PT_OK)
        st = open_view(e, here.thread);
    if (st == PT_OK && e->view.history != e->all)
        st = pt_view_seek(&e->view, here.seq, here.k);
    return st == PT_OK ? select_innermost(e) : st;
}

enum pt_status
pt_engine_restore(struct pt_engine *e, const struct pt_place *p)
{
    enum pt_status st = open_view(e, p->thread);
    if (st == PT_OK && p->begun)
        st = pt_view_seek(&e->view, p->seq, p->k);
    else if (st == PT_OK)
        pt_history_begin(e->view.history);
    return st == PT_OK && p->begun ? pt_engine_follow(e) : st;
}

/* --- going -----------------------------------------------------------------
 */

enum pt_status
pt_engine_goto_edge(struct pt_engine *e, bool last)
{
    enum pt_status st;
    if (last)
        pt_history_end(e->all);
    else
        pt_history_begin(e->all);
    st = last ? pt_history_prev(e->all, PT_GRAIN_ITEM)
              : pt_history_next(e->all, PT_GRAIN_ITEM);
    if (st == PT_END)
        return PT_ENOTFOUND;
    return st == PT_OK ? pt_engine_adopt(e) : st;
}

enum pt_status
pt_engine_goto(struct pt_engine *e, uint64_t seq, uint64_t k)
{
    enum pt_status st = pt_history_seek(e->all, seq, k);
    return st == PT_OK ? pt_engine_adopt(e) : st;
}

enum pt_status
pt_engine_goto_time(struct pt_engine *e, int64_t time)
{
    struct pt_here here;
    enum pt_status st = pt_history_seek_time(e->all, time);
    if (st == PT_OK && pt_history_here(e->all, &here) == PT_END)
        return pt_engine_goto_edge(e, false);
    return st == PT_OK ? pt_engine_adopt(e) : st;
}

enum pt_status
pt_engine_goto_nth(struct pt_engine *e, const struct pt_target *targets,
                   size_t n, int64_t nth)
{
    struct pt_search *search;
    struct pt_place was;
    enum pt_status st = pt_engine_place(e, &was);
    if (st == PT_OK)
        st = pt_search_new(e->all, targets, n, &search);
    if (st != PT_OK)
        return st;
    if (nth < 0)
        pt_history_end(e->all);
    else
        pt_history_begin(e->all);
    st = pt_search_go(search, nth);
    pt_search_free(search);
    if (st == PT_OK)
        return pt_engine_adopt(e);
    enum pt_status back = pt_engine_restore(e, &was);
    return back == PT_OK ? st : back;
}

/* --- making one ------------------------------------------------------------
 */

enum pt_status
pt_engine_new(const struct pt_trace *trace, const struct pt_engine_hooks *hooks,
              struct pt_engine **out)
{
    struct pt_engine *e = calloc(1, sizeof *e);
    if (!e)
        return PT_ENOMEM;
    e->trace = trace;
    if (hooks)
        e->hooks = *hooks;
    enum pt_status st = pt_history_open(trace, NULL, &e->all);
    if (st == PT_OK)
        st = list_threads(e);
    if (st == PT_OK)
        st = pt_engine_goto_edge(e, false);
    if (st != PT_OK) {
        pt_engine_free(e);
        return st;
    }
    *out = e;
    return PT_OK;
}

void
pt_engine_free(struct pt_engine *e)
{
    if (!e)
        return;
    pt_engine_drop_searches(e);
    pt_view_close(&e->view);
    pt_history_close(e->all);
    pt_breakpoints_clear(&e->breakpoints);
    free(e->threads);
    free(e);
}

struct pt_breakpoints *
pt_engine_breakpoints(struct pt_engine *e)
{
    return &e->breakpoints;
}

void
pt_engine_breakpoints_changed(struct pt_engine *e)
{
    pt_engine_drop_searches(e);
}
