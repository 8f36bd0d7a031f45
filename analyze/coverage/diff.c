#include "analyze/coverage/diff.h"

#include "analyze/coverage/line_map.h"

#include <stdlib.h>
#include <string.h>

struct comparing {
    struct pt_cov_changes *out;
    struct pt_line_map map;
    bool mapped; /* else the texts are the same, or one is not known */
};

static enum pt_status
add(struct pt_cov_rows *r, uint32_t row)
{
    if (r->n == r->room) {
        uint32_t room = r->room ? 2 * r->room : 16;
        uint32_t *rows = realloc(r->rows, room * sizeof *rows);
        if (!rows)
            return PT_ENOMEM;
        r->rows = rows;
        r->room = room;
    }
    r->rows[r->n++] = row;
    return PT_OK;
}

static uint32_t
line_then(const struct comparing *c, uint32_t now)
{
    return c->mapped ? pt_line_map_then(&c->map, now) : now;
}

/* --- lines ---------------------------------------------------------------- */

/* The statement at exactly this line; NULL none. */
static const struct pt_cov_line *
line_at(const struct pt_cov_file *f, uint32_t line)
{
    const struct pt_cov_line *found = pt_cov_line_before(f, line);
    return found && found->line == line ? found : NULL;
}

static enum pt_status
compare_lines(struct comparing *c)
{
    struct pt_cov_changes *out = c->out;
    enum pt_status st = PT_OK;
    for (uint32_t i = 0; st == PT_OK && i < out->now->nlines; i++) {
        const struct pt_cov_line *now = &out->now->lines[i];
        uint32_t at = line_then(c, now->line);
        const struct pt_cov_line *then = at ? line_at(out->then, at) : NULL;
        if (now->flags & PT_COV_EXCLUDED)
            continue;
        if (!then)
            st = now->hits ? PT_OK : add(&out->fresh, i);
        else if (then->hits && !now->hits)
            st = add(&out->lost, i);
        else if (!then->hits && now->hits)
            st = add(&out->won, i);
    }
    return st;
}

/* --- arcs ----------------------------------------------------------------- */

/* The end of an arc as it was; 0 where it has no such place. */
static int32_t
end_then(const struct comparing *c, int32_t end)
{
    bool exit = end < 0;
    uint32_t line = exit ? -(uint32_t)end : (uint32_t)end;
    int64_t then = line_then(c, line);
    return then > INT32_MAX ? 0 : (int32_t)(exit ? -then : then);
}

static bool
was_taken(const struct pt_cov_file *then, int32_t from, int32_t to)
{
    uint32_t low = 0, n;
    if (from <= 0 || to == 0)
        return false;
    const struct pt_cov_arc *a =
        pt_cov_arcs_from(then, (uint32_t)from, &low, &n);
    for (uint32_t i = 0; i < n; i++)
        if (a[i].to == to)
            return a[i].count != 0;
    return false;
}

/* Of lines that do not run at all, the line itself tells. */
static enum pt_status
compare_arcs(struct comparing *c)
{
    struct pt_cov_changes *out = c->out;
    enum pt_status st = PT_OK;
    for (uint32_t i = 0; st == PT_OK && i < out->now->narcs; i++) {
        const struct pt_cov_arc *a = &out->now->arcs[i];
        const struct pt_cov_line *line =
            a->from > 0 ? line_at(out->now, (uint32_t)a->from) : NULL;
        if (line && line->hits && pt_cov_arc_misses(a, line) &&
            was_taken(out->then, end_then(c, a->from), end_then(c, a->to)))
            st = add(&out->arcs, i);
    }
    return st;
}

/* --- conditions ----------------------------------------------------------- */

static int
compare_place(uint32_t line, uint32_t column, const struct pt_cov_span *s)
{
    if (line != s->line)
        return line < s->line ? -1 : 1;
    return column < s->column ? -1 : column > s->column;
}

/* The condition that was at `line`, as long as this one: lines that are the
 * same have the same columns.  They are in order within a decision alone, so
 * decisions are searched, by where they begin. */
static const struct pt_cov_condition *
condition_then(const struct comparing *c, const struct pt_cov_condition *now,
               uint32_t *decision)
{
    const struct pt_cov_file *f = c->out->then;
    const struct pt_cov_decision *d = &c->out->now->decisions[now->decision];
    uint32_t line = line_then(c, d->span.line), low = 0, high = f->ndecisions;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare_place(line, d->span.column, &f->decisions[middle].span) > 0)
            low = middle + 1;
        else
            high = middle;
    }
    uint32_t at = (uint32_t)(now - c->out->now->conditions) - d->first;
    for (; line && low < f->ndecisions; low++) {
        const struct pt_cov_decision *then = &f->decisions[low];
        if (compare_place(line, d->span.column, &then->span) != 0)
            return NULL;
        if (then->nconditions != d->nconditions || at >= d->nconditions)
            continue;
        const struct pt_cov_condition *found = &f->conditions[then->first + at];
        if (found->span.line != line_then(c, now->span.line) ||
            found->span.column != now->span.column)
            continue;
        *decision = low;
        return found;
    }
    return NULL;
}

static enum pt_status
compare_conditions(struct comparing *c)
{
    struct pt_cov_changes *out = c->out;
    const struct pt_cov_file *f = out->now;
    enum pt_status st = PT_OK;
    for (uint32_t i = 0; st == PT_OK && i < f->nconditions; i++) {
        const struct pt_cov_condition *now = &f->conditions[i];
        uint32_t decision;
        const struct pt_cov_line *line = pt_cov_line_before(f, now->span.line);
        const struct pt_cov_condition *then =
            now->decision < f->ndecisions && line && line->hits &&
                    !(line->flags & PT_COV_EXCLUDED)
                ? condition_then(c, now, &decision)
                : NULL;
        if (!then)
            continue;
        const struct pt_cov_decision *d = &f->decisions[now->decision],
                                     *old = &out->then->decisions[decision];
        uint32_t at = i - d->first;
        if (then->yes && !now->yes)
            st = add(&out->yes, i);
        if (st == PT_OK && then->no && !now->no)
            st = add(&out->no, i);
        if (st == PT_OK && d->alone && old->alone &&
            old->alone[at].shown == PT_COV_ALONE_YES &&
            d->alone[at].shown == PT_COV_ALONE_NO)
            st = add(&out->alone, i);
    }
    return st;
}

/* --- a file --------------------------------------------------------------- */

static bool
is_same_text(struct pt_str a, struct pt_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

enum pt_status
pt_cov_changes_init(struct pt_cov_changes *out, const struct pt_cov_file *then,
                    const struct pt_cov_file *now)
{
    struct comparing c = {.out = out};
    *out = (struct pt_cov_changes){.then = then, .now = now};
    c.mapped =
        then->text.len && now->text.len && !is_same_text(then->text, now->text);
    enum pt_status st =
        c.mapped ? pt_line_map_init(&c.map, then->text, now->text) : PT_OK;
    if (st == PT_OK)
        st = compare_lines(&c);
    if (st == PT_OK)
        st = compare_arcs(&c);
    if (st == PT_OK)
        st = compare_conditions(&c);
    pt_line_map_clear(&c.map);
    if (st != PT_OK)
        pt_cov_changes_clear(out);
    return st;
}

void
pt_cov_changes_clear(struct pt_cov_changes *c)
{
    free(c->lost.rows);
    free(c->won.rows);
    free(c->fresh.rows);
    free(c->arcs.rows);
    free(c->yes.rows);
    free(c->no.rows);
    free(c->alone.rows);
    *c = (struct pt_cov_changes){0};
}

uint64_t
pt_cov_changes_lost(const struct pt_cov_changes *c)
{
    return (uint64_t)c->lost.n + c->arcs.n + c->yes.n + c->no.n + c->alone.n;
}
