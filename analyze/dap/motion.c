/* Moving, and telling where that has led. */
#include "analyze/dap/dap.h"
#include "analyze/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what ids meant --------------------------------------------------------
 */

void
pt_dap_forget(struct pt_dap *d)
{
    for (size_t i = 0; i < d->nresults; i++) {
        pt_expr_result_clear(d->results[i]);
        free(d->results[i]);
        pt_expr_free(d->expressions[i]);
    }
    free(d->results);
    free(d->expressions);
    free(d->frames);
    free(d->handles);
    d->results = NULL;
    d->expressions = NULL;
    d->frames = NULL;
    d->handles = NULL;
    d->nresults = d->nframes = d->nhandles = 0;
}

/* --- telling ----------------------------------------------------------------
 */

static cJSON *
stopped(struct pt_dap *d, const char *reason, const char *description)
{
    struct pt_place place = {.thread = 0};
    cJSON *body = cJSON_CreateObject();
    pt_engine_place(d->engine, &place);
    cJSON_AddStringToObject(body, "reason", reason);
    if (description)
        cJSON_AddStringToObject(body, "description", description);
    pt_dap_put_number(body, "threadId", place.thread);
    cJSON_AddTrueToObject(body, "allThreadsStopped");
    return body;
}

static void
tell_breakpoint(struct pt_dap *d, const struct pt_breakpoint *b)
{
    const struct pt_dap_stop *stop = pt_dap_stop_of(d, b->number);
    cJSON *body = stopped(d,
                          b->kind == PT_BREAK_EXCEPTION ? "exception"
                          : stop && stop->kind == 'f'   ? "function breakpoint"
                                                        : "breakpoint",
                          NULL);
    cJSON *ids = cJSON_AddArrayToObject(body, "hitBreakpointIds");
    cJSON_AddItemToArray(ids, cJSON_CreateNumber(b->number));
    pt_dap_event(d, "stopped", body);
}

static void
tell_halt(struct pt_dap *d, const struct pt_halt *halt, const char *moved)
{
    switch (halt->reason) {
    case PT_HALT_BREAKPOINT:
        if (halt->breakpoint) {
            tell_breakpoint(d, halt->breakpoint);
            return;
        }
        break;
    case PT_HALT_BEGIN:
        pt_dap_event(d, "stopped",
                     stopped(d, "entry", "Paused at the beginning"));
        return;
    case PT_HALT_END:
        pt_dap_event(d, "stopped", stopped(d, "end", "Paused at the end"));
        return;
    case PT_HALT_INTERRUPTED:
        pt_dap_event(d, "stopped", stopped(d, "pause", NULL));
        return;
    default:
        break;
    }
    pt_dap_event(d, "stopped", stopped(d, moved, NULL));
}

/* A motion that could not be made leaves everything where it was. */
static void
tell_failure(struct pt_dap *d, enum pt_status st)
{
    static const char cannot[] = "ptana dap: the trace does not tell what this "
                                 "motion goes by, or no Python code is left to "
                                 "go to\n";
    if (st == PT_ENOMEM)
        d->status = st;
    else
        pt_dap_output(d, "console", (struct pt_str){cannot, sizeof cannot - 1});
    pt_dap_event(d, "stopped", stopped(d, "pause", NULL));
}

bool
pt_dap_interrupted(void *dap)
{
    struct pt_dap *d = dap;
    while (!d->done && d->nearly < 4096 && pt_wire_pending(&d->wire))
        if (!pt_dap_read_ahead(d))
            return true;
    return d->done || pt_dap_waits(d, "pause") ||
           pt_dap_waits(d, "disconnect") || pt_dap_waits(d, "terminate");
}

/* --- moving -----------------------------------------------------------------
 */

static void
move(struct pt_dap *d, enum pt_motion motion, bool reverse)
{
    struct pt_halt halt = {.reason = PT_HALT_MOVED};
    pt_dap_forget(d);
    enum pt_status st = pt_engine_move(d->engine, motion, reverse, 1, &halt);
    if (st == PT_OK)
        tell_halt(d, &halt, "step");
    else
        tell_failure(d, st);
}

void
pt_dap_begin(struct pt_dap *d)
{
    enum pt_status st;
    pt_dap_forget(d);
    if (d->start == PT_START_FAILURE) {
        st = pt_engine_goto_failure(d->engine, &d->failure);
        if (st == PT_OK && d->failure.found)
            pt_dap_event(d, "stopped",
                         stopped(d, "exception", "Paused where it failed"));
        else if (st == PT_OK)
            pt_dap_event(d, "stopped", stopped(d, "end", "Paused at the end"));
    } else {
        st = pt_engine_goto_edge(d->engine, false);
        if (st == PT_OK && d->start == PT_START_RUN)
            move(d, PT_MOVE_CONTINUE, false);
        else if (st == PT_OK)
            pt_dap_event(d, "stopped", stopped(d, "entry", NULL));
    }
    if (st != PT_OK)
        tell_failure(d, st);
}

/* Steps are of the thread that the request names. */
static enum pt_status
select_thread(struct pt_dap *d, const cJSON *args)
{
    int64_t thread = pt_dap_number(args, "threadId", 0);
    enum pt_status st = thread > 0 && thread <= UINT32_MAX
                            ? pt_engine_thread(d->engine, (uint32_t)thread)
                            : PT_ENOTFOUND;
    return st == PT_ENOTFOUND ? pt_dap_refuse(d, st, "there is no such thread")
                              : st;
}

enum pt_status
pt_dap_step(struct pt_dap *d, const cJSON *args, cJSON *body)
{
    return select_thread(d, args);
}

enum pt_status
pt_dap_continue(struct pt_dap *d, const cJSON *args, cJSON *body)
{
    cJSON_AddTrueToObject(body, "allThreadsContinued");
    return PT_OK;
}

/* --- goto -------------------------------------------------------------------
 */

enum pt_status
pt_dap_goto_targets(struct pt_dap *d, const cJSON *args, cJSON *body)
{
    struct pt_located found;
    struct pt_growing text = {0};
    char line[32];
    const cJSON *source = cJSON_GetObjectItemCaseSensitive(args, "source");
    cJSON *targets = cJSON_AddArrayToObject(body, "targets");
    snprintf(line, sizeof line, ":%u", pt_dap_line_in(d, args, "line"));
    pt_growing_text(&text, pt_dap_text(source, "path", ""));
    pt_growing_text(&text, line);
    pt_growing_put(&text, "", 1);
    enum pt_status st =
        text.failed ? PT_ENOMEM : pt_locate(d->trace, text.data, 0, 0, &found);
    pt_growing_free(&text);
    if (st == PT_ENOTFOUND || st == PT_EUSAGE)
        return PT_OK; /* no targets */
    if (st != PT_OK)
        return st;
    for (size_t i = 0; i < found.n; i++) {
        char label[PT_NAME_TEXT];
        cJSON *item = cJSON_CreateObject();
        void *grown =
            pt_dap_grow(d, d->targets, d->ntargets, sizeof *d->targets);
        cJSON_AddItemToArray(targets, item);
        if (!grown)
            break;
        d->targets = grown;
        d->targets[d->ntargets++] = found.targets[i];
        pt_dap_put_number(item, "id", (double)d->ntargets);
        pt_dap_put_str(
            item, "label",
            pt_name_function(d->trace, found.targets[i].code, false, label)
                .name);
        pt_dap_line_out(d, item, "line", found.targets[i].line);
    }
    free(found.targets);
    return d->status;
}

static const struct pt_target *
goto_target(const struct pt_dap *d, const cJSON *args)
{
    int64_t id = pt_dap_number(args, "targetId", 0);
    return id > 0 && (uint64_t)id <= d->ntargets ? &d->targets[id - 1] : NULL;
}

enum pt_status
pt_dap_goto(struct pt_dap *d, const cJSON *args, cJSON *body)
{
    if (!goto_target(d, args))
        return pt_dap_refuse(d, PT_ENOTFOUND,
                             "there is no such place to go to");
    return select_thread(d, args);
}

/* To the next time that it runs, else to the last before; no breakpoint comes
 * between. */
static void
go(struct pt_dap *d, const struct pt_target *target)
{
    struct pt_breakpoints *all = pt_engine_breakpoints(d->engine);
    struct pt_halt halt = {.reason = PT_HALT_MOVED};
    size_t n = all->n;
    bool *was = calloc(n + 1, sizeof *was);
    enum pt_status st = was ? PT_OK : PT_ENOMEM;
    pt_dap_forget(d);
    for (size_t i = 0; was && i < n; i++) {
        was[i] = all->list[i]->enabled;
        all->list[i]->enabled = false;
    }
    pt_engine_breakpoints_changed(d->engine);
    if (st == PT_OK)
        st = pt_engine_advance(d->engine, target, 1, false, false, &halt);
    if (st == PT_OK && halt.reason == PT_HALT_END)
        st = pt_engine_advance(d->engine, target, 1, true, false, &halt);
    for (size_t i = 0; was && i < n; i++)
        all->list[i]->enabled = was[i];
    pt_engine_breakpoints_changed(d->engine);
    free(was);
    if (st == PT_OK)
        tell_halt(d, &halt, "goto");
    else
        tell_failure(d, st);
}

/* --- exceptions -------------------------------------------------------------
 */

enum pt_status
pt_dap_exception_info(struct pt_dap *d, const cJSON *args, cJSON *body)
{
    char name[PT_NAME_TEXT];
    struct pt_place place;
    enum pt_status st = pt_engine_place(d->engine, &place);
    if (st != PT_OK)
        return st;
    bool failed = d->failure.found && place.seq == d->failed_at;
    bool raised = place.event.kind == PT_EXCEPTION && !place.walked;
    if (!raised && !(failed && d->failure.known))
        return pt_dap_refuse(d, PT_ENOTFOUND, "no exception is raised here");
    uint32_t type = raised ? place.event.id : d->failure.type;
    pt_dap_put_str(body, "exceptionId", pt_name_type(d->trace, type, name));
    cJSON_AddStringToObject(body, "breakMode", failed ? "unhandled" : "always");
    return PT_OK;
}

/* --- once a request is answered ---------------------------------------------
 */

static bool
by_instructions(const cJSON *args)
{
    return strcmp(pt_dap_text(args, "granularity", ""), "instruction") == 0;
}

void
pt_dap_after(struct pt_dap *d, const char *command, const cJSON *args)
{
    bool fine = by_instructions(args);
    if (strcmp(command, "attach") == 0 || strcmp(command, "launch") == 0)
        pt_dap_event(d, "initialized", cJSON_CreateObject());
    else if (strcmp(command, "configurationDone") == 0 ||
             strcmp(command, "restart") == 0)
        pt_dap_begin(d);
    else if (strcmp(command, "terminate") == 0)
        pt_dap_event(d, "terminated", cJSON_CreateObject());
    else if (strcmp(command, "continue") == 0)
        move(d, PT_MOVE_CONTINUE, false);
    else if (strcmp(command, "reverseContinue") == 0)
        move(d, PT_MOVE_CONTINUE, true);
    else if (strcmp(command, "next") == 0)
        move(d, fine ? PT_MOVE_NEXTI : PT_MOVE_NEXT, false);
    else if (strcmp(command, "stepBack") == 0)
        move(d, fine ? PT_MOVE_NEXTI : PT_MOVE_NEXT, true);
    else if (strcmp(command, "stepIn") == 0)
        move(d, fine ? PT_MOVE_STEPI : PT_MOVE_STEP, false);
    else if (strcmp(command, "stepOut") == 0)
        move(d, PT_MOVE_FINISH, false);
    else if (strcmp(command, "goto") == 0 && goto_target(d, args))
        go(d, goto_target(d, args));
    else if (strcmp(command, "pause") == 0)
        pt_dap_event(d, "stopped", stopped(d, "pause", NULL));
}
