/* Commands that go to a position, name one, or look at another thread. */
#include "analyze/debug/debugger.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- marks -----------------------------------------------------------------
 */

static struct pt_mark *
find_mark(struct pt_debugger *d, const char *name)
{
    for (size_t i = 0; i < d->nmarks; i++)
        if (strcmp(d->marks[i].name, name) == 0)
            return &d->marks[i];
    return NULL;
}

static struct pt_mark *
add_mark(struct pt_debugger *d, const char *name)
{
    struct pt_mark *list = realloc(d->marks, (d->nmarks + 1) * sizeof *list);
    char *copy = strdup(name);
    if (list)
        d->marks = list;
    if (!list || !copy) {
        free(copy);
        return NULL;
    }
    d->marks[d->nmarks] = (struct pt_mark){.name = copy};
    return &d->marks[d->nmarks++];
}

bool
pt_command_mark(struct pt_debugger *d, const char *args)
{
    struct pt_place p;
    char number[24];
    if (!pt_debug_check(d, pt_engine_place(d->engine, &p)))
        return false;
    if (!p.begun)
        return pt_debug_refuse(d, "The thread has not begun yet.");
    if (isdigit((unsigned char)*args) || strpbrk(args, " \t"))
        return pt_debug_refuse(
            d, "A mark's name is one word that begins with no digit.");
    if (*args == 0) {
        size_t n = d->nmarks;
        do
            snprintf(number, sizeof number, "mark%zu", ++n);
        while (find_mark(d, number));
        args = number;
    }
    struct pt_mark *m = find_mark(d, args);
    if (!m)
        m = add_mark(d, args);
    if (!m)
        return pt_debug_check(d, PT_ENOMEM);
    m->seq = p.seq;
    m->k = p.k;
    pt_out_printf(d->out, "Mark %s is ", m->name);
    pt_debug_put_seq(d, m->seq, m->k);
    pt_out_char(d->out, '\n');
    return true;
}

bool
pt_info_marks(struct pt_debugger *d, const char *args)
{
    if (!pt_debug_nothing(d, args))
        return false;
    if (d->nmarks == 0)
        pt_out_text(d->out, "There are no marks.\n");
    for (size_t i = 0; i < d->nmarks; i++) {
        pt_out_printf(d->out, "%-12s ", d->marks[i].name);
        pt_debug_put_seq(d, d->marks[i].seq, d->marks[i].k);
        pt_out_char(d->out, '\n');
    }
    return true;
}

bool
pt_command_when(struct pt_debugger *d, const char *args)
{
    struct pt_place p;
    if (!pt_debug_nothing(d, args) ||
        !pt_debug_check(d, pt_engine_place(d->engine, &p)))
        return false;
    if (!p.begun)
        return pt_debug_refuse(d, "The thread has not begun yet.");
    pt_debug_put_seq(d, p.seq, p.k);
    pt_out_printf(d->out, "  %s%" PRId64 ".%09" PRId64 " s  thread ",
                  p.timed ? "" : "~", p.event.time / 1000000000,
                  p.event.time % 1000000000);
    pt_debug_put_thread(d, p.thread);
    pt_out_char(d->out, '\n');
    return true;
}

/* --- going -----------------------------------------------------------------
 */

/* "SEQ" or "SEQ+K". */
static bool
parse_seq(const char *text, uint64_t *seq, uint64_t *k)
{
    char *end;
    if (!isdigit((unsigned char)*text))
        return false;
    *seq = strtoull(text, &end, 10);
    *k = 0;
    if (*end == '+' && isdigit((unsigned char)end[1]))
        *k = strtoull(end + 1, &end, 10);
    return *end == 0;
}

static enum pt_status
go_failure(struct pt_debugger *d)
{
    struct pt_failure failure;
    enum pt_status st = pt_engine_goto_failure(d->engine, &failure);
    if (st == PT_OK && !failure.found)
        pt_out_text(d->out, "No exception was left uncaught; this is the "
                            "end.\n");
    return st;
}

/* The N-th time that a place ran. */
static bool
go_nth(struct pt_debugger *d, const char *args)
{
    struct pt_frame f;
    struct pt_located to;
    int64_t nth = 1;
    size_t n = 0;
    char *text = strdup(args), *end;
    if (!text)
        return pt_debug_check(d, PT_ENOMEM);
    char *space = strpbrk(text, " \t");
    if (space) {
        *space++ = 0;
        space += strspn(space, " \t#");
        nth = strtoll(space, &end, 10);
        if (*end || end == space || nth == 0) {
            free(text);
            return pt_debug_refuse(d, "Which time is \"%s\"?", args);
        }
    }
    enum pt_status st =
        pt_engine_frames(d->engine, pt_engine_selected(d->engine), &f, 1, &n);
    if (st == PT_OK)
        st = pt_locate(d->trace, text, n ? f.id : 0, n ? f.line : 0, &to);
    free(text);
    if (st != PT_OK)
        return pt_debug_refuse(d, "%s.", to.error.text);
    st = pt_engine_goto_nth(d->engine, to.targets, to.n, nth);
    free(to.targets);
    if (st == PT_ENOTFOUND)
        return pt_debug_refuse(d, "It did not run that often.");
    if (st == PT_EUSAGE)
        return pt_debug_refuse(d, "The trace does not tell of lines: %s.",
                               pt_engine_lacks(d->engine, PT_GRAIN_LINE));
    return pt_debug_check(d, st);
}

bool
pt_command_goto(struct pt_debugger *d, const char *args)
{
    uint64_t seq, k;
    int64_t time;
    const struct pt_mark *m = find_mark(d, args);
    enum pt_status st = PT_OK;
    if (*args == 0)
        return pt_debug_refuse(
            d, "goto what? SEQ, SEQ+K, a time, a mark, begin, end, failure, or "
               "WHERE [N]");
    if (m)
        st = pt_engine_goto(d->engine, m->seq, m->k);
    else if (strcmp(args, "begin") == 0 || strcmp(args, "end") == 0)
        st = pt_engine_goto_edge(d->engine, *args == 'e');
    else if (strcmp(args, "failure") == 0)
        st = go_failure(d);
    else if (parse_seq(args, &seq, &k))
        st = pt_engine_goto(d->engine, seq, k);
    else if (pt_time_parse(args, &time))
        st = pt_engine_goto_time(d->engine, time);
    else if (!go_nth(d, args))
        return false;
    if (st == PT_ENOTFOUND)
        return pt_debug_refuse(d, "The trace has no %s.", args);
    return pt_debug_check(d, st) && pt_debug_show(d, true);
}

/* --- threads ---------------------------------------------------------------
 */

bool
pt_command_thread(struct pt_debugger *d, const char *args)
{
    struct pt_place p;
    uint64_t id = 0;
    if (*args == '#')
        args++;
    if (*args == 0) {
        if (!pt_debug_check(d, pt_engine_place(d->engine, &p)))
            return false;
        pt_out_text(d->out, "The current thread is ");
        pt_debug_put_thread(d, p.thread);
        pt_out_text(d->out, ".\n");
        return true;
    }
    if (!pt_debug_count(d, args, 1, &id))
        return false;
    enum pt_status st = id > UINT32_MAX
                            ? PT_ENOTFOUND
                            : pt_engine_thread(d->engine, (uint32_t)id);
    if (st == PT_ENOTFOUND)
        return pt_debug_refuse(
            d, "There is no thread #%" PRIu64 "; info threads lists them.", id);
    return pt_debug_check(d, st) && pt_debug_show(d, true);
}
