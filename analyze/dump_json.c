/* Events for programs: a JSON object a line.  The schema is spec/format.md
 * section 8. */
#include "analyze/dump.h"
#include "analyze/json.h"
#include "analyze/names.h"

#include <pt/value.h>

#include <stdlib.h>
#include <string.h>

/* What is the same in every line about one code object, written once. */
struct piece {
    char *text;
    size_t len;
};

struct pt_dump_json {
    struct pt_session *session;
    struct pt_out *out;
    uint32_t ncodes, ncallables;
    struct piece *codes;     /* by code id */
    struct piece *callables; /* by callable id */
};

static void
free_pieces(struct piece *pieces, uint32_t n)
{
    for (uint32_t i = 0; pieces && i <= n; i++)
        free(pieces[i].text);
    free(pieces);
}

enum pt_status
pt_dump_json_new(struct pt_session *s, struct pt_dump_json **out)
{
    struct pt_dump_json *d = calloc(1, sizeof *d);
    if (!d)
        return PT_ENOMEM;
    d->session = s;
    d->out = s->out;
    d->ncodes = pt_trace_code_count(s->trace);
    d->ncallables = pt_trace_callable_count(s->trace);
    d->codes = calloc((size_t)d->ncodes + 1, sizeof *d->codes);
    d->callables = calloc((size_t)d->ncallables + 1, sizeof *d->callables);
    if (!d->codes || !d->callables) {
        pt_dump_json_free(d);
        return PT_ENOMEM;
    }
    *out = d;
    return PT_OK;
}

void
pt_dump_json_free(struct pt_dump_json *d)
{
    if (!d)
        return;
    free_pieces(d->codes, d->ncodes);
    free_pieces(d->callables, d->ncallables);
    free(d);
}

/* --- pieces --------------------------------------------------------------- */

/* Renders into a piece by way of the output's buffer, from `mark` on. */
static void
keep(struct pt_out *o, size_t mark, struct piece *piece)
{
    size_t len = o->used - mark;
    piece->text = malloc(len ? len : 1);
    if (piece->text) {
        memcpy(piece->text, o->buffer + mark, len);
        piece->len = len;
    }
}

/* ,"file":...,"func":... of a code object.  The names fit the empty buffer or
 * are written anew each time. */
static void
put_code(struct pt_dump_json *d, uint32_t id)
{
    struct pt_out *o = d->out;
    const struct pt_code *c = pt_trace_code(d->session->trace, id);
    if (!c) {
        pt_out_text(o, ",\"file\":null,\"func\":null");
        return;
    }
    struct piece *piece = &d->codes[id];
    if (piece->text) {
        pt_out_bytes(o, piece->text, piece->len);
        return;
    }
    size_t most = 6 * (c->file.len + c->qualname.len) + 64;
    if (most <= PT_OUT_BUFFER && o->used + most > PT_OUT_BUFFER)
        pt_out_flush(o);
    size_t mark = o->used;
    pt_out_text(o, ",\"file\":");
    pt_json_quote(o, c->file);
    pt_out_text(o, ",\"func\":");
    pt_json_quote(o, c->qualname);
    if (most <= PT_OUT_BUFFER)
        keep(o, mark, piece);
}

static void
put_callee(struct pt_dump_json *d, uint32_t id)
{
    char buffer[PT_NAME_TEXT];
    struct pt_out *o = d->out;
    if (!pt_trace_callable(d->session->trace, id)) {
        pt_out_text(o, ",\"callee\":null");
        return;
    }
    struct piece *piece = &d->callables[id];
    if (piece->text) {
        pt_out_bytes(o, piece->text, piece->len);
        return;
    }
    if (o->used + (size_t)6 * PT_NAME_TEXT + 64 > PT_OUT_BUFFER)
        pt_out_flush(o);
    size_t mark = o->used;
    pt_out_text(o, ",\"callee\":");
    pt_json_quote(o, pt_name_callable(d->session->trace, id, buffer));
    keep(o, mark, piece);
}

/* --- lines ---------------------------------------------------------------- */

static void
put_number(struct pt_out *o, const char *key, bool known, uint64_t value)
{
    pt_out_text(o, key);
    if (known)
        pt_out_u64(o, value);
    else
        pt_out_text(o, "null");
}

/* Whether a branch was taken: 0, 1, or -1 where the bytecode does not tell. */
static int
taken(const struct pt_dump_json *d, const struct pt_merged *m)
{
    const struct pt_trace *trace = d->session->trace;
    const struct pt_code *c =
        m->step.framed ? pt_trace_code(trace, m->step.frame.id) : NULL;
    const struct pt_interpreter *py =
        c ? pt_trace_interpreter(trace, c->interpreter) : NULL;
    uint32_t off = m->event->pos;
    if (!py || off >= c->bytecode.len)
        return -1;
    uint8_t opcode = (uint8_t)c->bytecode.data[off];
    return m->event->dst != off + 2 + 2u * py->opcodes[opcode].caches;
}

static size_t
python_depth(const struct pt_stack *stack)
{
    size_t n = 0;
    for (size_t i = 0; i < stack->depth; i++)
        n += !stack->frames[i].callable;
    return n;
}

static void
put_instruction(struct pt_out *o, const struct pt_dump_ins *ins)
{
    pt_out_text(o, ",\"op\":");
    if (ins->op)
        pt_json_quote(o, ins->op->name);
    else
        pt_out_text(o, "null");
    put_number(o, ",\"arg\":", ins->op && ins->op->flags & PT_OP_ARG, ins->arg);
    pt_out_text(o, ",\"argrepr\":");
    pt_json_quote(o, ins->meaning);
    put_number(o, ",\"from\":", ins->from != UINT32_MAX, ins->from);
    put_number(o, ",\"end_line\":", ins->at.end_line, ins->at.end_line);
    put_number(o, ",\"col\":", ins->at.column >= 0, (uint64_t)ins->at.column);
    put_number(o, ",\"end_col\":", ins->at.end_column >= 0,
               (uint64_t)ins->at.end_column);
}

static void
put_task(struct pt_dump_json *d, const struct pt_event *e)
{
    struct pt_out *o = d->out;
    const struct pt_task *task = pt_event_task(d->session->trace, e);
    const char *act = pt_task_act_name(e->dst);
    put_number(o, ",\"task\":", e->has & PT_HAS(ARG), e->arg);
    pt_out_text(o, ",\"name\":");
    if (task)
        pt_json_quote(o, task->name);
    else
        pt_out_text(o, "null");
    pt_out_text(o, ",\"act\":");
    if (act)
        pt_json_quote(o, (struct pt_str){act, strlen(act)});
    else
        pt_out_text(o, "null");
}

static void
by_kind(struct pt_dump_json *d, const struct pt_merged *m)
{
    struct pt_out *o = d->out;
    char buffer[PT_NAME_TEXT];
    const struct pt_event *e = m->event;
    int was;
    switch (e->kind) {
    case PT_C_CALL:
    case PT_C_RETURN:
    case PT_C_EXCEPTION:
        put_callee(d, m->step.callee);
        break;
    case PT_BRANCH:
        was = taken(d, m);
        pt_out_text(o, ",\"dst\":");
        pt_out_u64(o, e->dst);
        pt_out_text(o, was < 0 ? ",\"taken\":null"
                       : was   ? ",\"taken\":true"
                               : ",\"taken\":false");
        break;
    case PT_JUMP:
        pt_out_text(o, ",\"dst\":");
        pt_out_u64(o, e->dst);
        break;
    case PT_EXCEPTION:
        pt_out_text(o, ",\"type\":");
        if (pt_trace_type(d->session->trace, e->id))
            pt_json_quote(o, pt_name_type(d->session->trace, e->id, buffer));
        else
            pt_out_text(o, "null");
        pt_out_text(o,
                    e->arg == PT_RERAISED ? ",\"re\":true" : ",\"re\":false");
        break;
    case PT_SWITCH:
        put_number(o, ",\"greenlet\":", e->has & PT_HAS(ARG), e->arg);
        put_number(o, ",\"after\":", e->has & PT_HAS(DST), e->dst);
        break;
    case PT_TASK:
        put_task(d, e);
        break;
    case PT_CALL:
    case PT_RESUME:
    case PT_THROW:
    case PT_RETURN:
    case PT_YIELD:
    case PT_UNWIND:
        put_number(o, ",\"depth\":", !m->step.unmatched,
                   python_depth(m->stack) + pt_kind_leaves(e->kind));
        break;
    default:
        break;
    }
}

static void
put_value(struct pt_dump_json *d, const struct pt_dump_value *v)
{
    struct pt_out *o = d->out;
    if (!v) {
        pt_out_text(o, ",\"role\":null,\"index\":null,\"name\":null,"
                       "\"value\":null,\"told\":null");
        return;
    }
    const char *role = pt_name_role(v->role);
    pt_out_text(o, ",\"role\":");
    if (v->role > 0 && v->role < PT_ROLE_LIMIT)
        pt_json_quote(o, (struct pt_str){role, strlen(role)});
    else
        pt_out_text(o, "null");
    put_number(o, ",\"index\":", true, v->index);
    pt_out_text(o, ",\"name\":");
    if (v->name.len)
        pt_json_quote(o, v->name);
    else
        pt_out_text(o, "null");
    pt_out_text(o, ",\"value\":");
    if (v->known)
        pt_json_quote(o, v->text);
    else
        pt_out_text(o, "null");
    put_number(o, ",\"told\":", v->told != UINT64_MAX, v->told);
}

void
pt_dump_json_line(struct pt_dump_json *d, const struct pt_merged *m,
                  const struct pt_dump_ins *ins,
                  const struct pt_dump_value *value)
{
    struct pt_out *o = d->out;
    const struct pt_event *e = m->event;
    const struct pt_process *process =
        pt_trace_process(d->session->trace, m->process);
    const struct pt_thread *thread =
        pt_trace_thread(d->session->trace, m->thread);
    const char *name = pt_kind_name(e->kind);
    pt_out_text(o, "{\"seq\":");
    pt_out_u64(o, m->seq);
    pt_out_text(o, ",\"k\":");
    pt_out_u64(o, m->k);
    pt_out_text(o, ",\"t\":");
    pt_out_i64(o, e->time);
    put_number(o, ",\"pid\":", process, process ? process->pid : 0);
    put_number(o, ",\"tid\":", thread, thread ? thread->tid : 0);
    if (thread && thread->carrier)
        put_number(o, ",\"stack\":", true, m->thread);
    pt_out_text(o, ",\"ev\":");
    if (name) {
        pt_out_char(o, '"');
        pt_out_text(o, name);
        pt_out_char(o, '"');
    } else
        pt_out_text(o, "null");
    put_code(d, m->step.framed ? m->step.frame.id : 0);
    put_number(o, ",\"line\":", m->step.framed && m->step.frame.line,
               m->step.frame.line);
    put_number(o, ",\"off\":", e->has & PT_HAS(OFF), e->pos);
    by_kind(d, m);
    if (e->kind == PT_VALUE)
        put_value(d, value);
    if (ins)
        put_instruction(o, ins);
    pt_out_text(o, "}\n");
}
