#include "wrap.h"

#include <string.h>

bool
pt_wrap_install(struct pt_wrap *w)
{
    PyObject *modules = PyImport_GetModuleDict();           /* borrowed */
    PyObject *m = PyDict_GetItemString(modules, w->module); /* borrowed */
    return m != NULL && pt_wrap_within(w, m);
}

bool
pt_wrap_within(struct pt_wrap *w, PyObject *module)
{
    PyObject *f = PyModule_Check(module)
                      ? PyDict_GetItemString(PyModule_GetDict(module), w->name)
                      : NULL; /* borrowed */
    if (f == NULL || !PyCFunction_Check(f))
        return false;
    PyMethodDef *d = ((PyCFunctionObject *)f)->m_ml;
    w->original = d->ml_meth;
    d->ml_meth = w->wrapper;
    return true;
}

PyMethodDef *
pt_wrap_method(const PyTypeObject *type, const char *name, int flags)
{
    PyMethodDef *d = type->tp_methods;
    while (d != NULL && d->ml_name != NULL && strcmp(d->ml_name, name) != 0)
        d++;
    return d != NULL && d->ml_name != NULL && d->ml_flags == flags ? d : NULL;
}

getter
pt_wrap_attribute(const PyTypeObject *type, const char *name)
{
    PyGetSetDef *d = type->tp_getset;
    while (d != NULL && d->name != NULL && strcmp(d->name, name) != 0)
        d++;
    return d != NULL && d->name != NULL ? d->get : NULL;
}
