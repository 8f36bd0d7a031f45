#include "gate.h"
#include "frames.h"
#include "objects.h"

#include <pthread.h>
#include <stdlib.h>

enum { ENTRIES_MIN = 64 };

struct pt_gate pt_gate;

/* A frame that is on the stack, and what holds up to it. */
struct pt_gate_entry {
    const pt_pyframe *frame;
    uint32_t count;   /* recorded frames */
    uint32_t nearest; /* the innermost of them: its index, 0 none */
    bool recorded;
    bool within; /* a --function is on the stack, or none is asked for */
};

/* The first stands for "no frame". */
static _Thread_local struct pt_gate_stack stack
    __attribute__((tls_model("initial-exec")));

static struct {
    pthread_key_t key; /* ends a thread's stack */
    uint32_t depth;    /* --max-depth */
    bool functions;    /* there are --function */
} rules;

/* Events can still come, if another key's destructor runs Python. */
static void
end_stack(void *base)
{
    free(base);
    stack.base = NULL;
    stack.n = stack.capacity = 0;
}

bool
pt_gate_init(void)
{
    rules.depth = pt_choice_depth(&pt_choose);
    rules.functions = pt_choice_has(&pt_choose, PT_RULE_FUNCTION);
    pt_gate.stacked = rules.functions || rules.depth < PT_DEPTH_LIMIT;
    for (unsigned k = 0; k < PT_RULE_START_AT; k++)
        pt_gate.filtered |= pt_choice_has(&pt_choose, (enum pt_rule_kind)k);
    pt_gate.waiting = pt_choice_has(&pt_choose, PT_RULE_START_AT);
    return !pt_gate.stacked || pthread_key_create(&rules.key, end_stack) == 0;
}

void
pt_gate_swap(struct pt_gate_stack *from, struct pt_gate_stack *to)
{
    *from = stack;
    stack = *to;
    *to = (struct pt_gate_stack){0};
    pthread_setspecific(rules.key, stack.base);
}

static bool
is_opaque(const pt_pyframe *f)
{
    return pt_code_traits(pt_compat_frame_code(f)) & PT_CODE_OPAQUE;
}

bool
pt_gate_never(PyCodeObject *co)
{
    return (pt_code_traits(co) & (PT_CODE_OPAQUE | PT_CODE_OPENS)) ==
           PT_CODE_OPAQUE;
}

static bool
reserve(void)
{
    if (stack.n < stack.capacity)
        return true;
    size_t n = stack.capacity != 0 ? stack.capacity * 2 : ENTRIES_MIN;
    struct pt_gate_entry *p = realloc(stack.base, n * sizeof *p);
    if (p == NULL)
        return false;
    if (stack.base == NULL) {
        p[0] = (struct pt_gate_entry){.within = !rules.functions};
        stack.n = 1;
    }
    stack.base = p;
    stack.capacity = n;
    pthread_setspecific(rules.key, p);
    return true;
}

static bool
counts(const pt_pyframe *f)
{
    return pt_compat_frame_real(f) && !pt_frame_suspended(f);
}

/* A thread that is met in the middle of what it does has frames already; they
 * count as if they had been entered. */
static bool
seed(const pt_pyframe *top)
{
    size_t n = 0;
    for (const pt_pyframe *f = top; f != NULL; f = f->previous)
        n += counts(f);
    const pt_pyframe **frames = calloc(n + 1, sizeof *frames);
    if (frames == NULL || !reserve()) {
        free(frames);
        return false;
    }
    size_t i = n;
    for (const pt_pyframe *f = top; f != NULL && i > 0; f = f->previous)
        if (counts(f))
            frames[--i] = f;
    for (; i < n; i++)
        pt_gate_enter(frames[i]);
    free(frames);
    return true;
}

static bool
is_below(const pt_pyframe *frame, const pt_pyframe *f)
{
    while ((f = f->previous) != NULL)
        if (f == frame)
            return true;
    return false;
}

/* The index of a frame that has begun; 0 where it is not known. */
static size_t
find(const pt_pyframe *f)
{
    size_t i = stack.n;
    while (i > 1 && stack.base[i - 1].frame != f)
        i--;
    return i > 1 ? i - 1 : 0;
}

/* Without memory the frame is not recorded, nor what happens in it. */
bool
pt_gate_enter(const pt_pyframe *f)
{
    uint32_t traits = pt_code_traits(pt_compat_frame_code(f));
    bool opaque = traits & PT_CODE_OPAQUE;
    if (!pt_gate.stacked)
        return !opaque;
    if ((opaque && !(traits & PT_CODE_OPENS)) ||
        (stack.base == NULL && !seed(f->previous)) || !reserve())
        return false;
    while (stack.n > 1 && !is_below(stack.base[stack.n - 1].frame, f))
        stack.n--;
    const struct pt_gate_entry *below = &stack.base[stack.n - 1];
    struct pt_gate_entry e = *below;
    e.frame = f;
    e.within |= (traits & PT_CODE_OPENS) != 0;
    e.recorded = !opaque && e.within && below->count < rules.depth;
    e.count += e.recorded;
    if (e.recorded)
        e.nearest = (uint32_t)stack.n;
    stack.base[stack.n++] = e;
    return e.recorded;
}

bool
pt_gate_recorded(const pt_pyframe *f)
{
    if (!pt_gate.filtered)
        return true;
    if (!pt_gate.stacked)
        return !is_opaque(f);
    if (PT_UNLIKELY(stack.base == NULL) && !seed(f))
        return false;
    if (stack.n > 1 && PT_LIKELY(stack.base[stack.n - 1].frame == f))
        return stack.base[stack.n - 1].recorded;
    size_t i = find(f);
    return i != 0 && stack.base[i].recorded;
}

void
pt_gate_leave(const pt_pyframe *f)
{
    size_t i = pt_gate.stacked ? find(f) : 0;
    if (i != 0)
        stack.n = i; /* what lay above has ended without a word */
}

const pt_pyframe *
pt_gate_below(const pt_pyframe *f)
{
    if (!pt_gate.stacked) {
        do
            f = pt_compat_below(f);
        while (f != NULL && is_opaque(f));
        return f;
    }
    if (stack.n <= 1)
        return NULL;
    size_t i = find(f);
    uint32_t nearest = stack.base[i != 0 ? i - 1 : stack.n - 1].nearest;
    return nearest != 0 ? stack.base[nearest].frame : NULL;
}
