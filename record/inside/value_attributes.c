#include "value_attributes.h"

#include <string.h>
#include <structmember.h>

enum { RELATIVE = 8 }; /* flag of a member whose offset counts from elsewhere */

struct pt_attributes
pt_attributes_of(PyObject *o)
{
    return (struct pt_attributes){.o = o, .rest = pt_compat_attributes(o)};
}

/* Whether a member of a class is a pointer to an object, within `o`. */
static bool
is_object(const PyMemberDef *m, const PyObject *o)
{
    Py_ssize_t end = Py_TYPE(o)->tp_basicsize - (Py_ssize_t)sizeof(PyObject *);
    return (m->type == T_OBJECT_EX || m->type == T_OBJECT) &&
           !(m->flags & RELATIVE) && m->offset > 0 && m->offset <= end;
}

/* The next slot of the classes that the object is of.  What classes in C call
 * their members are pointers to objects just the same. */
static bool
next_slot(struct pt_attributes *a, struct pt_attribute *out)
{
    PyObject *mro = Py_TYPE(a->o)->tp_mro; /* borrowed */
    for (;;) {
        while (a->member == NULL || a->member->name == NULL) {
            if (mro == NULL || a->base >= PyTuple_GET_SIZE(mro))
                return false;
            PyObject *t = PyTuple_GET_ITEM(mro, a->base++);
            a->member =
                PyType_Check(t) ? ((PyTypeObject *)t)->tp_members : NULL;
        }
        const PyMemberDef *m = a->member++;
        if (!is_object(m, a->o))
            continue;
        *out = (struct pt_attribute){.slot = m->name};
        memcpy(&out->value, (char *)a->o + m->offset, sizeof out->value);
        if (out->value != NULL)
            return true;
    }
}

bool
pt_attributes_next(struct pt_attributes *a, struct pt_attribute *out)
{
    if (a->base >= 0 && next_slot(a, out))
        return true;
    a->base = -1;
    *out = (struct pt_attribute){0};
    if (a->rest.dict != NULL)
        return PyDict_Next(a->rest.dict, &a->at, &out->key, &out->value);
    while (a->at < a->rest.n) {
        out->key = a->rest.names[a->at].me_key;
        out->value = a->rest.values[a->at++];
        if (out->key != NULL && out->value != NULL)
            return true;
    }
    return false;
}

PyObject *
pt_attributes_slot(PyObject *o, const char *name)
{
    struct pt_attributes a = {.o = o};
    struct pt_attribute slot;
    while (next_slot(&a, &slot))
        if (strcmp(slot.slot, name) == 0)
            return slot.value;
    return NULL;
}

/* Compared by hand: a lookup could run the __eq__ of a key that is no plain
 * str. */
static PyObject *
find(PyObject *dict, const char *name)
{
    PyObject *key, *value; /* borrowed */
    Py_ssize_t at = 0;
    while (dict != NULL && PyDict_Next(dict, &at, &key, &value))
        if (PyUnicode_CheckExact(key) &&
            PyUnicode_CompareWithASCIIString(key, name) == 0)
            return value;
    return NULL;
}

PyObject *
pt_attributes_class(const PyTypeObject *type, const char *name)
{
    PyObject *mro = type->tp_mro; /* borrowed */
    for (Py_ssize_t i = 0; mro != NULL && i < PyTuple_GET_SIZE(mro); i++) {
        PyObject *t = PyTuple_GET_ITEM(mro, i);
        PyObject *value =
            PyType_Check(t) ? find(((PyTypeObject *)t)->tp_dict, name) : NULL;
        if (value != NULL)
            return value;
    }
    return NULL;
}
