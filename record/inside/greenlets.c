#include "greenlets.h"
#include "builtin.h"
#include "imports.h"
#include "producer.h"
#include "switches.h"
#include "wrap.h"

#include <string.h>

/* --- what greenlet offers --------------------------------------------------
 */

/* Entries of its C API, by which other extensions (gevent) switch. */
enum { API_THROW = 5, API_SWITCH = 6 };

static PyObject *wrap_switch(PyObject *, PyObject *, PyObject *);
static PyObject *wrap_throw(PyObject *, PyObject *);
static PyObject *wrap_settrace(PyObject *, PyObject *);
static PyObject *wrap_gettrace(PyObject *, PyObject *);

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

/* --- hooking a thread ------------------------------------------------------
 */

static _Thread_local bool hooked;
static struct pt_builtin alone; /* for threads without one of the program's */

static bool
is_dead(PyObject *greenlet)
{
    PyObject *r = original.is_dead(greenlet, NULL); /* owned: a bool */
    bool dead = r == Py_True;
    Py_XDECREF(r);
    return dead;
}

/* The trace function.  greenlet calls it when all of a switch is done, but the
 * target has not gone on. */
static PyObject *
on_switch(PyObject *self, PyObject *const *a, size_t nargsf, PyObject *names)
{
    PyObject *user = PyCFunction_GET_SELF(self); /* borrowed */
    Py_ssize_t n = PyVectorcall_NARGS(nargsf);
    if (n == 2 && PyTuple_Check(a[1]) && PyTuple_GET_SIZE(a[1]) == 2)
        pt_switches_tell(PyTuple_GET_ITEM(a[1], 0), PyTuple_GET_ITEM(a[1], 1),
                         is_dead(PyTuple_GET_ITEM(a[1], 0)));
    if (user == NULL)
        Py_RETURN_NONE;
    PyObject *r = PyObject_Vectorcall(user, a, nargsf, names);
    if (r == NULL)
        hooked = false; /* greenlet takes it away */
    return r;
}

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

/* Nothing is left to the program of what goes wrong here. */
static void
hook_thread(void)
{
    if (PT_LIKELY(hooked) || !pt_is_recorded())
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

static struct pt_switches_mark
leave(void)
{
    hook_thread();
    return pt_switches_mark();
}

static void
go_on(struct pt_switches_mark m)
{
    pt_switches_back(m);
    hook_thread();
}

static PyObject *
wrap_switch(PyObject *self, PyObject *args, PyObject *names)
{
    struct pt_switches_mark m = leave();
    PyObject *r = original.switch_to(self, args, names);
    go_on(m);
    return r;
}

static PyObject *
wrap_throw(PyObject *self, PyObject *args)
{
    struct pt_switches_mark m = leave();
    PyObject *r = original.throw_into(self, args);
    go_on(m);
    return r;
}

static PyObject *
api_switch(PyObject *self, PyObject *args, PyObject *names)
{
    struct pt_switches_mark m = leave();
    PyObject *r = original.api_switch(self, args, names);
    go_on(m);
    return r;
}

static PyObject *
api_throw(PyObject *self, PyObject *type, PyObject *value, PyObject *traceback)
{
    struct pt_switches_mark m = leave();
    PyObject *r = original.api_throw(self, type, value, traceback);
    go_on(m);
    return r;
}

static PyObject *
wrap_settrace(PyObject *module, PyObject *args)
{
    PyObject *user; /* borrowed */
    if (!pt_is_recorded() || PyTuple_GET_SIZE(args) != 1)
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
    PyMethodDef *to = pt_wrap_method((PyTypeObject *)type, "switch",
                                     METH_VARARGS | METH_KEYWORDS);
    PyMethodDef *into =
        pt_wrap_method((PyTypeObject *)type, "throw", METH_VARARGS);
    original.is_dead = pt_wrap_attribute((PyTypeObject *)type, "dead");
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

static void
imported(PyObject *module)
{
    if (!install(module))
        pt_def_note("this version of greenlet is not known: the stacks of its "
                    "greenlets are recorded as one");
}

void
pt_greenlets_start(void)
{
    pt_builtin_init(&alone, on_switch);
    if (pt_switches_init())
        pt_imports_watch(settrace.module, imported);
}
