/* What was written is what is read: header, definitions, events, keyframes. */
#include "tests/unit/test_format.h"

#include "format/columns.h"
#include "format/trace.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct place place;
static struct pt_trace *trace;
static struct pt_decoder *decoder;

static void
setup(void)
{
    place_make(&place);
    struct pt_error e = {.text = ""};
    cr_assert_eq(sample_write(place.path), PT_OK);
    cr_assert_eq(pt_trace_open(place.path, &e, &trace), PT_OK, "%s", e.text);
    cr_assert_eq(pt_decoder_new(trace, &decoder), PT_OK);
}

static void
teardown(void)
{
    pt_decoder_free(decoder);
    pt_trace_close(trace);
    place_remove(&place);
}

TestSuite(format_roundtrip, .init = setup, .fini = teardown);

Test(format_roundtrip, header_and_end)
{
    cr_expect(header_equal(pt_trace_header(trace), sample_header()));
    cr_expect_eq(pt_trace_header(trace)->version >> 16, 1);
    const struct pt_end *end = pt_trace_end(trace);
    cr_assert_not_null(end);
    cr_expect_eq(end->events, SAMPLE_EVENTS);
    cr_expect_eq(end->gaps, 1);
    cr_expect_eq(end->lost, 3);
    cr_expect_eq(end->time, 99999);
    cr_expect(str_equal(end->reason, S("complete")));
    const struct pt_damage *d = pt_trace_damage(trace);
    cr_expect(!d->torn && d->bad_chunks == 0 && d->unknown_chunks == 0 &&
              d->trailing == 0 && d->first_offset == -1 && d->text[0] == 0);
}

Test(format_roundtrip, closed_under_its_name)
{
    cr_expect_eq(access(place.path, F_OK), 0);
    cr_expect_neq(access(place.part, F_OK), 0);
}

Test(format_roundtrip, definitions)
{
    cr_expect_eq(pt_trace_code_count(trace), 2);
    struct pt_code code = sample_code(1, 1, 1);
    cr_expect(code_equal(pt_trace_code(trace, 2), &code));
    cr_expect_eq(pt_trace_code(trace, 1)->nconsts, 0);
    const struct pt_interpreter *in = pt_trace_interpreter(trace, 1);
    cr_expect_eq(in->hexversion, 0x030c01f0);
    cr_expect(str_equal(in->opcodes[0x97].name, S("RESUME")));
    cr_expect_eq(in->opcodes[0x97].flags, PT_OP_ARG);
    cr_expect_eq(in->opcodes[0].name.len, 0);
    cr_expect(str_equal(in->stdlib, S("/usr/lib/python3.12")));
    const struct pt_source *source = pt_trace_source(trace, 1);
    cr_expect(str_equal(source->text, S("print(1)\n\xff")));
    cr_expect_eq(source->hash, 0x1122334455667788);
    const struct pt_callable *c = pt_trace_callable(trace, 1);
    cr_expect(c->kind == PT_CALLABLE_METHOD && str_equal(c->owner, S("list")));
    cr_expect(str_equal(c->label, S("<method 'append' of 'list' objects>")));
    cr_expect_eq(pt_trace_type_count(trace), 2);
    cr_expect(str_equal(pt_trace_type(trace, 2)->name, S("Definition")));
    const struct pt_process *p = pt_trace_process(trace, 1);
    cr_expect(p->pid == 4242 && p->argc == 2 && p->time == 12);
    cr_expect_eq(pt_trace_thread_count(trace), 2);
    cr_expect(str_equal(pt_trace_thread(trace, 1)->name, S("MainThread")));
    cr_expect(str_equal(pt_trace_thread(trace, 2)->name, S("worker")));
    const struct pt_task *task = pt_trace_task(trace, 2);
    cr_expect(task->process == 1 && task->parent == 1 && task->code == 2 &&
              str_equal(task->name, S("Task-2")));
    cr_expect(str_equal(pt_trace_task(trace, 1)->name, S("main")));
    const struct pt_process_end *end = pt_trace_process_end(trace, 1);
    cr_assert_not_null(end);
    cr_expect(end->ending == PT_ENDED_SIGNAL && end->value == 9 &&
              end->lost == 3 && end->time == 123456 && end->process == 1);
    const struct pt_costs *costs = pt_trace_costs(trace, 1);
    cr_assert_not_null(costs);
    cr_expect(costs->process == 1 && costs->of[PT_CALL].before == 21500 &&
              costs->of[PT_CALL].after == 9000);
    cr_expect(costs->of[PT_BRANCH].before == 0 &&
              costs->of[PT_BRANCH].after == 1);
    cr_expect_eq(costs->of[PT_RETURN].before, 0);
    cr_expect_null(pt_trace_costs(trace, 2));
    cr_expect(str_equal(pt_trace_string(trace, 1), S("a mark")));
    cr_expect_null(pt_trace_code(trace, 0));
    cr_expect_null(pt_trace_code(trace, 3));
    cr_expect_null(pt_trace_process_end(trace, 2));
}

/* Time of a quantum by the sample's clock. */
static int64_t
ns(uint64_t quanta)
{
    return (int64_t)(((__int128)(quanta * 32) * 1627389952) >> 32);
}

static struct pt_events
chunk_with(uint64_t seq, uint32_t events)
{
    for (size_t i = 0; i < pt_trace_chunk_count(trace); i++) {
        const struct pt_chunk_info *info = pt_trace_chunk(trace, i);
        struct pt_events ev;
        if (info->type != PT_CHUNK_EVENTS || info->seq != seq ||
            info->events != events)
            continue;
        cr_assert_eq(pt_decoder_events(decoder, i, &ev), PT_OK, "%s",
                     pt_decoder_error(decoder)->text);
        return ev;
    }
    cr_assert(0, "no such chunk");
    return (struct pt_events){0};
}

Test(format_roundtrip, events)
{
    struct pt_events ev = chunk_with(0, 26);
    const struct pt_event *e = ev.events;
    cr_expect_eq(ev.depth, 0);
    cr_expect(e[0].kind == PT_PROCESS && e[0].arg == 1 &&
              e[0].time == ns(1000));
    cr_expect(e[1].kind == PT_THREAD && e[1].has == PT_HAS(ARG));
    cr_expect_eq(e[1].time, ns(1000));
    cr_expect(e[2].kind == PT_CALL && e[2].id == 1 && e[2].time == ns(1203));
    cr_expect(e[3].kind == PT_LINE && e[3].pos == 70000);
    cr_expect_eq(e[3].time, ns(1203));
    cr_expect(e[4].id == 2 && e[4].arg == UINT64_C(1) << 40);
    cr_expect(e[8].kind == PT_BRANCH && e[8].pos == 4 && e[8].dst == 300);
    cr_expect(e[12].arg == (UINT64_C(1) << 40) + 1);
    cr_expect(e[18].kind == PT_EXCEPTION && e[18].id == 1 && e[18].pos == 2 &&
              e[18].arg == PT_RERAISED);
    cr_expect(e[21].kind == PT_TASK && e[21].arg == 2 &&
              e[21].dst == PT_TASK_RUNS);
    cr_expect(e[24].kind == PT_GAP && e[24].arg == UINT64_MAX);
    cr_expect(e[25].kind == PT_THREAD && e[25].arg == 0);
    cr_expect_eq(ev.info->gaps, 1);
    cr_expect_eq(ev.info->counts[PT_BRANCH], 2);
    int64_t first = INT64_MAX, last = INT64_MIN;
    for (uint32_t i = 0; i < ev.info->events; i++) {
        first = e[i].time < first ? e[i].time : first;
        last = e[i].time > last ? e[i].time : last;
    }
    cr_expect_eq(ev.info->time_first, first);
    cr_expect_eq(ev.info->time_last, last);
}

Test(format_roundtrip, keyframe_and_time_before)
{
    struct pt_events ev = chunk_with(26, 8);
    cr_assert_eq(ev.depth, 3);
    cr_expect(ev.stack[0].id == 1 && ev.stack[0].seq == 2 &&
              ev.stack[0].line == 3 && ev.stack[0].off == 4 &&
              ev.stack[0].time == 100 && ev.stack[0].callable == 0);
    cr_expect(ev.stack[1].key == 1u << 20 && ev.stack[1].seq == UINT64_MAX &&
              ev.stack[1].off == UINT32_MAX && ev.stack[1].time == INT64_MIN);
    cr_expect(ev.stack[2].callable == 1 && ev.stack[2].time == -5);
    /* Not one is stamped: their time is the thread's own. */
    for (unsigned i = 0; i < 8; i++)
        cr_expect(ev.events[i].time == 100 && ev.events[i].pos == 1000 + i);
    cr_expect(ev.info->time_first == 100 && ev.info->time_last == 100);
    cr_expect(ev.clock.ticks == UINT64_MAX && ev.clock.unix_ns == -7);
    ev = chunk_with(34, 0);
    cr_expect_eq(ev.depth, 1);
    cr_expect(ev.clock.ticks == 0 && ev.clock.unix_ns == 0, "only once");
    cr_expect_eq(chunk_with(34, 8).events[7].time, ns(100021));
}

/* By the bytes that a chunk header makes of them. */
static bool
info_equal(const struct pt_chunk_info *a, const struct pt_chunk_info *b)
{
    const struct pt_chunk_header of_a = {.info = *a}, of_b = {.info = *b};
    uint8_t x[PT_CHUNK_HEADER_SIZE], y[PT_CHUNK_HEADER_SIZE];
    pt_chunk_encode(&of_a, x);
    pt_chunk_encode(&of_b, y);
    return memcmp(x, y, sizeof x) == 0 && a->offset == b->offset;
}

Test(format_roundtrip, scan_finds_what_the_index_says)
{
    size_t size;
    unsigned char *bytes = slurp(place.path, &size);
    /* Without its seek table the file is walked. */
    size_t n = pt_trace_chunk_count(trace);
    const struct pt_chunk_info *last = pt_trace_chunk(trace, n - 1);
    spit(place.second, bytes, last->offset + 216 + last->packed_size);
    free(bytes);
    struct pt_trace *walked;
    cr_assert_eq(pt_trace_open(place.second, NULL, &walked), PT_OK);
    cr_assert_eq(pt_trace_chunk_count(walked), n);
    for (size_t i = 0; i < n; i++)
        cr_expect(
            info_equal(pt_trace_chunk(walked, i), pt_trace_chunk(trace, i)));
    cr_expect(!pt_trace_damage(walked)->torn);
    cr_expect(defs_within(walked, trace) && defs_within(trace, walked));
    pt_trace_close(walked);
}

struct told_codes {
    size_t chunks, codes;
};

static bool
has_code(const struct pt_events *chunk, uint32_t code)
{
    for (size_t i = 0; i < chunk->depth; i++)
        if (!chunk->stack[i].callable && chunk->stack[i].id == code)
            return true;
    for (uint32_t i = 0; i < chunk->info->events; i++)
        if (chunk->events[i].has & PT_HAS(CODE) && chunk->events[i].id == code)
            return true;
    return false;
}

/* Exactly those that the chunk has, in order. */
static void
check_codes(void *state, size_t i, const uint32_t *codes, size_t n)
{
    struct told_codes *told = state;
    struct pt_events chunk;
    if (pt_trace_chunk(trace, i)->type != PT_CHUNK_EVENTS) {
        cr_expect_eq(n, 0u);
        return;
    }
    cr_assert_eq(pt_decoder_events(decoder, i, &chunk), PT_OK);
    told->chunks++;
    told->codes += n;
    uint32_t next = 1;
    for (size_t k = 0; k < n; k++) {
        for (; next < codes[k]; next++)
            cr_expect_not(has_code(&chunk, next));
        cr_expect(has_code(&chunk, next));
        next++;
    }
    for (; next <= pt_trace_code_count(trace); next++)
        cr_expect_not(has_code(&chunk, next));
}

Test(format_roundtrip, code_objects_of_chunks)
{
    struct told_codes told = {0, 0};
    struct pt_decoder *reads;
    size_t chunks = 0;
    cr_assert_eq(pt_decoder_new(trace, &reads), PT_OK);
    cr_expect_eq(pt_trace_chunk_codes(trace, reads, check_codes, &told), PT_OK);
    for (size_t i = 0; i < pt_trace_chunk_count(trace); i++)
        chunks += pt_trace_chunk(trace, i)->type == PT_CHUNK_EVENTS;
    cr_expect_eq(told.chunks, chunks);
    cr_expect_gt(told.codes, 0u);
    pt_decoder_free(reads);
}

Test(format_roundtrip, raw_items)
{
    for (size_t i = 0; i < pt_trace_chunk_count(trace); i++) {
        struct pt_str item;
        cr_assert_eq(pt_decoder_raw(decoder, i, &item), PT_OK);
        cr_expect_eq(item.len, pt_trace_chunk(trace, i)->raw_size);
        cr_expect_eq((unsigned char)item.data[0] >> 5, 5, "a map");
    }
    struct pt_str item;
    cr_expect_eq(pt_decoder_raw(decoder, 1000, &item), PT_ENOTFOUND);
    struct pt_events ev;
    cr_expect_eq(pt_decoder_events(decoder, 0, &ev), PT_EUSAGE);
}

Test(format_roundtrip, repair_of_a_whole_log_is_the_same)
{
    cr_assert_eq(pt_trace_repair(trace, place.second, NULL), PT_OK);
    size_t a, b;
    unsigned char *x = slurp(place.path, &a), *y = slurp(place.second, &b);
    cr_expect(a == b && memcmp(x, y, a) == 0);
    free(x);
    free(y);
}

/* --- the writer's own rules ----------------------------------------------- */

Test(format_writer, same_content_same_id)
{
    struct place p;
    place_make(&p);
    struct pt_writer *w;
    cr_assert_eq(pt_writer_open(p.path, sample_header(), NULL, NULL, &w),
                 PT_OK);
    uint32_t a, b, c;
    cr_assert_eq(pt_writer_string(w, S("one"), &a), PT_OK);
    cr_assert_eq(pt_writer_string(w, S("two"), &b), PT_OK);
    cr_assert_eq(pt_writer_string(w, S("one"), &c), PT_OK);
    cr_expect(a == 1 && b == 2 && c == 1);
    struct pt_code code = sample_code(1, 1, 1), other = code;
    other.firstline++;
    cr_assert_eq(pt_writer_code(w, &code, &a), PT_OK);
    cr_assert_eq(pt_writer_code(w, &other, &b), PT_OK);
    cr_assert_eq(pt_writer_code(w, &code, &c), PT_OK);
    cr_expect(a == 1 && b == 2 && c == 1);
    for (uint32_t i = 0; i < 5000; i++) {
        char text[16];
        int n = snprintf(text, sizeof text, "s%u", i);
        cr_assert_eq(pt_writer_string(w, (struct pt_str){text, (size_t)n}, &a),
                     PT_OK);
        cr_assert_eq(a, 3 + i);
    }
    struct pt_thread thread = {.process = 1, .tid = 5};
    cr_assert_eq(pt_writer_thread(w, &thread, &a), PT_OK);
    cr_assert_eq(pt_writer_thread(w, &thread, &b), PT_OK);
    cr_expect(a == 1 && b == 2);
    pt_writer_abandon(w);
    place_remove(&p);
}

Test(format_writer, refuses_what_cannot_be)
{
    struct place p;
    place_make(&p);
    struct pt_writer *w;
    struct pt_error e;
    struct pt_header bad = *sample_header();
    bad.clock.quantum = 3;
    cr_expect_eq(pt_writer_open(p.path, &bad, NULL, &e, &w), PT_EUSAGE);
    cr_assert_eq(pt_writer_open(p.path, sample_header(), NULL, &e, &w), PT_OK);
    struct pt_writer *second;
    cr_expect_eq(pt_writer_open(p.path, sample_header(), NULL, &e, &second),
                 PT_EIO);
    cr_expect(strstr(e.text, p.part) != NULL);

    struct pt_block *b;
    cr_assert_eq(pt_block_new(&b), PT_OK);
    cr_expect_eq(pt_writer_events(w, b, 1, 1, NULL, 0, NULL), PT_EUSAGE);
    struct pt_process_end end = {.process = 7};
    cr_expect_eq(pt_writer_process_end(w, &end), PT_EUSAGE);
    cr_expect_eq(pt_writer_thread_name(w, 0, S("x")), PT_EUSAGE);
    struct pt_costs costs = {.process = 7};
    cr_expect_eq(pt_writer_costs(w, &costs), PT_EUSAGE);
    cr_expect_eq(pt_writer_task_name(w, 1, S("x")), PT_EUSAGE);
    struct pt_const open_tuple = {.kind = PT_CONST_TUPLE, .n = 1};
    struct pt_code code = {.consts = &open_tuple, .nconsts = 1};
    uint32_t id;
    cr_expect_eq(pt_writer_code(w, &code, &id), PT_EUSAGE);
    /* None of these is a failure that sticks. */
    cr_expect_eq(pt_writer_string(w, S("x"), &id), PT_OK);
    cr_expect_eq(pt_writer_error(w)->status, PT_OK);
    pt_block_free(b);
    pt_writer_abandon(w);
    cr_expect_eq(access(p.part, F_OK), 0);

    struct pt_writer_options force = {.force = true};
    cr_assert_eq(pt_writer_open(p.path, sample_header(), &force, &e, &w),
                 PT_OK);
    pt_writer_abandon(w);
    /* What is only a .part is found by the name it will have. */
    struct pt_trace *t;
    cr_assert_eq(pt_trace_open(p.path, &e, &t), PT_OK);
    cr_expect(pt_trace_damage(t)->torn);
    cr_expect_str_eq(pt_trace_path(t), p.part);
    pt_trace_close(t);
    place_remove(&p);
}

/* A C call ends where another begins, so that no keyframe has one on another.
 */
Test(format_writer, stacked_c_calls_are_damage)
{
    const struct pt_frame stack[] = {{.id = 1},
                                     {.id = 1, .callable = 1},
                                     {.id = 1},
                                     {.id = 1, .callable = 1},
                                     {.id = 1, .callable = 1}};
    const struct pt_end end = {.reason = S("complete")};
    struct place p;
    place_make(&p);
    for (size_t depth = 4; depth <= 5; depth++) {
        struct pt_writer *w;
        struct pt_block *block;
        struct pt_trace *t;
        struct pt_decoder *d;
        struct pt_events events;
        struct pt_writer_options force = {.force = true};
        size_t i = 0;
        cr_assert_eq(pt_writer_open(p.path, sample_header(), &force, NULL, &w),
                     PT_OK);
        uint32_t process, thread;
        cr_assert_eq(
            pt_writer_process(w, &(struct pt_process){.pid = 1}, &process),
            PT_OK);
        cr_assert_eq(pt_writer_thread(
                         w, &(struct pt_thread){.process = process}, &thread),
                     PT_OK);
        cr_assert_eq(pt_block_new(&block), PT_OK);
        cr_assert_eq(pt_block_push(block, PT_RETURN, 0, 0, 0, 0, 0, 0), PT_OK);
        cr_assert_eq(
            pt_writer_events(w, block, process, thread, stack, depth, NULL),
            PT_OK);
        pt_block_free(block);
        cr_assert_eq(pt_writer_close(w, &end, NULL), PT_OK);
        cr_assert_eq(pt_trace_open(p.path, NULL, &t), PT_OK);
        cr_assert_eq(pt_decoder_new(t, &d), PT_OK);
        while (pt_trace_chunk(t, i)->type != PT_CHUNK_EVENTS)
            i++;
        cr_expect_eq(pt_decoder_events(d, i, &events),
                     depth == 4 ? PT_OK : PT_EDAMAGED);
        pt_decoder_free(d);
        pt_trace_close(t);
    }
    place_remove(&p);
}

Test(format_writer, required_features)
{
    struct place p;
    struct pt_header h = *sample_header();
    struct pt_writer *w;
    struct pt_trace *t;
    struct pt_error e;
    const struct pt_end end = {.reason = S("complete")};
    place_make(&p);
    h.required = 0;
    cr_assert_eq(pt_writer_open(p.path, &h, NULL, &e, &w), PT_OK);
    cr_assert_eq(pt_writer_close(w, &end, &e), PT_OK);
    cr_assert_eq(pt_trace_open(p.path, &e, &t), PT_OK);
    cr_expect_eq(pt_trace_header(t)->required, PT_REQUIRED_PREDICTED);
    pt_trace_close(t);
    h.required = 1u << 9;
    cr_assert_eq(pt_writer_open(p.second, &h, NULL, &e, &w), PT_OK);
    cr_assert_eq(pt_writer_close(w, &end, &e), PT_OK);
    cr_expect_eq(pt_trace_open(p.second, &e, &t), PT_EUNSUPPORTED);
    cr_expect(strstr(e.text, "required features 0x201"), "%s", e.text);
    place_remove(&p);
}

Test(format_writer, much_to_define_is_written_early)
{
    struct place p;
    place_make(&p);
    struct pt_writer *w;
    cr_assert_eq(pt_writer_open(p.path, sample_header(), NULL, NULL, &w),
                 PT_OK);
    char *text = malloc(3u << 20);
    for (size_t i = 0; i < 3u << 20; i++)
        text[i] = (char)('a' + (i * i >> 7) % 26);
    struct pt_source source = {S("a"), S("a"), {text, 3u << 20}, 1};
    uint32_t id;
    cr_assert_eq(pt_writer_source(w, &source, &id), PT_OK);
    cr_expect(pt_writer_definition_bytes(w) > 0);
    struct pt_end end = {.reason = S("complete")};
    cr_assert_eq(pt_writer_close(w, &end, NULL), PT_OK);
    struct pt_trace *t;
    cr_assert_eq(pt_trace_open(p.path, NULL, &t), PT_OK);
    cr_expect(str_equal(pt_trace_source(t, 1)->text, source.text));
    pt_trace_close(t);
    free(text);
    place_remove(&p);
}

/* --- blocks and kinds ----------------------------------------------------- */

Test(format_block, grows_and_is_full)
{
    struct pt_block *b;
    cr_assert_eq(pt_block_new(&b), PT_OK);
    cr_expect_eq(b->capacity, 0);
    cr_assert_eq(pt_block_push(b, PT_RETURN, 0, 0, 0, 0, 0, 0), PT_OK);
    cr_expect_eq(b->capacity, 1024);
    /* A column that first appears late has room for what is to come. */
    for (uint32_t i = 1; i < PT_BLOCK_EVENTS; i++)
        cr_assert_eq(pt_block_push(b, PT_LINE, PT_HAS(LINE), 0, 0, i, 0, 0),
                     PT_OK);
    cr_expect(pt_block_full(b));
    cr_expect_eq(pt_block_push(b, PT_LINE, PT_HAS(LINE), 0, 0, 1, 0, 0),
                 PT_ELIMIT);
    cr_expect_eq(b->n, PT_BLOCK_EVENTS);
    cr_expect_eq(b->column[PT_COL_LINE][PT_BLOCK_EVENTS - 2],
                 PT_BLOCK_EVENTS - 1);
    pt_block_reset(b);
    cr_expect(b->n == 0 && b->nshapes == 0 && b->used[PT_COL_LINE] == 0);
    for (unsigned i = 0; i < PT_BLOCK_SHAPES; i++)
        cr_assert_eq(pt_block_push(b, PT_CALL, (uint8_t)i, 0, 0, 0, 0, 0),
                     PT_OK);
    cr_expect_eq(pt_block_push(b, PT_CALL, 77, 0, 0, 0, 0, 0), PT_ELIMIT);
    uint8_t number;
    cr_expect_eq(pt_block_shape(b, 0, 1, &number), PT_EUSAGE);
    cr_expect_eq(pt_block_shape(b, 32, 1, &number), PT_EUSAGE);
    pt_block_free(b);
    pt_block_free(NULL);
}

Test(format_event, names)
{
    cr_expect_str_eq(pt_kind_name(PT_C_CALL), "c_call");
    cr_expect_null(pt_kind_name(0));
    cr_expect_null(pt_kind_name(24));
    cr_expect_null(pt_kind_name(4000000000u));
    for (unsigned k = 1; k < PT_KIND_LIMIT; k++)
        if (pt_kind_name(k) != NULL)
            cr_expect_eq(
                (unsigned)pt_kind_find(pt_kind_name(k),
                                       (unsigned)strlen(pt_kind_name(k))),
                k);
    cr_expect_eq(pt_kind_find("call", 3), PT_KIND_NONE);
    cr_expect_eq(pt_kind_find("calls", 5), PT_KIND_NONE);
    cr_expect_str_eq(pt_status_name(PT_EDAMAGED), "damaged");
    cr_expect_str_eq(pt_status_name((enum pt_status) - 99), "unknown");
}
