#include "imports.h"
#include "wrap.h"

#include <string.h>

enum { WATCHED = 4 };

static struct {
    const char *name;
    pt_import_watcher *watcher; /* NULL: it has been told */
} watched[WATCHED];

static PyObject *exec_dynamic(PyObject *, PyObject *);
static PyObject *exec_builtin(PyObject *, PyObject *);
static struct pt_wrap dynamic = {"_imp", "exec_dynamic", exec_dynamic, NULL};
static struct pt_wrap builtin = {"_imp", "exec_builtin", exec_builtin, NULL};

static void
look(PyObject *module)
{
    const char *name = PyModule_Check(module) ? PyModule_GetName(module) : NULL;
    for (size_t i = 0; name != NULL && i < WATCHED; i++) {
        pt_import_watcher *watcher = watched[i].watcher;
        if (watcher == NULL || strcmp(watched[i].name, name) != 0)
            continue;
        watched[i].watcher = NULL;
        watcher(module);
    }
    PyErr_Clear();
}

/* The module has been made and is about to run, as far as it has code to run:
 * its functions are there. */
static PyObject *
exec_dynamic(PyObject *self, PyObject *module)
{
    PyObject *r = dynamic.original(self, module);
    if (r != NULL && pt_is_recorded())
        look(module);
    return r;
}

static PyObject *
exec_builtin(PyObject *self, PyObject *module)
{
    PyObject *r = builtin.original(self, module);
    if (r != NULL && pt_is_recorded())
        look(module);
    return r;
}

void
pt_imports_watch(const char *name, pt_import_watcher *watcher)
{
    if (dynamic.original == NULL)
        pt_wrap_install(&dynamic);
    if (builtin.original == NULL)
        pt_wrap_install(&builtin);
    for (size_t i = 0; i < WATCHED; i++) {
        if (watched[i].name != NULL)
            continue;
        watched[i].name = name;
        watched[i].watcher = watcher;
        break;
    }
    PyObject *module =
        PyDict_GetItemString(PyImport_GetModuleDict(), name); /* borrowed */
    if (module != NULL)
        look(module);
    PyErr_Clear();
}
