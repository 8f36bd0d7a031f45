/* What repair puts where damage took something. */
#include "tests/unit/test_format.h"

#include "format/cbor.h"
#include "format/logfile.h"
#include "format/meta.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct place place;
static struct pt_trace *trace;  /* the damaged one */
static struct pt_trace *mended; /* what repair made of it */
static unsigned char *bytes;
static size_t size;

static void
setup(void)
{
    place_make(&place);
    cr_assert_eq(sample_write(place.path), PT_OK);
    bytes = slurp(place.path, &size);
}

static void
teardown(void)
{
    pt_trace_close(trace);
    pt_trace_close(mended);
    free(bytes);
    place_remove(&place);
}

TestSuite(format_repair, .init = setup, .fini = teardown, .timeout = 60);

/* Opens what is at `path`, repairs it, and opens that: it is not damaged. */
static void
mend(void)
{
    struct pt_error e = {.text = ""};
    cr_assert_eq(pt_trace_open(place.path, &e, &trace), PT_OK, "%s", e.text);
    cr_assert_eq(pt_trace_repair(trace, place.second, &e), PT_OK, "%s", e.text);
    cr_assert_eq(pt_trace_open(place.second, &e, &mended), PT_OK, "%s", e.text);
    const struct pt_damage *d = pt_trace_damage(mended);
    cr_assert_eq(d->first_offset, -1, "%s", d->text);
    cr_assert_not_null(pt_trace_end(mended));
}

/* Where the sample's n-th chunk of a type begins. */
static struct pt_chunk_info
chunk_of(uint8_t type, size_t n)
{
    struct pt_trace *t;
    struct pt_chunk_info info = {0};
    cr_assert_eq(pt_trace_open(place.path, NULL, &t), PT_OK);
    for (size_t i = 0; i < pt_trace_chunk_count(t); i++)
        if (pt_trace_chunk(t, i)->type == type && n-- == 0)
            info = *pt_trace_chunk(t, i);
    pt_trace_close(t);
    cr_assert_eq(info.type, type);
    return info;
}

static void
damage_body(const struct pt_chunk_info *c)
{
    bytes[c->offset + PT_CHUNK_HEADER_SIZE + c->packed_size / 2] ^= 0x10;
    spit(place.path, bytes, size);
}

static bool
named(struct pt_str name, const char *kind, uint32_t id)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%s %u>", kind, id);
    return str_equal(name, (struct pt_str){text, (size_t)n});
}

/* Every id that events and keyframes of `t` name is defined. */
static void
expect_defined(const struct pt_trace *t)
{
    struct pt_decoder *d;
    cr_assert_eq(pt_decoder_new(t, &d), PT_OK);
    for (size_t i = 0; i < pt_trace_chunk_count(t); i++) {
        const struct pt_chunk_info *info = pt_trace_chunk(t, i);
        struct pt_events ev;
        if (info->type != PT_CHUNK_EVENTS)
            continue;
        cr_assert_eq(pt_decoder_events(d, i, &ev), PT_OK);
        cr_expect_not_null(pt_trace_thread(t, info->thread));
        cr_expect_not_null(pt_trace_process(t, info->process));
        for (size_t k = 0; k < ev.depth; k++)
            cr_expect(ev.stack[k].callable
                          ? pt_trace_callable(t, ev.stack[k].id) != NULL
                          : pt_trace_code(t, ev.stack[k].id) != NULL);
        for (uint32_t k = 0; k < info->events; k++) {
            const struct pt_event *e = &ev.events[k];
            cr_expect(!(e->has & PT_HAS(CODE)) || pt_trace_code(t, e->id));
            cr_expect(!(e->has & PT_HAS(CALLEE)) ||
                      pt_trace_callable(t, e->id));
            cr_expect(!(e->has & PT_HAS(TYPE)) || pt_trace_type(t, e->id));
        }
    }
    pt_decoder_free(d);
}

/* The sample's first definitions chunk has all but one type. */
Test(format_repair, lost_definitions_get_names)
{
    struct pt_chunk_info c = chunk_of(PT_CHUNK_DEFINITIONS, 0);
    damage_body(&c);
    mend();
    expect_defined(mended);
    for (uint32_t id = 1; id <= 2; id++) {
        const struct pt_code *code = pt_trace_code(mended, id);
        cr_assert_not_null(code);
        cr_expect(named(code->name, "<lost", id));
        cr_expect(named(code->qualname, "<lost", id));
        cr_expect(str_equal(code->file, S("<lost>")));
        cr_expect(code->bytecode.len == 0 && code->nconsts == 0);
        cr_expect(named(pt_trace_thread(mended, id)->name, "<lost", id) ||
                  str_equal(pt_trace_thread(mended, id)->name, S("worker")));
    }
    cr_expect(named(pt_trace_callable(mended, 1)->name, "<lost", 1));
    cr_expect(named(pt_trace_type(mended, 1)->name, "<lost", 1));
    cr_expect(str_equal(pt_trace_type(mended, 2)->name, S("Definition")));
    cr_expect_eq(pt_trace_thread(mended, 2)->process, 1);
    cr_expect_eq(pt_trace_end(mended)->events, SAMPLE_EVENTS);
    cr_expect(str_equal(pt_trace_end(mended)->reason, S("repaired")));
}

/* A definition that no event names is not made up. */
Test(format_repair, definitions_that_nobody_misses)
{
    struct pt_chunk_info c = chunk_of(PT_CHUNK_DEFINITIONS, 1);
    damage_body(&c);
    mend();
    expect_defined(mended);
    cr_expect_eq(pt_trace_type_count(mended), 1);
    cr_expect_eq(pt_trace_code(mended, 1)->firstline, 1);
}

/* The only event of chunk `i`, which must be a gap. */
static struct pt_event
gap_in(size_t i)
{
    struct pt_decoder *d;
    struct pt_events ev;
    cr_assert_eq(pt_decoder_new(mended, &d), PT_OK);
    cr_assert_eq(pt_decoder_events(d, i, &ev), PT_OK);
    struct pt_event e = ev.events[0];
    cr_expect(ev.info->events == 1 && ev.info->gaps == 1 && ev.depth == 0);
    cr_expect(e.kind == PT_GAP && e.has == PT_HAS(ARG));
    pt_decoder_free(d);
    return e;
}

/* The index of the mended log's chunk with that seq. */
static size_t
chunk_at(uint64_t seq)
{
    size_t i = 0;
    while (i < pt_trace_chunk_count(mended) &&
           (pt_trace_chunk(mended, i)->type != PT_CHUNK_EVENTS ||
            pt_trace_chunk(mended, i)->seq != seq))
        i++;
    cr_assert(i < pt_trace_chunk_count(mended), "no chunk begins there");
    return i;
}

Test(format_repair, lost_events_leave_a_gap)
{
    struct pt_chunk_info c = chunk_of(PT_CHUNK_EVENTS, 1);
    damage_body(&c);
    mend();
    size_t i = chunk_at(c.seq);
    const struct pt_chunk_info *info = pt_trace_chunk(mended, i);
    struct pt_event gap = gap_in(i);
    cr_expect(info->thread == c.thread && info->process == c.process);
    cr_expect_eq(gap.arg, c.events);
    cr_expect_eq(gap.time, c.time_first);
    const struct pt_end *end = pt_trace_end(mended);
    cr_expect_eq(end->events, SAMPLE_EVENTS - c.events + 1);
    cr_expect_eq(end->gaps, 2); /* one is the sample's */
    cr_expect_eq(end->lost, c.events);
}

/* Without the header nobody knows whose the events were: of the threads only
 * the second has events before and after. */
Test(format_repair, lost_header_leaves_a_gap_where_events_go_on)
{
    struct pt_chunk_info before = chunk_of(PT_CHUNK_EVENTS, 0);
    struct pt_chunk_info c = chunk_of(PT_CHUNK_EVENTS, 1);
    bytes[c.offset + 100] ^= 1;
    spit(place.path, bytes, size - 1); /* nor does the index tell */
    mend();
    cr_assert_eq(pt_trace_damage(trace)->bad_chunks, 1);
    uint64_t seq = before.seq + before.events;
    cr_assert_eq(seq, c.seq);
    size_t i = chunk_at(seq);
    cr_expect_eq(gap_in(i).arg, c.events);
    cr_expect_eq(pt_trace_chunk(mended, i)->thread, 2);
}

Test(format_repair, want_of_memory_is_told)
{
    struct pt_chunk_info events = chunk_of(PT_CHUNK_EVENTS, 1);
    struct pt_chunk_info definitions = chunk_of(PT_CHUNK_DEFINITIONS, 0);
    damage_body(&events);
    damage_body(&definitions);
    cr_assert_eq(pt_trace_open(place.path, NULL, &trace), PT_OK);
    enum pt_status st = PT_ENOMEM;
    int64_t n;
    for (n = 0; st != PT_OK; n++) {
        pt_testing.fail_alloc = n;
        st = pt_trace_repair(trace, place.second, NULL);
        pt_testing.fail_alloc = -1;
        cr_assert(st == PT_OK || st == PT_ENOMEM, "allocation %d: %d", (int)n,
                  st);
    }
    cr_expect(n > 30, "only %d allocations", (int)n);
}

/* --- logs put together here ----------------------------------------------- */

static struct pt_logfile file;
static struct pt_buf header, item;

static void
begin_log(void)
{
    pt_header_write(&header, sample_header());
    remove(place.path);
    cr_assert_eq(pt_logfile_open(&file, place.path, ".part", 0, false, NULL),
                 PT_OK);
    struct pt_chunk_info info = {.type = PT_CHUNK_HEADER};
    cr_assert_eq(
        pt_logfile_chunk(&file, &info,
                         (struct pt_str){(char *)header.data, header.len}, NULL,
                         NULL),
        PT_OK);
}

static void
add_definitions(void)
{
    struct pt_chunk_info info = {.type = PT_CHUNK_DEFINITIONS};
    cr_assert_eq(pt_logfile_chunk(&file, &info,
                                  (struct pt_str){(char *)item.data, item.len},
                                  NULL, NULL),
                 PT_OK);
    pt_buf_clear(&item);
}

static void
end_log(void)
{
    struct pt_end end = {.reason = S("complete")};
    cr_assert_eq(pt_logfile_finish(
                     &file, (struct pt_str){(char *)header.data, header.len},
                     &end, NULL),
                 PT_OK);
    pt_logfile_close(&file, false);
    pt_buf_clear(&header);
}

static void
head_of_definitions(size_t n)
{
    pt_cbor_map(&item, 1);
    pt_cbor_text(&item, "defs");
    pt_cbor_array(&item, n);
}

static void
add_string(uint32_t id, const char *text)
{
    pt_cbor_array(&item, 3);
    pt_cbor_text(&item, "string");
    pt_cbor_uint(&item, id);
    pt_cbor_text(&item, text);
}

/* The reader has what stands before a malformed definition, so has the mended
 * log. */
Test(format_repair, definitions_before_a_malformed_one_are_kept)
{
    begin_log();
    head_of_definitions(4);
    add_string(1, "first");
    add_string(2, "second");
    pt_cbor_text(&item, "what is this?");
    add_string(3, "unseen");
    add_definitions();
    head_of_definitions(2);
    add_string(1, "again");
    add_string(4, "unseen");
    add_definitions();
    head_of_definitions(1);
    add_string(3, "third");
    add_definitions();
    end_log();
    mend();
    cr_expect_eq(pt_trace_damage(trace)->bad_chunks, 2);
    static const char *const texts[] = {"first", "second", "third"};
    cr_expect_eq(pt_trace_string_count(mended), 3);
    for (uint32_t id = 1; id <= 3; id++)
        cr_expect(
            str_equal(pt_trace_string(mended, id),
                      (struct pt_str){texts[id - 1], strlen(texts[id - 1])}));
}

/* Ids that no recording could reach cost nothing. */
Test(format_repair, ids_that_were_made_up)
{
    struct pt_writer *w;
    struct pt_block *b;
    uint32_t process, thread;
    remove(place.path);
    cr_assert_eq(pt_writer_open(place.path, sample_header(), NULL, NULL, &w),
                 PT_OK);
    cr_assert_eq(pt_block_new(&b), PT_OK);
    cr_assert_eq(pt_writer_process(w, &(struct pt_process){.pid = 1}, &process),
                 PT_OK);
    struct pt_thread t = {.process = process, .tid = 1};
    cr_assert_eq(pt_writer_thread(w, &t, &thread), PT_OK);
    static const uint32_t ids[] = {UINT32_MAX, 1u << 30, 7, 0};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        cr_assert_eq(pt_block_push(b, PT_CALL, PT_HAS(TIME) | PT_HAS(CODE), i,
                                   ids[i], 0, 0, 0),
                     PT_OK);
    cr_assert_eq(pt_writer_events(w, b, process, thread, NULL, 0, NULL), PT_OK);
    struct pt_end end = {.reason = S("complete")};
    cr_assert_eq(pt_writer_close(w, &end, NULL), PT_OK);
    pt_block_free(b);
    mend();
    cr_expect_eq(pt_trace_code_count(mended), 7);
    cr_expect(named(pt_trace_code(mended, 7)->name, "<lost", 7));
    cr_expect_null(pt_trace_code(mended, 6));
    cr_expect_eq(pt_trace_end(mended)->events, 4);
}
