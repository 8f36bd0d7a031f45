#include "greenlets.h"
#include "builtin.h"
#include "frames.h"
#include "gate.h"
#include "legacy_flow.h"
#include "producer.h"
#include "wrap.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* --- what greenlet offers --------------------------------------------------
 */

/* Entries of its C API, by which other extensions (gevent) switch. */
enum { API_THROW = 5, API_SWITCH = 6 };

static PyObject *wrap_switch(PyObject *, PyObject *, PyObject *);
static PyObject *wrap_throw(PyObject *, PyObject *);
static PyObject *wrap_settrace(PyObject *, PyObject *);
static PyObject *wrap_gettrace(PyObject *, PyObject *);
static PyObject *wrap_exec_dynamic(PyObject *, PyObject *);

static struct pt_wrap exec_dynamic = {"_imp", "exec_dynamic", wrap_exec_dynamic,
                                      NULL};
static struct pt_wrap settrace = {"greenlet._greenlet", "settrace",
                                  wrap_settrace, NULL};
static struct pt_wrap gettrace = {"greenlet._greenlet", "gettrace",
                                  wrap_gettrace, NULL};

static struct {
    PyCFunctionWithKeywords switch_to;
    PyCFunction throw_into;
    getter is_dead;
    PyObject *(*api_switch)(PyObject *, PyObject *, PyObject *);
    PyObject *(*api_throw)(PyObject *, PyObject *, PyObject *, PyObject *);
} original;

/* --- numbers ---------------------------------------------------------------
 */

/* What is known of a greenlet.  As the addresses of frames (frames.c), those of
 * greenlets are kept for good; what is said of one holds while `birth` is its
 * thread's lane. */
struct greenlet {
    const PyObject *object;
    uint64_t birth;
    uint64_t told; /* as of its lane when it ran last */
    uint32_t stack, id;
    struct pt_gate_stack gate;
#if !PT_HAVE_MONITORING
    struct pt_places places;
#endif
};

static struct {
    struct greenlet *table;
    size_t mask, used;
    uint32_t last; /* id given */
} greenlets;

/* A thread's numbers of stacks. */
struct numbers {
    uint64_t birth;
    const PyObject *running; /* the greenlet that was told last */
    uint32_t next, nfree, room;
    uint32_t *free;
};
static _Thread_local struct numbers numbers;
static _Thread_local bool hooked;
static pthread_key_t numbers_key;

static void
end_numbers(void *list)
{
    free(list);
    numbers = (struct numbers){0};
}

static struct greenlet *
lookup(struct greenlet *table, size_t mask, const PyObject *of)
{
    size_t h = (size_t)(((uintptr_t)of >> 4) * 0x9E3779B97F4A7C15u >> 24);
    while (table[h & mask].object != NULL && table[h & mask].object != of)
        h++;
    return &table[h & mask];
}

static bool
grow(void)
{
    size_t mask = greenlets.mask != 0 ? greenlets.mask * 2 + 1 : 255;
    struct greenlet *t = calloc(mask + 1, sizeof *t);
    if (t == NULL)
        return false;
    for (size_t i = 0; greenlets.table != NULL && i <= greenlets.mask; i++)
        if (greenlets.table[i].object != NULL)
            *lookup(t, mask, greenlets.table[i].object) = greenlets.table[i];
    free(greenlets.table);
    greenlets.table = t;
    greenlets.mask = mask;
    return true;
}

/* Space for two more: what was returned before stays where it is. */
static bool
make_room(void)
{
    return (greenlets.table != NULL &&
            greenlets.used * 2 + 4 < greenlets.mask) ||
           grow();
}

static struct greenlet *
meet(const PyObject *of)
{
    struct greenlet *g = lookup(greenlets.table, greenlets.mask, of);
    greenlets.used += g->object == NULL;
    g->object = of;
    return g;
}

/* The last number is shared by all that are too many. */
static uint32_t
take_number(void)
{
    if (numbers.nfree > 0)
        return numbers.free[--numbers.nfree];
    return numbers.next < PT_STACKS_LIMIT - 1 ? numbers.next++ : numbers.next;
}

/* Without memory it is not used again. */
static void
give_number(uint32_t number)
{
    if (number == 0 || number == PT_STACKS_LIMIT - 1)
        return;
    if (numbers.nfree == numbers.room) {
        uint32_t room = numbers.room != 0 ? 2 * numbers.room : 16;
        uint32_t *list = realloc(numbers.free, room * sizeof *list);
        if (list == NULL)
            return;
        numbers.free = list;
        numbers.room = room;
        pthread_setspecific(numbers_key, list);
    }
    numbers.free[numbers.nfree++] = number;
}

/* --- switches --------------------------------------------------------------
 */

/* The calling thread's lane, with the numbers of its stacks. */
static struct pt_lane *
lane(void)
{
    struct pt_lane *l = pt_lane;
    if (l == NULL || l->limit == 0) {
        pt_lane_slow(PT_TIME_BYTES, PT_W_SWITCH);
        l = pt_lane;
    }
    if (numbers.birth != l->birth) {
        numbers.birth = l->birth;
        numbers.running = NULL;
        numbers.next = 1;
        numbers.nfree = 0;
    }
    return l;
}

/* Tells the frames of the stack that runs, by a gap.  Nothing is missing from
 * the others. */
static void
lose(struct pt_lane *l)
{
    uint64_t told = l->told;
#if !PT_HAVE_MONITORING
    if (pt_producer.flow)
        pt_legacy_flow_lose();
    else
#endif
        pt_emit_gap();
    l->told = told;
}

/* Stack `number` with greenlet `id` goes on.  The lane knows it first: should
 * it have a gap to tell, the frames are those of this stack already. */
static void
go(struct pt_lane *l, uint32_t number, uint32_t id)
{
    l->stack = number;
    l->greenlet = id;
    pt_emit(PT_TIMED(PT_W_SWITCH, 2), number, id, 0, 0, 0);
}

static bool
is_dead(PyObject *greenlet)
{
    PyObject *r = original.is_dead(greenlet, NULL); /* owned: a bool */
    bool dead = r == Py_True;
    Py_XDECREF(r);
    return dead;
}

/* The frames of a greenlet that is met for the first time are those of its
 * beginning, unless it began before the recording, or while nothing could be
 * recorded. */
static bool
has_frames(void)
{
    const pt_pyframe *f = pt_compat_current(pt_compat_tstate());
    while (f != NULL && !pt_compat_frame_real(f))
        f = f->previous;
    return f != NULL;
}

/* Another greenlet runs than the one that was told, which has got its events.
 * Both have to tell their frames anew when they go on. */
static void
mistake(struct pt_lane *l, uint32_t number, uint32_t id)
{
    struct greenlet *g = numbers.running != NULL ? meet(numbers.running) : NULL;
    if (g != NULL && g->birth == l->birth)
        g->told = 0;
    go(l, number, id);
}

/* The greenlet that ran up to now.  The first one that a lane meets is the one
 * that it began with. */
static struct greenlet *
leave(struct pt_lane *l, const PyObject *origin)
{
    struct greenlet *g = meet(origin);
    bool first = numbers.running == NULL;
    if (g->birth != l->birth) {
        g->birth = l->birth;
        g->stack = first ? 0 : take_number();
        g->id = first ? 0 : ++greenlets.last;
    }
    bool mistaken = g->stack != l->stack;
    if (mistaken)
        mistake(l, g->stack, g->id);
    g->told = mistaken ? 0 : l->told;
    return g;
}

/* The greenlet that goes on now.  True where its frames have to be told. */
static bool
enter(struct pt_lane *l, struct greenlet *g)
{
    bool known = g->birth == l->birth, fresh = !known && !has_frames();
    if (!known) {
        g->birth = l->birth;
        g->stack = take_number();
        g->id = ++greenlets.last;
        g->told = 0;
        g->gate.n = g->gate.base != NULL;
#if !PT_HAVE_MONITORING
        g->places.top = g->places.base;
#endif
    }
    bool crowded = g->stack == PT_STACKS_LIMIT - 1;
    return !fresh && (g->told != l->told || crowded);
}

/* Filters, and flow on 3.11, follow a thread's frames themselves. */
static void
swap_frames(struct greenlet *from, struct greenlet *to, bool ended)
{
    if (from == to)
        return;
    if (pt_gate.stacked) {
        pt_gate_swap(&from->gate, &to->gate);
        if (ended) {
            free(from->gate.base);
            from->gate = (struct pt_gate_stack){0};
        }
    }
#if !PT_HAVE_MONITORING
    if (!pt_producer.flow)
        return;
    pt_legacy_flow_swap(&from->places, &to->places);
    if (ended) {
        free(from->places.base);
        from->places = (struct pt_places){0};
    }
#endif
}

static void
tell(const PyObject *origin, const PyObject *target, bool ended)
{
    struct pt_lane *l = lane();
    if (!make_room())
        return;
    struct greenlet *from = leave(l, origin), *to = meet(target);
    bool untold = enter(l, to);
    uint64_t told = l->told;
    swap_frames(from, to, ended);
    go(l, to->stack, to->id);
    numbers.running = target;
    if (ended) {
        give_number(from->stack);
        from->birth = 0;
    }
    /* It can be that room for the record was made by telling a gap. */
    if (untold && l->told == told)
        lose(l);
}

/* The trace function.  greenlet calls it when all of a switch is done, but the
 * target has not gone on. */
static PyObject *
on_switch(PyObject *self, PyObject *const *a, size_t nargsf, PyObject *names)
{
    PyObject *user = PyCFunction_GET_SELF(self); /* borrowed */
    Py_ssize_t n = PyVectorcall_NARGS(nargsf);
    if (n == 2 && PyTuple_Check(a[1]) && PyTuple_GET_SIZE(a[1]) == 2)
        tell(PyTuple_GET_ITEM(a[1], 0), PyTuple_GET_ITEM(a[1], 1),
             is_dead(PyTuple_GET_ITEM(a[1], 0)));
    if (user == NULL)
        Py_RETURN_NONE;
    PyObject *r = PyObject_Vectorcall(user, a, nargsf, names);
    if (r == NULL)
        hooked = false; /* greenlet takes it away */
    return r;
}

/* --- hooking a thread ------------------------------------------------------
 */

static struct pt_builtin alone; /* for threads without one of the program's */

/* Our trace function, which calls `user` (borrowed; NULL nobody); owned. */
static PyObject *
make_hook(PyObject *user)
{
    if (user != NULL && user != Py_None)
        return pt_builtin_new(on_switch, user);
    Py_INCREF(&alone.function);
    return (PyObject *)&alone.function;
}

/* Sets a thread's trace function; returns the program's own one before; owned.
 */
static PyObject *
set_hook(PyObject *user)
{
    PyObject *hook = make_hook(user);                             /* owned */
    PyObject *args = hook != NULL ? PyTuple_Pack(1, hook) : NULL; /* owned */
    PyObject *was =
        args != NULL ? settrace.original(NULL, args) : NULL; /* owned */
    Py_XDECREF(args);
    Py_XDECREF(hook);
    if (was == NULL)
        return NULL;
    hooked = true;
    if (!pt_builtin_check(was))
        return was;
    PyObject *user_was = PyCFunction_GET_SELF(was);
    if (user_was == NULL)
        user_was = Py_None;
    Py_INCREF(user_was);
    Py_DECREF(was);
    return user_was;
}

static bool
is_recorded(void)
{
    return pt_compat_tstate()->interp == PyInterpreterState_Main();
}

/* Nothing is left to the program of what goes wrong here. */
static void
hook_thread(void)
{
    if (PT_LIKELY(hooked) || !is_recorded())
        return;
    PyObject *type, *value, *traceback; /* owned */
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *was = set_hook(NULL); /* owned */
    if (was != NULL && was != Py_None)
        Py_XDECREF(set_hook(was));
    Py_XDECREF(was);
    PyErr_Clear();
    PyErr_Restore(type, value, traceback);
}

/* --- the functions of greenlet, wrapped ------------------------------------
 */

/* Before a greenlet switches away, and when it goes on. */
struct mark {
    const PyObject *running;
    uint64_t birth;
    uint32_t stack, id;
};

static struct mark
mark(void)
{
    hook_thread();
    struct pt_lane *l = pt_lane;
    return l != NULL && l->limit != 0
               ? (struct mark){numbers.running, l->birth, l->stack, l->greenlet}
               : (struct mark){0};
}

static void
back(struct mark m)
{
    struct pt_lane *l = pt_lane;
    if (m.birth != 0 && l != NULL && l->limit != 0 && l->birth == m.birth &&
        l->stack != m.stack && make_room()) {
        mistake(l, m.stack, m.id);
        numbers.running = m.running;
        lose(l);
    }
    hook_thread();
}

static PyObject *
wrap_switch(PyObject *self, PyObject *args, PyObject *names)
{
    struct mark m = mark();
    PyObject *r = original.switch_to(self, args, names);
    back(m);
    return r;
}

static PyObject *
wrap_throw(PyObject *self, PyObject *args)
{
    struct mark m = mark();
    PyObject *r = original.throw_into(self, args);
    back(m);
    return r;
}

static PyObject *
api_switch(PyObject *self, PyObject *args, PyObject *names)
{
    struct mark m = mark();
    PyObject *r = original.api_switch(self, args, names);
    back(m);
    return r;
}

static PyObject *
api_throw(PyObject *self, PyObject *type, PyObject *value, PyObject *traceback)
{
    struct mark m = mark();
    PyObject *r = original.api_throw(self, type, value, traceback);
    back(m);
    return r;
}

static PyObject *
wrap_settrace(PyObject *module, PyObject *args)
{
    PyObject *user; /* borrowed */
    if (!is_recorded() || PyTuple_GET_SIZE(args) != 1)
        return settrace.original(module, args);
    user = PyTuple_GET_ITEM(args, 0);
    return set_hook(user);
}

static PyObject *
wrap_gettrace(PyObject *module, PyObject *unused)
{
    PyObject *r = gettrace.original(module, unused); /* owned */
    if (r == NULL || !pt_builtin_check(r))
        return r;
    PyObject *user = PyCFunction_GET_SELF(r);
    if (user == NULL)
        user = Py_None;
    Py_INCREF(user);
    Py_DECREF(r);
    return user;
}

/* --- finding it ------------------------------------------------------------
 */

static PyMethodDef *
method(PyTypeObject *type, const char *name, int flags)
{
    PyMethodDef *d = type->tp_methods;
    while (d != NULL && d->ml_name != NULL && strcmp(d->ml_name, name) != 0)
        d++;
    return d != NULL && d->ml_name != NULL && d->ml_flags == flags ? d : NULL;
}

static getter
attribute(const PyTypeObject *type, const char *name)
{
    PyGetSetDef *d = type->tp_getset;
    while (d != NULL && d->name != NULL && strcmp(d->name, name) != 0)
        d++;
    return d != NULL && d->name != NULL ? d->get : NULL;
}

static void
wrap_api(PyObject *names)
{
    PyObject *capsule = PyDict_GetItemString(names, "_C_API"); /* borrowed */
    void **api = capsule != NULL && PyCapsule_CheckExact(capsule)
                     ? PyCapsule_GetPointer(capsule, "greenlet._C_API")
                     : NULL;
    PyErr_Clear();
    if (api == NULL)
        return;
    memcpy(&original.api_switch, &api[API_SWITCH], sizeof api[API_SWITCH]);
    memcpy(&original.api_throw, &api[API_THROW], sizeof api[API_THROW]);
    PyObject *(*const to)(PyObject *, PyObject *, PyObject *) = api_switch;
    PyObject *(*const into)(PyObject *, PyObject *, PyObject *, PyObject *) =
        api_throw;
    memcpy(&api[API_SWITCH], &to, sizeof to);
    memcpy(&api[API_THROW], &into, sizeof into);
}

/* False where it is not the greenlet that we know. */
static bool
install(PyObject *module)
{
    PyObject *names = PyModule_GetDict(module);               /* borrowed */
    PyObject *type = PyDict_GetItemString(names, "greenlet"); /* borrowed */
    if (type == NULL || !PyType_Check(type))
        return false;
    PyMethodDef *to =
        method((PyTypeObject *)type, "switch", METH_VARARGS | METH_KEYWORDS);
    PyMethodDef *into = method((PyTypeObject *)type, "throw", METH_VARARGS);
    original.is_dead = attribute((PyTypeObject *)type, "dead");
    if (to == NULL || into == NULL || original.is_dead == NULL ||
        !pt_wrap_install(&settrace) || !pt_wrap_install(&gettrace))
        return false;
    original.switch_to = (PyCFunctionWithKeywords)(void (*)(void))to->ml_meth;
    original.throw_into = into->ml_meth;
    to->ml_meth = (PyCFunction)(void (*)(void))wrap_switch;
    into->ml_meth = wrap_throw;
    wrap_api(names);
    return true;
}

/* The module has been made and is about to run, as far as it has code to run:
 * greenlet's functions are there. */
static void
look(PyObject *module)
{
    static bool tried;
    const char *name = module != NULL && PyModule_Check(module)
                           ? PyModule_GetName(module)
                           : NULL;
    PyErr_Clear();
    if (tried || name == NULL || strcmp(name, settrace.module) != 0 ||
        !is_recorded())
        return;
    tried = true;
    if (!install(module))
        pt_def_note("this version of greenlet is not known: the stacks of its "
                    "greenlets are recorded as one");
    PyErr_Clear();
}

static PyObject *
wrap_exec_dynamic(PyObject *module, PyObject *made)
{
    PyObject *r = exec_dynamic.original(module, made);
    if (r != NULL)
        look(made);
    return r;
}

void
pt_greenlets_start(void)
{
    pt_builtin_init(&alone, on_switch);
    if (pthread_key_create(&numbers_key, end_numbers) != 0)
        return;
    pt_wrap_install(&exec_dynamic);
    look(PyDict_GetItemString(PyImport_GetModuleDict(), settrace.module));
    PyErr_Clear();
}
