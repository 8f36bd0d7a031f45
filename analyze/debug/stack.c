/* Commands about the stack. */
#include "analyze/debug/debugger.h"

#include <inttypes.h>
#include <stdlib.h>

enum { SOME = 64 };

static bool
depth_of(struct pt_debugger *d, size_t *out)
{
    struct pt_place p;
    if (!pt_debug_check(d, pt_engine_place(d->engine, &p)))
        return false;
    *out = p.begun ? p.depth : 0;
    return true;
}

static void
put_entry(struct pt_debugger *d, size_t entry, const struct pt_frame *f)
{
    bool selected = entry == pt_engine_selected(d->engine);
    pt_out_printf(d->out, "%c #%-3zu ", selected ? '*' : ' ', entry);
    pt_debug_put_frame(d, f);
    pt_out_char(d->out, '\n');
}

bool
pt_command_backtrace(struct pt_debugger *d, const char *args)
{
    struct pt_frame frames[SOME];
    uint64_t most = UINT64_MAX;
    size_t depth, n, at = 0;
    bool outermost = *args == '-';
    if (!pt_debug_count(d, args + outermost, 1, &most) || !depth_of(d, &depth))
        return false;
    if (depth == 0)
        pt_out_text(d->out, "Nothing is running here.\n");
    if (outermost && most < depth)
        at = depth - (size_t)most;
    size_t end = !outermost && most < depth ? (size_t)most : depth;
    while (at < end) {
        size_t want = end - at < SOME ? end - at : SOME;
        if (!pt_debug_check(d,
                            pt_engine_frames(d->engine, at, frames, want, &n)))
            return false;
        if (n == 0 || pt_interrupted(NULL))
            break;
        for (size_t i = 0; i < n; i++)
            put_entry(d, at + i, &frames[i]);
        at += n;
    }
    if (end < depth && at == end)
        pt_out_printf(d->out, "(%zu more)\n", depth - end);
    return true;
}

static bool
select_entry(struct pt_debugger *d, size_t entry)
{
    struct pt_frame f;
    struct pt_str line;
    enum pt_status st = pt_engine_select(d->engine, entry);
    if (st == PT_ENOTFOUND)
        return pt_debug_refuse(d, "There is no frame #%zu.", entry);
    if (!pt_debug_check(d, st) || !pt_debug_frame(d, &f))
        return false;
    d->listed_code = 0;
    d->shown_frame = f.seq;
    put_entry(d, entry, &f);
    if (!f.callable && f.line && pt_debug_source(d, f.id, f.line, &line)) {
        char text[1024];
        pt_source_text_show(line, 0, text, sizeof text);
        pt_out_printf(d->out, "%" PRIu32 "\t%s\n", f.line, text);
    }
    return true;
}

bool
pt_command_frame(struct pt_debugger *d, const char *args)
{
    uint64_t entry = pt_engine_selected(d->engine);
    if (*args == '#')
        args++;
    return pt_debug_count(d, args, 0, &entry) &&
           select_entry(d, entry > SIZE_MAX ? SIZE_MAX : (size_t)entry);
}

/* So many Python frames further out, or in; as far as it goes. */
static bool
go(struct pt_debugger *d, const char *args, bool up)
{
    uint64_t count = 1;
    struct pt_frame f;
    size_t at = pt_engine_selected(d->engine), to = at, n;
    if (!pt_debug_count(d, args, 1, &count))
        return false;
    while (count && (up || at > 0)) {
        at += up ? 1 : (size_t)-1;
        if (!pt_debug_check(d, pt_engine_frames(d->engine, at, &f, 1, &n)))
            return false;
        if (n == 0)
            break;
        if (!f.callable) {
            to = at;
            count--;
        }
    }
    if (to == pt_engine_selected(d->engine))
        return pt_debug_refuse(d, up ? "This is the outermost frame."
                                     : "This is the innermost frame.");
    return select_entry(d, to);
}

bool
pt_command_up(struct pt_debugger *d, const char *args)
{
    return go(d, args, true);
}

bool
pt_command_down(struct pt_debugger *d, const char *args)
{
    return go(d, args, false);
}
