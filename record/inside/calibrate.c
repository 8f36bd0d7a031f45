#include "calibrate.h"
#include "compat.h"
#include "gate.h"
#include "objects.h"

#include "calibration.h" /* generated for this interpreter */

#include <marshal.h>
#include <stdlib.h>
#include <string.h>

/* Of a loop: so many turns are timed at once, and the least of so many times
 * counts.  Small integers up to 256 are there already. */
enum { TURNS = 64, TIMES = 16, WARM = 3, RING = 64 << 10 };

/* As gen_calibration.py has them. */
enum { ALONE, CALLS, C_CALLS, GENERATOR, EMPTY, FUNCTIONS };

struct pt_calibration {
    PyObject *functions[FUNCTIONS]; /* owned */
    PyObject *turns;                /* owned: range(TURNS) */
    PyObject *letter;               /* owned: an argument for ord() */
    uint64_t plain[PT_LOOPS];       /* ticks of TURNS turns */
    uint64_t since_ticks;
    struct timespec since;
};

/* The records of one timing, and of the best one before. */
static _Alignas(64) char rings[2][RING];

/* --- the functions -------------------------------------------------------- */

/* A function of one of the code objects, which has an id, so that it is not
 * defined in the log. */
static PyObject *
make_function(PyObject *codes, Py_ssize_t i, PyObject *globals)
{
    PyObject *code = PyTuple_GET_ITEM(codes, i); /* borrowed */
    uintptr_t id = (uintptr_t)pt_producer.epoch << 32;
    if (!PyCode_Check(code) ||
        pt_compat_extra_set((PyCodeObject *)code, pt_objects_extra,
                            (void *)id) < 0)
        return NULL;
    return PyFunction_New(code, globals);
}

static bool
make_functions(struct pt_calibration *c)
{
    PyObject *main = PyImport_AddModule("__main__"); /* borrowed */
    PyObject *codes = PyMarshal_ReadObjectFromString(
        (const char *)calibration, (Py_ssize_t)sizeof calibration); /* owned */
    bool ok = main != NULL && codes != NULL && PyTuple_Check(codes) &&
              PyTuple_GET_SIZE(codes) >= FUNCTIONS;
    for (int i = 0; i < FUNCTIONS && ok; i++) {
        c->functions[i] = make_function(codes, i, PyModule_GetDict(main));
        ok = c->functions[i] != NULL;
    }
    Py_XDECREF(codes);
    return ok;
}

/* One timing's turns. */
static bool
run(const struct pt_calibration *c, enum pt_loop loop)
{
    PyObject *args[] = {c->turns, NULL, c->letter};
    PyObject *generator = NULL; /* owned */
    PyObject *f = c->functions[ALONE];
    size_t n = 1;
    switch (loop) {
    case PT_LOOP_CALLS:
        f = c->functions[CALLS];
        args[n++] = c->functions[EMPTY];
        break;
    case PT_LOOP_C_CALLS:
        f = c->functions[C_CALLS];
        args[1] = PyDict_GetItemString(PyEval_GetBuiltins(), "ord");
        n = 3;
        break;
    case PT_LOOP_RESUMES:
        generator = PyObject_Vectorcall(c->functions[GENERATOR], args, 1, NULL);
        args[0] = generator;
        break;
    default:
        break;
    }
    PyObject *r = NULL; /* owned */
    if (args[0] != NULL && (n == 1 || args[1] != NULL))
        r = PyObject_Vectorcall(f, args, n, NULL);
    Py_XDECREF(r);
    Py_XDECREF(generator);
    return r != NULL;
}

/* --- timing --------------------------------------------------------------- */

/* Records go to a ring, from its beginning. */
static void
divert(struct pt_lane *l, struct pt_slot *slot, char *ring)
{
    *l = (struct pt_lane){.slot = slot,
                          .base = ring,
                          .bias = ring,
                          .size = RING,
                          .limit = RING,
                          .last = pt_quanta(),
                          .taken = 1,
                          .sink = 1};
    pt_lane = l;
}

/* The least time of the loop's turns. */
static bool
time_plain(const struct pt_calibration *c, enum pt_loop loop, uint64_t *least)
{
    *least = UINT64_MAX;
    for (int i = 0; i < WARM + TIMES; i++) {
        uint64_t begin = pt_ticks();
        if (!run(c, loop))
            return false;
        uint64_t ticks = pt_ticks() - begin;
        if (i >= WARM && ticks < *least)
            *least = ticks;
    }
    return true;
}

/* The same with the hooks on, and the records of those turns. */
static bool
time_recorded(const struct pt_calibration *c, enum pt_loop loop,
              uint64_t *least, struct pt_str *records)
{
    static struct pt_slot slot;
    struct pt_lane lane;
    unsigned next = 0;
    *least = UINT64_MAX;
    for (int i = 0; i < WARM + TIMES; i++) {
        divert(&lane, &slot, rings[next]);
        uint64_t begin = pt_ticks();
        bool ok = run(c, loop);
        uint64_t ticks = pt_ticks() - begin;
        pt_lane = NULL;
        if (!ok || lane.base != rings[next])
            return false;
        if (i < WARM || ticks >= *least)
            continue;
        *least = ticks;
        *records = (struct pt_str){rings[next], lane.off};
        next = 1 - next;
    }
    return true;
}

/* Whether somebody else would see these calls. */
static bool
is_watched(void)
{
    const PyThreadState *t = pt_compat_tstate();
    if (t->c_tracefunc != NULL || t->c_profilefunc != NULL)
        return true;
#if PT_HAVE_MONITORING
    PyObject *monitoring = PySys_GetObject("monitoring"); /* borrowed */
    for (int tool = 0; monitoring != NULL && tool < 6; tool++) {
        PyObject *name =
            PyObject_CallMethod(monitoring, "get_tool", "i", tool); /* owned */
        Py_XDECREF(name);
        if (name != Py_None)
            return true;
    }
#endif
    return false;
}

static void
free_calibration(struct pt_calibration *c)
{
    for (int i = 0; i < FUNCTIONS; i++)
        Py_XDECREF(c->functions[i]);
    Py_XDECREF(c->turns);
    Py_XDECREF(c->letter);
    free(c);
}

struct pt_calibration *
pt_calibrate_plain(void)
{
    struct pt_calibration *c = NULL;
    if (pt_gate.waiting || is_watched() || (c = calloc(1, sizeof *c)) == NULL) {
        PyErr_Clear();
        return NULL;
    }
    int collecting = PyGC_Disable();
    c->turns =
        PyObject_CallFunction((PyObject *)&PyRange_Type, "i", (int)TURNS);
    c->letter = PyUnicode_FromString("a");
    bool ok = c->turns != NULL && c->letter != NULL && make_functions(c);
    c->since_ticks = pt_ticks();
    clock_gettime(CLOCK_MONOTONIC, &c->since);
    for (int loop = 0; loop < PT_LOOPS && ok; loop++)
        ok = time_plain(c, (enum pt_loop)loop, &c->plain[loop]);
    if (collecting)
        PyGC_Enable();
    PyErr_Clear();
    if (ok)
        return c;
    free_calibration(c);
    return NULL;
}

/* How long the ticks are: both clocks since the beginning. */
static void
tell_rate(const struct pt_calibration *c, struct pt_def *d)
{
    struct timespec now;
    uint64_t ticks = pt_ticks() - c->since_ticks;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t ns = (now.tv_sec - c->since.tv_sec) * INT64_C(1000000000) +
                 (now.tv_nsec - c->since.tv_nsec);
    pt_def_u64(d, ticks);
    pt_def_u64(d, (uint64_t)ns);
}

void
pt_calibrate_recorded(struct pt_calibration *c)
{
    struct pt_def d = {0};
    if (c == NULL)
        return;
    int collecting = PyGC_Disable();
    bool ok = true;
    pt_def_begin(&d, PT_M_COSTS, 1);
    pt_def_u32(&d, TURNS);
    pt_def_u32(&d, pt_producer.quantum_log2);
    for (int loop = 0; loop < PT_LOOPS && ok; loop++) {
        struct pt_str records = {NULL, 0};
        uint64_t ticks;
        ok = time_recorded(c, (enum pt_loop)loop, &ticks, &records);
        pt_def_u64(&d, c->plain[loop]);
        pt_def_u64(&d, ticks);
        pt_def_u32(&d, (uint32_t)records.len);
        pt_def_bytes(&d, records.data, records.len);
    }
    tell_rate(c, &d);
    free_calibration(c);
    if (collecting)
        PyGC_Enable();
    PyErr_Clear();
    if (ok)
        pt_def_commit(&d);
    free(d.data);
}
