/* A row for each call, written when it ends. */
#include "analyze/export.h"

#include <string.h>

/* In quotes, as RFC 4180 has it; what a line cannot show is escaped. */
static void
put_str(struct pt_out *o, struct pt_str s)
{
    pt_out_char(o, '"');
    for (const char *q; s.len && (q = memchr(s.data, '"', s.len));) {
        size_t n = (size_t)(q - s.data);
        pt_out_str(o, (struct pt_str){s.data, n});
        pt_out_text(o, "\"\"");
        s = (struct pt_str){q + 1, s.len - n - 1};
    }
    pt_out_str(o, s);
    pt_out_char(o, '"');
}

static void
put_number(struct pt_out *o, uint64_t n)
{
    pt_out_u64(o, n);
    pt_out_char(o, ',');
}

static enum pt_status
begin(struct pt_export *x)
{
    pt_out_text(x->out, "pid,tid,thread,thread_name,depth,start_ns,duration_ns,"
                        "exclusive_ns,wait_ns,partial,kind,name,file,line\n");
    return PT_OK;
}

static enum pt_status
ended(void *state, const struct pt_span_lane *lane, int64_t time)
{
    struct pt_export *x = state;
    struct pt_out *o = x->out;
    char buffer[PT_NAME_TEXT];
    const struct pt_span *span = &lane->spans[lane->depth - 1];
    const struct pt_process *p = pt_trace_process(x->trace, lane->process);
    const struct pt_thread *t = pt_trace_thread(x->trace, lane->thread);
    struct pt_function_name f = pt_export_function(x, span, buffer);
    put_number(o, p ? p->pid : 0);
    put_number(o, t ? t->tid : 0);
    put_number(o, lane->thread);
    put_str(o, pt_export_thread(x, lane->thread));
    pt_out_char(o, ',');
    put_number(o, lane->depth - 1);
    pt_out_i64(o, span->start);
    pt_out_char(o, ',');
    put_number(o, (uint64_t)time - (uint64_t)span->start);
    put_number(o, span->exclusive);
    put_number(o, span->wait);
    put_number(o, span->partial);
    pt_out_text(o, f.kind);
    pt_out_char(o, ',');
    put_str(o, f.name);
    pt_out_char(o, ',');
    put_str(o, f.file);
    pt_out_char(o, ',');
    if (f.line)
        pt_out_u64(o, f.line);
    pt_out_char(o, '\n');
    return pt_export_status(x);
}

static enum pt_status
begun(void *state, const struct pt_span_lane *lane)
{
    return PT_OK;
}

static enum pt_status
end(struct pt_export *x)
{
    return PT_OK;
}

const struct pt_export_format pt_export_csv = {
    .name = "csv", .begin = begin, .begun = begun, .ended = ended, .end = end};
