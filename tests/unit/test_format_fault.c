/* The n-th write fails, the n-th allocation fails: nothing crashes, the
 * status says so, and the file ends with a whole chunk. */
#include "tests/unit/test_format.h"

#include "format/alloc.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static struct place place;

static void
setup(void)
{
    place_make(&place);
}

static void
teardown(void)
{
    pt_testing = (struct pt_testing){-1, -1, 0, false};
    place_remove(&place);
}

TestSuite(format_fault, .init = setup, .fini = teardown, .timeout = 120);

static bool
exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* A log that was left behind opens and ends with a whole chunk. */
static void
check_left(const char *path)
{
    struct pt_trace *t;
    struct pt_error e = {.text = ""};
    cr_assert_eq(pt_trace_open(path, &e, &t), PT_OK, "%s", e.text);
    cr_assert_eq(pt_trace_damage(t)->trailing, 0);
    cr_assert_eq(pt_trace_damage(t)->bad_chunks, 0);
    pt_trace_close(t);
}

Test(format_fault, every_write)
{
    for (int n = 0;; n++) {
        pt_testing.failed = 0;
        pt_testing.fail_write = n;
        enum pt_status st = sample_write(place.path);
        bool left = pt_testing.failed == 0; /* it never came to pass */
        pt_testing.fail_write = -1;
        if (left) {
            cr_expect_eq(st, PT_OK);
            cr_expect(n > 8, "only %d writes", n);
            break;
        }
        cr_assert_eq(st, PT_EIO, "write %d", n);
        cr_assert(!exists(place.path));
        if (n == 0) {
            cr_assert(!exists(place.part), "not even a header");
        } else {
            check_left(place.part);
            unlink(place.part);
        }
    }
    check_left(place.path);
}

/* After a failure a log is closed when there is room again. */
Test(format_fault, room_again_at_the_end)
{
    struct pt_writer *w;
    struct pt_block *b;
    uint32_t process, thread, id;
    cr_assert_eq(pt_block_new(&b), PT_OK);
    cr_assert_eq(pt_writer_open(place.path, sample_header(), NULL, NULL, &w),
                 PT_OK);
    struct pt_process p = {.pid = 1};
    cr_assert_eq(pt_writer_process(w, &p, &process), PT_OK);
    struct pt_thread t = {.process = process};
    cr_assert_eq(pt_writer_thread(w, &t, &thread), PT_OK);
    pt_block_push(b, PT_LINE, PT_HAS(LINE), 0, 0, 1, 0, 0);
    cr_assert_eq(pt_writer_events(w, b, process, thread, NULL, 0, NULL), PT_OK);
    pt_testing.fail_write = 0;
    pt_block_push(b, PT_LINE, PT_HAS(LINE), 0, 0, 2, 0, 0);
    cr_assert_eq(pt_writer_events(w, b, process, thread, NULL, 0, NULL),
                 PT_EIO);
    cr_expect_eq(pt_writer_error(w)->sys, ENOSPC);
    cr_expect(strstr(pt_writer_error(w)->text, place.part) != NULL);
    cr_expect_eq(b->n, 1, "the block is as it was");
    pt_testing.fail_write = -1;
    cr_expect_eq(pt_writer_string(w, S("x"), &id), PT_EIO, "it sticks");
    struct pt_end end = {.events = 77, .reason = S("disk full")};
    cr_assert_eq(pt_writer_close(w, &end, NULL), PT_OK);
    pt_block_free(b);
    check_left(place.path);
    struct pt_trace *trace;
    cr_assert_eq(pt_trace_open(place.path, NULL, &trace), PT_OK);
    cr_expect_eq(pt_trace_end(trace)->events, 1);
    cr_expect(str_equal(pt_trace_end(trace)->reason, S("disk full")));
    pt_trace_close(trace);
}

Test(format_fault, file_size_limit)
{
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(sample_write(place.second), PT_OK);
    size_t whole;
    free(slurp(place.second, &whole));
    for (size_t limit = 1; limit < whole; limit += 97) {
        struct rlimit old, new = {limit, RLIM_INFINITY};
        cr_assert_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
        new.rlim_max = old.rlim_max;
        cr_assert_eq(setrlimit(RLIMIT_FSIZE, &new), 0);
        enum pt_status st = sample_write(place.path);
        cr_assert_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
        cr_assert_eq(st, PT_EIO, "limit %zu", limit);
        /* Closed with fewer events, or left as .part, or nothing at all. */
        if (exists(place.path))
            check_left(place.path);
        else if (exists(place.part))
            check_left(place.part);
        unlink(place.path);
        unlink(place.part);
    }
}

Test(format_fault, every_allocation_of_a_writer)
{
    for (int n = 0;; n++) {
        pt_testing.failed = 0;
        pt_testing.fail_alloc = n;
        enum pt_status st = sample_write(place.path);
        bool left = pt_testing.failed == 0;
        pt_testing.fail_alloc = -1;
        if (left) {
            cr_expect_eq(st, PT_OK);
            cr_expect(n > 30, "only %d allocations", n);
            break;
        }
        cr_assert_eq(st, PT_ENOMEM, "allocation %d: %d", n, st);
        if (exists(place.part))
            check_left(place.part);
        unlink(place.part);
        unlink(place.path);
    }
    check_left(place.path);
}

static enum pt_status
read_everything(const char *path, const char *repaired)
{
    struct pt_trace *t;
    struct pt_decoder *d;
    enum pt_status st = pt_trace_open(path, NULL, &t);
    if (st != PT_OK)
        return st;
    uint32_t bad = pt_trace_damage(t)->bad_chunks;
    cr_assert_eq(bad, 0, "want of memory is no damage");
    st = pt_decoder_new(t, &d);
    if (st == PT_OK) {
        struct pt_events ev;
        for (size_t i = 0; i < pt_trace_chunk_count(t) && st == PT_OK; i++)
            if (pt_trace_chunk(t, i)->type == PT_CHUNK_EVENTS)
                st = pt_decoder_events(d, i, &ev);
        pt_decoder_free(d);
    }
    if (st == PT_OK)
        st = pt_trace_repair(t, repaired, NULL);
    pt_trace_close(t);
    return st;
}

static void
fail_reading(const char *path)
{
    for (int n = 0;; n++) {
        pt_testing.failed = 0;
        pt_testing.fail_alloc = n;
        enum pt_status st = read_everything(path, place.second);
        bool left = pt_testing.failed == 0;
        pt_testing.fail_alloc = -1;
        if (left) {
            cr_expect_eq(st, PT_OK);
            cr_expect(n > 20, "only %d allocations", n);
            break;
        }
        cr_assert_eq(st, PT_ENOMEM, "allocation %d: %d", n, st);
        cr_assert(!exists(place.second));
    }
    unlink(place.second);
}

Test(format_fault, every_allocation_of_a_reader)
{
    sample_write_all(&place);
    unlink(place.second);
    fail_reading(place.path);
    /* The same where the file has to be walked. */
    size_t n;
    unsigned char *bytes = slurp(place.path, &n);
    spit(place.path, bytes, n - 100);
    free(bytes);
    fail_reading(place.path);
}
