/* Torn and damaged logs: what is whole is read, nothing false is, and damage
 * does not go unnoticed. */
#include "tests/unit/test_format.h"

#include "format/alloc.h"
#include "format/chunk.h"
#include "format/seek.h"
#include "format/trace.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct place place;
static struct all_events whole;
static struct pt_trace *original;
static unsigned char *bytes;
static size_t size;

static void
setup(void)
{
    place_make(&place);
    sample_write_all(&place);
    whole = read_all(place.path);
    cr_assert_eq(whole.n, SAMPLE_EVENTS);
    cr_assert_eq(pt_trace_open(place.path, NULL, &original), PT_OK);
    bytes = slurp(place.path, &size);
}

static void
teardown(void)
{
    pt_trace_close(original);
    free(whole.events);
    free(bytes);
    place_remove(&place);
}

TestSuite(format_damage, .init = setup, .fini = teardown, .timeout = 300);

/* A trace over bytes in memory. */
static enum pt_status
open_bytes(const unsigned char *data, size_t n, struct pt_error *e,
           struct pt_trace **out)
{
    int fd = memfd_create("log", MFD_CLOEXEC);
    cr_assert(fd >= 0);
    cr_assert_eq(write(fd, data, n), (ssize_t)n);
    return pt_trace_open_fd(fd, "log", e, out);
}

/* What can be read of a trace. */
struct seen {
    uint64_t events;
    uint64_t gaps;   /* of repair, which stand for others */
    uint32_t failed; /* chunks whose bytes do not verify */
};

/* The sample's own gap is among other events. */
static bool
is_new_gap(const struct pt_events *ev)
{
    return ev->info->events == 1 && ev->events[0].kind == PT_GAP;
}

/* Reads everything and holds it against the original. */
static struct seen
read_and_compare(const struct pt_trace *t, const char *what, size_t at)
{
    struct seen seen = {0};
    struct pt_decoder *d;
    cr_assert_eq(pt_decoder_new(t, &d), PT_OK);
    cr_assert(header_equal(pt_trace_header(t), sample_header()), "%s %zu", what,
              at);
    cr_assert(defs_within(t, original), "%s %zu", what, at);
    for (size_t i = 0; i < pt_trace_chunk_count(t); i++) {
        struct pt_str item;
        struct pt_events ev;
        const struct pt_chunk_info *info = pt_trace_chunk(t, i);
        enum pt_status st = pt_decoder_raw(d, i, &item);
        if (st != PT_OK) {
            cr_assert_eq(st, PT_EDAMAGED);
            cr_assert_eq(pt_decoder_error(d)->status, PT_EDAMAGED);
            seen.failed++;
            continue;
        }
        if (info->type != PT_CHUNK_EVENTS)
            continue;
        cr_assert_eq(pt_decoder_events(d, i, &ev), PT_OK);
        if (is_new_gap(&ev)) {
            seen.gaps++;
            continue;
        }
        for (uint32_t k = 0; k < info->events; k++)
            cr_assert(
                info->seq + k < whole.n &&
                    event_equal(&ev.events[k], &whole.events[info->seq + k]),
                "%s %zu: event %u of chunk %zu", what, at, k, i);
        seen.events += info->events;
    }
    pt_decoder_free(d);
    return seen;
}

static bool
noticed(const struct pt_trace *t)
{
    const struct pt_damage *d = pt_trace_damage(t);
    bool any = d->torn || d->bad_chunks != 0 || d->trailing != 0;
    if (any)
        cr_assert(d->first_offset >= 0 && d->text[0] != 0);
    return any;
}

/* A repaired log is whole, and holds the same events. */
static void
repair_and_compare(const struct pt_trace *t, uint64_t events)
{
    struct pt_error e = {.text = ""};
    cr_assert_eq(pt_trace_repair(t, place.second, &e), PT_OK, "%s", e.text);
    struct pt_trace *r;
    cr_assert_eq(pt_trace_open(place.second, &e, &r), PT_OK, "%s", e.text);
    cr_assert(!noticed(r), "%s", pt_trace_damage(r)->text);
    struct seen seen = read_and_compare(r, "repaired", 0);
    cr_assert(seen.failed == 0 && seen.events == events);
    cr_assert_not_null(pt_trace_end(r));
    cr_assert_eq(pt_trace_end(r)->events, events + seen.gaps);
    pt_trace_close(r);
}

Test(format_damage, sample_holds_every_chunk_type)
{
    static const uint8_t types[] = {PT_CHUNK_HEADER,    PT_CHUNK_DEFINITIONS,
                                    PT_CHUNK_SYNTAX,    PT_CHUNK_EVENTS,
                                    PT_CHUNK_VALUES,    PT_CHUNK_OUTPUT,
                                    PT_CHUNK_INDEX,     PT_CHUNK_END,
                                    PT_CHUNK_VARIABLES, 0xc0};
    for (size_t k = 0; k < sizeof types; k++) {
        bool found = false;
        for (size_t i = 0; i < pt_trace_chunk_count(original); i++)
            found |= pt_trace_chunk(original, i)->type == types[k];
        cr_expect(found, "type %#x", types[k]);
    }
    cr_expect_eq(pt_trace_damage(original)->unknown_chunks, 1);
    cr_expect_eq(pt_trace_thread_count(original), 2);
}

Test(format_damage, every_prefix)
{
    uint64_t first = pt_chunk_total(pt_trace_chunk(original, 0));
    struct pt_chunk_info end =
        *pt_trace_chunk(original, pt_trace_chunk_count(original) - 1);
    for (size_t n = 0; n < size; n++) {
        struct pt_trace *t;
        struct pt_error e = {.status = PT_OK};
        enum pt_status st = open_bytes(bytes, n, &e, &t);
        if (n < first) {
            cr_assert(st == PT_ENOTRACE, "prefix %zu: %d", n, st);
            cr_assert(e.status == st && e.text[0] != 0);
            continue;
        }
        cr_assert_eq(st, PT_OK, "prefix %zu: %s", n, e.text);
        uint64_t events = 0, covered = 0;
        size_t chunks = 0;
        for (size_t i = 0; i < pt_trace_chunk_count(original); i++) {
            const struct pt_chunk_info *c = pt_trace_chunk(original, i);
            if (c->offset + pt_chunk_total(c) > n)
                break;
            events += c->events;
            covered = c->offset + pt_chunk_total(c);
            chunks++;
        }
        cr_assert_eq(pt_trace_chunk_count(t), chunks, "prefix %zu", n);
        struct seen seen = read_and_compare(t, "prefix", n);
        cr_assert(seen.events == events && seen.failed == 0, "prefix %zu", n);
        const struct pt_damage *d = pt_trace_damage(t);
        cr_assert_eq(d->torn, n < end.offset + pt_chunk_total(&end));
        cr_assert_eq(d->trailing, n - covered, "prefix %zu", n);
        cr_assert_eq(d->bad_chunks, 0);
        cr_assert(noticed(t) || n == covered);
        if (n % 7 == 0 || n == covered)
            repair_and_compare(t, events);
        pt_trace_close(t);
    }
}

Test(format_damage, every_bit)
{
    unsigned char *copy = malloc(size);
    memcpy(copy, bytes, size);
    for (size_t bit = 0; bit < size * 8; bit++) {
        copy[bit / 8] ^= (unsigned char)(1 << bit % 8);
        struct pt_trace *t;
        struct pt_error e = {.text = ""};
        enum pt_status st = open_bytes(copy, size, &e, &t);
        /* Even the header's loss is survived: there is a copy of it. */
        cr_assert_eq(st, PT_OK, "bit %zu: %s", bit, e.text);
        struct seen seen = read_and_compare(t, "bit", bit);
        cr_assert(noticed(t) || seen.failed != 0, "bit %zu passes", bit);
        if (bit % 61 == 0)
            repair_and_compare(t, seen.events);
        pt_trace_close(t);
        copy[bit / 8] = bytes[bit / 8];
    }
    free(copy);
}

static uint64_t random_state = 88172645463325252u;

static uint64_t
next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Bytes taken out, put in, doubled and overwritten: chunks on both sides of
 * the place are still found. */
Test(format_damage, pieces_missing_and_added)
{
    unsigned char *copy = malloc(3 * size);
    for (unsigned round = 0; round < 3000; round++) {
        size_t at = next() % size, len = 1 + next() % 300, n;
        if (len > size - at)
            len = size - at;
        memcpy(copy, bytes, at);
        switch (round % 4) {
        case 0: /* out */
            n = size - len;
            memcpy(copy + at, bytes + at + len, n - at);
            break;
        case 1: /* in */
            n = size + len;
            for (size_t i = 0; i < len; i++)
                copy[at + i] = (unsigned char)next();
            memcpy(copy + at + len, bytes + at, size - at);
            break;
        case 2: /* doubled */
            n = size + at;
            memcpy(copy + at, bytes, size);
            break;
        default: /* overwritten */
            n = size;
            memcpy(copy, bytes, size);
            for (size_t i = 0; i < len; i++)
                copy[at + i] = (unsigned char)next();
        }
        struct pt_trace *t;
        struct pt_error e = {.text = ""};
        enum pt_status st = open_bytes(copy, n, &e, &t);
        if (st != PT_OK) {
            cr_assert(st == PT_EDAMAGED || st == PT_ENOTRACE, "%s", e.text);
            continue;
        }
        /* A doubled log has its definitions twice: the first ones stay. */
        struct seen seen = read_and_compare(t, "round", round);
        cr_assert(noticed(t) || seen.failed != 0 || n == size, "round %u",
                  round);
        if (round % 4 != 2)
            cr_assert(seen.events + 50 >= SAMPLE_EVENTS || len > 216);
        pt_trace_close(t);
    }
    free(copy);
}

Test(format_damage, taken_out_bytes_cost_one_chunk)
{
    size_t victim = 0, chunks = pt_trace_chunk_count(original);
    while (pt_trace_chunk(original, victim)->events == 0)
        victim++;
    const struct pt_chunk_info *c = pt_trace_chunk(original, victim);
    size_t at = c->offset + 216 + c->packed_size / 2;
    unsigned char *copy = malloc(size);
    memcpy(copy, bytes, at);
    memcpy(copy + at, bytes + at + 10, size - at - 10);
    struct pt_trace *t;
    cr_assert_eq(open_bytes(copy, size - 10, NULL, &t), PT_OK);
    cr_expect_eq(pt_trace_chunk_count(t), chunks - 1);
    cr_expect_eq(read_and_compare(t, "cut", at).events,
                 SAMPLE_EVENTS - c->events);
    pt_trace_close(t);
    free(copy);
}

Test(format_damage, garbage)
{
    static const char texts[][40] = {"", "x", "hello, this is no trace at all",
                                     "W*M\x18"};
    struct pt_trace *t;
    struct pt_error e;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        cr_expect_eq(open_bytes((const unsigned char *)texts[i],
                                strlen(texts[i]), &e, &t),
                     PT_ENOTRACE);
    unsigned char noise[5000];
    for (unsigned round = 0; round < 500; round++) {
        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = (unsigned char)next();
        memcpy(noise + round % 1000, bytes, (size_t)4 * (round % 3));
        cr_expect_eq(open_bytes(noise, sizeof noise, &e, &t), PT_ENOTRACE);
    }
    cr_expect_eq(pt_trace_open("/dev/null", &e, &t), PT_ENOTRACE);
    cr_expect_eq(pt_trace_open("/", &e, &t), PT_ENOTRACE);
    cr_expect_eq(pt_trace_open("/no/such/place.ptr", &e, &t), PT_EIO);
    cr_expect(strstr(e.text, "/no/such/place.ptr") != NULL);
}

/* --- what a later version may write --------------------------------------- */

/* Changes a byte of the first events chunk's header, which is signed again. */
static unsigned char *
with_header_byte(size_t at, unsigned char value)
{
    size_t i = 0;
    while (pt_trace_chunk(original, i)->events == 0)
        i++;
    unsigned char *copy = malloc(size);
    memcpy(copy, bytes, size);
    unsigned char *h = copy + pt_trace_chunk(original, i)->offset;
    h[at] = value;
    uint64_t hash = pt_hash64(h, 208);
    memcpy(h + 208, &hash, 8);
    return copy;
}

Test(format_damage, later_versions)
{
    struct pt_trace *t;
    struct pt_error e;
    enum { VERSION = 8, TYPE = 9, MUST_ZERO = 10, IGNORE = 11 };
    /* Cut the seek table off, so that headers are looked at. */
    size_t n = size - 1;
    unsigned char *copy = with_header_byte(VERSION, 2);
    cr_expect_eq(open_bytes(copy, n, &e, &t), PT_EUNSUPPORTED);
    cr_expect(strstr(e.text, "version 2") != NULL, "%s", e.text);
    free(copy);
    copy = with_header_byte(TYPE, 9);
    cr_expect_eq(open_bytes(copy, n, &e, &t), PT_EUNSUPPORTED);
    cr_expect(strstr(e.text, "type 9") != NULL, "%s", e.text);
    free(copy);
    copy = with_header_byte(TYPE, 0x8a);
    cr_assert_eq(open_bytes(copy, n, &e, &t), PT_OK);
    cr_expect_eq(pt_trace_damage(t)->unknown_chunks, 2);
    pt_trace_close(t);
    free(copy);
    copy = with_header_byte(IGNORE, 0xff);
    cr_assert_eq(open_bytes(copy, n, &e, &t), PT_OK);
    cr_expect_eq(read_and_compare(t, "flags", 0).events, SAMPLE_EVENTS);
    pt_trace_close(t);
    free(copy);
    copy = with_header_byte(MUST_ZERO, 1);
    cr_assert_eq(open_bytes(copy, n, &e, &t), PT_OK);
    struct pt_decoder *d;
    struct pt_events ev;
    cr_assert_eq(pt_decoder_new(t, &d), PT_OK);
    for (size_t i = 0; i < pt_trace_chunk_count(t); i++) {
        if (pt_trace_chunk(t, i)->events == 0)
            continue;
        cr_expect_eq(pt_decoder_events(d, i, &ev), PT_EUNSUPPORTED);
        break;
    }
    pt_decoder_free(d);
    pt_trace_close(t);
    free(copy);
}

Test(format_damage, checksums_can_be_ignored_for_fuzzing)
{
    pt_testing.ignore_checksums = true;
    unsigned char *copy = with_header_byte(11, 1);
    copy[210]++; /* of the first chunk's own checksum */
    struct pt_trace *t;
    cr_assert_eq(open_bytes(copy, size, NULL, &t), PT_OK);
    cr_expect_eq(pt_trace_damage(t)->bad_chunks, 0);
    pt_trace_close(t);
    free(copy);
}

/* The logs that fuzzing starts from, with and without their checksums. */
Test(format_damage, corpus)
{
    DIR *d = opendir("tests/corpus");
    cr_assert_not_null(d, "run the tests from the top of the source");
    unsigned files = 0, opened = 0;
    for (struct dirent *f; (f = readdir(d)) != NULL;) {
        char path[300];
        if (f->d_name[0] == '.')
            continue;
        files++;
        snprintf(path, sizeof path, "tests/corpus/%s", f->d_name);
        for (unsigned ignore = 0; ignore < 2; ignore++) {
            pt_testing.ignore_checksums = ignore != 0;
            struct pt_error e = {.text = ""};
            struct pt_trace *t;
            if (pt_trace_open(path, &e, &t) != PT_OK) {
                cr_expect_neq(e.text[0], 0);
                continue;
            }
            opened++;
            enum pt_status st = pt_trace_repair(t, place.second, &e);
            cr_expect(st == PT_OK || st == PT_EUNSUPPORTED, "%s: %s", path,
                      e.text);
            pt_trace_close(t);
            if (st != PT_OK)
                continue;
            cr_assert_eq(pt_trace_open(place.second, &e, &t), PT_OK, "%s: %s",
                         path, e.text);
            cr_expect(!pt_trace_damage(t)->torn);
            pt_trace_close(t);
        }
    }
    closedir(d);
    cr_expect(files > 10 && opened > 20, "%u of %u", opened, files);
    pt_testing.ignore_checksums = false;
}

Test(format_damage, file_that_becomes_shorter)
{
    int fd = open(place.path, O_RDWR);
    cr_assert(fd >= 0);
    struct pt_trace *t;
    cr_assert_eq(pt_trace_open(place.path, NULL, &t), PT_OK);
    cr_assert_eq(ftruncate(fd, 2000), 0);
    struct pt_decoder *d;
    cr_assert_eq(pt_decoder_new(t, &d), PT_OK);
    bool failed = false;
    for (size_t i = 0; i < pt_trace_chunk_count(t); i++) {
        struct pt_str item;
        enum pt_status st = pt_decoder_raw(d, i, &item);
        cr_expect(st == PT_OK || st == PT_EIO);
        failed |= st == PT_EIO;
    }
    cr_expect(failed);
    pt_decoder_free(d);
    pt_trace_close(t);
    close(fd);
}
