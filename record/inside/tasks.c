#include "tasks.h"
#include "gate.h"
#include "imports.h"
#include "producer.h"
#include "taskbook.h"
#include "peek.h"
#include "wrap.h"

#include <string.h>

static const char module_name[] = "_asyncio";

static PyObject *enter_task(PyObject *, PyObject *const *, Py_ssize_t,
                            PyObject *);
static PyObject *leave_task(PyObject *, PyObject *const *, Py_ssize_t,
                            PyObject *);

/* The type of these is told by their flags, METH_FASTCALL | METH_KEYWORDS. */
typedef PyObject *fast_call(PyObject *, PyObject *const *, Py_ssize_t,
                            PyObject *);
#define AS_METHOD(f) ((PyCFunction)(void (*)(void))(f))

static struct pt_wrap enter = {module_name, "_enter_task",
                               AS_METHOD(enter_task), NULL};
static struct pt_wrap leave = {module_name, "_leave_task",
                               AS_METHOD(leave_task), NULL};

static struct {
    PyObject *running_loop; /* borrowed: the module lives for good */
    initproc init;
    ternaryfunc step;
    getter step_task;
    PyCFunction set_name, wakeup;
} original;

static PyObject *callbacks; /* the attribute's name */

/* Before --start-at nothing may be: neither the thread's lane, which begins
 * with the stack, nor an id of a code object, which may have the line waited
 * for. */
static bool
is_told(void)
{
    return pt_is_recorded() && !pt_gate.waiting;
}

/* --- steps -----------------------------------------------------------------
 */

static PyObject *wrap_wakeup(PyObject *, PyObject *);

/* What a task waits for calls it back by a function whose definition nothing
 * else leads to. */
static void
find_wakeup(PyObject *waiter, const PyObject *task)
{
    if (waiter == NULL)
        return;
    /* The list is made for us: it must not move the program's collections. */
    int collects = PyGC_Disable();
    PyObject *list = pt_peek(waiter, callbacks); /* owned */
    for (Py_ssize_t i = 0;
         list != NULL && PyList_Check(list) && i < PyList_GET_SIZE(list); i++) {
        PyObject *pair = PyList_GET_ITEM(list, i);
        PyObject *f = PyTuple_Check(pair) && PyTuple_GET_SIZE(pair) > 0
                          ? PyTuple_GET_ITEM(pair, 0)
                          : NULL;
        if (f == NULL || !PyCFunction_CheckExact(f) ||
            PyCFunction_GET_SELF(f) != task)
            continue;
        PyMethodDef *d = ((PyCFunctionObject *)f)->m_ml;
        if (d->ml_flags != METH_O || strcmp(d->ml_name, "task_wakeup") != 0)
            continue;
        original.wakeup = d->ml_meth;
        d->ml_meth = wrap_wakeup;
        break;
    }
    Py_XDECREF(list);
    if (collects)
        PyGC_Enable();
}

/* A step begins: the one before is under way no longer. */
static struct pt_task_step
begin(PyObject *task)
{
    uint32_t id = pt_task_id(task);
    pt_task_tell(id, PT_TASK_RUNS);
    return pt_task_enter(id);
}

/* ... and ends; `failed` is true where it has raised out of the loop. */
static void
end(PyObject *task, struct pt_task_step before, bool failed)
{
    PyObject *type = NULL, *value = NULL, *traceback = NULL; /* owned */
    if (failed)
        PyErr_Fetch(&type, &value, &traceback);
    PyObject *waiter = pt_task_stop(task); /* borrowed */
    if (PT_UNLIKELY(original.wakeup == NULL))
        find_wakeup(waiter, task);
    pt_task_leave(before);
    if (failed)
        PyErr_Restore(type, value, traceback);
}

static PyObject *
wrap_step(PyObject *self, PyObject *args, PyObject *names)
{
    PyObject *task =
        is_told() ? original.step_task(self, NULL) : NULL; /* owned */
    PyErr_Clear();
    Py_XDECREF(task); /* `self` holds it */
    if (task == NULL || task == Py_None)
        return original.step(self, args, names);
    struct pt_task_step before = begin(task);
    PyObject *r = original.step(self, args, names);
    end(task, before, r == NULL);
    return r;
}

static PyObject *
wrap_wakeup(PyObject *task, PyObject *future)
{
    if (!is_told())
        return original.wakeup(task, future);
    struct pt_task_step before = begin(task);
    PyObject *r = original.wakeup(task, future);
    end(task, before, r == NULL);
    return r;
}

/* --- beginnings ------------------------------------------------------------
 */

static PyObject *
keyword(PyObject *names, const char *name)
{
    return names != NULL ? PyDict_GetItemString(names, name) : NULL;
}

/* Whether Task.__init__() will run the first step: asked for, and in a loop
 * that runs. */
static bool
is_eager(PyObject *names)
{
    if (keyword(names, "eager_start") != Py_True ||
        original.running_loop == NULL)
        return false;
    PyObject *f = original.running_loop;
    PyObject *loop =
        ((PyCFunctionObject *)f)
            ->m_ml->ml_meth(PyCFunction_GET_SELF(f), NULL); /* owned */
    PyErr_Clear();
    Py_XDECREF(loop);
    return loop != NULL && loop != Py_None;
}

static int
init_eagerly(PyObject *task, PyObject *args, PyObject *names)
{
    PyObject *coroutine = PyTuple_GET_SIZE(args) > 0 ? PyTuple_GET_ITEM(args, 0)
                                                     : keyword(names, "coro");
    PyObject *name = keyword(names, "name");
    bool named = name != NULL && PyUnicode_CheckExact(name);
    uint32_t id = pt_task_new(task, coroutine, named ? name : NULL);
    pt_task_tell(id, PT_TASK_CREATED);
    pt_task_tell(id, PT_TASK_RUNS);
    struct pt_task_step before = pt_task_enter(id);
    int r = original.init(task, args, names);
    if (r == 0 && !named)
        pt_task_rename(task, NULL);
    end(task, before, r != 0);
    return r;
}

static int
wrap_init(PyObject *task, PyObject *args, PyObject *names)
{
    if (!is_told())
        return original.init(task, args, names);
    pt_task_forget(task);
    if (is_eager(names))
        return init_eagerly(task, args, names);
    int r = original.init(task, args, names);
    if (r == 0)
        pt_task_tell(pt_task_id(task), PT_TASK_CREATED);
    return r;
}

static PyObject *
wrap_set_name(PyObject *task, PyObject *value)
{
    PyObject *r = original.set_name(task, value);
    if (r != NULL && is_told())
        pt_task_rename(task, NULL);
    return r;
}

/* --- tasks that are written in Python --------------------------------------
 */

static PyObject *
enter_task(PyObject *module, PyObject *const *args, Py_ssize_t n,
           PyObject *names)
{
    PyObject *r =
        ((fast_call *)(void (*)(void))enter.original)(module, args, n, names);
    if (r != NULL && n >= 2 && is_told())
        begin(args[1]);
    return r;
}

static PyObject *
leave_task(PyObject *module, PyObject *const *args, Py_ssize_t n,
           PyObject *names)
{
    if (n >= 2 && is_told())
        end(args[1], (struct pt_task_step){0}, false);
    return ((fast_call *)(void (*)(void))leave.original)(module, args, n,
                                                         names);
}

/* --- finding it ------------------------------------------------------------
 */

/* The type of what the loop is given to call, which the module keeps to
 * itself. */
static PyTypeObject *
find_step_type(void)
{
    PyTypeObject *found = NULL;
    /* The list is made for us, as in find_wakeup(). */
    int collects = PyGC_Disable();
    PyObject *list = PyObject_CallMethod((PyObject *)&PyBaseObject_Type,
                                         "__subclasses__", NULL); /* owned */
    for (Py_ssize_t i = 0;
         list != NULL && PyList_Check(list) && i < PyList_GET_SIZE(list); i++) {
        PyTypeObject *t = (PyTypeObject *)PyList_GET_ITEM(list, i);
        const char *dot = strrchr(t->tp_name, '.');
        const char *name = dot != NULL ? dot + 1 : t->tp_name;
        if (strcmp(name, "TaskStepMethWrapper") == 0 &&
            pt_wrap_attribute(t, "__self__") != NULL)
            found = t; /* it lives as long as the module */
    }
    Py_XDECREF(list);
    PyErr_Clear();
    if (collects)
        PyGC_Enable();
    return found;
}

/* What super().__init__() of a subclass calls. */
static PyWrapperDescrObject *
find_init(PyTypeObject *task)
{
    PyObject *d = PyDict_GetItemString(task->tp_dict, "__init__");
    return d != NULL && Py_IS_TYPE(d, &PyWrapperDescr_Type)
               ? (PyWrapperDescrObject *)d
               : NULL;
}

static bool
is_fast(PyObject *names, const char *name)
{
    PyObject *f = PyDict_GetItemString(names, name);
    return f != NULL && PyCFunction_Check(f) &&
           PyCFunction_GET_FLAGS(f) == (METH_FASTCALL | METH_KEYWORDS);
}

/* False where it is not the module that we know; then nothing was changed. */
static bool
install(PyObject *module)
{
    PyObject *names = PyModule_GetDict(module);        /* borrowed */
    PyObject *o = PyDict_GetItemString(names, "Task"); /* borrowed */
    PyObject *loop = PyDict_GetItemString(names, "_get_running_loop");
    PyTypeObject *step = find_step_type();
    if (o == NULL || !PyType_Check(o) || step == NULL ||
        !is_fast(names, enter.name) || !is_fast(names, leave.name))
        return false;
    PyTypeObject *task = (PyTypeObject *)o;
    PyWrapperDescrObject *init = find_init(task);
    PyMethodDef *set_name = pt_wrap_method(task, "set_name", METH_O);
    if (init == NULL || set_name == NULL || task->tp_init == NULL ||
        step->tp_call == NULL)
        return false;
    if (loop != NULL && PyCFunction_Check(loop) &&
        PyCFunction_GET_FLAGS(loop) == METH_NOARGS &&
        PyDict_GetItemString(names, "_swap_current_task") != NULL)
        original.running_loop = loop; /* there are eager tasks */
    original.init = task->tp_init;
    original.step = step->tp_call;
    original.step_task = pt_wrap_attribute(step, "__self__");
    original.set_name = set_name->ml_meth;
    task->tp_init = wrap_init;
    init->d_wrapped = (void *)wrap_init;
    step->tp_call = wrap_step;
    set_name->ml_meth = wrap_set_name;
    return pt_wrap_install(&enter) && pt_wrap_install(&leave);
}

static void
imported(PyObject *module)
{
    callbacks = PyUnicode_InternFromString("_callbacks");
    if (callbacks == NULL || !pt_taskbook_init() || !install(module))
        pt_def_note("the asyncio of this interpreter is not known: its tasks "
                    "are not told of");
    PyErr_Clear();
}

void
pt_tasks_start(void)
{
    if (pt_producer.events >> PT_TASK & 1)
        pt_imports_watch(module_name, imported);
}
