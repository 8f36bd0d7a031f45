/* Histories against the cursor: the same items, forwards, backwards and at
 * random, of traces that are whole, that are damaged, and that were recorded.
 */
#include "tests/unit/test_replay_history.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Test(replay_history, threads_both_ways)
{
    static const uint32_t shapes[][3] = {
        {1, 500, 50}, {2, 500, 7}, {7, 300, 40}, {40, 60, 11}};
    for (unsigned i = 0; i < 4; i++) {
        struct synth s;
        struct pt_trace *trace =
            make_threads(&s, shapes[i][0], shapes[i][1], shapes[i][2]);
        expect_history(trace, 0, "threads");
        without_flow(trace);
        expect_history(trace, 0, "threads without flow");
        expect_history(trace, 1, "one thread");
        pt_trace_close(trace);
        synth_clear(&s);
    }
}

Test(replay_history, flow_both_ways)
{
    for (uint32_t threads = 1; threads < 5; threads += 3) {
        struct flow f;
        uint32_t code = make_flow(&f, threads, 150, 0);
        expect_history(f.trace, 0, "flow");
        expect_history(f.trace, 1, "flow of one thread");
        expect_searches(f.trace, code, 5);
        flow_end(&f);
    }
}

Test(replay_history, flow_that_does_not_fit)
{
    struct flow f;
    uint32_t code = make_flow(&f, 3, 150, 6);
    expect_history(f.trace, 0, "flow with desyncs");
    expect_searches(f.trace, code, 5);
    flow_end(&f);
}

/* --- chunks that cannot be read --------------------------------------------
 */

/* Spoils the bodies of some of a file's events chunks. */
static size_t
spoil(const char *path, uint64_t seed)
{
    struct pt_trace *trace;
    size_t spoilt = 0;
    FILE *file = fopen(path, "r+b");
    cr_assert_not_null(file);
    cr_assert_eq(pt_trace_open(path, NULL, &trace), PT_OK);
    for (size_t i = 0; i < pt_trace_chunk_count(trace); i++) {
        const struct pt_chunk_info *info = pt_trace_chunk(trace, i);
        if (info->type != PT_CHUNK_EVENTS || dice(&seed, 4))
            continue;
        uint64_t body = info->offset + PT_CHUNK_HEADER_SIZE;
        fseek(file, (long)(body + info->packed_size - 1), SEEK_SET);
        int last = fgetc(file);
        fseek(file, -1, SEEK_CUR);
        fputc(last ^ 0x55, file);
        spoilt++;
    }
    pt_trace_close(trace);
    fclose(file);
    return spoilt;
}

Test(replay_history, chunks_that_cannot_be_read)
{
    for (uint64_t seed = 0; seed < 8; seed++) {
        struct flow f;
        make_flow(&f, 1 + 2 * (seed % 2), 120, 2);
        pt_trace_close(f.trace);
        size_t spoilt = spoil(f.place.path, seed);
        cr_assert_gt(spoilt, 0u);
        cr_assert_eq(pt_trace_open(f.place.path, NULL, &f.trace), PT_OK);
        expect_damaged(f.trace, "spoilt");
        struct pt_history *h = open_history(f.trace, 0, 1);
        while (pt_history_next(h, PT_GRAIN_EVENT) == PT_OK)
            ;
        cr_expect_eq(pt_history_trouble(h).bad_chunks, spoilt);
        pt_history_close(h);
        flow_end(&f);
    }
}

/* What is missing is told behind it, from whatever side one comes. */
Test(replay_history, holes_are_told)
{
    struct synth s;
    struct pt_here at;
    synth_begin(&s);
    uint32_t code = synth_code(&s, "f");
    s.thread = synth_thread(&s, 1);
    for (int64_t i = 0; i < 5; i++) {
        struct pt_event e = i == 3 ? ev_gap(100 * i, 17)
                                   : ev_enter(PT_CALL, 100 * i + 1, code, 0);
        synth_event(&s, &e);
        e = ev_plain(PT_RETURN, 100 * i + 50);
        if (i != 3)
            synth_event(&s, &e);
        synth_flush(&s);
    }
    struct pt_trace *trace = synth_end(&s);
    size_t chunks = 0;
    FILE *file = fopen(s.place.path, "r+b");
    cr_assert_not_null(file);
    for (size_t i = 0; i < pt_trace_chunk_count(trace); i++) {
        const struct pt_chunk_info *info = pt_trace_chunk(trace, i);
        if (info->type != PT_CHUNK_EVENTS)
            continue;
        if (chunks == 1 || chunks == 2) {
            fseek(file, (long)info->offset + PT_CHUNK_HEADER_SIZE + 8,
                  SEEK_SET);
            fputc(0xee, file);
        }
        chunks++;
    }
    fclose(file);
    pt_trace_close(trace);
    cr_assert_eq(pt_trace_open(s.place.path, NULL, &trace), PT_OK);
    without_flow(trace);
    struct pt_history *h = open_history(trace, 0, 0);
    cr_assert_eq(pt_history_seek(h, 2, 0), PT_EDAMAGED);
    cr_assert_eq(pt_history_here(h, &at), PT_END, "the position stays");
    cr_assert_eq(pt_history_seek(h, 6, 0), PT_OK);
    cr_assert_eq(pt_history_here(h, &at), PT_OK);
    cr_expect_eq(at.event->kind, PT_GAP);
    cr_expect_eq(at.ran, PT_RAN_GAP);
    cr_expect_eq(at.missing, 17u + 4u, "%lu", (unsigned long)at.missing);
    cr_assert_eq(pt_history_next(h, PT_GRAIN_EVENT), PT_OK);
    cr_assert_eq(pt_history_here(h, &at), PT_OK);
    cr_expect_eq(at.ran, PT_RAN_UNTOLD);
    pt_history_begin(h);
    pt_history_next(h, PT_GRAIN_EVENT);
    cr_assert_eq(pt_history_here(h, &at), PT_OK);
    cr_expect_eq(at.seq, 0u);
    cr_expect_eq(at.missing, 0u);
    cr_expect_eq(pt_history_trouble(h).bad_chunks, 2u);
    cr_expect_eq(pt_history_trouble(h).gaps, 1u);
    cr_expect_eq(pt_history_trouble(h).lost, 17u);
    pt_history_close(h);
    pt_trace_close(trace);
    synth_clear(&s);
}

Test(replay_history, corpus)
{
    glob_t found;
    unsigned opened = 0;
    cr_assert_eq(glob("tests/corpus/*.ptr", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct pt_trace *trace;
        if (pt_trace_open(found.gl_pathv[i], NULL, &trace) != PT_OK)
            continue;
        opened++;
        expect_damaged(trace, found.gl_pathv[i]);
        pt_trace_close(trace);
    }
    cr_expect_gt(opened, 10u);
    globfree(&found);
}

/* Traces named by a pattern in the environment, for use by hand. */
Test(replay_history, given_files)
{
    const char *pattern = getenv("PT_HISTORY_FILES");
    glob_t found;
    if (!pattern || glob(pattern, 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct pt_trace *trace;
        cr_assert_eq(pt_trace_open(found.gl_pathv[i], NULL, &trace), PT_OK);
        expect_history(trace, 0, found.gl_pathv[i]);
        pt_trace_close(trace);
    }
    globfree(&found);
}

/* --- by time ----------------------------------------------------------------
 */

Test(replay_history, times)
{
    struct synth s;
    struct pt_trace *trace = make_threads(&s, 6, 200, 30);
    without_flow(trace);
    struct items all = items_of_cursor(trace, 0, NULL);
    struct pt_history *h = open_history(trace, 0, 1);
    struct pt_here at;
    cr_assert_eq(pt_history_seek_time(h, all.all[0].event.time - 1), PT_OK);
    cr_expect_eq(pt_history_here(h, &at), PT_END, "before all");
    cr_assert_eq(pt_history_next(h, PT_GRAIN_ITEM), PT_OK);
    struct item got = item_here(h);
    expect_same(&all.all[0], &got, "the first");
    for (size_t i = 0; i + 1 < all.n; i++) {
        if (all.all[i].event.time == all.all[i + 1].event.time)
            continue;
        cr_assert_eq(pt_history_seek_time(h, all.all[i].event.time), PT_OK);
        got = item_here(h);
        expect_same(&all.all[i], &got, "by time");
        cr_assert_eq(pt_history_seek_time(h, all.all[i + 1].event.time - 1),
                     PT_OK);
        got = item_here(h);
        expect_same(&all.all[i], &got, "by a time between");
    }
    cr_assert_eq(pt_history_seek_time(h, INT64_MAX), PT_OK);
    got = item_here(h);
    expect_same(&all.all[all.n - 1], &got, "behind all");
    pt_history_close(h);
    free(all.all);
    pt_trace_close(trace);
    synth_clear(&s);
}

/* --- recorded traces --------------------------------------------------------
 */

/* Records a program with the first interpreter of PYTHONS whose name has
 * `version`, if this build has a recorder; false where there is none. */
static bool
record(const char *version, const char *preset, const char *program,
       const char *path)
{
    const char *build = getenv("BUILD"), *pythons = getenv("PYTHONS");
    char command[4096], python[1024];
    const char *found = pythons ? strstr(pythons, version) : NULL;
    if (!found)
        return false;
    while (found > pythons && found[-1] != ' ')
        found--;
    snprintf(python, sizeof python, "%.*s", (int)strcspn(found, " "), found);
    snprintf(command, sizeof command,
             "%s/bin/ptrec run --quiet -f -o %s --preset=%s --python %s "
             "tests/roundtrip/programs/%s >/dev/null 2>&1",
             build ? build : "build", path, preset, python, program);
    int status = system(command);
    return status != -1 && access(path, R_OK) == 0;
}

Test(replay_history, recorded)
{
    static const char *const cases[][3] = {
        {"3.12", "flow", "generators.py"}, {"3.13", "flow", "exceptions.py"},
        {"3.13", "flow", "threads.py"},    {"3.12", "flow", "coroutines.py"},
        {"3.11", "flow", "loops.py"},      {"3.13", "lines", "classes.py"},
        {"3.12", "calls", "recursion.py"}, {"3.13", "flow", "withs.py"}};
    struct place place;
    place_make(&place);
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pt_trace *trace;
        if (!record(cases[i][0], cases[i][1], cases[i][2], place.path))
            continue;
        cr_assert_eq(pt_trace_open(place.path, NULL, &trace), PT_OK);
        expect_history(trace, 0, cases[i][2]);
        pt_trace_close(trace);
        cr_assert_eq(remove(place.path), 0);
    }
    place_remove(&place);
}
