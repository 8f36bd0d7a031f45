#include "builtin.h"

/* Never called by its definition: whoever calls the object calls what it was
 * made with. */
static PyObject *
not_called(PyObject *self, PyObject *unused)
{
    Py_RETURN_NONE;
}

static PyMethodDef definition = {"ptrec", not_called, METH_NOARGS, NULL};

PyObject *
pt_builtin_init(struct pt_builtin *b, vectorcallfunc call)
{
    pt_compat_immortal(&b->function.ob_base, &PyCFunction_Type);
    b->function.m_ml = &definition;
    b->function.vectorcall = call;
    return (PyObject *)&b->function;
}

PyObject *
pt_builtin_new(vectorcallfunc call, PyObject *self)
{
    PyObject *f = PyCFunction_New(&definition, self);
    if (f != NULL)
        ((PyCFunctionObject *)f)->vectorcall = call;
    return f;
}

bool
pt_builtin_check(const PyObject *o)
{
    return PyCFunction_CheckExact(o) &&
           ((const PyCFunctionObject *)o)->m_ml == &definition;
}
