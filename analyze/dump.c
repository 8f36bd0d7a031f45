/* ptana dump: every event, and every instruction, as text to read or as JSON
 * lines for programs. */
#include "analyze/dump.h"

#include <pt/values.h>

#include <stdlib.h>
#include <string.h>

struct config {
    const char *kinds;
    uint64_t limit;
    bool recorded, disassemble;
};

static const struct pt_option options[] = {
    {"kinds", 'k', PT_OPTION_TEXT, offsetof(struct config, kinds), "KIND,...",
     "only events of these kinds (call, return, line, c_call, ...)"},
    {"limit", 'n', PT_OPTION_COUNT, offsetof(struct config, limit), "N",
     "stop after N events"},
    {"disassemble", 'd', PT_OPTION_FLAG, offsetof(struct config, disassemble),
     NULL,
     "each instruction that ran, with what it did; the lines, branches and "
     "jumps that it shows are left out"},
    {"as-recorded", 0, PT_OPTION_FLAG, offsetof(struct config, recorded), NULL,
     "only what is in the log: no lines and instructions that follow from the "
     "flow"},
    {0}};

struct dumper {
    struct pt_session *session;
    uint32_t kinds; /* bit per kind */
    struct pt_cursor *cursor;
    struct pt_graph_cache *graphs;        /* NULL: of no use */
    struct pt_disassembler *disassembler; /* NULL: not wanted */
    struct pt_dump_json *json;            /* NULL: text */
    struct pt_dump_values *values;
};

/* --- what is wanted ------------------------------------------------------- */

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

static const uint32_t FINE = 1u << PT_LINE | 1u << PT_INSTRUCTION;

/* The kinds of lines and instructions that the log implies, and has not. */
static uint32_t
implied_kinds(const struct pt_session *s)
{
    const struct config *config = s->config;
    if (config->recorded || pt_flow_lacks(s->trace) != NULL)
        return 0;
    return FINE & ~pt_trace_header(s->trace)->events;
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
        {1u << PT_INSTRUCTION, "instructions", "flow"},
        {1u << PT_BRANCH | 1u << PT_JUMP, "branches", "flow"},
        {1u << PT_CALL | 1u << PT_RETURN, "calls", "calls"},
        {1u << PT_C_CALL | 1u << PT_C_RETURN, "C calls", "calls"}};
    const struct pt_header *h = pt_trace_header(s->trace);
    uint32_t once = h->optional & PT_OPTIONAL_ONCE ? h->events : 0;
    uint32_t implied = implied_kinds(s) | once;
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++)
        if (kinds & presets[i].kinds && !(implied & presets[i].kinds))
            pt_session_lacks(s, presets[i].kinds, presets[i].what,
                             presets[i].preset);
    if (kinds & 1u << PT_VALUE &&
        pt_values_lacks(s->trace, PT_LEVEL_CALLS) != NULL)
        pt_out_say("%s has no values; ptrec run --values=calls or "
                   "--values=locals records them",
                   pt_trace_path(s->trace));
}

static enum pt_status
choose_kinds(struct dumper *d)
{
    struct pt_session *s = d->session;
    const struct config *config = s->config;
    const uint32_t shown = 1u << PT_LINE | 1u << PT_BRANCH | 1u << PT_JUMP;
    d->kinds = config->disassemble ? ~shown : UINT32_MAX;
    enum pt_status st =
        config->kinds ? parse_kinds(s, config->kinds, &d->kinds) : PT_OK;
    if (st != PT_OK)
        return st;
    if (config->disassemble && config->recorded &&
        pt_flow_lacks(s->trace) == NULL &&
        !(pt_trace_header(s->trace)->events & 1u << PT_INSTRUCTION))
        return pt_session_fail(s, PT_EUSAGE,
                               "%s has no instructions as recorded: they "
                               "follow from its flow; leave out --as-recorded",
                               pt_trace_path(s->trace));
    uint32_t needed = config->kinds ? d->kinds : 0;
    say_lacks(s, needed | (config->disassemble ? 1u << PT_INSTRUCTION : 0));
    return PT_OK;
}

/* Whether an event that the session's filter lets pass is one to show. */
static bool
is_wanted(const struct dumper *d, const struct pt_merged *m)
{
    unsigned kind = m->event->kind;
    if (kind < PT_KIND_LIMIT && !(d->kinds >> kind & 1))
        return false;
    /* The log has it itself: it would come twice. */
    return !(m->walked &&
             pt_trace_header(d->session->trace)->events >> kind & 1);
}

/* --- the analyzer --------------------------------------------------------- */

static enum pt_status
show(struct dumper *d, const struct pt_merged *m)
{
    struct pt_dump_ins decoded, *ins = NULL;
    struct pt_dump_value found, *value = NULL;
    if (m->event->kind == PT_VALUE) {
        size_t width = d->json ? 0 : PT_DUMP_TEXT / 2;
        enum pt_status st = pt_dump_values_at(d->values, m, width, &found);
        if (st != PT_OK && st != PT_EDAMAGED)
            return st;
        if (st == PT_OK)
            value = &found;
    }
    if (d->disassembler && m->event->kind == PT_INSTRUCTION) {
        enum pt_status st = pt_disassembler_at(d->disassembler, m, &decoded);
        if (st != PT_OK)
            return st;
        ins = &decoded;
    }
    if (d->json)
        pt_dump_json_line(d->json, m, ins, value);
    else if (d->disassembler)
        pt_dump_code_line(d->session, d->disassembler, m, ins, value);
    else
        pt_dump_text_line(d->session, m, value);
    return PT_OK;
}

static enum pt_status
dump_all(struct dumper *d)
{
    const struct config *config = d->session->config;
    struct pt_out *out = d->session->out;
    uint64_t left = config->limit ? config->limit : UINT64_MAX;
    struct pt_merged m;
    enum pt_status st = PT_OK;
    if (!d->json && d->disassembler)
        pt_dump_code_head(out);
    else if (!d->json)
        pt_dump_text_head(out);
    while (left && st == PT_OK && out->status == PT_OK) {
        st = pt_cursor_next(d->cursor, &m);
        if (st == PT_OK && is_wanted(d, &m)) {
            st = show(d, &m);
            left--;
        }
    }
    return st == PT_END ? PT_OK : st;
}

static enum pt_status
prepare(struct dumper *d)
{
    struct pt_session *s = d->session;
    const struct config *config = s->config;
    bool walks = implied_kinds(s) & d->kinds;
    enum pt_status st = pt_cursor_new(s->trace, s->filter, &d->cursor);
    if (st == PT_OK && (walks || config->disassemble))
        st = pt_graph_cache_new(s->trace, &d->graphs);
    if (st == PT_OK && walks)
        st = pt_cursor_walk(d->cursor, d->graphs);
    if (st == PT_OK && config->disassemble)
        st = pt_disassembler_new(s->trace, d->graphs, &d->disassembler);
    if (st == PT_OK)
        st = pt_dump_values_new(s->trace, &d->values);
    if (st == PT_OK && pt_session_format(s, "jsonl"))
        st = pt_dump_json_new(s, &d->json);
    return st;
}

static enum pt_status
run(struct pt_session *s)
{
    struct dumper d = {.session = s};
    enum pt_status st = choose_kinds(&d);
    if (st == PT_OK)
        st = prepare(&d);
    if (st == PT_OK)
        st = dump_all(&d);
    if (d.cursor)
        s->trouble = pt_cursor_trouble(d.cursor);
    if (d.cursor && st != PT_OK && s->error.text[0] == '\0')
        s->error = *pt_cursor_error(d.cursor);
    pt_dump_json_free(d.json);
    pt_dump_values_free(d.values);
    pt_disassembler_free(d.disassembler);
    pt_cursor_free(d.cursor);
    pt_graph_cache_free(d.graphs);
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
        "calls it. CPython 3.11 tells branch, jump and handled with the preset "
        "flow only.\n"
        "A trace of the preset flow is shown with the lines and instructions "
        "that follow from it: 12+3 is the third instruction behind event 12, "
        "and a time with ~ lies between those that were read from a clock.\n"
        "--disassemble shows what each instruction did: its place in the "
        "source and the columns of its expression (4-9, or 4-14:1 where that "
        "ends in line 14), then the function, the way to it from the one "
        "before in that frame (+6 -> +8), the opcode, its argument and, in "
        "brackets, what that means. An exception stands at the instruction "
        "that raised it, and handled tells where it leads.\n"
        "Where values were recorded (ptrec run --values), each is an event: "
        "what a variable held, an argument or a result, as Python's repr() "
        "writes it; what was cut is marked.\n"
        "With "
        "--format=jsonl each event is a JSON object of its own, whose keys "
        "spec/format.md describes.",
    .examples = "ptana dump -n 100 # the first hundred events\n"
                "ptana dump --from=1.5s --to=1.6s --thread='#1' # a moment of "
                "a thread\n"
                "ptana dump -d --only=parse # each instruction of a "
                "function\n"
                "ptana dump -d --from=12+3 --to=20 # ... from the third behind "
                "event 12 on\n"
                "ptana dump --format=jsonl --kinds=exception # for a program",
    .options = options,
    .config_size = sizeof(struct config),
    .takes = PT_TAKES_RANGE | PT_TAKES_THREADS | PT_TAKES_RULES |
             PT_TAKES_FORMAT | PT_TAKES_TEXT,
    .formats = "text|jsonl",
    .run = run,
};
