#include "analyze/coverage/line_map.h"

#include "analyze/source_text.h"

#include <stdlib.h>
#include <string.h>

/* How often a stretch between lines that are unique is looked at again for
 * lines that are unique within it. */
enum { MOST_DEEP = 16 };

struct lines {
    struct pt_str *rows; /* from 0 */
    uint32_t n;
};

/* A line of one of the texts, by which those are found that are the same. */
struct entry {
    struct pt_str text;
    uint32_t row;
    bool later;
};

/* Lines that are the same in both. */
struct anchor {
    uint32_t then, now; /* rows */
    uint32_t before;    /* the anchor before it on its longest chain, + 1 */
};

struct mapping {
    struct lines then, now;
    uint32_t *map; /* by row of `now`: row of `then` + 1 */
};

/* A stretch of each text: rows from..to-1. */
struct stretch {
    uint32_t then, then_end, now, now_end;
};

static enum pt_status
split(struct pt_str text, struct lines *out)
{
    struct pt_source_text s = {.text = text};
    uint32_t room = 0;
    for (uint32_t n = 1;; n++) {
        struct pt_str line = pt_source_text_line(&s, n);
        if (s.at >= text.len)
            return PT_OK;
        if (out->n == room) {
            room = room ? 2 * room : 256;
            struct pt_str *rows = realloc(out->rows, room * sizeof *rows);
            if (!rows)
                return PT_ENOMEM;
            out->rows = rows;
        }
        out->rows[out->n++] = line;
    }
}

static int
compare_text(struct pt_str a, struct pt_str b)
{
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return a.len ? memcmp(a.data, b.data, a.len) : 0;
}

static bool
is_same(const struct mapping *m, uint32_t then, uint32_t now)
{
    return compare_text(m->then.rows[then], m->now.rows[now]) == 0;
}

/* --- anchors -------------------------------------------------------------- */

static int
by_text(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = compare_text(x->text, y->text);
    if (order == 0)
        order = (x->later > y->later) - (x->later < y->later);
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

static int
by_now(const void *a, const void *b)
{
    const struct anchor *x = a, *y = b;
    return (x->now > y->now) - (x->now < y->now);
}

/* The lines that each text of the stretch has once, in order of the later. */
static enum pt_status
find_unique(const struct mapping *m, const struct stretch *s,
            struct anchor **out, uint32_t *n)
{
    uint32_t nthen = s->then_end - s->then, nnow = s->now_end - s->now;
    size_t all = (size_t)nthen + nnow, count = 0;
    struct entry *entries = malloc((all + 1) * sizeof *entries);
    struct anchor *anchors = malloc(((size_t)nnow + 1) * sizeof *anchors);
    if (!entries || !anchors) {
        free(entries);
        free(anchors);
        return PT_ENOMEM;
    }
    for (uint32_t i = s->then; i < s->then_end; i++)
        entries[count++] = (struct entry){m->then.rows[i], i, false};
    for (uint32_t i = s->now; i < s->now_end; i++)
        entries[count++] = (struct entry){m->now.rows[i], i, true};
    qsort(entries, all, sizeof *entries, by_text);
    *n = 0;
    for (size_t i = 0, end; i < all; i = end) {
        for (end = i + 1; end < all; end++)
            if (compare_text(entries[end].text, entries[i].text) != 0)
                break;
        if (end == i + 2 && !entries[i].later && entries[i + 1].later)
            anchors[(*n)++] =
                (struct anchor){entries[i].row, entries[i + 1].row, 0};
    }
    qsort(anchors, *n, sizeof *anchors, by_now);
    free(entries);
    *out = anchors;
    return PT_OK;
}

/* Keeps the longest chain of anchors that ascends in both texts, and returns
 * how many there are; the piles of patience sorting. */
static enum pt_status
keep_ascending(struct anchor *anchors, uint32_t *n)
{
    uint32_t *top = malloc(((size_t)*n + 1) * sizeof *top), piles = 0;
    if (!top)
        return PT_ENOMEM;
    for (uint32_t i = 0; i < *n; i++) {
        uint32_t low = 0, high = piles;
        while (low < high) {
            uint32_t middle = low + (high - low) / 2;
            if (anchors[top[middle]].then < anchors[i].then)
                low = middle + 1;
            else
                high = middle;
        }
        anchors[i].before = low ? top[low - 1] + 1 : 0;
        top[low] = i;
        piles += low == piles;
    }
    /* From its end on, into the array's beginning: `top` takes the rows. */
    uint32_t at = piles ? top[piles - 1] + 1 : 0;
    for (uint32_t i = piles; i-- > 0; at = anchors[at - 1].before)
        top[i] = at - 1;
    for (uint32_t i = 0; i < piles; i++)
        anchors[i] = anchors[top[i]];
    *n = piles;
    free(top);
    return PT_OK;
}

/* --- stretches ------------------------------------------------------------ */

/* Maps what is the same at both ends of a stretch, which then is shorter. */
static void
trim(struct mapping *m, struct stretch *s)
{
    while (s->then < s->then_end && s->now < s->now_end &&
           is_same(m, s->then, s->now))
        m->map[s->now++] = ++s->then;
    while (s->then < s->then_end && s->now < s->now_end &&
           is_same(m, s->then_end - 1, s->now_end - 1))
        m->map[--s->now_end] = s->then_end--;
}

static enum pt_status
map_stretch(struct mapping *m, struct stretch s, unsigned depth)
{
    struct anchor *anchors;
    uint32_t n;
    trim(m, &s);
    if (depth == MOST_DEEP || s.then == s.then_end || s.now == s.now_end)
        return PT_OK;
    enum pt_status st = find_unique(m, &s, &anchors, &n);
    if (st != PT_OK)
        return st;
    st = keep_ascending(anchors, &n);
    for (uint32_t i = 0; st == PT_OK && n && i <= n; i++) {
        struct stretch part = s;
        if (i < n) {
            part.then_end = anchors[i].then;
            part.now_end = anchors[i].now;
            m->map[anchors[i].now] = anchors[i].then + 1;
        }
        st = map_stretch(m, part, depth + 1);
        if (i < n) {
            s.then = anchors[i].then + 1;
            s.now = anchors[i].now + 1;
        }
    }
    free(anchors);
    return st;
}

enum pt_status
pt_line_map_init(struct pt_line_map *out, struct pt_str then, struct pt_str now)
{
    struct mapping m = {0};
    enum pt_status st = split(then, &m.then);
    if (st == PT_OK)
        st = split(now, &m.now);
    if (st == PT_OK) {
        m.map = calloc((size_t)m.now.n + 1, sizeof *m.map);
        st = m.map ? PT_OK : PT_ENOMEM;
    }
    struct stretch all = {0, m.then.n, 0, m.now.n};
    if (st == PT_OK)
        st = map_stretch(&m, all, 0);
    free(m.then.rows);
    free(m.now.rows);
    *out = (struct pt_line_map){0};
    if (st == PT_OK)
        *out = (struct pt_line_map){m.map, m.now.n};
    else
        free(m.map);
    return st;
}

void
pt_line_map_clear(struct pt_line_map *m)
{
    free(m->then);
    *m = (struct pt_line_map){0};
}

uint32_t
pt_line_map_then(const struct pt_line_map *m, uint32_t now)
{
    return now && now <= m->n ? m->then[now - 1] : 0;
}
