#include "analyze/verify_walk.h"

#include <pt/flow.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    TOLD = 10,             /* of desyncs and of differences, one by one */
    WAITING_MOST = 1 << 20 /* recorded events between two of the flow */
};

/* A line or instruction as it was recorded. */
struct told {
    uint64_t seq;
    uint32_t value; /* line or byte offset */
    uint32_t depth; /* Python frames on the stack */
    uint8_t kind;
};

struct pt_walk_thread {
    struct pt_walk *walk;
    struct told *told; /* not compared yet */
    size_t n, capacity;
    uint32_t depth; /* Python frames on the stack */
};

/* Where in the trace a check is. */
struct here {
    struct pt_walk_check *check;
    struct pt_walk_thread *thread;
    uint32_t id;
    uint64_t seq;
};

/* --- findings ------------------------------------------------------------- */

static void
print_place(const struct here *h, uint64_t seq, uint32_t code)
{
    struct pt_session *s = h->check->session;
    const struct pt_code *c = pt_trace_code(s->trace, code);
    pt_out_printf(s->out, "thread #%" PRIu32 ", seq %" PRIu64 ", ", h->id, seq);
    pt_out_str(s->out, c ? c->qualname : (struct pt_str){"?", 1});
}

static void
print_offset(struct pt_out *out, const char *before, uint32_t off)
{
    if (off != UINT32_MAX)
        pt_out_printf(out, "%s offset %" PRIu32, before, off);
}

static void
on_desync(const struct here *h, const struct pt_desync *d)
{
    struct pt_walk_check *check = h->check;
    struct pt_out *out = check->session->out;
    const char *kind = pt_kind_name(d->kind);
    if (check->desyncs++ >= TOLD || !check->text)
        return;
    print_place(h, d->seq, d->code);
    print_offset(out, " at", d->off);
    pt_out_printf(out, ": desync at %s", kind ? kind : "the chunk's start");
    print_offset(out, ",", d->target);
    pt_out_printf(out, ": %s\n", pt_desync_text(d->reason));
}

static void
print_fine(struct pt_out *out, unsigned kind, uint32_t value)
{
    if (kind == PT_KIND_NONE)
        pt_out_text(out, "nothing");
    else
        pt_out_printf(out, "%s %" PRIu32,
                      kind == PT_LINE ? "line" : "instruction", value);
}

static void
on_difference(const struct here *h, const struct pt_walked *w,
              const struct told *told, const struct pt_fine *fine)
{
    struct pt_walk_check *check = h->check;
    struct pt_out *out = check->session->out;
    if (check->differing++ >= TOLD || !check->text)
        return;
    print_place(h, told ? told->seq : h->seq, w->code);
    pt_out_text(out, ": recorded is ");
    print_fine(out, told ? told->kind : PT_KIND_NONE, told ? told->value : 0);
    pt_out_text(out, ", walked is ");
    if (fine)
        print_fine(out, fine->kind,
                   fine->kind == PT_LINE ? fine->line : fine->off);
    else
        print_fine(out, PT_KIND_NONE, 0);
    pt_out_char(out, '\n');
}

/* --- comparing ------------------------------------------------------------ */

static bool
is_fine(unsigned kind)
{
    return kind == PT_LINE || kind == PT_INSTRUCTION;
}

static enum pt_status
remember(struct pt_walk_check *check, struct pt_walk_thread *t, uint64_t seq,
         const struct pt_event *e)
{
    if (t->n == t->capacity) {
        size_t capacity = t->capacity ? 2 * t->capacity : 256;
        if (t->n >= WAITING_MOST) {
            check->skipped += t->n;
            t->n = 0;
        } else {
            struct told *told = realloc(t->told, capacity * sizeof *told);
            if (!told)
                return PT_ENOMEM;
            t->told = told;
            t->capacity = capacity;
        }
    }
    t->told[t->n++] = (struct told){seq, e->pos, t->depth, e->kind};
    return PT_OK;
}

/* Where in `told` the frame on top begins.  What a deeper one told waits for
 * nothing any more; what lies before is that of frames below, whose walk has
 * not come so far: a frame can begin without a place. */
static size_t
begin_top(struct pt_walk_check *check, struct pt_walk_thread *t)
{
    while (t->n && t->told[t->n - 1].depth > t->depth) {
        t->n--;
        check->skipped++;
    }
    size_t i = t->n;
    while (i && t->told[i - 1].depth == t->depth)
        i--;
    return i;
}

/* What waits will not be compared any more. */
static void
skip_waiting(struct pt_walk_check *check, struct pt_walk_thread *t)
{
    check->skipped += t->n;
    t->n = 0;
}

/* Compares what ran with what was told from `first` on; how many of these are
 * the same.  Where the two part, the rest of the step is left: the next event
 * brings them together again. */
static size_t
match(const struct here *h, const struct pt_walked *w, size_t first,
      uint64_t expected)
{
    const struct pt_walk_thread *t = h->thread;
    struct pt_expand expand;
    struct pt_fine fine;
    size_t i = first;
    pt_expand_begin(&expand, w);
    while (i - first < expected && pt_expand_next(&expand, &fine)) {
        if (!(h->check->kinds >> fine.kind & 1))
            continue;
        const struct told *told = i < t->n ? &t->told[i] : NULL;
        uint32_t value = fine.kind == PT_LINE ? fine.line : fine.off;
        if (!told || told->kind != fine.kind || told->value != value) {
            on_difference(h, w, told, &fine);
            return i - first;
        }
        i++;
    }
    if (i < t->n)
        on_difference(h, w, &t->told[i], NULL);
    return i - first;
}

/* Counts what ran, and compares it with what was told of the frame on top. */
static void
compare(const struct here *h, const struct pt_walked *w)
{
    struct pt_walk_check *check = h->check;
    struct pt_walk_thread *t = h->thread;
    size_t first = begin_top(check, t), same = 0;
    uint64_t instructions, lines, expected = 0;
    pt_expand_count(w, &instructions, &lines);
    check->instructions += instructions;
    check->lines += lines;
    if (check->kinds >> PT_INSTRUCTION & 1)
        expected += instructions;
    if (check->kinds >> PT_LINE & 1)
        expected += lines;
    if (!w->lost && !w->desynced)
        same = match(h, w, first, expected);
    check->compared += same;
    check->skipped += t->n - first - same;
    t->n = first;
}

/* Whether all that the thread did up to the event must have been walked. */
static bool
is_asked(const struct pt_event *e)
{
    switch (e->kind) {
    case PT_BRANCH:
    case PT_JUMP:
    case PT_HANDLED:
    case PT_C_CALL:
        return true;
    case PT_EXCEPTION:
        return e->arg != PT_STOP_ITERATION;
    case PT_CALL:
    case PT_RESUME:
    case PT_THROW:
        return e->has & PT_HAS(OFF);
    case PT_RETURN:
    case PT_YIELD:
    case PT_UNWIND:
        return !(e->has & PT_HAS(ARG));
    default:
        return false;
    }
}

static enum pt_status
check_event(struct here *h, const struct pt_event *e)
{
    struct pt_walk_thread *t = h->thread;
    struct pt_walked w;
    if (is_fine(e->kind))
        return h->check->kinds ? remember(h->check, t, h->seq, e) : PT_OK;
    enum pt_status st = pt_walk_step(t->walk, e, h->seq, &w);
    if (st != PT_OK)
        return st;
    if (w.desynced)
        on_desync(h, &w.desync);
    if (e->kind == PT_GAP)
        skip_waiting(h->check, t); /* how the frames went on is not known */
    /* Where a caller was not found it stays, and what it told waits. */
    if (is_asked(e) && !(w.desynced && pt_kind_enters(e->kind)))
        compare(h, &w);
    t->depth += pt_kind_enters(e->kind);
    t->depth -= pt_kind_leaves(e->kind) && t->depth;
    return PT_OK;
}

static enum pt_status
check_chunk(void *state, const struct pt_events *chunk)
{
    struct pt_walk_check *check = state;
    const struct pt_chunk_info *c = chunk->info;
    struct here h = {check, NULL, c->thread, c->seq};
    struct pt_walked w;
    h.thread = &check->threads[pt_thread_ids_find(check->ids, c->thread)];
    if (!h.thread->walk) {
        enum pt_status st = pt_walk_new(check->graphs, &h.thread->walk);
        if (st != PT_OK)
            return st;
    }
    enum pt_status st = pt_walk_sync(h.thread->walk, chunk, &w);
    if (st == PT_OK && w.desynced)
        on_desync(&h, &w.desync);
    h.thread->depth = 0;
    for (size_t i = 0; i < chunk->depth; i++)
        h.thread->depth += !chunk->stack[i].callable;
    for (uint32_t i = 0; st == PT_OK && i < c->events; i++) {
        h.seq = c->seq + i;
        st = check_event(&h, &chunk->events[i]);
    }
    return st;
}

static enum pt_status
bad_chunk(void *state, const struct pt_chunk_info *c)
{
    struct pt_walk_check *check = state;
    struct pt_walk_thread *t =
        &check->threads[pt_thread_ids_find(check->ids, c->thread)];
    if (t->walk)
        pt_walk_lose(t->walk);
    skip_waiting(check, t);
    return PT_OK;
}

/* -------------------------------------------------------------------------- */

enum pt_status
pt_walk_check_init(struct pt_walk_check *check, struct pt_session *s,
                   const struct pt_thread_ids *ids, bool text,
                   struct pt_fold *fold)
{
    const struct pt_header *h = pt_trace_header(s->trace);
    *check = (struct pt_walk_check){
        .session = s,
        .text = text,
        /* A value lies between a line's event and its instruction's, where
           the walk has neither yet: then nothing is compared. */
        .kinds = h->values.len != 0
                     ? 0
                     : h->events & (1u << PT_LINE | 1u << PT_INSTRUCTION),
        .ids = ids,
    };
    enum pt_status st = pt_graph_cache_new(s->trace, &check->graphs);
    if (st != PT_OK)
        return st;
    check->threads = calloc(ids->n + 1, sizeof *check->threads);
    if (!check->threads)
        return PT_ENOMEM;
    *fold = (struct pt_fold){
        .state = check, .chunk = check_chunk, .bad = bad_chunk};
    return PT_OK;
}

void
pt_walk_check_clear(struct pt_walk_check *check)
{
    for (size_t i = 0; check->threads && i < check->ids->n; i++) {
        pt_walk_free(check->threads[i].walk);
        free(check->threads[i].told);
    }
    free(check->threads);
    pt_graph_cache_free(check->graphs);
    check->threads = NULL;
    check->graphs = NULL;
}

void
pt_walk_check_text(const struct pt_walk_check *check)
{
    struct pt_out *out = check->session->out;
    char a[PT_NUMBER_TEXT], b[PT_NUMBER_TEXT], c[PT_NUMBER_TEXT];
    pt_out_printf(
        out, "walked: %s instruction%s, %s line%s, %s desync%s",
        pt_text_grouped(check->instructions, a),
        pt_text_plural(check->instructions), pt_text_grouped(check->lines, b),
        pt_text_plural(check->lines), pt_text_grouped(check->desyncs, c),
        pt_text_plural(check->desyncs));
    if (check->kinds)
        pt_out_printf(
            out, "; %s recorded one by one, %s not compared, %s difference%s",
            pt_text_grouped(check->compared + check->skipped, a),
            pt_text_grouped(check->skipped, b),
            pt_text_grouped(check->differing, c),
            pt_text_plural(check->differing));
    pt_out_char(out, '\n');
}

void
pt_walk_check_json(const struct pt_walk_check *check, struct pt_json *j)
{
    pt_json_open(j, '{');
    pt_json_member_u64(j, "instructions", check->instructions);
    pt_json_member_u64(j, "lines", check->lines);
    pt_json_member_u64(j, "compared", check->compared);
    pt_json_member_u64(j, "skipped", check->skipped);
    pt_json_member_u64(j, "differing", check->differing);
    pt_json_member_u64(j, "desyncs", check->desyncs);
    pt_json_close(j, '}');
}
