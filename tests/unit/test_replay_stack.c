/* The stack rules of <pt/replay.h>, one by one, and line tables. */
#include "tests/unit/test_replay.h"

#include <criterion/criterion.h>
#include <string.h>

static struct pt_step
step(struct pt_stack *s, struct pt_event e)
{
    struct pt_step out;
    cr_assert_eq(pt_stack_step(s, &e, 0, &out), PT_OK);
    return out;
}

Test(replay_stack, calls_and_ends)
{
    struct pt_stack s = {0};
    cr_expect_eq(step(&s, ev_enter(PT_CALL, 1, 5, 0)).frame.id, 5u);
    struct pt_step in = step(&s, ev_enter(PT_RESUME, 2, 6, 9));
    cr_expect_eq(in.frame.id, 6u);
    cr_expect_eq(in.frame.key, 9u);
    cr_expect_eq(in.depth, 1u);
    struct pt_step c = step(&s, ev_c_call(3, 70));
    cr_expect_eq(c.callee, 70u);
    cr_expect_eq(c.frame.id, 6u, "a C call belongs to its caller's frame");
    cr_expect_eq(s.depth, 3u);
    cr_expect_eq(step(&s, ev_plain(PT_C_EXCEPTION, 4)).callee, 70u);
    struct pt_step out = step(&s, ev_plain(PT_YIELD, 5));
    cr_expect_eq(out.frame.id, 6u, "an end belongs to the frame it leaves");
    cr_expect_eq(out.depth, 1u);
    step(&s, ev_plain(PT_UNWIND, 6));
    cr_expect_eq(s.depth, 0u);
    cr_expect_eq(s.unmatched + s.unfinished, 0u);
    pt_stack_clear(&s);
}

Test(replay_stack, unfinished_c_calls)
{
    struct pt_stack s = {0};
    step(&s, ev_enter(PT_CALL, 1, 5, 0));
    step(&s, ev_c_call(2, 70));
    step(&s, ev_enter(PT_CALL, 3, 6, 0)); /* Python called from C: inside */
    cr_expect_eq(s.depth, 3u);
    step(&s, ev_plain(PT_RETURN, 4));
    cr_expect_eq(s.depth, 2u);
    static const uint8_t closers[] = {PT_LINE, PT_INSTRUCTION, PT_BRANCH,
                                      PT_JUMP, PT_EXCEPTION,   PT_HANDLED};
    for (size_t i = 0; i < sizeof closers; i++) {
        struct pt_event e =
            closers[i] == PT_LINE ? ev_line(3) : ev_at(closers[i], 4);
        struct pt_step r = step(&s, e);
        cr_expect_eq(r.unfinished, 1u, "kind %u", closers[i]);
        cr_expect_eq(r.frame.id, 5u);
        cr_expect_eq(s.depth, 1u);
        step(&s, ev_c_call(5, 71));
    }
    cr_expect_eq(step(&s, ev_c_call(6, 72)).unfinished, 1u);
    cr_expect_eq(s.depth, 2u);
    static const uint8_t others[] = {PT_THREAD, PT_PROCESS, PT_MARK, PT_OUTPUT};
    for (size_t i = 0; i < sizeof others; i++)
        cr_expect_eq(step(&s, ev_plain(others[i], 7)).unfinished, 0u);
    struct pt_step r = step(&s, ev_plain(PT_RETURN, 8));
    cr_expect_eq(r.unfinished, 1u);
    cr_expect_eq(r.frame.id, 5u);
    cr_expect_eq(s.depth, 0u);
    pt_stack_clear(&s);
}

Test(replay_stack, unmatched_ends_change_nothing)
{
    struct pt_stack s = {0};
    cr_expect(step(&s, ev_plain(PT_RETURN, 1)).unmatched);
    cr_expect(step(&s, ev_plain(PT_C_RETURN, 1)).unmatched);
    cr_expect(step(&s, ev_line(4)).unmatched);
    step(&s, ev_enter(PT_CALL, 2, 5, 0));
    struct pt_step r = step(&s, ev_plain(PT_C_RETURN, 3));
    cr_expect(r.unmatched);
    cr_expect_eq(r.frame.id, 5u);
    cr_expect_eq(s.depth, 1u);
    cr_expect_eq(s.unmatched, 4u);
    pt_stack_clear(&s);
}

Test(replay_stack, keyframes_are_authoritative)
{
    struct pt_stack s = {0};
    struct pt_frame frames[2] = {{.id = 5, .key = 1}, {.id = 6}};
    struct pt_chunk_info info = {.events = 1};
    struct pt_event first = ev_plain(PT_RETURN, 9);
    struct pt_events chunk = {
        .info = &info, .events = &first, .stack = frames, .depth = 2};
    cr_assert_eq(pt_stack_sync(&s, &chunk), PT_OK);
    cr_expect_eq(s.depth, 2u);
    cr_expect_eq(s.desyncs, 0u, "nothing was known before");
    cr_assert_eq(pt_stack_sync(&s, &chunk), PT_OK);
    cr_expect_eq(s.desyncs, 0u, "the same again");
    chunk.depth = 1;
    cr_assert_eq(pt_stack_sync(&s, &chunk), PT_OK);
    cr_expect_eq(s.desyncs, 1u);
    cr_expect_eq(s.depth, 1u);
    frames[0].key = 2;
    cr_assert_eq(pt_stack_sync(&s, &chunk), PT_OK);
    cr_expect_eq(s.desyncs, 2u, "another generator");
    step(&s, ev_gap(10, 3));
    frames[0].id = 8;
    cr_assert_eq(pt_stack_sync(&s, &chunk), PT_OK);
    cr_expect_eq(s.desyncs, 2u, "a gap explains it");
    frames[0].id = 9;
    first = ev_gap(11, 3);
    cr_assert_eq(pt_stack_sync(&s, &chunk), PT_OK);
    cr_expect_eq(s.desyncs, 2u, "so does one at the chunk's start");
    pt_stack_clear(&s);
}

/* The log's own correction of a frame that CPython did not announce. */
Test(replay_stack, implied_calls_have_no_key)
{
    struct pt_stack s = {0};
    step(&s, ev_enter(PT_CALL, 1, 5, PT_IMPLIED));
    cr_expect_eq(s.frames[0].key, 0u);
    struct pt_frame frame = {.id = 5};
    struct pt_chunk_info info = {.events = 1};
    struct pt_event first = ev_plain(PT_RETURN, 9);
    struct pt_events chunk = {
        .info = &info, .events = &first, .stack = &frame, .depth = 1};
    s.known = true;
    cr_assert_eq(pt_stack_sync(&s, &chunk), PT_OK);
    cr_expect_eq(s.desyncs, 0u);
    pt_stack_clear(&s);
}

/* --- lines ---------------------------------------------------------------- */

static struct pt_lines *
decode(const char *table, size_t len, size_t units, uint32_t firstline)
{
    static const char zeros[64];
    struct pt_code code = {.firstline = firstline,
                           .bytecode = {zeros, 2 * units},
                           .linetable = {table, len}};
    struct pt_lines *lines;
    cr_assert_eq(pt_lines_new(&code, &lines), PT_OK);
    return lines;
}

Test(replay_lines, every_form)
{
    static const char table[] = {
        (char)(0x80 | 15 << 3 | 0), /* none, 1 unit */
        (char)(0x80 | 13 << 3 | 1),
        2, /* line + 1, 2 units */
        (char)(0x80 | 10 << 3 | 0),
        4,
        9, /* same line */
        (char)(0x80 | 12 << 3 | 0),
        0,
        127, /* + 2 */
        (char)(0x80 | 3 << 3 | 0),
        0x25, /* short: column 26..31 */
        (char)(0x80 | 14 << 3 | 0),
        0x41,
        0x01,
        3,
        8,
        9, /* -32, 3 lines */
        (char)(0x80 | 13 << 3 | 7),
        0x40 | 0x28,
        0x01 /* + 52 */
    };
    struct pt_lines *l = decode(table, sizeof table, 15, 100);
    static const uint32_t lines[] = {0, 101, 101, 101, 103, 103};
    for (unsigned i = 0; i < 6; i++)
        cr_expect_eq(pt_lines_at(l, 2 * i).line, lines[i], "unit %u: %u", i,
                     pt_lines_at(l, 2 * i).line);
    struct pt_position p = pt_lines_at(l, 6);
    cr_expect_eq(p.column, 4);
    cr_expect_eq(p.end_column, 9);
    p = pt_lines_at(l, 10);
    cr_expect_eq(p.column, 26);
    cr_expect_eq(p.end_column, 31);
    p = pt_lines_at(l, 12);
    cr_expect_eq(p.line, 71u, "%u", p.line);
    cr_expect_eq(p.end_line, 74u);
    cr_expect_eq(p.column, 7);
    cr_expect_eq(p.end_column, 8);
    cr_expect_eq(pt_lines_at(l, 14).line, 123u);
    cr_expect_eq(pt_lines_at(l, 28).line, 123u);
    cr_expect_eq(pt_lines_at(l, 30).line, 0u, "past the code");
    cr_expect_eq(pt_lines_at(l, UINT32_MAX).line, 0u);
    pt_lines_free(l);
}

Test(replay_lines, damage_leaves_no_lines)
{
    static const char good[] = {
        (char)(0x80 | 13 << 3 | 1), 2, (char)(0x80 | 14 << 3 | 7), 2, 3, 8};
    for (size_t len = 0; len <= sizeof good; len++) {
        struct pt_lines *l = decode(good, len, 10, 5);
        cr_expect_eq(pt_lines_at(l, 0).line, len >= 2 ? 6u : 0u);
        cr_expect_eq(pt_lines_at(l, 4).line, 0u);
        pt_lines_free(l);
    }
    uint64_t state = 1;
    for (unsigned round = 0; round < 20000; round++) {
        char noise[24];
        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = (char)(dice(&state, 256) | (i % 3 ? 0 : 128));
        struct pt_lines *l = decode(noise, sizeof noise, dice(&state, 32),
                                    dice(&state, 2) ? 1 : UINT32_MAX);
        for (uint32_t off = 0; off < 80; off += 2)
            cr_assert_leq(pt_lines_at(l, off).line, (uint32_t)INT32_MAX);
        pt_lines_free(l);
    }
}
