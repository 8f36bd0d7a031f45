/* The decisions of sources, before and behind the passes that follow them. */
#include "analyze/coverage/evaluations.h"
#include "analyze/coverage/evaluation.h"
#include "analyze/coverage/mcdc.h"

#include <stdlib.h>
#include <string.h>

/* --- handles -------------------------------------------------------------- */

enum pt_status
pt_evaluations_new(size_t traces, struct pt_evaluations **out)
{
    struct pt_evaluations *e = calloc(1, sizeof *e);
    if (!e)
        return PT_ENOMEM;
    e->traces = calloc(traces + 1, sizeof *e->traces);
    e->ntraces = traces;
    if (!e->traces) {
        free(e);
        return PT_ENOMEM;
    }
    *out = e;
    return PT_OK;
}

static void
free_watch(struct pt_watch *w)
{
    if (!w)
        return;
    free(w->meanings);
    free(w->meaning);
    free(w->inside);
    free(w->decisions);
    free(w);
}

static void
free_judged(struct pt_judged *j)
{
    if (!j)
        return;
    for (uint32_t i = 0; j->followed && i < j->decisions->n; i++) {
        struct pt_followed *f = j->followed[i];
        if (!f)
            continue;
        pt_paths_clear(&f->paths);
        free(f->tries);
        free(f->least);
        free(f);
    }
    free(j->followed);
    free(j->marks);
    pt_decisions_free(j->decisions);
    free(j);
}

void
pt_evaluations_free(struct pt_evaluations *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < e->ntraces; i++) {
        for (uint32_t k = 0; k < e->traces[i].n; k++)
            free_watch(e->traces[i].by_code[k]);
        free(e->traces[i].by_code);
    }
    for (size_t i = 0; i < e->njudged; i++)
        free_judged(e->judged[i]);
    free(e->judged);
    free(e->traces);
    free(e);
}

/* --- what the text says --------------------------------------------------- */

static struct pt_cov_span
span_of(const struct pt_syntax *s, uint32_t row)
{
    const struct pt_expression *e = &s->expressions[row];
    return (struct pt_cov_span){e->line, e->column, e->end_line, e->end_column};
}

static uint8_t
state_of(const struct pt_decision *own, const struct pt_leaf *leaf)
{
    if (own->dead)
        return PT_COV_ABSENT;
    if (leaf->constant)
        return PT_COV_CONSTANT;
    if (!leaf->reached)
        return PT_COV_ABSENT;
    return leaf->asked ? PT_COV_DECIDED : PT_COV_UNDECIDABLE;
}

static enum pt_status
list_conditions(const struct pt_decisions *d, struct pt_cov_file *file)
{
    file->conditions = calloc((size_t)d->nleaves + 1, sizeof *file->conditions);
    file->decisions = calloc((size_t)d->n + 1, sizeof *file->decisions);
    if (!file->conditions || !file->decisions)
        return PT_ENOMEM;
    file->nconditions = d->nleaves;
    file->ndecisions = d->n;
    for (uint32_t i = 0; i < d->n; i++) {
        const struct pt_decision *own = &d->decisions[i];
        file->decisions[i] =
            (struct pt_cov_decision){.span = span_of(d->syntax, own->root),
                                     .context = own->context,
                                     .first = own->first,
                                     .nconditions = own->n};
        for (uint32_t k = own->first; k < own->first + own->n; k++)
            file->conditions[k] = (struct pt_cov_condition){
                .span = span_of(d->syntax, d->leaves[k].row),
                .decision = i,
                .state = state_of(own, &d->leaves[k])};
    }
    return PT_OK;
}

/* --- what the code says --------------------------------------------------- */

/* The one condition that a part asks for, constants aside, by its number;
 * PT_DECISION_MOST where there are several, or none, or where the condition is
 * asked for by itself: then the part is `a or 0`, whose value comes later. */
static uint32_t
only_of(const struct pt_followed *f, const struct pt_part *part)
{
    uint32_t only = PT_DECISION_MOST, n = 0;
    for (uint32_t i = part->first; i < part->last; i++)
        if (!f->leaves[i].constant && f->leaves[i].reached) {
            only = i;
            n++;
        }
    return n == 1 && f->least[only] == part->last - part->first
               ? only
               : PT_DECISION_MOST;
}

static void
note_size(struct pt_followed *f, const struct pt_part *part)
{
    uint8_t size = (uint8_t)(part->last - part->first);
    for (uint32_t i = part->first; f && i < part->last; i++)
        if (f->least[i] == 0 || size < f->least[i])
            f->least[i] = size;
}

/* Whether a decision's evaluations have to be followed: it has conditions to
 * tell apart, or is the test of a ternary in one that has. */
static bool
is_followed(const struct pt_decisions *d, uint32_t i)
{
    const struct pt_decision *own = &d->decisions[i];
    if (!own->followed || own->dead)
        return false;
    return own->n > 1 || own->parent;
}

static enum pt_status
follow(struct pt_judged *j)
{
    const struct pt_decisions *d = j->decisions;
    j->followed = calloc((size_t)d->n + 1, sizeof *j->followed);
    j->marks = calloc((size_t)d->n + 1, sizeof *j->marks);
    if (!j->followed || !j->marks)
        return PT_ENOMEM;
    for (uint32_t i = 0; i < d->n; i++) {
        if (!is_followed(d, i))
            continue;
        const struct pt_decision *own = &d->decisions[i];
        struct pt_followed *f = calloc(1, sizeof *f);
        if (!f)
            return PT_ENOMEM;
        *f = (struct pt_followed){.decisions = d,
                                  .own = own,
                                  .leaves = &d->leaves[own->first],
                                  .tries = calloc(own->n, sizeof *f->tries),
                                  .least = calloc(own->n, 1)};
        j->followed[i] = f;
        if (!f->tries || !f->least)
            return PT_ENOMEM;
    }
    return PT_OK;
}

/* Conditions of decisions that are not followed: what the counts say. */
static void
count_ask(const struct pt_decisions *d, const struct pt_cov_code *code,
          const struct pt_ask *ask, struct pt_cov_file *file)
{
    const struct pt_part *part = &d->parts[ask->row];
    const struct pt_decision *own = &d->decisions[part->decision];
    if (part->last != part->first + 1 || !code->counts)
        return;
    const struct pt_leaf *leaf = &d->leaves[own->first + part->first];
    struct pt_cov_condition *c = &file->conditions[own->first + part->first];
    uint64_t next = code->counts->next[ask->index];
    uint64_t jump = code->counts->jump[ask->index];
    bool jumps = ask->jumps != (leaf->odd != part->odd);
    if (c->state == PT_COV_CONSTANT)
        return;
    if (ask->blind) {
        c->undecided += next + jump;
        return;
    }
    c->yes += jumps ? jump : next;
    c->no += jumps ? next : jump;
}

/* Whether instruction `i` is the last of decision `own`, after which its value
 * is there: what is behind it is for something else, or leads there. */
static bool
is_last(const struct pt_decisions *d, const struct pt_graph *g,
        const struct pt_asks *asks, uint32_t i, uint32_t decision)
{
    uint32_t behind = asks->inside[i + 1];
    if (!asks->whole[i] || g->ins[i].cls != PT_INS_NEXT ||
        g->ins[i].flags & (PT_INS_RESUMES | PT_INS_OUTCOME))
        return false;
    if (g->ins[i + 1].cls == PT_INS_JUMP || g->ins[i + 1].cls == PT_INS_RETURN)
        return true;
    while (behind && d->parts[behind - 1].decision != decision)
        behind = pt_decisions_outside(d, behind - 1);
    return !behind;
}

/* The value of `x = not a`, of which no branch tells: how often it was there.
 * Also `1 and a`, of which only a is left. */
static void
count_values(const struct pt_judged *j, const struct pt_cov_code *code,
             const struct pt_asks *asks, struct pt_cov_file *file)
{
    const struct pt_decisions *d = j->decisions;
    for (uint32_t i = 0; i < code->graph->n; i++) {
        if (!asks->inside[i])
            continue;
        uint32_t decision = d->parts[asks->inside[i] - 1].decision;
        const struct pt_decision *own = &d->decisions[decision];
        const struct pt_leaf *leaf =
            &d->leaves[own->first + own->start % own->n];
        if (own->start >= own->n || leaf->asked || leaf->constant ||
            !is_last(d, code->graph, asks, i, decision))
            continue;
        if (j->followed[decision])
            j->followed[decision]->tries[own->start].undecided +=
                code->counts->next[i];
        else
            file->conditions[own->first + own->start].undecided +=
                code->counts->next[i];
    }
}

static int
by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Lists a decision of the code object, and those that it is a test in. */
static enum pt_status
list_decision(struct pt_judged *j, struct pt_watch *w, uint32_t decision)
{
    while (j->followed[decision] && j->marks[decision] != j->nwatches) {
        if ((w->ndecisions & (w->ndecisions - 1)) == 0) {
            size_t capacity = w->ndecisions ? 2 * (size_t)w->ndecisions : 1;
            uint32_t *list =
                realloc(w->decisions, capacity * sizeof *w->decisions);
            if (!list)
                return PT_ENOMEM;
            w->decisions = list;
        }
        w->decisions[w->ndecisions++] = decision;
        j->marks[decision] = j->nwatches;
        if (!j->followed[decision]->own->parent)
            break;
        decision = j->followed[decision]->own->parent - 1;
    }
    return PT_OK;
}

static enum pt_status
mean(struct pt_judged *j, struct pt_watch *w, const struct pt_asks *asks)
{
    const struct pt_decisions *d = j->decisions;
    enum pt_status st = PT_OK;
    w->meaning = calloc((size_t)w->graph->n + 1, sizeof *w->meaning);
    w->meanings = calloc((size_t)asks->n + 1, sizeof *w->meanings);
    if (!w->meaning || !w->meanings)
        return PT_ENOMEM;
    j->nwatches++;
    for (uint32_t i = 0; i < asks->n; i++) {
        const struct pt_part *part = &d->parts[asks->asks[i].row];
        note_size(j->followed[part->decision], part);
    }
    for (uint32_t i = 0; i < asks->n && st == PT_OK; i++) {
        const struct pt_ask *ask = &asks->asks[i];
        const struct pt_part *part = &d->parts[ask->row];
        if (!j->followed[part->decision])
            continue;
        w->meanings[i] = (struct pt_meaning){
            .followed = j->followed[part->decision],
            .first = (uint8_t)part->first,
            .last = (uint8_t)part->last,
            .only = (uint8_t)only_of(j->followed[part->decision], part),
            .odd = part->odd,
            .jumps = ask->jumps,
            .blind = ask->blind};
        w->meaning[ask->index] = i + 1;
        st = list_decision(j, w, part->decision);
    }
    if (w->ndecisions)
        qsort(w->decisions, w->ndecisions, sizeof *w->decisions, by_number);
    return st;
}

/* Watches a code object that has followed decisions, and takes `inside`. */
static enum pt_status
watch(struct pt_evaluations *e, struct pt_judged *judged,
      const struct pt_cov_code *code, struct pt_asks *asks)
{
    struct pt_watches *t = &e->traces[code->trace];
    if (code->id >= t->n) {
        uint32_t n = code->id < UINT32_MAX / 2 ? 2 * code->id + 64 : code->id;
        struct pt_watch **by_code = realloc(t->by_code, n * sizeof *by_code);
        if (!by_code)
            return PT_ENOMEM;
        memset(by_code + t->n, 0, (n - t->n) * sizeof *by_code);
        t->by_code = by_code;
        t->n = n;
    }
    struct pt_watch *w = calloc(1, sizeof *w);
    if (!w)
        return PT_ENOMEM;
    free_watch(t->by_code[code->id]);
    t->by_code[code->id] = w;
    t->any = true;
    w->judged = judged;
    w->graph = code->graph;
    w->inside = asks->inside;
    asks->inside = NULL;
    return mean(judged, w, asks);
}

static bool
has_followed(const struct pt_judged *j, const struct pt_asks *asks)
{
    for (uint32_t i = 0; i < asks->n; i++)
        if (j->followed[j->decisions->parts[asks->asks[i].row].decision])
            return true;
    return false;
}

static enum pt_status
add_code(struct pt_evaluations *e, struct pt_judged *j,
         const struct pt_interpreter *interpreter,
         const struct pt_cov_code *code, struct pt_cov_file *file)
{
    struct pt_asks *asks = NULL;
    enum pt_status st =
        pt_asks_new(j->decisions, interpreter, code->code, code->graph, &asks);
    if (st != PT_OK)
        return st;
    for (uint32_t i = 0; i < asks->n; i++)
        if (!j->followed[j->decisions->parts[asks->asks[i].row].decision])
            count_ask(j->decisions, code, &asks->asks[i], file);
    count_values(j, code, asks, file);
    if (has_followed(j, asks))
        st = watch(e, j, code, asks);
    pt_asks_free(asks);
    return st;
}

static enum pt_status
add_judged(struct pt_evaluations *e, struct pt_judged **out)
{
    if (e->njudged == e->capacity) {
        size_t capacity = e->capacity ? 2 * e->capacity : 64;
        struct pt_judged **judged =
            realloc(e->judged, capacity * sizeof(struct pt_judged *));
        if (!judged)
            return PT_ENOMEM;
        e->judged = judged;
        e->capacity = capacity;
    }
    *out = calloc(1, sizeof **out);
    if (*out)
        e->judged[e->njudged++] = *out;
    return *out ? PT_OK : PT_ENOMEM;
}

enum pt_status
pt_evaluations_add(struct pt_evaluations *e, const struct pt_collection *c,
                   const struct pt_cov_source *source, struct pt_cov_file *file,
                   uint32_t number)
{
    struct pt_judged *j;
    if (!source->syntax || source->syntax->nexpressions == 0)
        return PT_OK;
    enum pt_status st = add_judged(e, &j);
    if (st != PT_OK)
        return st;
    j->file = number;
    st = pt_decisions_new(source->syntax, source->text, &j->decisions);
    if (st == PT_OK)
        st = list_conditions(j->decisions, file);
    if (st == PT_OK)
        st = follow(j);
    for (uint32_t i = 0; st == PT_OK && i < source->ncodes; i++) {
        const struct pt_cov_code *code = &source->codes[i];
        const struct pt_interpreter *interpreter = pt_trace_interpreter(
            pt_collection_trace(c, code->trace), code->code->interpreter);
        if (code->graph && code->counts && interpreter)
            st = add_code(e, j, interpreter, code, file);
    }
    return st;
}

/* --- what was seen -------------------------------------------------------- */

/* A path and its text. */
struct told {
    struct pt_path_count path;
    const char *text;
    size_t length;
};

static int
by_text(const void *a, const void *b)
{
    static const char order[] = "TF-?";
    const struct told *v = a, *w = b;
    for (size_t i = 0; i < v->length; i++)
        if (v->text[i] != w->text[i])
            return strchr(order, v->text[i]) < strchr(order, w->text[i]) ? -1
                                                                         : 1;
    return 0;
}

/* The vectors of a decision, with their texts behind them, and in `paths`, of
 * as many, the paths that they stand for. */
static enum pt_status
tell_vectors(const struct pt_followed *f, struct pt_path_count *paths,
             struct pt_cov_decision *out)
{
    size_t n = f->paths.n, length = f->own->n;
    struct told *told = calloc(n + 1, sizeof *told);
    out->vectors = calloc(1, (n + 1) * sizeof *out->vectors + n * length);
    if (!told || !out->vectors) {
        free(told);
        return PT_ENOMEM;
    }
    char *text = (char *)(out->vectors + n + 1);
    for (uint32_t i = 0; i < f->paths.capacity; i++) {
        const struct pt_path_count *p = &f->paths.slots[i];
        if (!p->count)
            continue;
        pt_path_text(f->decisions, f->own, p->path, text);
        told[out->nvectors++] = (struct told){*p, text, length};
        text += length;
    }
    qsort(told, n, sizeof *told, by_text);
    for (size_t i = 0; i < n; i++) {
        paths[i] = told[i].path;
        out->vectors[i] =
            (struct pt_cov_vector){.seen = told[i].text,
                                   .result = pt_path_result(paths[i].path),
                                   .count = paths[i].count,
                                   .first = paths[i].first};
    }
    free(told);
    return PT_OK;
}

static enum pt_status
tell_mcdc(const struct pt_followed *f, struct pt_cov_decision *out)
{
    struct pt_path_count *paths = calloc(f->paths.n + 1, sizeof *paths);
    out->alone = calloc((size_t)f->own->n + 1, sizeof *out->alone);
    enum pt_status st = paths && out->alone ? PT_OK : PT_ENOMEM;
    if (st == PT_OK)
        st = tell_vectors(f, paths, out);
    if (st == PT_OK)
        st = pt_mcdc(f->decisions, f->own, paths, out->nvectors, out->alone);
    free(paths);
    return st;
}

static void
tell_conditions(const struct pt_followed *f, struct pt_cov_condition *out)
{
    for (uint32_t i = 0; i < f->own->n; i++) {
        const struct pt_tries *t = &f->tries[i];
        out[i].yes = t->count[1];
        out[i].no = t->count[0];
        out[i].undecided =
            t->undecided > t->raised ? t->undecided - t->raised : 0;
    }
}

enum pt_status
pt_evaluations_finish(struct pt_evaluations *e, struct pt_cov_file *files,
                      bool mcdc)
{
    enum pt_status st = PT_OK;
    for (size_t i = 0; i < e->njudged; i++) {
        const struct pt_judged *j = e->judged[i];
        struct pt_cov_file *file = &files[j->file];
        for (uint32_t k = 0; k < file->ndecisions && st == PT_OK; k++) {
            const struct pt_followed *f = j->followed[k];
            if (!f)
                continue;
            tell_conditions(f, &file->conditions[f->own->first]);
            if (mcdc && f->own->n > 1)
                st = tell_mcdc(f, &file->decisions[k]);
        }
    }
    return st;
}

void
pt_cov_conditions_clear(struct pt_cov_file *file)
{
    for (uint32_t i = 0; i < file->ndecisions; i++) {
        struct pt_cov_decision *d = &file->decisions[i];
        for (uint32_t k = 0; d->alone && k < d->nconditions; k++)
            free((char *)d->alone[k].missing);
        free(d->alone);
        free(d->vectors);
    }
    free(file->decisions);
    free(file->conditions);
    file->decisions = NULL;
    file->conditions = NULL;
    file->ndecisions = file->nconditions = 0;
}
