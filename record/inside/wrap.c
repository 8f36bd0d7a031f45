#include "wrap.h"

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
