/* The view --by-task: how long each asyncio task ran and waited, and for whom.
 */
#include "analyze/columns.h"
#include "analyze/names.h"
#include "analyze/profile.h"
#include "analyze/task_fold.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_LIMIT = 40, NAME_LEAST = 40 };

struct tasks {
    const struct pt_trace *trace;
    const struct pt_tasks *all;
    uint32_t *ids; /* those that ran or waited longest first */
    size_t n, shown;
    uint64_t running; /* ns, of all */
};

static const struct pt_task_sums *
sums(const struct tasks *t, size_t i)
{
    return &t->all->sums[t->ids[i]];
}

/* --- rows ----------------------------------------------------------------- */

static int
by_time(const void *a, const void *b, void *tasks)
{
    const struct pt_tasks *all = tasks;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    const struct pt_task_sums *s = &all->sums[x], *r = &all->sums[y];
    if (s->running != r->running)
        return s->running > r->running ? -1 : 1;
    if (s->waiting != r->waiting)
        return s->waiting > r->waiting ? -1 : 1;
    return (x > y) - (x < y);
}

static enum pt_status
gather(struct pt_session *s, struct pt_tasks *all, struct tasks *out)
{
    const struct pt_profile_config *config = s->config;
    uint64_t least, limit = config->limit                  ? config->limit
                            : pt_session_format(s, "text") ? TEXT_LIMIT
                                                           : SIZE_MAX;
    *out = (struct tasks){.trace = s->trace, .all = all};
    for (uint32_t i = 0; i < all->n; i++)
        out->running += all->sums[i].running;
    enum pt_status st = pt_profile_min_time(s, out->running, &least);
    if (st != PT_OK)
        return st;
    out->ids = calloc(all->n, sizeof *out->ids);
    if (!out->ids)
        return PT_ENOMEM;
    for (uint32_t i = 0; i < all->n; i++)
        if (all->sums[i].seen &&
            all->sums[i].running + all->sums[i].waiting >= least)
            out->ids[out->n++] = i;
    qsort_r(out->ids, out->n, sizeof *out->ids, by_time, all);
    out->shown = config->all || limit > out->n ? out->n : (size_t)limit;
    return PT_OK;
}

static struct pt_str
task_name(const struct tasks *t, uint32_t id)
{
    const struct pt_task *task = pt_trace_task(t->trace, id);
    return task && task->name.len ? task->name : (struct pt_str){"?", 1};
}

static const struct pt_code *
coroutine(const struct tasks *t, uint32_t id)
{
    const struct pt_task *task = pt_trace_task(t->trace, id);
    return task ? pt_trace_code(t->trace, task->code) : NULL;
}

static uint32_t
creator(const struct tasks *t, uint32_t id)
{
    const struct pt_task *task = pt_trace_task(t->trace, id);
    return task ? task->parent : 0;
}

/* "returned", or what it was doing when the recording ended. */
static const char *
state(const struct pt_task_sums *s)
{
    const char *name = s->act ? pt_task_act_name(s->act) : NULL;
    return name ? name : "created";
}

/* --- text ----------------------------------------------------------------- */

enum { STEPS, RUNNING, SHARE, WAITING, STATE, COLUMNS };

static const struct pt_heading columns[COLUMNS] = {
    {"steps", 1}, {"running", 0}, {"%", 2}, {"waiting", 0}, {"state", 1}};

static const char *
cell(const void *table, size_t row, unsigned column, char *buffer)
{
    const struct tasks *t = table;
    const struct pt_task_sums *s = sums(t, row);
    switch (column) {
    case STEPS:
        snprintf(buffer, PT_CELL_TEXT, "%" PRIu64, s->steps);
        return buffer;
    case RUNNING:
        return pt_text_duration((int64_t)s->running, buffer);
    case SHARE:
        snprintf(buffer, PT_CELL_TEXT, "%.1f",
                 t->running ? 100.0 * (double)s->running / (double)t->running
                            : 0.0);
        return buffer;
    case WAITING:
        return s->waiting ? pt_text_duration((int64_t)s->waiting, buffer) : "-";
    default:
        return state(s);
    }
}

/* Appends ", WHAT NAME". */
static void
add_task(struct pt_growing *g, const struct tasks *t, const char *what,
         uint32_t id)
{
    struct pt_str name = task_name(t, id);
    pt_growing_text(g, what);
    pt_growing_str(g, name);
}

static void
put_task(struct pt_out *o, const struct tasks *t, size_t row, unsigned width)
{
    uint32_t id = t->ids[row];
    const struct pt_code *code = coroutine(t, id);
    struct pt_growing line = {0};
    char buffer[PT_NUMBER_TEXT], text[PT_NAME_TEXT];
    add_task(&line, t, "", id);
    if (code) {
        pt_growing_text(&line, "  ");
        pt_growing_str(&line, code->qualname);
    }
    if (creator(t, id))
        add_task(&line, t, ", created by ", creator(t, id));
    if (sums(t, row)->awaited) {
        add_task(&line, t, ", waited for ", sums(t, row)->awaited);
        pt_growing_text(&line, " ");
        pt_growing_text(
            &line, pt_text_duration((int64_t)sums(t, row)->longest, buffer));
    }
    pt_text_escape(pt_growing_whole(&line), text, sizeof text);
    if (o->fit)
        pt_text_shorten(text, width);
    pt_out_printf(o, "%s\n", text);
    pt_growing_free(&line);
}

static void
text(struct pt_session *s, const struct tasks *t)
{
    struct pt_columns table = {.columns = columns,
                               .n = COLUMNS,
                               .cell = cell,
                               .table = t,
                               .rows = t->shown};
    char a[PT_NUMBER_TEXT], b[PT_NUMBER_TEXT];
    pt_out_printf(s->out, "%zu task%s, %s of steps, %s events\n\n", t->n,
                  pt_text_plural(t->n),
                  pt_text_duration((int64_t)t->running, a),
                  pt_text_grouped(t->all->events, b));
    pt_columns_measure(&table);
    unsigned width = pt_columns_fit(&table, s->out->width, NAME_LEAST);
    pt_columns_head(&table, s->out, "task");
    for (size_t i = 0; i < t->shown; i++) {
        pt_columns_row(&table, s->out, i);
        put_task(s->out, t, i, width);
    }
    if (t->shown < t->n)
        pt_out_printf(s->out, "\n%zu more task%s; --all shows them\n",
                      t->n - t->shown, pt_text_plural(t->n - t->shown));
}

/* --- JSON ----------------------------------------------------------------- */

static void
json(struct pt_session *s, const struct tasks *t)
{
    struct pt_json j;
    pt_profile_json_open(&j, s);
    pt_json_key(&j, "tasks");
    pt_json_open(&j, '[');
    for (size_t i = 0; i < t->shown; i++) {
        uint32_t id = t->ids[i], parent = creator(t, id);
        const struct pt_task_sums *sum = sums(t, i);
        const struct pt_code *code = coroutine(t, id);
        pt_json_open(&j, '{');
        pt_json_member_u64(&j, "id", id);
        pt_json_member_str(&j, "name", task_name(t, id));
        if (code)
            pt_json_member_str(&j, "coroutine", code->qualname);
        pt_json_maybe_u64(&j, "creator", parent != 0, parent);
        pt_json_member_text(&j, "state", state(sum));
        pt_json_member_u64(&j, "steps", sum->steps);
        pt_json_member_u64(&j, "running", sum->running);
        pt_json_member_u64(&j, "waiting", sum->waiting);
        pt_json_maybe_u64(&j, "awaited", sum->awaited != 0, sum->awaited);
        pt_json_member_u64(&j, "longest", sum->longest);
        pt_json_close(&j, '}');
    }
    pt_json_close(&j, ']');
    pt_json_member_u64(&j, "gaps", s->trouble.gaps);
    pt_json_member_u64(&j, "lost", s->trouble.lost);
    pt_json_member_u64(&j, "damaged", s->trouble.bad_chunks);
    pt_json_member_u64(&j, "events", t->all->events);
    pt_json_member_u64(&j, "total", t->running);
    pt_json_close(&j, '}');
    pt_json_finish(&j);
}

/* --- the view ------------------------------------------------------------- */

static enum pt_status
run(struct pt_session *s)
{
    struct pt_tasks *all;
    struct tasks t = {0};
    pt_session_lacks(s, 1u << PT_TASK, "asyncio tasks", "flow");
    enum pt_status st = pt_tasks_new(s->trace, s->filter, &all);
    if (st != PT_OK)
        return st;
    struct pt_fold fold = pt_tasks_fold(all);
    st = pt_pass_run(s->trace, s->filter, &fold, 1, &s->trouble, &s->error);
    if (st == PT_OK) {
        pt_tasks_finish(all);
        st = gather(s, all, &t);
    }
    if (st == PT_OK && pt_session_format(s, "text"))
        text(s, &t);
    else if (st == PT_OK)
        json(s, &t);
    free(t.ids);
    pt_tasks_free(all);
    return st;
}

const struct pt_profile_view pt_profile_tasks = {
    .option = "by-task",
    .takes = "limit|all|min-time",
    .formats = "text|json",
    .run = run,
};
