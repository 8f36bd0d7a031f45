/* ptana dump: every event, as text to read or as JSON lines for programs.  The
 * schema of the lines is spec/format.md section 8. */
#include "analyze/dump.h"
#include "analyze/json.h"
#include "analyze/names.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct config {
    const char *kinds;
    uint64_t limit;
    bool recorded;
};

static const struct pt_option options[] = {
    {"kinds", 'k', PT_OPTION_TEXT, offsetof(struct config, kinds), "KIND,...",
     "only events of these kinds (call, return, line, c_call, ...)"},
    {"limit", 'n', PT_OPTION_COUNT, offsetof(struct config, limit), "N",
     "stop after N events"},
    {"as-recorded", 0, PT_OPTION_FLAG, offsetof(struct config, recorded), NULL,
     "only what is in the log: no lines and instructions that follow from the "
     "flow"},
    {0}};

/* What is the same in every line about one code object, written once. */
struct piece {
    char *text;
    size_t len;
};

struct dumper {
    struct pt_session *session;
    struct pt_out *out;
    struct piece *codes;     /* by code id */
    struct piece *callables; /* by callable id */
    uint32_t kinds;          /* bit per kind */
};

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
put_code(struct dumper *d, uint32_t id)
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
put_callee(struct dumper *d, uint32_t id)
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

/* --- JSON lines ----------------------------------------------------------- */

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
taken(const struct dumper *d, const struct pt_merged *m)
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
json_by_kind(struct dumper *d, const struct pt_merged *m)
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
json_line(struct dumper *d, const struct pt_merged *m)
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
    json_by_kind(d, m);
    pt_out_text(o, "}\n");
}

/* --- the analyzer --------------------------------------------------------- */

static enum pt_status
parse_kinds(struct pt_session *s, const char *words, uint32_t *out)
{
    uint32_t mask = 0;
    for (const char *p = words; *p || mask == 0;) {
        size_t len = strcspn(p, ",");
        enum pt_kind kind = pt_kind_find(p, (unsigned)len);
        if (kind == PT_KIND_NONE)
            return pt_session_fail(s, PT_EUSAGE,
                                   "there is no kind of event \"%.*s\"; kinds "
                                   "are call, return, line, ... (ptana info "
                                   "lists those in a trace)",
                                   (int)len, p);
        mask |= 1u << kind;
        p += len + (p[len] == ',');
    }
    *out = mask;
    return PT_OK;
}

/* The preset that records each kind, for the traces that lack it. */
static void
say_lacks(const struct pt_session *s, uint32_t kinds)
{
    static const struct {
        uint32_t kinds;
        const char *what, *preset;
    } presets[] = {
        {1u << PT_LINE, "lines", "lines"},
        {1u << PT_EXCEPTION | 1u << PT_HANDLED, "exceptions", "lines"},
        {1u << PT_INSTRUCTION, "instructions", "instructions"},
        {1u << PT_BRANCH | 1u << PT_JUMP, "branches", "instructions"},
        {1u << PT_CALL | 1u << PT_RETURN, "calls", "calls"},
        {1u << PT_C_CALL | 1u << PT_C_RETURN, "C calls", "calls"}};
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++)
        if (kinds & presets[i].kinds)
            pt_session_lacks(s, presets[i].kinds, presets[i].what,
                             presets[i].preset);
}

static enum pt_status
dump_all(struct dumper *d, struct pt_cursor *cursor)
{
    const struct config *config = d->session->config;
    bool json = pt_session_format(d->session, "jsonl");
    uint64_t left = config->limit ? config->limit : UINT64_MAX;
    struct pt_merged m;
    enum pt_status st = PT_OK;
    if (!json)
        pt_dump_text_head(d->out);
    while (left && d->out->status == PT_OK &&
           (st = pt_cursor_next(cursor, &m)) == PT_OK) {
        if (m.event->kind < PT_KIND_LIMIT && !(d->kinds >> m.event->kind & 1))
            continue;
        if (json)
            json_line(d, &m);
        else
            pt_dump_text_line(d->session, &m);
        left--;
    }
    return st == PT_END ? PT_OK : st;
}

static void
free_pieces(struct piece *pieces, uint32_t n)
{
    for (uint32_t i = 0; pieces && i <= n; i++)
        free(pieces[i].text);
    free(pieces);
}

/* Whether lines and instructions are wanted that the log implies.  Where it has
 * them itself they would come twice. */
static bool
wants_walk(const struct pt_session *s, uint32_t kinds)
{
    const struct config *config = s->config;
    uint32_t fine = 1u << PT_LINE | 1u << PT_INSTRUCTION;
    return !config->recorded && (kinds & fine) &&
           !(pt_trace_header(s->trace)->events & fine) &&
           pt_flow_lacks(s->trace) == NULL;
}

static enum pt_status
run(struct pt_session *s)
{
    const struct config *config = s->config;
    struct dumper d = {.session = s, .out = s->out, .kinds = UINT32_MAX};
    struct pt_cursor *cursor = NULL;
    struct pt_graph_cache *graphs = NULL;
    enum pt_status st = PT_OK;
    if (config->kinds)
        st = parse_kinds(s, config->kinds, &d.kinds);
    if (st != PT_OK)
        return st;
    if (config->kinds)
        say_lacks(s, d.kinds);
    uint32_t codes = pt_trace_code_count(s->trace);
    uint32_t callables = pt_trace_callable_count(s->trace);
    d.codes = calloc((size_t)codes + 1, sizeof *d.codes);
    d.callables = calloc((size_t)callables + 1, sizeof *d.callables);
    st = d.codes && d.callables ? pt_cursor_new(s->trace, s->filter, &cursor)
                                : PT_ENOMEM;
    if (st == PT_OK && wants_walk(s, d.kinds)) {
        st = pt_graph_cache_new(s->trace, &graphs);
        if (st == PT_OK)
            st = pt_cursor_walk(cursor, graphs);
    }
    if (st == PT_OK)
        st = dump_all(&d, cursor);
    if (cursor)
        s->trouble = pt_cursor_trouble(cursor);
    pt_cursor_free(cursor);
    pt_graph_cache_free(graphs);
    free_pieces(d.codes, codes);
    free_pieces(d.callables, callables);
    return st;
}

const struct pt_analyzer pt_analyzer_dump = {
    .name = "dump",
    .summary = "the events one by one, as text or JSON lines",
    .description =
        "Prints the events of all threads in the order of their times. In "
        "text, "
        "the function is indented by the depth of the stack; on a terminal, or "
        "with --width, long names and files lose their middle, the line number "
        "never, while a file or a pipe gets lines that are whole.\n"
        "seq is the event's number in the trace, time is in seconds since "
        "ptrec began, and thread is its number in the trace. Then stand the "
        "kind of event, the function that ran, and (file:line). +6 is an "
        "offset in the function's bytecode, +6 -> +20 a branch or jump. Events "
        "of C calls have two names: what is called, then the function that "
        "calls it. CPython 3.11 tells no branch, jump or handled.\n"
        "With "
        "--format=jsonl each event is a JSON object of its own, whose keys "
        "spec/format.md describes.",
    .examples = "ptana dump -n 100 # the first hundred events\n"
                "ptana dump --from=1.5s --to=1.6s --thread='#1' # a moment of "
                "a thread\n"
                "ptana dump --format=jsonl --kinds=exception # for a program",
    .options = options,
    .config_size = sizeof(struct config),
    .takes = PT_TAKES_RANGE | PT_TAKES_THREADS | PT_TAKES_GLOBS |
             PT_TAKES_FORMAT | PT_TAKES_TEXT,
    .formats = "text|jsonl",
    .run = run,
};
