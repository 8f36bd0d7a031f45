/* The tree of calls as text.
 *
 * A line a node, those of most time first.  A function that is the only one
 * below the last one of its level stands in the same column, so that a chain
 * of single calls stays narrow:
 *
 *     main
 *     └ run            called by main
 *     └ loop           called by run
 *       ├ read         called by loop
 *       │ └ decode     called by read
 *       └ write
 */
#include "analyze/columns.h"
#include "analyze/names.h"
#include "analyze/profile_tree.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_LEAST = 40, ROOM_LEAST = 20, FILE_ROOM = 30, LEVELS_MOST = 64 };

struct line {
    uint32_t node;  /* 0: what is not shown of those below a node */
    uint32_t level; /* 0 stands at the margin, below nothing */
    bool last;      /* of its level */
    uint64_t time, calls;
    uint32_t nodes; /* of what is not shown */
};

struct lines {
    const struct pt_tree_view *view;
    struct line *lines;
    size_t n, most;
};

enum { TOTAL, SELF, INCLUSIVE, EXCLUSIVE, CALLS, PERCALL, WAIT, COLUMNS };

static const struct pt_heading columns[COLUMNS] = {
    {"total %", 0}, {"self %", 0},   {"inclusive", 0}, {"exclusive", 3},
    {"calls", 1},   {"per call", 4}, {"wait", 2}};

/* --- lines ---------------------------------------------------------------- */

/* What lies below a node without being shown. */
static struct line
hidden_below(const struct pt_tree_view *v, uint32_t node)
{
    const struct pt_calltree_node *nodes = v->tree->nodes;
    struct line sum = {0};
    for (uint32_t i = nodes[node].first; i; i = nodes[i].next)
        if (!v->shown[i]) {
            sum.nodes++;
            sum.time += nodes[i].inclusive;
            sum.calls += nodes[i].calls;
        }
    return sum;
}

static bool
put_line(struct lines *l, struct line line)
{
    if (l->n == l->most) {
        size_t most = l->most ? 2 * l->most : 64;
        struct line *lines = realloc(l->lines, most * sizeof *lines);
        if (!lines)
            return false;
        l->lines = lines;
        l->most = most;
    }
    l->lines[l->n++] = line;
    return true;
}

/* Below the last of a level, an only one needs no column of its own. */
static uint32_t
level_of(const struct lines *l, uint32_t level, bool only)
{
    return only && level > 1 && l->lines[l->n - 1].last ? level - 1 : level;
}

/* Appends what is below the last line, the functions and what is not shown of
 * them.  The depth of the tree bounds the recursion. */
static bool
put_below(struct lines *l, uint32_t node, uint32_t level)
{
    const struct pt_tree_view *v = l->view;
    struct line rest = hidden_below(v, node);
    /* A little rest would only be in the way. */
    bool more = rest.nodes && rest.time && rest.time >= v->least;
    bool ok = true;
    for (uint32_t i = v->first[node]; i && ok; i = v->next[i]) {
        const struct pt_calltree_node *n = &v->tree->nodes[i];
        bool last = v->next[i] == 0 && !more;
        struct line line = {
            .node = i,
            .level = level_of(l, level, last && i == v->first[node]),
            .last = last,
            .time = n->inclusive - (n->depth ? 0 : n->exclusive),
            .calls = n->calls};
        ok = put_line(l, line) && put_below(l, i, line.level + 1);
    }
    rest.level = level_of(l, level, v->first[node] == 0);
    rest.last = true;
    return ok && (!more || put_line(l, rest));
}

/* --- cells ---------------------------------------------------------------- */

static double
share(const struct lines *l, uint64_t ns)
{
    uint64_t total = l->view->rows->total;
    return total ? 100.0 * (double)ns / (double)total : 0.0;
}

static const char *
cell(const void *table, size_t row, unsigned column, char *buffer)
{
    const struct lines *l = table;
    const struct line *line = &l->lines[row];
    const struct pt_calltree_node *n = &l->view->tree->nodes[line->node];
    bool all = line->node == 0;
    switch (column) {
    case TOTAL:
        snprintf(buffer, PT_CELL_TEXT, "%.1f", share(l, line->time));
        return buffer;
    case SELF:
        snprintf(buffer, PT_CELL_TEXT, "%.1f", share(l, n->exclusive));
        return all || n->depth == 0 ? "" : buffer;
    case INCLUSIVE:
        return pt_text_duration((int64_t)line->time, buffer);
    case EXCLUSIVE:
        return all || n->depth == 0
                   ? ""
                   : pt_text_duration((int64_t)n->exclusive, buffer);
    case CALLS:
        if (n->depth == 0 && !all)
            return "";
        snprintf(buffer, PT_CELL_TEXT, "%" PRIu64, line->calls);
        return buffer;
    case PERCALL:
        if (line->calls == 0)
            return all || n->depth == 0 ? "" : "-";
        return pt_text_duration((int64_t)(line->time / line->calls), buffer);
    default:
        if (n->wait == 0 || all)
            return all ? "" : "-";
        return pt_text_duration((int64_t)n->wait, buffer);
    }
}

/* --- text ----------------------------------------------------------------- */

/* The strokes before a line, where `open[k]` tells whether something follows
 * on level k; how many columns they take. */
static unsigned
put_strokes(struct pt_out *o, const struct line *line, bool *open,
            unsigned most)
{
    static const char *const drawn[][4] = {{"  ", "| ", "|-", "`-"},
                                           {"  ", "│ ", "├ ", "└ "}};
    const char *const *strokes = drawn[o->utf8];
    unsigned used = 0;
    if (line->level == 0)
        return 0;
    if (line->level > most) {
        char number[16];
        used = (unsigned)snprintf(number, sizeof number, "[%u] ", line->level);
        pt_out_text(o, number);
    } else
        for (unsigned k = 1; k < line->level; k++, used += 2)
            pt_out_text(o, strokes[open[k]]);
    open[line->level] = !line->last;
    pt_out_text(o, strokes[line->last ? 3 : 2]);
    return used + 2;
}

static enum pt_status
put_name(struct pt_session *s, const struct lines *l, const struct line *line,
         unsigned width)
{
    const struct pt_tree_view *v = l->view;
    const struct pt_calltree_node *n = &v->tree->nodes[line->node];
    char number[PT_NUMBER_TEXT];
    struct pt_profile_row row = {0};
    if (line->node == 0) {
        pt_out_printf(s->out, "... %s more\n",
                      pt_text_grouped(line->nodes, number));
        return PT_OK;
    }
    if (n->fn == PT_CALLTREE_MORE) {
        pt_out_text(s->out, "(paths that were not kept)\n");
        return PT_OK;
    }
    if (n->depth == 0) {
        pt_profile_put_thread(s, n->thread, width);
        pt_out_char(s->out, '\n');
        return PT_OK;
    }
    enum pt_status st = pt_profile_row_name(v->profile, n->fn, &row);
    /* Where there is little room, the name is worth more. */
    if (st == PT_OK && s->out->fit && width < FILE_ROOM)
        pt_profile_put_name(s, &row, width);
    else if (st == PT_OK)
        pt_profile_put_function(s, &row, width);
    free(row.owned);
    return st;
}

static void
put_foot(struct pt_session *s, const struct pt_tree_view *v)
{
    char a[PT_NUMBER_TEXT], b[PT_NUMBER_TEXT];
    const struct pt_calltree *t = v->tree;
    if (v->nshown < v->nodes)
        pt_out_printf(s->out,
                      "\n%s of %s paths are shown; --all, --min-time and "
                      "--limit show more\n",
                      pt_text_grouped(v->nshown, a),
                      pt_text_grouped(v->nodes, b));
    if (t->dropped)
        pt_out_printf(s->out,
                      "\n%s paths of little time were too many to keep; what "
                      "they took is told where they began\n",
                      pt_text_grouped(t->dropped, a));
    if (t->folded)
        pt_out_printf(s->out,
                      "\nRecursion deeper than %u functions counts with the "
                      "same function further out\n",
                      t->depth);
}

static enum pt_status
put_lines(struct pt_session *s, struct lines *l)
{
    struct pt_columns table = {.columns = columns,
                               .n = COLUMNS,
                               .cell = cell,
                               .table = l,
                               .rows = l->n};
    bool waits = false, open[PT_CALLTREE_DEPTH + 3] = {false};
    for (size_t i = 0; i < l->n; i++)
        waits |= l->lines[i].node &&
                 l->view->tree->nodes[l->lines[i].node].wait != 0;
    pt_columns_measure(&table);
    if (!waits)
        table.widths[WAIT] = 0;
    unsigned width = pt_columns_fit(
        &table, s->out->width,
        s->out->width / 2 > NAME_LEAST ? s->out->width / 2 : NAME_LEAST);
    unsigned most = s->out->fit ? width / 4 : LEVELS_MOST;
    pt_columns_head(&table, s->out, pt_profile_what(l->view->profile));
    enum pt_status st = PT_OK;
    for (size_t i = 0; i < l->n && st == PT_OK; i++) {
        pt_columns_row(&table, s->out, i);
        unsigned used = put_strokes(s->out, &l->lines[i], open, most);
        unsigned room = used < width ? width - used : 0;
        st =
            put_name(s, l, &l->lines[i], room < ROOM_LEAST ? ROOM_LEAST : room);
    }
    return st;
}

enum pt_status
pt_profile_tree_text(struct pt_session *s, const struct pt_tree_view *v)
{
    struct lines l = {.view = v};
    enum pt_status st = put_below(&l, 0, 0) ? PT_OK : PT_ENOMEM;
    if (st == PT_OK) {
        pt_profile_head(s, v->profile, v->rows);
        st = put_lines(s, &l);
    }
    if (st == PT_OK)
        put_foot(s, v);
    free(l.lines);
    return st;
}
