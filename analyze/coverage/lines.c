/* Statements are the first lines of the logical lines that have code, but for
 * docstrings. */
#include "analyze/coverage/lines.h"

#include <stdlib.h>
#include <string.h>

/* The logical line of several that `line` is in; NULL none. */
static const struct pt_logical *
logical_of(const struct pt_syntax *s, uint32_t line)
{
    size_t low = 0, high = s->nlogical;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->logical[middle].last < line)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->nlogical && s->logical[low].first <= line ? &s->logical[low]
                                                              : NULL;
}

uint32_t
pt_cov_first_line(const struct pt_syntax *s, uint32_t line)
{
    const struct pt_logical *l = logical_of(s, line);
    return l ? l->first : line;
}

uint32_t
pt_cov_last_line(const struct pt_syntax *s, uint32_t line)
{
    const struct pt_logical *l = logical_of(s, line);
    return l ? l->last : line;
}

/* Lines under way: bits beside those of an exclusion. */
enum { IS_IGNORED = 4, IS_STATEMENT = 8 };

struct lines {
    const struct pt_cov_source *source;
    uint8_t *marks; /* of each line of the text */
    uint32_t count; /* lines of the text */
};

static void
mark_range(struct lines *l, uint32_t first, uint32_t last, uint8_t bit)
{
    for (uint32_t i = first; i <= last && i <= l->count; i++)
        l->marks[i] |= bit;
}

/* --- docstrings ----------------------------------------------------------- */

/* Where line `number` begins, asked for in ascending order. */
struct place {
    size_t at;
    uint32_t line;
};

static void
seek(struct pt_str text, struct place *p, uint32_t line)
{
    while (p->line < line && p->at < text.len) {
        const char *end = memchr(text.data + p->at, '\n', text.len - p->at);
        if (!end)
            break;
        p->at = (size_t)(end - text.data) + 1;
        p->line++;
    }
}

/* The lines that a string literal at `at` goes on for, behind its first; -1
 * where there is none. */
static int64_t
string_lines(struct pt_str text, size_t at)
{
    int64_t lines = 0;
    size_t i = at, quotes = 1;
    while (i < text.len && i < at + 2 && strchr("rRbBuUfF", text.data[i]))
        i++;
    if (i >= text.len || (text.data[i] != '"' && text.data[i] != '\''))
        return -1;
    char quote = text.data[i];
    if (i + 2 < text.len && text.data[i + 1] == quote &&
        text.data[i + 2] == quote)
        quotes = 3;
    for (i += quotes; i < text.len; i++) {
        size_t n = 0;
        while (n < quotes && i + n < text.len && text.data[i + n] == quote)
            n++;
        if (n == quotes)
            break;
        if (text.data[i] == '\\' && i + 1 < text.len)
            i++;
        lines += text.data[i] == '\n';
    }
    return lines;
}

/* 6.5 takes every string that begins a block for a docstring, whatever follows
 * it; a module's counts only where nothing is before it. */
static enum pt_status
mark_first_strings(struct lines *l)
{
    const struct pt_syntax *s = l->source->syntax;
    struct pt_str text = l->source->text;
    bool marked = text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0;
    struct place place = {marked ? 3 : 0, 1};
    uint8_t *seen = calloc(s->nsuites + 1, 1);
    if (!seen)
        return PT_ENOMEM;
    for (size_t i = 0; i < s->nstatements; i++) {
        const struct pt_statement *st = &s->statements[i];
        uint32_t suite = st->suite < s->nsuites ? st->suite : 0;
        bool first = !seen[suite];
        uint32_t colon = suite ? s->suites[suite].colon_line : 0;
        seen[suite] = 1;
        if (!first || st->first == colon || (suite == 0 && st->line > 1))
            continue;
        seek(text, &place, st->line);
        if (place.line != st->line)
            continue;
        int64_t n = string_lines(text, place.at + st->column);
        if (n >= 0)
            mark_range(l, st->line, st->line + (uint32_t)n, IS_IGNORED);
    }
    free(seen);
    return PT_OK;
}

static void
mark_docstrings(struct lines *l)
{
    const struct pt_syntax *s = l->source->syntax;
    for (size_t i = 0; i < s->nstatements; i++) {
        const struct pt_statement *st = &s->statements[i];
        if (st->kind == PT_STATEMENT_DOCSTRING)
            mark_range(l, st->line, st->end_line, IS_IGNORED);
    }
}

/* --- annotations ---------------------------------------------------------- */

/* From this version on a class leaves its annotations to a function of their
 * own, which coverage.py does not count. */
enum { DEFERRED = 3 << 8 | 14 };

static bool
mentions(struct pt_str text, const char *word)
{
    return memmem(text.data, text.len, word, strlen(word)) != NULL;
}

/* Whether annotations are texts, by `from __future__ import annotations`. */
static bool
has_texts(const struct lines *l)
{
    const struct pt_syntax *s = l->source->syntax;
    struct pt_str text = l->source->text;
    struct place place = {0, 1};
    for (size_t i = 0; text.len > 0 && i < s->nstatements; i++) {
        const struct pt_statement *st = &s->statements[i];
        if (st->kind != PT_STATEMENT_IMPORT || st->suite != 0)
            continue;
        seek(text, &place, st->line);
        struct place end = place;
        seek(text, &end, st->end_line);
        const char *rest = text.data + end.at;
        const char *last = memchr(rest, '\n', text.len - end.at);
        struct pt_str own = {text.data + place.at,
                             (last ? (size_t)(last - text.data) : text.len) -
                                 place.at};
        if (mentions(own, "__future__") && mentions(own, "annotations"))
            return true;
    }
    return false;
}

/* In a class `x: int` has no code, unless it stands under a condition. */
static void
mark_annotations(struct lines *l)
{
    const struct pt_syntax *s = l->source->syntax;
    if (s->version < DEFERRED || has_texts(l))
        return;
    for (size_t i = 0; i < s->nstatements; i++) {
        const struct pt_statement *st = &s->statements[i];
        uint32_t owner =
            st->suite < s->nsuites ? s->suites[st->suite].owner : 0;
        if (st->kind == PT_STATEMENT_ANNOTATION && owner &&
            owner <= s->nstatements &&
            s->statements[owner - 1].kind == PT_STATEMENT_CLASS)
            mark_range(l, st->line, st->end_line, IS_IGNORED);
    }
}

/* --- statements ----------------------------------------------------------- */

/* Without a parser: the lines of which the bytecode has instructions. */
static void
mark_bytecode(struct lines *l)
{
    for (uint32_t c = 0; c < l->source->ncodes; c++) {
        const struct pt_graph *g = l->source->codes[c].graph;
        for (uint32_t i = 0; g && i < g->n; i++)
            if (g->ins[i].line && g->ins[i].line <= l->count)
                l->marks[g->ins[i].line] |= IS_STATEMENT;
    }
}

static void
mark_statements(struct lines *l)
{
    const struct pt_syntax *s = l->source->syntax;
    for (uint32_t i = 1; i <= l->count; i++)
        if (l->marks[i] & PT_MARK_EXCLUDED)
            l->marks[i] |= IS_IGNORED;
    for (size_t i = 0; i < s->ncode; i++) {
        uint32_t line = s->code[i].line;
        if (line > l->count || l->marks[line] & IS_IGNORED)
            continue;
        uint32_t first = pt_cov_first_line(s, line);
        if (first <= l->count && !(l->marks[first] & IS_IGNORED))
            l->marks[first] |= IS_STATEMENT;
    }
}

static enum pt_status
find_statements(struct lines *l, const struct pt_exclusion *x)
{
    const struct pt_cov_source *source = l->source;
    enum pt_status st = source->text.len
                            ? pt_exclusion_mark(x, source, l->marks, l->count)
                            : PT_OK;
    if (st != PT_OK)
        return st;
    if (!source->syntax) {
        mark_bytecode(l);
        return PT_OK;
    }
    mark_annotations(l);
    if (x->modern)
        mark_docstrings(l);
    else
        st = mark_first_strings(l);
    if (st == PT_OK)
        mark_statements(l);
    return st;
}

/* --- hits ----------------------------------------------------------------- */

static struct pt_cov_line *
find_line(const struct pt_cov_file *f, uint32_t line)
{
    struct pt_cov_line *found =
        (struct pt_cov_line *)(uintptr_t)pt_cov_line_before(f, line);
    return found && found->line == line ? found : NULL;
}

/* A statement starts where CPython tells one of its lines, unless it came from
 * another of the same statement. */
static void
add_steps(const struct pt_cov_code *code, const struct pt_syntax *s,
          struct pt_cov_file *f)
{
    for (uint32_t i = 0; i < code->nsteps; i++) {
        const struct pt_cov_step *step = &code->steps[i];
        uint32_t to = s ? pt_cov_first_line(s, step->to) : step->to;
        uint32_t from = s ? pt_cov_first_line(s, step->from) : step->from;
        struct pt_cov_line *line = find_line(f, to);
        if (line && (from != to || step->from == step->to))
            line->hits += step->count;
    }
}

static void
add_once(const struct pt_cov_code *code, const struct pt_syntax *s,
         struct pt_cov_file *f)
{
    const struct pt_graph *g = code->counts ? code->counts->graph : NULL;
    for (uint32_t i = 0; g && i < g->n; i++) {
        uint32_t to = g->ins[i].line;
        if (!to || !code->counts->ran[i] || !(g->ins[i].flags & PT_INS_FIRES))
            continue;
        struct pt_cov_line *line =
            find_line(f, s ? pt_cov_first_line(s, to) : to);
        if (line && !line->hits)
            line->hits = 1;
    }
}

static void
add_hits(const struct pt_cov_source *source, struct pt_cov_file *f)
{
    for (uint32_t c = 0; c < source->ncodes; c++) {
        const struct pt_cov_code *code = &source->codes[c];
        if (code->once)
            add_once(code, source->syntax, f);
        else
            add_steps(code, source->syntax, f);
    }
}

/* CPython 3.14 and 3.15 do not tell each line that runs: of a loop over an
 * iterator in Python, that which runs when it is exhausted is passed over. What
 * has run has started, as often as its first instruction ran. */
static void
add_untold(const struct pt_cov_source *source, struct pt_cov_file *f)
{
    const struct pt_syntax *s = source->syntax;
    for (uint32_t c = 0; c < source->ncodes; c++) {
        const struct pt_code_counts *counts = source->codes[c].counts;
        const struct pt_graph *g = counts ? counts->graph : NULL;
        uint32_t i = g && g->start != PT_INS_NONE ? g->start + 1 : 0;
        for (; g && i < g->n; i++) {
            uint32_t own = g->ins[i].line;
            struct pt_cov_line *line =
                own && counts->ran[i]
                    ? find_line(f, s ? pt_cov_first_line(s, own) : own)
                    : NULL;
            if (line && line->hits == 0)
                line->hits = counts->ran[i];
        }
    }
}

/* How many lines there are.  Where nobody has the text: as far as the bytecode
 * goes, within reason. */
static uint32_t
last_line(const struct pt_cov_source *source)
{
    uint32_t last = 1;
    for (size_t i = 0; i < source->text.len; i++) {
        char c = source->text.data[i];
        last += c == '\n' || (c == '\r' && (i + 1 == source->text.len ||
                                            source->text.data[i + 1] != '\n'));
    }
    for (uint32_t c = 0; source->text.len == 0 && c < source->ncodes; c++) {
        const struct pt_graph *g = source->codes[c].graph;
        for (uint32_t i = 0; g && i < g->n; i++)
            if (g->ins[i].line > last && g->ins[i].line < PT_GRAPH_LIMIT)
                last = g->ins[i].line;
    }
    return last;
}

static enum pt_status
put_lines(const struct lines *l, struct pt_cov_file *f)
{
    const uint8_t shown = IS_STATEMENT | PT_MARK_EXCLUDED;
    uint32_t n = 0;
    for (uint32_t i = 1; i <= l->count; i++)
        n += (l->marks[i] & shown) != 0;
    f->lines = calloc((size_t)n + 1, sizeof *f->lines);
    if (!f->lines)
        return PT_ENOMEM;
    for (uint32_t i = 1; i <= l->count; i++) {
        uint8_t m = l->marks[i];
        if (m & shown)
            f->lines[f->nlines++] = (struct pt_cov_line){
                .line = i,
                .flags = (m & PT_MARK_EXCLUDED ? PT_COV_EXCLUDED : 0u) |
                         (m & PT_MARK_NO_BRANCH ? PT_COV_NO_BRANCH : 0u)};
    }
    return PT_OK;
}

enum pt_status
pt_cov_lines(const struct pt_cov_source *source, const struct pt_exclusion *x,
             struct pt_cov_file *f)
{
    struct lines l = {.source = source, .count = last_line(source)};
    l.marks = calloc((size_t)l.count + 1, 1);
    if (!l.marks)
        return PT_ENOMEM;
    enum pt_status st = find_statements(&l, x);
    if (st == PT_OK)
        st = put_lines(&l, f);
    free(l.marks);
    if (st == PT_OK) {
        add_hits(source, f);
        add_untold(source, f);
    }
    return st;
}
