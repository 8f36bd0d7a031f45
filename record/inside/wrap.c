#include "wrap.h"

bool
pt_wrap_install(struct pt_wrap *w)
{
    PyObject *modules = PyImport_GetModuleDict();           /* borrowed */
    PyObject *m = PyDict_GetItemString(modules, w->module); /* borrowed */
    PyObject *f = m != NULL && PyModule_Check(m)
                      ? PyDict_GetItemString(PyModule_GetDict(m), w->name)
                      : NULL; /* borrowed */
    if (f == NULL || !PyCFunction_Check(f))
        return false;
    PyMethodDef *d = ((PyCFunctionObject *)f)->m_ml;
    w->original = d->ml_meth;
    d->ml_meth = w->wrapper;
    return true;
}
