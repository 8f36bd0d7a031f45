/* The least that hooks cost: what the recorder is measured against.
 *
 * Registers hooks exactly as the recorder does (its own vectorcall type under
 * sys.monitoring; PyEval_SetProfile and PyEval_SetTrace on 3.11) for a set of
 * events, and in each reads the clock, where asked to, and stores 8 bytes in a
 * ring that nobody reads.  Nothing else, so this recorder is of no use. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <time.h>
#if PY_VERSION_HEX < 0x030c0000
#include <frameobject.h>
#define Py_BUILD_CORE 1
#include <internal/pycore_frame.h>
#endif
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

enum { RING = 1 << 16 };

/* What a hook does. */
enum { NOTHING = 0, STORE = 1, STAMP = 2 };

static uint64_t ring[RING];
static uint32_t at;

static inline uint64_t
ticks(void)
{
#if defined(__x86_64__)
    return __rdtsc();
#else
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
#endif
}

static inline void
store(uint64_t value)
{
    ring[at++ & (RING - 1)] = value;
}

#if PY_VERSION_HEX >= 0x030c0000

struct hook {
    PyObject_HEAD vectorcallfunc call;
};

static PyObject *
hook_nothing(PyObject *self, PyObject *const *args, size_t n, PyObject *names)
{
    Py_RETURN_NONE;
}

static PyObject *
hook_store(PyObject *self, PyObject *const *args, size_t n, PyObject *names)
{
    store((uint64_t)(uintptr_t)args[1]);
    Py_RETURN_NONE;
}

static PyObject *
hook_stamp(PyObject *self, PyObject *const *args, size_t n, PyObject *names)
{
    store(ticks());
    Py_RETURN_NONE;
}

static PyTypeObject hook_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "ptfloor.hook",
    .tp_basicsize = sizeof(struct hook),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_vectorcall_offset = offsetof(struct hook, call),
    .tp_call = PyVectorcall_Call,
};

/* hook(what): a callback for sys.monitoring that does `what`. */
static PyObject *
make_hook(PyObject *self, PyObject *arg)
{
    static const vectorcallfunc does[] = {hook_nothing, hook_store, hook_stamp};
    long what = PyLong_AsLong(arg);
    if (what < NOTHING || what > STAMP) {
        PyErr_SetString(PyExc_ValueError, "no such hook");
        return NULL;
    }
    struct hook *hook = PyObject_New(struct hook, &hook_type);
    if (hook != NULL)
        hook->call = does[what];
    return (PyObject *)hook;
}

static PyMethodDef methods[] = {{"hook", make_hook, METH_O, NULL}, {0}};

#else /* 3.11 */

/* What to do by event; index is PyTrace_CALL and so on. */
static int profile_does[8], trace_does[8], opcodes, lines;

static inline void
act(int what, PyFrameObject *frame)
{
    if (what == STAMP)
        store(ticks());
    else if (what == STORE)
        store((uint64_t)(uintptr_t)frame);
}

static int
on_profile(PyObject *self, PyFrameObject *frame, int event, PyObject *arg)
{
    act(profile_does[event], frame);
    return 0;
}

static int
on_trace(PyObject *self, PyFrameObject *frame, int event, PyObject *arg)
{
    if (event == PyTrace_CALL) {
        frame->f_trace_opcodes = (char)opcodes;
        frame->f_trace_lines = (char)lines;
    }
    act(trace_does[event], frame);
    return 0;
}

/* start(calls, c_calls, line, exception, opcode): what to do at each, -1 for
 * not to ask for it. */
static PyObject *
start(PyObject *self, PyObject *args)
{
    int call, c_call, line, exception, opcode;
    if (!PyArg_ParseTuple(args, "iiiii", &call, &c_call, &line, &exception,
                          &opcode))
        return NULL;
    profile_does[PyTrace_CALL] = profile_does[PyTrace_RETURN] = call;
    profile_does[PyTrace_C_CALL] = profile_does[PyTrace_C_RETURN] = c_call;
    profile_does[PyTrace_C_EXCEPTION] = c_call;
    trace_does[PyTrace_LINE] = line;
    trace_does[PyTrace_EXCEPTION] = exception;
    trace_does[PyTrace_OPCODE] = opcode;
    lines = line >= 0;
    opcodes = opcode >= 0;
    if (lines || opcodes)
        PyEval_SetTrace(on_trace, NULL);
    PyEval_SetProfile(on_profile, NULL);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {{"start", start, METH_VARARGS, NULL}, {0}};

#endif

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "ptfloor",
    .m_size = -1,
    .m_methods = methods,
};

PyMODINIT_FUNC
PyInit_ptfloor(void)
{
#if PY_VERSION_HEX >= 0x030c0000
    if (PyType_Ready(&hook_type) < 0)
        return NULL;
#endif
    return PyModule_Create(&module);
}
