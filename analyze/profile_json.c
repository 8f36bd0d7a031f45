/* The profile as one JSON object. */
#include "analyze/json.h"
#include "analyze/names.h"
#include "analyze/profile.h"

void
pt_profile_json_name(struct pt_json *j, const struct pt_profile_row *r)
{
    pt_json_member_str(j, "name", r->name);
    pt_json_member_str(j, "file", r->file);
    pt_json_member_u64(j, "line", r->line);
    pt_json_member_text(j, "kind", r->kind);
    pt_json_member_str(j, "label", r->label);
}

void
pt_profile_json_row(struct pt_json *j, const struct pt_profile_row *r)
{
    const struct pt_profile_function *f = r->fn;
    bool known = f->calls != 0;
    const struct {
        const char *key;
        uint64_t value;
    } times[] = {{"min", f->min},
                 {"max", f->max},
                 {"p50", r->p50},
                 {"p90", r->p90},
                 {"p99", r->p99}};
    pt_profile_json_name(j, r);
    pt_json_member_u64(j, "calls", f->calls);
    pt_json_member_u64(j, "primitive", f->primitive);
    pt_json_member_u64(j, "exclusive", f->exclusive);
    pt_json_member_u64(j, "inclusive", f->inclusive);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        pt_json_maybe_u64(j, times[i].key, known, times[i].value);
    }
    pt_json_member_u64(j, "wait", f->wait);
    if (r->blocks)
        pt_json_member_bool(j, "blocks", true);
    if (f->compensated)
        pt_json_member_u64(j, "compensated", f->compensated);
}

void
pt_profile_json_open(struct pt_json *j, struct pt_session *s)
{
    pt_json_init(j, s->out, 3);
    pt_json_open(j, '{');
    pt_json_member_u64(j, "version", 1);
    pt_json_member_text(j, "unit", "ns");
}

void
pt_profile_json_close(struct pt_json *j, const struct pt_session *s,
                      const struct pt_profile *p,
                      const struct pt_profile_rows *rows)
{
    pt_json_member_u64(j, "gaps", s->trouble.gaps);
    pt_json_member_u64(j, "desyncs", s->trouble.desyncs);
    pt_json_member_u64(j, "lost", s->trouble.lost);
    pt_json_member_u64(j, "damaged", s->trouble.bad_chunks);
    pt_json_member_u64(j, "events", p->events);
    if (p->options.compensate) {
        pt_json_member_u64(j, "compensated", p->compensated);
        pt_json_member_u64(j, "below", p->below);
    }
    pt_json_member_u64(j, "threads", rows->threads);
    pt_json_member_u64(j, "total", rows->total);
    pt_json_member_u64(j, "duration",
                       (uint64_t)rows->last - (uint64_t)rows->first);
    pt_json_close(j, '}');
    pt_json_finish(j);
}

void
pt_profile_json_thread(struct pt_json *j, const struct pt_trace *trace,
                       uint32_t id)
{
    const struct pt_thread *t = pt_trace_thread(trace, id);
    const struct pt_process *p = t ? pt_trace_process(trace, t->process) : NULL;
    struct pt_growing name = {0};
    pt_name_thread(trace, id, &name);
    pt_json_key(j, "thread");
    pt_json_open(j, '{');
    pt_json_member_u64(j, "id", id);
    pt_json_maybe_u64(j, "tid", t != NULL, t ? t->tid : 0);
    pt_json_maybe_u64(j, "pid", p != NULL, p ? p->pid : 0);
    pt_json_member_str(j, "name", pt_growing_whole(&name));
    pt_json_close(j, '}');
    pt_growing_free(&name);
}

void
pt_profile_json(struct pt_session *s, const struct pt_profile *p,
                const struct pt_profile_rows *rows)
{
    struct pt_json j;
    pt_profile_json_open(&j, s);
    pt_json_key(&j, "functions");
    pt_json_open(&j, '[');
    for (size_t i = 0; i < rows->shown; i++) {
        pt_json_open(&j, '{');
        pt_profile_json_row(&j, &rows->rows[i]);
        pt_json_close(&j, '}');
    }
    pt_json_close(&j, ']');
    pt_profile_json_close(&j, s, p, rows);
}
