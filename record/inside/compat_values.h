/* The layouts of CPython's objects that values are read from, version by
 * version: compat.h for what objects hold.  Everything here borrows; nothing
 * allocates, raises, or runs Python. */
#ifndef PT_INSIDE_COMPAT_VALUES_H
#define PT_INSIDE_COMPAT_VALUES_H

#include "compat.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wpointer-arith"
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#undef _PyObject_LookupSpecial /* 3.12 has two */
#include <internal/pycore_dict.h>
#include <internal/pycore_object.h>
#pragma GCC diagnostic pop

/* --- int ------------------------------------------------------------------ */

/* The digits of an int, least first, PyLong_SHIFT bits each. */
static inline const digit *
pt_compat_digits(PyObject *o, size_t *n, bool *negative)
{
    const PyLongObject *l = (PyLongObject *)o;
#if PY_VERSION_HEX >= 0x030C0000
    *n = l->long_value.lv_tag >> 3;
    *negative = (l->long_value.lv_tag & 3) == 2;
    return l->long_value.ob_digit;
#else
    Py_ssize_t size = Py_SIZE(l);
    *negative = size < 0;
    *n = (size_t)(size < 0 ? -size : size);
    return l->ob_digit;
#endif
}

/* --- str ------------------------------------------------------------------ */

/* False for what 3.11 still has of strings that are not in their final form. */
static inline bool
pt_compat_str_ready(PyObject *o)
{
#if PY_VERSION_HEX >= 0x030C0000
    return true;
#else
    return PyUnicode_IS_READY(o);
#endif
}

/* --- instances ------------------------------------------------------------ */

/* Where an object has its attributes but for slots: a dictionary, or an array
 * beside the names that its class keeps, or neither. */
struct pt_compat_attributes {
    PyObject *dict;
    PyObject *const *values;
    const PyDictUnicodeEntry *names;
    Py_ssize_t n; /* of names, and of values, of which some are NULL */
};

static inline void
pt_compat_values(struct pt_compat_attributes *a, PyObject *o,
                 PyObject *const *values)
{
    PyDictKeysObject *keys = ((PyHeapTypeObject *)Py_TYPE(o))->ht_cached_keys;
    if (keys == NULL || keys->dk_kind == DICT_KEYS_GENERAL)
        return;
    a->values = values;
    a->names = DK_UNICODE_ENTRIES(keys);
    a->n = keys->dk_nentries;
}

static inline void
pt_compat_managed(struct pt_compat_attributes *a, PyObject *o)
{
#if PY_VERSION_HEX >= 0x030D0000
    a->dict = (PyObject *)_PyObject_ManagedDictPointer(o)->dict;
    if (a->dict != NULL || !(Py_TYPE(o)->tp_flags & Py_TPFLAGS_INLINE_VALUES))
        return;
    PyDictValues *v = _PyObject_InlineValues(o);
    if (!v->valid)
        return;
    pt_compat_values(a, o, v->values);
    if (a->n > v->capacity)
        a->n = v->capacity;
#elif PY_VERSION_HEX >= 0x030C0000
    PyDictOrValues at = *_PyObject_DictOrValuesPointer(o);
    if (!_PyDictOrValues_IsValues(at))
        a->dict = _PyDictOrValues_GetDict(at);
    else
        pt_compat_values(a, o, _PyDictOrValues_GetValues(at)->values);
#else
    a->dict = *_PyObject_ManagedDictPointer(o);
    PyDictValues *v = *_PyObject_ValuesPointer(o);
    if (a->dict == NULL && v != NULL)
        pt_compat_values(a, o, v->values);
#endif
}

/* The dictionary's place where the class says it is, or NULL: before zero it is
 * counted from the end of what varies in size. */
static inline PyObject **
pt_compat_dict_place(PyObject *o)
{
    const PyTypeObject *t = Py_TYPE(o);
    Py_ssize_t at = t->tp_dictoffset;
    if (at < 0) {
        if (PY_VERSION_HEX >= 0x030C0000 && PyLong_Check(o))
            return NULL;
        Py_ssize_t n = Py_SIZE(o);
        at += t->tp_basicsize + (n < 0 ? -n : n) * t->tp_itemsize +
              (Py_ssize_t)sizeof(void *) - 1;
        at &= ~((Py_ssize_t)sizeof(void *) - 1);
    }
    return at > 0 ? (PyObject **)(void *)((char *)o + at) : NULL;
}

static inline struct pt_compat_attributes
pt_compat_attributes(PyObject *o)
{
    struct pt_compat_attributes a = {NULL, NULL, NULL, 0};
    if (Py_TYPE(o)->tp_flags & Py_TPFLAGS_MANAGED_DICT) {
        pt_compat_managed(&a, o);
    } else {
        PyObject **place = pt_compat_dict_place(o);
        a.dict = place != NULL ? *place : NULL;
    }
    if (a.dict != NULL && !PyDict_Check(a.dict))
        a.dict = NULL;
    return a;
}

/* A number that a class keeps as long as nothing of it changes, and that no
 * other class ever has; 0 where it has none now. */
static inline unsigned
pt_compat_type_version(const PyTypeObject *t)
{
#if PY_VERSION_HEX < 0x030C0000
    if (!(t->tp_flags & Py_TPFLAGS_VALID_VERSION_TAG))
        return 0;
#endif
    return t->tp_version_tag;
}

/* --- what a frame holds --------------------------------------------------- */

/* An entry of a frame's variables and stack (borrowed), or NULL; NULL, too, for
 * what 3.14 and later keep there that is no object. */
static inline PyObject *
pt_compat_slot(const pt_pyframe *f, size_t i)
{
#if PY_VERSION_HEX >= 0x030E0000
    _PyStackRef ref = f->localsplus[i];
    if (PyStackRef_IsNull(ref) || PyStackRef_IsTaggedInt(ref))
        return NULL;
    return PyStackRef_AsPyObjectBorrow(ref);
#else
    return f->localsplus[i];
#endif
}

/* Whether all keys of a dictionary are plain strings, so that to look for one
 * runs no code but the interpreter's. */
static inline bool
pt_compat_plain_keys(PyObject *dict)
{
    return ((PyDictObject *)dict)->ma_keys->dk_kind != DICT_KEYS_GENERAL;
}

/* Where a call has the object that a method was found in: from 3.13 on above
 * the method, before in the place of the callable, with the method below. */
#define PT_COMPAT_SELF_ABOVE (PY_VERSION_HEX >= 0x030D0000)
#ifdef PRECALL
#define PT_COMPAT_NOT_PRECALL(op) ((op) != PRECALL)
#else
#define PT_COMPAT_NOT_PRECALL(op) true
#endif

#endif
