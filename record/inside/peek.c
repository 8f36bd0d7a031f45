#include "peek.h"

/* Whether a descriptor of the type is a field or getter in C. */
static bool
is_in_c(const PyObject *d)
{
    return Py_IS_TYPE(d, &PyGetSetDescr_Type) ||
           Py_IS_TYPE(d, &PyMemberDescr_Type);
}

/* Other descriptors (properties, functions) would run; a plain value of the
 * class stands behind that of the object. */
PyObject *
pt_peek(PyObject *o, PyObject *name)
{
    PyObject *d = _PyType_Lookup(Py_TYPE(o), name); /* borrowed */
    PyObject *value = NULL;
    if (d == NULL || is_in_c(d) || Py_TYPE(d)->tp_descr_get == NULL)
        value = _PyObject_GenericGetAttrWithDict(o, name, NULL, 1);
    PyErr_Clear();
    return value;
}

bool
pt_peek_is(PyObject *o, const char *ascii)
{
    return o != NULL && PyUnicode_Check(o) &&
           PyUnicode_CompareWithASCIIString(o, ascii) == 0;
}

static bool
has_frame(PyObject *o)
{
    return PyCoro_CheckExact(o) || PyGen_CheckExact(o);
}

PyCodeObject *
pt_peek_code(PyObject *o)
{
    return has_frame(o) ? pt_compat_generator_code((PyGenObject *)o) : NULL;
}

PyObject *
pt_peek_argument(PyObject *o)
{
    const PyCodeObject *co = pt_peek_code(o);
    if (co == NULL || co->co_argcount == 0)
        return NULL;
    return pt_compat_local(pt_compat_generator_frame((PyGenObject *)o), 0);
}
