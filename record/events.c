#include "record/events.h"
#include "record/problem.h"

#include <string.h>

#define BIT(id) (1u << PT_##id)
#define STACK_KINDS                                                            \
    (BIT(CALL) | BIT(RETURN) | BIT(YIELD) | BIT(RESUME) | BIT(THROW) |         \
     BIT(UNWIND))
#define C_KINDS (BIT(C_CALL) | BIT(C_RETURN) | BIT(C_EXCEPTION))
#define RAISE_KINDS (BIT(EXCEPTION) | BIT(HANDLED))
#define CALL_KINDS (STACK_KINDS | C_KINDS | BIT(TASK))
#define LINE_KINDS (CALL_KINDS | RAISE_KINDS | BIT(LINE))
#define FLOW_KINDS (CALL_KINDS | RAISE_KINDS | BIT(BRANCH) | BIT(JUMP))
#define ALL_KINDS (LINE_KINDS | BIT(INSTRUCTION) | BIT(BRANCH) | BIT(JUMP))

/* About what a hook takes: finer times cost bytes and tell little.  Of a flow
 * trace they are the larger part. */
#define FINE 12.4
#define COARSE 50

static const struct pt_preset presets[] = {
    {"flow",
     "what decides the path; all lines and instructions follow (default)",
     COARSE, FLOW_KINDS, true, false},
    {"calls", "calls and C calls: the cheapest exact profile", FINE, CALL_KINDS,
     false, false},
    {"lines", "calls, C calls, lines, exceptions: exact time per line", FINE,
     LINE_KINDS, false, false},
    {"instructions", "everything, each bytecode instruction", FINE, ALL_KINDS,
     false, false},
    {"coverage",
     "which lines ran and which ways branches went, almost for free (3.12 on)",
     FINE, BIT(LINE) | BIT(BRANCH), false, true},
};

const struct pt_preset *
pt_preset_at(unsigned i)
{
    return i < sizeof presets / sizeof *presets ? &presets[i] : NULL;
}

enum pt_status
pt_preset_find(const char *name, const struct pt_preset **out,
               struct pt_error *error)
{
    for (unsigned i = 0; i < sizeof presets / sizeof *presets; i++) {
        if (strcmp(presets[i].name, name) != 0)
            continue;
        *out = &presets[i];
        return PT_OK;
    }
    return pt_problem_set(error, PT_EUSAGE, 0,
                          "no preset \"%.64s\"; use flow, calls, lines, "
                          "instructions or coverage",
                          name);
}

/* Kinds that happen somewhere in a frame, and say nothing without it. */
#define PLACED_KINDS                                                           \
    (RAISE_KINDS | BIT(LINE) | BIT(INSTRUCTION) | BIT(BRANCH) | BIT(JUMP))

/* A kind with all that must come with it; 0 where it cannot be asked for. */
static uint32_t
family(enum pt_kind kind)
{
    uint32_t bit = 1u << kind;
    if (bit & STACK_KINDS)
        return STACK_KINDS;
    if (bit & C_KINDS)
        return C_KINDS;
    return bit & ALL_KINDS;
}

enum pt_status
pt_events_parse(const char *text, uint32_t *events, struct pt_error *error)
{
    bool edits = text[0] == '+' || text[0] == '-';
    uint32_t result = edits ? *events : 0;
    const char *p = text;
    do {
        size_t len = strcspn(p, ",");
        char sign = edits ? p[0] : '+';
        const char *name = p + edits;
        if (len <= (size_t)edits || (sign != '+' && sign != '-'))
            return pt_problem_set(
                error, PT_EUSAGE, 0,
                "--events=%.64s: give kinds (call,line) or only changes "
                "(+line,-c_call)",
                text);
        len -= (size_t)edits;
        enum pt_kind kind = pt_kind_find(name, (unsigned)len);
        uint32_t bits = kind == PT_KIND_NONE ? 0 : family(kind);
        if (bits == 0)
            return pt_problem_set(
                error, PT_EUSAGE, 0,
                "--events: \"%.*s\" cannot be recorded; the kinds are call, "
                "line, instruction, branch, jump, exception, handled, c_call, "
                "task",
                (int)(len < 64 ? len : 64), name);
        result = sign == '+' ? result | bits : result & ~bits;
        p = name + len;
    } while (*p++ == ',');
    if (result == 0)
        return pt_problem_set(error, PT_EUSAGE, 0,
                              "--events=%.64s leaves nothing to record", text);
    *events = result & PLACED_KINDS ? result | STACK_KINDS : result;
    return PT_OK;
}

/* A branch costs less than the reading of a clock. */
#define UNTIMED_IN_FLOW (BIT(BRANCH))

uint32_t
pt_events_stamped(uint32_t events, const struct pt_preset *preset)
{
    uint32_t kinds =
        events | BIT(THREAD) | BIT(PROCESS) | BIT(GAP) | BIT(SWITCH);
    return preset->flow   ? kinds & ~UNTIMED_IN_FLOW
           : preset->once ? kinds & ~events
                          : kinds;
}
