/* speedscope's own format: an evented profile for each thread.  Which frames
 * there are is known at the end, and speedscope does not mind the order. */
#include "analyze/export.h"

#include <stdlib.h>

struct frame {
    uint32_t id;
    bool callable;
};

struct state {
    uint32_t *of_code, *of_callable; /* frame by id, plus one; 0: not yet */
    struct frame *frames;            /* in order of their first event */
    uint32_t n;
    int64_t first, last; /* of the profile */
    bool any;            /* it has events */
};

static enum pt_status
begin(struct pt_export *x)
{
    struct state *s = x->state;
    struct pt_json *j = &x->json;
    size_t codes = pt_trace_code_count(x->trace) + (size_t)1;
    size_t callables = pt_trace_callable_count(x->trace) + (size_t)1;
    s->of_code = calloc(codes, sizeof *s->of_code);
    s->of_callable = calloc(callables, sizeof *s->of_callable);
    s->frames = calloc(codes + callables, sizeof *s->frames);
    if (!s->of_code || !s->of_callable || !s->frames)
        return PT_ENOMEM;
    pt_json_init(j, x->out, 5);
    pt_json_open(j, '{');
    pt_json_member_text(j, "$schema",
                        "https://www.speedscope.app/file-format-schema.json");
    pt_json_member_text(j, "exporter", "ptana " PT_VERSION);
    pt_json_member_text(j, "name", pt_trace_path(x->trace));
    pt_json_key(j, "profiles");
    pt_json_open(j, '[');
    return PT_OK;
}

static enum pt_status
thread(struct pt_export *x, uint32_t id)
{
    struct state *s = x->state;
    struct pt_json *j = &x->json;
    s->any = false;
    pt_json_open(j, '{');
    pt_json_member_text(j, "type", "evented");
    pt_json_member_str(j, "name", pt_export_track(x, id));
    pt_json_member_text(j, "unit", "nanoseconds");
    pt_json_key(j, "events");
    pt_json_open(j, '[');
    return PT_OK;
}

/* Ids that nothing defines share frame 0 of their kind. */
static uint32_t
frame_of(struct pt_export *x, const struct pt_span *span)
{
    struct state *s = x->state;
    uint32_t count = span->callable ? pt_trace_callable_count(x->trace)
                                    : pt_trace_code_count(x->trace);
    uint32_t id = span->id <= count ? span->id : 0;
    uint32_t *frame = &(span->callable ? s->of_callable : s->of_code)[id];
    if (*frame == 0) {
        s->frames[s->n] = (struct frame){id, span->callable};
        *frame = ++s->n;
    }
    return *frame - 1;
}

static enum pt_status
put(struct pt_export *x, const struct pt_span_lane *lane, const char *type,
    int64_t time)
{
    struct state *s = x->state;
    struct pt_json *j = &x->json;
    pt_json_open(j, '{');
    pt_json_member_text(j, "type", type);
    pt_json_member_u64(j, "frame", frame_of(x, &lane->spans[lane->depth - 1]));
    pt_json_member_i64(j, "at", time);
    pt_json_close(j, '}');
    if (!s->any)
        s->first = time;
    s->last = time;
    s->any = true;
    return pt_export_status(x);
}

static enum pt_status
begun(void *state, const struct pt_span_lane *lane)
{
    return put(state, lane, "O", lane->spans[lane->depth - 1].start);
}

static enum pt_status
ended(void *state, const struct pt_span_lane *lane, int64_t time)
{
    return put(state, lane, "C", time);
}

static enum pt_status
thread_end(struct pt_export *x, uint32_t id)
{
    struct state *s = x->state;
    struct pt_json *j = &x->json;
    pt_json_close(j, ']');
    pt_json_member_i64(j, "startValue", s->any ? s->first : 0);
    pt_json_member_i64(j, "endValue", s->any ? s->last : 0);
    pt_json_close(j, '}');
    return pt_export_status(x);
}

static enum pt_status
end(struct pt_export *x)
{
    struct state *s = x->state;
    struct pt_json *j = &x->json;
    char buffer[PT_NAME_TEXT];
    pt_json_close(j, ']');
    j->compact = 4;
    pt_json_key(j, "shared");
    pt_json_open(j, '{');
    pt_json_key(j, "frames");
    pt_json_open(j, '[');
    for (uint32_t i = 0; i < s->n; i++) {
        struct pt_function_name f = pt_name_function(
            x->trace, s->frames[i].id, s->frames[i].callable, buffer);
        pt_json_open(j, '{');
        pt_json_member_str(j, "name", f.name);
        if (!s->frames[i].callable) {
            pt_json_member_str(j, "file", f.file);
            if (f.line)
                pt_json_member_u64(j, "line", f.line);
        }
        pt_json_close(j, '}');
    }
    pt_json_close(j, ']');
    pt_json_close(j, '}');
    pt_json_close(j, '}');
    pt_json_finish(j);
    return PT_OK;
}

static void
clear(struct pt_export *x)
{
    struct state *s = x->state;
    free(s->of_code);
    free(s->of_callable);
    free(s->frames);
}

const struct pt_export_format pt_export_speedscope = {
    .name = "speedscope",
    .size = sizeof(struct state),
    .thread_by_thread = true,
    .begin = begin,
    .thread = thread,
    .begun = begun,
    .ended = ended,
    .thread_end = thread_end,
    .end = end,
    .clear = clear,
};
