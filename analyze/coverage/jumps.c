/* Conditional jumps of one source, as their code objects counted them. */
#include "analyze/coverage/arcs.h"

#include <pt/replay.h>

#include <stdlib.h>

/* The same jump of two processes, or of two traces, is one: of the same place
 * in a code object that begins at the same line. */
struct found {
    struct pt_cov_jump jump;
    uint32_t version, firstline;
};

static int
compare_numbers(const uint32_t *x, const uint32_t *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    return 0;
}

static int
compare(const void *a, const void *b)
{
    const struct found *f = a, *g = b;
    const struct pt_cov_jump *x = &f->jump, *y = &g->jump;
    const uint32_t left[] = {
        x->span.line, x->span.column, x->span.end_line, x->span.end_column,
        f->firstline, f->version,     x->off,           x->opcode,
        x->next_line, x->jump_line};
    const uint32_t right[] = {
        y->span.line, y->span.column, y->span.end_line, y->span.end_column,
        g->firstline, g->version,     y->off,           y->opcode,
        y->next_line, y->jump_line};
    return compare_numbers(left, right, sizeof left / sizeof *left);
}

static bool
is_conditional(const struct pt_ins *ins)
{
    return ins->cls == PT_INS_COND || ins->cls == PT_INS_FOR;
}

/* The line of the first instruction from there on that has one. */
static uint32_t
line_from(const struct pt_graph *g, uint32_t i)
{
    for (uint32_t n = 0; i < g->n && n < g->n; n++) {
        if (g->ins[i].line)
            return g->ins[i].line;
        if (g->ins[i].cls == PT_INS_JUMP)
            i = g->ins[i].target;
        else if (g->ins[i].cls == PT_INS_NEXT)
            i++;
        else
            break;
    }
    return 0;
}

static struct pt_cov_span
span_of(const struct pt_lines *lines, uint32_t off)
{
    struct pt_position at = pt_lines_at(lines, off);
    if (at.line == 0 || at.column < 0 || at.end_column < 0)
        return (struct pt_cov_span){.line = at.line, .end_line = at.end_line};
    return (struct pt_cov_span){at.line, (uint32_t)at.column, at.end_line,
                                (uint32_t)at.end_column};
}

static enum pt_status
find(const struct pt_cov_code *code, struct found *out)
{
    const struct pt_graph *g = code->counts->graph;
    struct pt_lines *lines;
    enum pt_status st = pt_lines_new(code->code, &lines);
    if (st != PT_OK)
        return st;
    for (uint32_t i = 0; i < g->n; i++)
        if (is_conditional(&g->ins[i]))
            *out++ = (struct found){
                .version = code->version,
                .firstline = code->code->firstline,
                .jump = {.span = span_of(lines, g->ins[i].off),
                         .off = g->ins[i].off,
                         .opcode = g->ins[i].opcode,
                         .next = code->counts->next[i],
                         .jump = code->counts->jump[i],
                         .next_line = line_from(g, i + 1),
                         .jump_line = line_from(g, g->ins[i].target)}};
    pt_lines_free(lines);
    return PT_OK;
}

static size_t
count(const struct pt_cov_code *code)
{
    size_t n = 0;
    for (uint32_t i = 0; code->counts && i < code->counts->graph->n; i++)
        n += is_conditional(&code->counts->graph->ins[i]);
    return n;
}

static enum pt_status
join(struct found *found, size_t n, struct pt_cov_file *f)
{
    f->jumps = malloc((n + 1) * sizeof *f->jumps);
    f->njumps = 0;
    if (!f->jumps)
        return PT_ENOMEM;
    if (n > 0)
        qsort(found, n, sizeof *found, compare);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && compare(&found[i - 1], &found[i]) == 0) {
            f->jumps[f->njumps - 1].next += found[i].jump.next;
            f->jumps[f->njumps - 1].jump += found[i].jump.jump;
        } else
            f->jumps[f->njumps++] = found[i].jump;
    }
    return PT_OK;
}

enum pt_status
pt_cov_jumps_fill(const struct pt_cov_source *s, struct pt_cov_file *f)
{
    size_t n = 0;
    enum pt_status st = PT_OK;
    for (uint32_t i = 0; i < s->ncodes; i++)
        n += count(&s->codes[i]);
    struct found *found = n < UINT32_MAX ? calloc(n + 1, sizeof *found) : NULL;
    if (!found)
        return PT_ENOMEM;
    n = 0;
    for (uint32_t i = 0; i < s->ncodes && st == PT_OK; i++) {
        size_t own = count(&s->codes[i]);
        if (own > 0)
            st = find(&s->codes[i], found + n);
        n += own;
    }
    if (st == PT_OK)
        st = join(found, n, f);
    free(found);
    return st;
}
