/* The stacks that the collector follows, and the keyframes it writes of them.
 */
#include "test_record_fake.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const unsigned DT = 1 << PT_WORD_KIND_BITS;

/* More than a block deep in frames: the second chunk's keyframe. */
Test(record_stack, keyframe)
{
    enum { DEPTH = PT_BLOCK_EVENTS / 2 };
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    fake_claim(&l, &f, 0);
    l.wait = true;
    fake_begin(&l, 5);
    uint64_t entered[DEPTH + 1] = {0};
    uint64_t seq = 0;
    for (uint32_t i = 0; i < DEPTH; i++) {
        entered[i] = ++seq;
        FAKE_PUT(&l, PT_W_CALL_KEY | 1 * DT, 1 + i % FAKE_CODES, i, 0);
        seq++;
        FAKE_PUT(&l, PT_W_LINE, 100 + i);
        if (i % 100 == 0)
            fake_drain(&f);
    }
    FAKE_PUT(&l, PT_W_C_CALL, 1);
    entered[DEPTH] = ++seq;
    FAKE_PUT(&l, PT_W_CALL, 2);
    fake_drain(&f);
    fake_close(&f);

    int chunks = 0;
    for (size_t i = 0; i < pt_trace_chunk_count(f.trace); i++) {
        struct pt_events ev;
        if (pt_trace_chunk(f.trace, i)->type != PT_CHUNK_EVENTS)
            continue;
        cr_assert_eq(pt_decoder_events(f.decoder, i, &ev), PT_OK);
        if (chunks++ == 0) {
            cr_assert_eq(ev.depth, 0);
            continue;
        }
        uint64_t first = ev.info->seq, base = 0;
        for (size_t k = 0; k < ev.depth; k++) {
            const struct pt_frame *fr = &ev.stack[k];
            if (k == 0)
                base = fr->seq - entered[0];
            cr_assert(!fr->callable);
            cr_assert_eq(fr->key, k);
            cr_assert_eq(fr->seq - base, entered[k]);
            cr_assert_lt(fr->seq, first);
            cr_assert(fr->line == 100 + k || k + 1 == ev.depth);
            cr_assert_neq(fr->time, INT64_MIN);
        }
        cr_assert_geq(ev.depth, DEPTH - 1);
    }
    cr_assert_eq(chunks, 2);
    fake_clear(&f);
}

/* A C call without an end is closed by what cannot lie inside it. */
Test(record_stack, unfinished_c_calls)
{
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    fake_claim(&l, &f, 0);
    fake_begin(&l, 5);
    FAKE_PUT(&l, PT_W_CALL, 1);
    FAKE_PUT(&l, PT_W_C_CALL, 1);
    FAKE_PUT(&l, PT_W_CALL, 2);   /* called by the C function */
    FAKE_PUT(&l, PT_W_C_CALL, 2); /* never returns: */
    FAKE_PUT(&l, PT_W_RETURN, 2); /* f2 returns, c2 is closed */
    FAKE_PUT(&l, PT_W_C_CALL, 3); /* c1 cannot still run */
    FAKE_PUT(&l, PT_W_C_RETURN);
    FAKE_PUT(&l, PT_W_C_RETURN); /* of nothing: ignored */
    FAKE_PUT(&l, PT_W_C_CALL, 4);
    FAKE_PUT(&l, PT_W_LINE, 9); /* closes c4, and is f1's line */
    fake_drain(&f);
    struct pt_shadow *s = &f.t->lanes[0].shadow;
    cr_assert_eq(pt_shadow_depth(s), 1);
    cr_assert_eq(s->top->line, 9);
    FAKE_PUT(&l, PT_W_UNWIND, 1);
    FAKE_PUT(&l, PT_W_RETURN, 2); /* of a frame never seen: implied */
    fake_drain(&f);
    cr_assert_eq(pt_shadow_depth(s), 0);
    fake_close(&f);
    fake_clear(&f);
}

/* Frames that begin or end without a word are implied by the end of another. */
Test(record_stack, implied_events)
{
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    fake_claim(&l, &f, 0);
    fake_begin(&l, 5);
    FAKE_PUT(&l, PT_W_CALL, 1);
    FAKE_PUT(&l, PT_W_RETURN, 2); /* f2 never began */
    FAKE_PUT(&l, PT_W_CALL, 2);
    FAKE_PUT(&l, PT_W_C_CALL, 1);
    FAKE_PUT(&l, PT_W_CALL, 3);
    FAKE_PUT(&l, PT_W_RETURN | 7 * DT, 1); /* f2 and f3 never ended */
    fake_end(&l);
    fake_drain(&f);
    fake_close(&f);

    size_t n;
    struct pt_event *e = fake_events(&f, 5, &n);
    static const struct {
        uint8_t kind;
        bool implied;
    } expected[] = {{PT_THREAD, false}, {PT_CALL, false},  {PT_CALL, true},
                    {PT_RETURN, false}, {PT_CALL, false},  {PT_C_CALL, false},
                    {PT_CALL, false},   {PT_UNWIND, true}, {PT_UNWIND, true},
                    {PT_RETURN, false}, {PT_THREAD, false}};
    cr_assert_eq(n, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < n; i++) {
        cr_assert_eq(e[i].kind, expected[i].kind, "event %zu", i);
        if (e[i].kind != PT_THREAD)
            cr_assert_eq((e[i].has & PT_HAS(ARG)) && e[i].arg == PT_IMPLIED,
                         expected[i].implied, "event %zu", i);
    }
    cr_assert(fake_is(pt_trace_code(f.trace, e[2].id)->name, "f2"));
    cr_assert_eq(e[7].time, e[9].time);
    free(e);
    fake_clear(&f);
}

Test(record_stack, gap_and_stack)
{
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    fake_claim(&l, &f, 0);
    fake_begin(&l, 5);
    FAKE_PUT(&l, PT_W_CALL, 1);
    FAKE_PUT(&l, PT_W_CALL, 1);
    FAKE_PUT(&l, PT_W_GAP, 500, 0, 0, 0);
    FAKE_PUT(&l, PT_W_FRAME | 1 * DT, 3, 7, 0, 44);
    FAKE_PUT(&l, PT_W_FRAME, 4, 0, 0, 46);
    FAKE_PUT(&l, PT_W_LINE, 8);
    fake_drain(&f);
    fake_close(&f);

    struct pt_events ev;
    size_t last = 0;
    for (size_t i = 0; i < pt_trace_chunk_count(f.trace); i++)
        if (pt_trace_chunk(f.trace, i)->type == PT_CHUNK_EVENTS)
            last = i;
    cr_assert_eq(pt_decoder_events(f.decoder, last, &ev), PT_OK);
    cr_assert_eq(ev.depth, 2);
    cr_assert(ev.stack[0].key == 7 && ev.stack[0].off == 44);
    cr_assert_eq(ev.stack[0].seq, UINT64_MAX);
    cr_assert_eq(ev.stack[0].time, INT64_MIN);
    cr_assert(fake_is(pt_trace_code(f.trace, ev.stack[1].id)->name, "f4"));
    cr_assert_eq(ev.events[0].kind, PT_LINE);
    size_t n;
    struct pt_event *e = fake_events(&f, 5, &n);
    cr_assert(e[3].kind == PT_GAP && e[3].arg == 500);
    free(e);
    cr_assert_eq(pt_trace_end(f.trace)->gaps, 1);
    cr_assert_eq(pt_trace_end(f.trace)->lost, 500);
    cr_assert_eq(pt_trace_process_end(f.trace, 1)->lost, 500);
    fake_clear(&f);
}

/* A thread that begins with frames on its stack: they precede its begin. */
Test(record_stack, begin_with_frames)
{
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    fake_claim(&l, &f, 0);
    fake_begin(&l, 5);
    FAKE_PUT(&l, PT_W_FRAME, 3, 7, 0, 44);
    FAKE_PUT(&l, PT_W_RETURN, 3);
    fake_drain(&f);
    fake_close(&f);
    for (size_t i = 0; i < pt_trace_chunk_count(f.trace); i++) {
        struct pt_events ev;
        if (pt_trace_chunk(f.trace, i)->type != PT_CHUNK_EVENTS)
            continue;
        cr_assert_eq(pt_decoder_events(f.decoder, i, &ev), PT_OK);
        cr_assert_eq(ev.depth, 1);
        cr_assert_eq(ev.info->events, 3);
    }
    fake_clear(&f);
}

/* A stack as deep as a keyframe may be. */
Test(record_stack, deep_stack, .timeout = 60)
{
    enum { DEPTH = PT_SHADOW_LIMIT - 8 };
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    fake_claim(&l, &f, 0);
    l.wait = true;
    fake_begin(&l, 5);
    for (uint32_t i = 0; i < DEPTH; i++) {
        FAKE_PUT(&l, PT_W_CALL, 1);
        if (i % 4096 == 0)
            fake_drain(&f);
    }
    fake_drain(&f);
    cr_assert_eq(pt_shadow_depth(&f.t->lanes[0].shadow), DEPTH);
    cr_assert(!f.t->stopped);
    fake_close(&f);
    fake_clear(&f);
}

struct entry {
    uint64_t seq;
    uint32_t id, line;
    bool callable;
};

struct stack {
    struct entry at[4096];
    size_t depth;
};

/* The rule of DESIGN section 3, told by the log's own events. */
static void
follow(struct stack *s, const struct pt_event *e, uint64_t seq)
{
    bool top_c = s->depth > 0 && s->at[s->depth - 1].callable;
    switch (e->kind) {
    case PT_THREAD:
        break;
    case PT_CALL:
    case PT_RESUME:
    case PT_THROW:
        s->at[s->depth++] = (struct entry){seq, e->id, 0, false};
        break;
    case PT_C_CALL:
        s->depth -= top_c;
        s->at[s->depth++] = (struct entry){seq, e->id, 0, true};
        break;
    case PT_RETURN:
    case PT_YIELD:
    case PT_UNWIND:
        s->depth -= top_c;
        cr_assert_gt(s->depth, 0);
        s->depth--;
        break;
    default:
        s->depth -= top_c;
        if (e->kind == PT_LINE && s->depth > 0)
            s->at[s->depth - 1].line = e->pos;
    }
}

/* Each chunk's keyframe is what the events before it led to. */
static void
check_keyframes(struct fake *f)
{
    struct stack s = {.depth = 0};
    for (size_t i = 0; i < pt_trace_chunk_count(f->trace); i++) {
        struct pt_events ev;
        if (pt_trace_chunk(f->trace, i)->type != PT_CHUNK_EVENTS)
            continue;
        cr_assert_eq(pt_decoder_events(f->decoder, i, &ev), PT_OK);
        cr_assert_eq(ev.depth, s.depth);
        for (size_t k = 0; k < s.depth; k++) {
            cr_assert_eq(ev.stack[k].seq, s.at[k].seq);
            cr_assert_eq(ev.stack[k].id, s.at[k].id);
            cr_assert_eq(ev.stack[k].callable, s.at[k].callable);
            cr_assert_eq(ev.stack[k].line, s.at[k].line);
        }
        for (uint32_t k = 0; k < ev.info->events; k++)
            follow(&s, &ev.events[k], ev.info->seq + k);
    }
}

/* Ends that fit the stack, and ends that do not, in blocks of every size. */
Test(record_stack, keyframes_follow_from_events, .timeout = 60)
{
    srandom(3);
    for (uint32_t limit = 1; limit < 60; limit++) {
        struct fake f;
        struct fake_lane l;
        fake_open(&f, limit % 2 ? 0 : 1u << PT_CALL);
        fake_claim(&l, &f, 0);
        fake_begin(&l, 5);
        fake_drain(&f);
        f.journal.limit = limit;
        for (int i = 0; i < 1000; i++) {
            uint32_t code = 1 + (uint32_t)random() % FAKE_CODES;
            switch (random() % 6) {
            case 0:
                FAKE_PUT(&l, PT_W_CALL, code);
                break;
            case 1:
                FAKE_PUT(&l, PT_W_RESUME, code, 1, 0);
                break;
            case 2:
                FAKE_PUT(&l, PT_W_C_CALL, 1 + code % FAKE_CALLABLES);
                break;
            case 3:
                FAKE_PUT(&l, PT_W_C_RETURN);
                break;
            case 4:
                FAKE_PUT(&l, PT_W_LINE, (uint32_t)i);
                break;
            default:
                FAKE_PUT(&l, random() % 2 ? PT_W_RETURN : PT_W_UNWIND, code);
            }
        }
        fake_drain(&f);
        cr_assert(!f.t->stopped);
        fake_close(&f);
        check_keyframes(&f);
        fake_clear(&f);
    }
}
