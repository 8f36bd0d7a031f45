/* The collector on a fake producer that keeps the protocol. */
#include "test_record_fake.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const unsigned DT = 1 << PT_WORD_KIND_BITS;

Test(record_drain, every_kind)
{
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    fake_claim(&l, &f, 0);
    fake_begin(&l, 77);
    FAKE_PUT(&l, PT_W_CALL | 1 * DT, 1);
    FAKE_PUT(&l, PT_W_LINE | 2 * DT, 12);
    FAKE_PUT(&l, PT_W_INSTRUCTION | 3 * DT, 4);
    FAKE_PUT(&l, PT_W_BRANCH, 6, 20);
    FAKE_PUT(&l, PT_W_JUMP, 8, 2);
    FAKE_PUT(&l, PT_W_EXCEPTION, 10 << 2 | PT_RERAISED, 2);
    FAKE_PUT(&l, PT_W_HANDLED, 12);
    FAKE_PUT(&l, PT_W_C_CALL, 3);
    FAKE_PUT(&l, PT_W_C_RETURN);
    FAKE_PUT(&l, PT_W_C_CALL, 4);
    FAKE_PUT(&l, PT_W_C_EXCEPTION);
    FAKE_PUT(&l, PT_W_CALL_KEY, 2, 5, 6);
    FAKE_PUT(&l, PT_W_YIELD, 2);
    FAKE_PUT(&l, PT_W_RESUME, 2, 5, 6);
    FAKE_PUT(&l, PT_W_YIELD, 2);
    FAKE_PUT(&l, PT_W_THROW, 2, 5, 6);
    FAKE_PUT(&l, PT_W_UNWIND, 2);
    FAKE_PUT(&l, PT_W_RETURN | 9 * DT, 1);
    fake_end(&l);
    cr_assert(fake_drain(&f));
    cr_assert(!fake_drain(&f));
    fake_close(&f);

    size_t n;
    struct pt_event *e = fake_events(&f, 77, &n);
    static const uint8_t kinds[] = {
        PT_THREAD, PT_CALL,        PT_LINE,    PT_INSTRUCTION, PT_BRANCH,
        PT_JUMP,   PT_EXCEPTION,   PT_HANDLED, PT_C_CALL,      PT_C_RETURN,
        PT_C_CALL, PT_C_EXCEPTION, PT_CALL,    PT_YIELD,       PT_RESUME,
        PT_YIELD,  PT_THROW,       PT_UNWIND,  PT_RETURN,      PT_THREAD};
    cr_assert_eq(n, sizeof kinds);
    for (size_t i = 0; i < n; i++) {
        cr_assert_eq(e[i].kind, kinds[i], "event %zu", i);
        cr_assert(e[i].has & PT_HAS(TIME));
    }
    cr_assert_eq(e[0].arg, 1);
    cr_assert(fake_is(pt_trace_code(f.trace, e[1].id)->name, "f1"));
    cr_assert_eq(e[2].pos, 12);
    cr_assert_eq(e[3].pos, 4);
    cr_assert(e[4].pos == 6 && e[4].dst == 20);
    cr_assert(e[5].pos == 8 && e[5].dst == 2);
    cr_assert(e[6].pos == 10 && e[6].arg == PT_RERAISED);
    cr_assert(fake_is(pt_trace_type(f.trace, e[6].id)->name, "KeyError"));
    cr_assert_eq(e[12].arg, UINT64_C(0x600000005));
    cr_assert_eq(e[16].arg, UINT64_C(0x600000005));
    int64_t quantum = pt_timebase_ns(&f.clock, 1000);
    cr_assert_leq(llabs((e[2].time - e[1].time) * 1000 - 2 * quantum), 2000);
    cr_assert_eq(e[n - 1].arg, 0);
    const struct pt_process_end *end = pt_trace_process_end(f.trace, 1);
    cr_assert(end->ending == PT_ENDED_EXIT && end->value == 3);
    free(e);
    fake_clear(&f);
}

Test(record_drain, only_calls_stamped)
{
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 1u << PT_CALL);
    fake_claim(&l, &f, 0);
    fake_begin(&l, 1);
    for (int i = 0; i < 1000; i++) {
        FAKE_PUT(&l, PT_W_CALL | 1 * DT, 1);
        FAKE_PUT(&l, PT_W_LINE, (uint32_t)i);
        FAKE_PUT(&l, PT_W_RETURN, 1);
    }
    fake_drain(&f);
    fake_close(&f);
    size_t n;
    struct pt_event *e = fake_events(&f, 1, &n);
    cr_assert_eq(n, 3002);
    cr_assert(e[1].has & PT_HAS(TIME));
    cr_assert(!(e[2].has & PT_HAS(TIME)));
    cr_assert_eq(e[2].time, e[1].time);
    free(e);
    fake_clear(&f);
}

/* More than a block deep in frames: the second chunk's keyframe. */
Test(record_drain, keyframe)
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
Test(record_drain, unfinished_c_calls)
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
Test(record_drain, implied_events)
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

/* Records of 4 bytes fill segments to the last byte, lap after lap. */
Test(record_drain, exactly_full_segments)
{
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    fake_claim(&l, &f, PT_RINGS_MEDIUM);
    fake_begin(&l, 5);
    uint32_t segment = l.size / PT_SEGMENTS;
    uint64_t n = 0;
    for (int lap = 0; lap < 13; lap++) {
        do {
            FAKE_PUT(&l, PT_W_C_RETURN | 1 * DT);
            n++;
            /* often enough to meet each position near the end */
            if (segment - l.off % segment < 64)
                fake_drain(&f);
        } while (l.off % segment != 0);
        fake_drain(&f);
        cr_assert_eq(atomic_load(&pt_arena_slot(&f.t->map, l.slot)->tail),
                     l.off);
    }
    fake_close(&f);
    cr_assert_eq(fake_count(&f, PT_C_RETURN), n);
    fake_clear(&f);
}

Test(record_drain, adoption)
{
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    for (uint32_t i = 0; i < 300; i++) {
        fake_claim(&l, &f, 0);
        fake_begin(&l, 100 + i);
        FAKE_PUT(&l, PT_W_CALL, 1);
        if (i % 3 == 0)
            fake_end(&l);    /* as it should */
        else if (i % 3 == 1) /* the begin of the next ends it */
            atomic_store(&pt_arena_slot(&f.t->map, 0)->state, PT_SLOT_DEAD);
        if (i % 7 == 0)
            fake_drain(&f);
    }
    fake_close(&f);
    cr_assert_eq(pt_trace_thread_count(f.trace), 300);
    cr_assert_eq(fake_count(&f, PT_THREAD), 600);
    cr_assert_eq(fake_count(&f, PT_CALL), 300);
    size_t n;
    struct pt_event *e = fake_events(&f, 250, &n);
    cr_assert_eq(n, 3);
    free(e);
    fake_clear(&f);
}

Test(record_drain, dead_thread_is_ended_early)
{
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    fake_claim(&l, &f, 0);
    fake_begin(&l, 9);
    fake_drain(&f);
    cr_assert_eq(f.journal.live, 1);
    atomic_store(&pt_arena_slot(&f.t->map, 0)->state, PT_SLOT_DEAD);
    fake_drain(&f);
    cr_assert_eq(f.journal.live, 0);
    fake_close(&f);
    fake_clear(&f);
}

Test(record_drain, gap_and_stack)
{
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    fake_claim(&l, &f, 0);
    fake_begin(&l, 5);
    FAKE_PUT(&l, PT_W_CALL, 1);
    FAKE_PUT(&l, PT_W_CALL, 1);
    FAKE_PUT(&l, PT_W_GAP, 500, 0);
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
Test(record_drain, begin_with_frames)
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

Test(record_drain, dropped_and_unslotted)
{
    struct fake f;
    struct fake_lane l, m;
    fake_open(&f, 0);
    fake_claim(&l, &f, 0);
    fake_begin(&l, 5);
    fake_claim(&m, &f, 1);
    fake_begin(&m, 6);
    fake_end(&m);
    atomic_store(&pt_arena_slot(&f.t->map, 0)->dropped, 30);
    atomic_store(&pt_arena_slot(&f.t->map, 1)->dropped, 4);
    atomic_store(&f.t->map.arena->unslotted, 2);
    fake_drain(&f);
    fake_close(&f);
    cr_assert_eq(fake_count(&f, PT_GAP), 3);
    cr_assert_eq(pt_trace_end(f.trace)->lost, 34);
    cr_assert_eq(f.notes.count, 1);
    fake_clear(&f);
}

Test(record_drain, long_pause)
{
    struct fake f;
    struct fake_lane l;
    fake_open(&f, 0);
    fake_claim(&l, &f, 0);
    fake_begin(&l, 5);
    uint64_t later = fake_now(&f) + (UINT64_C(1) << 33);
    FAKE_PUT(&l, PT_W_TIME, (uint32_t)later, (uint32_t)(later >> 32));
    FAKE_PUT(&l, PT_W_CALL, 1);
    fake_drain(&f);
    fake_close(&f);
    size_t n;
    struct pt_event *e = fake_events(&f, 5, &n);
    int64_t pause = pt_timebase_ns(&f.clock, UINT64_C(1) << 33);
    cr_assert_geq(e[1].time - e[0].time, pause);
    cr_assert_leq(e[1].time - e[0].time, pause + 1000000000);
    free(e);
    fake_clear(&f);
}

/* A stack as deep as a keyframe may be. */
Test(record_drain, deep_stack, .timeout = 60)
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

/* --- keyframes against events
 * ---------------------------------------------------- */

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
Test(record_drain, keyframes_follow_from_events, .timeout = 60)
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

/* --- sources -----------------------------------------------------------------
 */

static void
put_file(struct fake *f, const char *name, const char *text)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", f->folder, name);
    FILE *file = fopen(path, "w");
    cr_assert(file != NULL && fputs(text, file) >= 0);
    fclose(file);
}

/* The text of the source of code object `name`, or "" where it has none. */
static struct pt_str
text_of(struct fake *f, const char *name)
{
    for (uint32_t i = 1; i <= pt_trace_code_count(f->trace); i++) {
        const struct pt_code *code = pt_trace_code(f->trace, i);
        if (fake_is(code->name, name) && code->source != 0)
            return pt_trace_source(f->trace, code->source)->text;
    }
    return (struct pt_str){"", 0};
}

Test(record_drain, sources)
{
    struct fake f;
    char fifo[200], absolute[200];
    fake_open(&f, 0);
    f.t->defs.sources.command = "print(1)";
    put_file(&f, "rel.py", "relative");
    put_file(&f, "b\xff.py", "bytes");
    snprintf(absolute, sizeof absolute, "%s/rel.py", f.folder);
    snprintf(fifo, sizeof fifo, "%s/fifo.py", f.folder);
    cr_assert_eq(mkfifo(fifo, 0600), 0);
    fake_define_code(&f, 9, "rel.py", "relative");
    fake_define_code(&f, 10, absolute, "absolute");
    fake_define_code(&f, 11, "b\xed\xb3\xbf.py", "bytes");
    fake_define_code(&f, 12, "missing.py", "missing");
    fake_define_code(&f, 13, "fifo.py", "fifo");
    fake_define_code(&f, 14, "<frozen os>", "frozen");
    fake_define_code(&f, 15, "<string>", "inner");
    fake_define_code(&f, 16, "<string>", "<module>");
    fake_define_code(&f, 17, "<string>", "later");
    fake_define_code(&f, 18, "", "nameless");
    fake_define_code(&f, 19, "/", "folder");
    struct fake_lane l;
    fake_claim(&l, &f, 0);
    fake_begin(&l, 5);
    fake_drain(&f);
    cr_assert(!f.t->stopped);
    fake_close(&f);
    cr_assert(fake_is(text_of(&f, "relative"), "relative"));
    cr_assert(fake_is(text_of(&f, "absolute"), "relative"));
    cr_assert(fake_is(text_of(&f, "bytes"), "bytes"));
    cr_assert(fake_is(text_of(&f, "inner"), "print(1)"));
    cr_assert(fake_is(text_of(&f, "<module>"), "print(1)"));
    static const char *const none[] = {"missing", "fifo",     "frozen",
                                       "later",   "nameless", "folder"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        cr_assert_eq(text_of(&f, none[i]).len, 0, "%s", none[i]);
    fake_clear(&f);
}

/* --- many threads ------------------------------------------------------------
 */

struct crowd {
    struct fake *f;
    uint32_t slot;
    uint64_t events;
};

static void *
crowd_main(void *arg)
{
    struct crowd *c = arg;
    struct fake_lane l;
    fake_claim(&l, c->f, c->slot);
    l.wait = true;
    fake_begin(&l, 1000 + c->slot);
    for (uint64_t i = 0; i < c->events; i += 4) {
        FAKE_PUT(&l, PT_W_CALL | 1 * DT, 1 + (uint32_t)i % FAKE_CODES);
        FAKE_PUT(&l, PT_W_LINE | 1 * DT, (uint32_t)i);
        FAKE_PUT(&l, PT_W_BRANCH | 1 * DT, 2, 4);
        FAKE_PUT(&l, PT_W_RETURN | 1 * DT, 1 + (uint32_t)i % FAKE_CODES);
    }
    fake_end(&l);
    return NULL;
}

static void
crowd(uint32_t threads, uint64_t events, uint32_t first)
{
    struct fake f;
    fake_open(&f, 0);
    pthread_t *id = calloc(threads, sizeof *id);
    struct crowd *c = calloc(threads, sizeof *c);
    for (uint32_t i = 0; i < threads; i++) {
        c[i] = (struct crowd){&f, first + i, events};
        cr_assert_eq(pthread_create(&id[i], NULL, crowd_main, &c[i]), 0);
    }
    uint64_t done = 0;
    while (done < threads) {
        fake_drain(&f);
        done = 0;
        for (uint32_t i = 0; i < threads; i++)
            done += atomic_load(&pt_arena_slot(&f.t->map, first + i)->state) ==
                    PT_SLOT_DEAD;
    }
    for (uint32_t i = 0; i < threads; i++)
        pthread_join(id[i], NULL);
    fake_close(&f);
    cr_assert_eq(f.journal.gaps, 0);
    cr_assert_eq(fake_count(&f, PT_CALL), threads * events / 4);
    cr_assert_eq(fake_count(&f, PT_RETURN), threads * events / 4);
    cr_assert_eq(fake_count(&f, PT_THREAD), (uint64_t)threads * 2);
    size_t n;
    struct pt_event *e = fake_events(&f, 1000 + first, &n);
    cr_assert_eq(n, events + 2);
    for (size_t i = 1; i + 1 < n; i += 4) {
        cr_assert(e[i].kind == PT_CALL && e[i + 3].kind == PT_RETURN);
        cr_assert_eq(e[i + 1].pos, i - 1);
    }
    free(e);
    free(id);
    free(c);
    fake_clear(&f);
}

Test(record_drain, four_fast_threads, .timeout = 60)
{
    crowd(4, 400000, 0);
}

Test(record_drain, many_threads_in_small_rings, .timeout = 60)
{
    crowd(200, 4000, PT_RINGS_MEDIUM);
}
