/* The terminal's table, as `coverage report` prints it. */
#include "analyze/coverage/coverage.h"
#include "analyze/repr.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
    const struct pt_cov_file *file;
    struct pt_cov_total total;
    double percent;
};

struct table {
    struct pt_session *session;
    const struct pt_cov_config *config;
    const struct pt_coverage *coverage;
    struct row *rows;
    uint32_t n, covered, empty; /* shown, and left out */
    struct pt_cov_total total;
    unsigned name, cover; /* widths */
};

/* --- order ---------------------------------------------------------------- */

/* Names as people sort them: runs of digits by their number. */
static int
compare_names(struct pt_str a, struct pt_str b)
{
    size_t i = 0, k = 0;
    while (i < a.len && k < b.len) {
        bool da = isdigit((unsigned char)a.data[i]) != 0;
        bool db = isdigit((unsigned char)b.data[k]) != 0;
        if (!da || !db) {
            /* A name's part before digits ends where the digits begin. */
            if (da != db)
                return da ? -1 : 1;
            if (a.data[i] != b.data[k])
                return (unsigned char)a.data[i] < (unsigned char)b.data[k] ? -1
                                                                           : 1;
            i++;
            k++;
            continue;
        }
        while (i < a.len && a.data[i] == '0')
            i++;
        while (k < b.len && b.data[k] == '0')
            k++;
        size_t x = i, y = k;
        while (x < a.len && isdigit((unsigned char)a.data[x]))
            x++;
        while (y < b.len && isdigit((unsigned char)b.data[y]))
            y++;
        if (x - i != y - k)
            return x - i < y - k ? -1 : 1;
        int order = memcmp(a.data + i, b.data + k, x - i);
        if (order)
            return order;
        i = x;
        k = y;
    }
    return (i < a.len) - (k < b.len);
}

static int
compare_numbers(double a, double b)
{
    return (a > b) - (a < b);
}

/* X: what a key of --sort compares. */
enum key { BY_NAME, BY_STMTS, BY_MISS, BY_BRANCH, BY_BRPART, BY_COVER, KEYS };
static const char *const keys[KEYS] = {"name",   "stmts",  "miss",
                                       "branch", "brpart", "cover"};

static double
number_of(const struct row *r, enum key key)
{
    const struct pt_cov_total *t = &r->total;
    switch (key) {
    case BY_STMTS:
        return (double)t->lines.of;
    case BY_MISS:
        return (double)(t->lines.of - t->lines.have);
    case BY_BRANCH:
        return (double)t->arcs.of;
    case BY_BRPART:
        return (double)t->partial;
    case BY_COVER:
        return r->percent;
    case BY_NAME:
    case KEYS:
        break;
    }
    return 0;
}

struct order {
    enum key key;
    int sign;
};

static int
compare_rows(const void *a, const void *b, void *state)
{
    const struct row *x = a, *y = b;
    const struct order *o = state;
    int order = compare_numbers(number_of(x, o->key), number_of(y, o->key));
    if (order == 0 && o->key == BY_NAME)
        order = compare_names(x->file->path, y->file->path);
    if (order == 0) {
        struct pt_str p = x->file->path, q = y->file->path;
        order = memcmp(p.data, q.data, p.len < q.len ? p.len : q.len);
        order = order ? order : (p.len > q.len) - (p.len < q.len);
    }
    return o->sign * order;
}

static enum pt_status
sort(struct table *t)
{
    const char *word = t->config->sort ? t->config->sort : "name";
    struct order o = {BY_NAME, word[0] == '-' ? -1 : 1};
    word += word[0] == '-' || word[0] == '+';
    while (o.key < KEYS && strcmp(keys[o.key], word) != 0)
        o.key++;
    if (o.key == KEYS)
        return pt_session_fail(t->session, PT_EUSAGE,
                               "--sort takes name, stmts, miss, branch, "
                               "brpart or cover, or one of them behind a -, "
                               "not \"%s\"",
                               t->config->sort);
    qsort_r(t->rows, t->n, sizeof *t->rows, compare_rows, &o);
    return PT_OK;
}

/* --- the column of what is missing ---------------------------------------- */

/* Lines and arcs come in the order of the lines they begin at. */
struct missing {
    const struct pt_cov_file *file;
    struct pt_growing text;
};

static void
put(struct missing *m, const char *item)
{
    if (m->text.used)
        pt_growing_text(&m->text, ", ");
    pt_growing_text(&m->text, item);
}

static bool
is_missing(const struct pt_cov_file *f, int64_t line)
{
    const struct pt_cov_line *l =
        line > 0 ? pt_cov_line_before(f, (uint32_t)line) : NULL;
    return l && l->line == line && !(l->flags & PT_COV_EXCLUDED) &&
           l->hits == 0;
}

/* "12->15", "12->exit". */
static void
name_arc(const struct pt_cov_arc *a, char item[48])
{
    if (a->to > 0)
        snprintf(item, 48, "%" PRId32 "->%" PRId32, a->from, a->to);
    else
        snprintf(item, 48, "%" PRId32 "->exit", a->from);
}

/* As their names do, which puts exits last. */
static int
compare_arcs(const void *a, const void *b)
{
    char x[48], y[48];
    name_arc(*(const struct pt_cov_arc *const *)a, x);
    name_arc(*(const struct pt_cov_arc *const *)b, y);
    return strcmp(x, y);
}

/* The arcs of one line. */
static void
put_line_arcs(struct missing *m, const struct pt_cov_arc *arcs, uint32_t n)
{
    const struct pt_cov_file *f = m->file;
    const struct pt_cov_arc **shown = malloc((n + (size_t)1) * sizeof *shown);
    int32_t from = arcs[0].from;
    const struct pt_cov_line *line =
        from > 0 ? pt_cov_line_before(f, (uint32_t)from) : NULL;
    uint32_t count = 0;
    char item[48];
    if (!shown) {
        m->text.failed = true;
        return;
    }
    for (uint32_t i = 0; line && line->line == (uint32_t)from && i < n; i++)
        if (pt_cov_arc_misses(&arcs[i], line) && !is_missing(f, from) &&
            !is_missing(f, arcs[i].to))
            shown[count++] = &arcs[i];
    if (count > 1)
        qsort(shown, count, sizeof *shown, compare_arcs);
    for (uint32_t i = 0; i < count; i++) {
        name_arc(shown[i], item);
        put(m, item);
    }
    free(shown);
}

static void
put_arcs(struct missing *m, uint32_t *arc, uint32_t before)
{
    const struct pt_cov_file *f = m->file;
    while (*arc < f->narcs && f->arcs[*arc].from < (int64_t)before) {
        uint32_t first = *arc;
        while (*arc < f->narcs && f->arcs[*arc].from == f->arcs[first].from)
            ++*arc;
        put_line_arcs(m, f->arcs + first, *arc - first);
    }
}

/* Missing lines between which no statement ran make a range. */
static void
put_missing(struct missing *m)
{
    const struct pt_cov_file *f = m->file;
    uint32_t arc = 0, i = 0;
    char item[32];
    while (i < f->nlines) {
        uint32_t first = f->lines[i].line, last = first;
        if (f->lines[i].flags & PT_COV_EXCLUDED || f->lines[i].hits) {
            i++;
            continue;
        }
        for (; i < f->nlines; i++) {
            if (f->lines[i].flags & PT_COV_EXCLUDED)
                continue;
            if (f->lines[i].hits)
                break;
            last = f->lines[i].line;
        }
        put_arcs(m, &arc, first);
        snprintf(item, sizeof item,
                 first == last ? "%" PRIu32 : "%" PRIu32 "-%" PRIu32, first,
                 last);
        put(m, item);
    }
    put_arcs(m, &arc, UINT32_MAX);
}

/* --- the table ------------------------------------------------------------ */

static enum pt_status
gather(struct table *t)
{
    const struct pt_coverage *c = t->coverage;
    t->rows = calloc(c->nfiles + (size_t)1, sizeof *t->rows);
    if (!t->rows)
        return PT_ENOMEM;
    for (uint32_t i = 0; i < c->nfiles; i++) {
        struct row r = {.file = &c->files[i],
                        .total = pt_cov_file_total(&c->files[i])};
        r.percent = pt_cov_percent(&r.total, c->has_arcs);
        pt_cov_total_add(&t->total, &r.total);
        if (t->config->skip_covered && r.total.lines.have == r.total.lines.of &&
            r.total.partial == 0)
            t->covered++;
        else if (t->config->skip_empty && r.total.lines.of == 0)
            t->empty++;
        else
            t->rows[t->n++] = r;
    }
    return PT_OK;
}

static unsigned
digits_of(const struct table *t)
{
    return t->config->precision < 10 ? (unsigned)t->config->precision : 10;
}

/* A path as text; the caller's to free. */
static char *
name_of(struct pt_str path)
{
    size_t size = 6 * path.len + 1;
    char *name = malloc(size);
    if (name)
        pt_text_escape(path, name, size);
    return name;
}

static enum pt_status
measure(struct table *t)
{
    char text[PT_NUMBER_TEXT];
    double all = pt_cov_percent(&t->total, t->coverage->has_arcs);
    unsigned all_width =
        (unsigned)strlen(pt_cov_percent_text(all, digits_of(t), text));
    t->name = 5;
    t->cover = all_width + 3 < 7 ? 7 : all_width + 3;
    for (uint32_t i = 0; i < t->n; i++) {
        char *name = name_of(t->rows[i].file->path);
        if (!name)
            return PT_ENOMEM;
        unsigned width = pt_text_width(name);
        free(name);
        unsigned cover = (unsigned)strlen(
            pt_cov_percent_text(t->rows[i].percent, digits_of(t), text));
        t->name = width > t->name ? width : t->name;
        t->cover = cover + 2 > t->cover ? cover + 2 : t->cover;
    }
    t->name++;
    return PT_OK;
}

static void
print_head(const struct table *t)
{
    struct pt_out *o = t->session->out;
    bool arcs = t->coverage->has_arcs, missing = t->config->show_missing;
    pt_out_style(o, PT_STYLE_BOLD);
    pt_out_printf(o, "%-*s%7s%7s", (int)t->name, "Name", "Stmts", "Miss");
    if (arcs)
        pt_out_printf(o, "%7s%7s", "Branch", "BrPart");
    pt_out_printf(o, "%*s%s", (int)t->cover, "Cover",
                  missing ? "   Missing" : "");
    pt_out_style(o, PT_STYLE_PLAIN);
    pt_out_char(o, '\n');
}

static void
print_rule(const struct table *t)
{
    unsigned n = t->name + 14 + t->cover + (t->coverage->has_arcs ? 14 : 0) +
                 (t->config->show_missing ? 10 : 0);
    while (n-- > 0)
        pt_out_char(t->session->out, '-');
    pt_out_char(t->session->out, '\n');
}

/* Without spaces at the end, as coverage.py has it. */
static void
print_row(const struct table *t, const char *name,
          const struct pt_cov_total *total, const char *missing)
{
    struct pt_out *o = t->session->out;
    char text[PT_NUMBER_TEXT];
    double percent = pt_cov_percent(total, t->coverage->has_arcs);
    unsigned width = pt_text_width(name);
    pt_out_text(o, name);
    pt_out_spaces(o, width < t->name ? t->name - width : 0);
    pt_out_printf(o, "%7" PRIu64 "%7" PRIu64, total->lines.of,
                  total->lines.of - total->lines.have);
    if (t->coverage->has_arcs)
        pt_out_printf(o, "%7" PRIu64 "%7" PRIu64, total->arcs.of,
                      total->partial);
    pt_out_printf(o, "%*s%%", (int)t->cover - 1,
                  pt_cov_percent_text(percent, digits_of(t), text));
    if (missing[0]) {
        pt_out_text(o, "   ");
        pt_out_text(o, missing);
    }
    pt_out_char(o, '\n');
}

static enum pt_status
print_file(const struct table *t, const struct row *r)
{
    struct missing m = {.file = r->file};
    char *name = name_of(r->file->path);
    if (t->config->show_missing)
        put_missing(&m);
    pt_growing_put(&m.text, "", 1);
    enum pt_status st = name && !m.text.failed ? PT_OK : PT_ENOMEM;
    if (st == PT_OK)
        print_row(t, name, &r->total, m.text.data);
    pt_growing_free(&m.text);
    free(name);
    return st;
}

static void
print_skipped(const struct table *t)
{
    struct pt_out *o = t->session->out;
    if (t->covered)
        pt_out_printf(o,
                      "\n%" PRIu32 " file%s skipped due to complete "
                      "coverage.\n",
                      t->covered, pt_text_plural(t->covered));
    if (t->empty)
        pt_out_printf(o, "\n%" PRIu32 " empty file%s skipped.\n", t->empty,
                      pt_text_plural(t->empty));
}

/* --- functions ------------------------------------------------------------ */

static void
print_functions(const struct table *t)
{
    struct pt_out *o = t->session->out;
    uint64_t never = 0, all = 0;
    for (uint32_t i = 0; i < t->coverage->nfiles; i++)
        for (uint32_t k = 0; k < t->coverage->files[i].nfunctions; k++) {
            const struct pt_cov_function *f =
                &t->coverage->files[i].functions[k];
            all += !f->excluded;
            never += !f->excluded && f->calls == 0;
        }
    pt_out_printf(
        o, "\n%" PRIu64 " of %" PRIu64 " functions and classes never ran%s\n",
        never, all, never ? ":" : ".");
    for (uint32_t i = 0; i < t->coverage->nfiles; i++) {
        const struct pt_cov_file *file = &t->coverage->files[i];
        for (uint32_t k = 0; k < file->nfunctions; k++) {
            const struct pt_cov_function *f = &file->functions[k];
            if (f->excluded || f->calls)
                continue;
            pt_out_text(o, "  ");
            pt_out_str(o, file->path);
            pt_out_printf(o, ":%" PRIu32 "  %s", f->first,
                          f->class_ ? "class " : "");
            pt_out_str(o, f->name);
            pt_out_char(o, '\n');
        }
    }
}

enum pt_status
pt_cov_summary(struct pt_session *s, const struct pt_coverage *c)
{
    struct table t = {.session = s, .config = s->config, .coverage = c};
    enum pt_status st = gather(&t);
    if (st == PT_OK)
        st = sort(&t);
    if (st == PT_OK)
        st = measure(&t);
    if (st == PT_OK) {
        print_head(&t);
        print_rule(&t);
    }
    for (uint32_t i = 0; st == PT_OK && i < t.n; i++)
        st = print_file(&t, &t.rows[i]);
    if (st == PT_OK) {
        if (t.n)
            print_rule(&t);
        print_row(&t, "TOTAL", &t.total, "");
        print_skipped(&t);
        if (t.config->functions)
            print_functions(&t);
    }
    free(t.rows);
    return st;
}
