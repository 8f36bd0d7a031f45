/* Strings are encoded here rather than with PyUnicode_AsUTF8(), which would
 * leave a cached copy in the program's object and fail on lone surrogates. */
#include "text.h"
#include "objects.h"

#include <pt/log.h>
#include <string.h>

enum { CONSTANT_DEPTH = 32 };

size_t
pt_text_encode(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

void
pt_def_text(struct pt_def *d, PyObject *o)
{
    if (o == NULL || !PyUnicode_Check(o)) {
        pt_def_u32(d, 0);
        return;
    }
    Py_ssize_t n = PyUnicode_GET_LENGTH(o);
    if (PyUnicode_IS_COMPACT_ASCII(o)) {
        pt_def_u32(d, (uint32_t)n);
        pt_def_bytes(d, PyUnicode_DATA(o), (size_t)n);
        return;
    }
    size_t mark = d->len;
    pt_def_u32(d, 0);
    int kind = PyUnicode_KIND(o);
    const void *data = PyUnicode_DATA(o);
    for (Py_ssize_t i = 0; i < n && !d->failed; i++) {
        char c[4];
        pt_def_bytes(d, c, pt_text_encode(PyUnicode_READ(kind, data, i), c));
    }
    uint32_t len = (uint32_t)(d->len - mark - 4);
    if (!d->failed)
        memcpy(d->data + mark, &len, 4);
}

void
pt_def_cstr(struct pt_def *d, const char *s)
{
    size_t n = s != NULL ? strlen(s) : 0;
    pt_def_u32(d, (uint32_t)n);
    pt_def_bytes(d, s, n);
}

void
pt_def_pybytes(struct pt_def *d, PyObject *o)
{
    size_t n = o != NULL && PyBytes_Check(o) ? (size_t)PyBytes_GET_SIZE(o) : 0;
    pt_def_u32(d, (uint32_t)n);
    pt_def_bytes(d, n != 0 ? PyBytes_AS_STRING(o) : NULL, n);
}

void
pt_def_texts(struct pt_def *d, PyObject *tuple)
{
    Py_ssize_t n =
        tuple != NULL && PyTuple_Check(tuple) ? PyTuple_GET_SIZE(tuple) : 0;
    pt_def_u32(d, (uint32_t)n);
    for (Py_ssize_t i = 0; i < n; i++)
        pt_def_text(d, PyTuple_GET_ITEM(tuple, i));
}

/* The fixed part of a constant; its string follows. */
static void
put_constant(struct pt_def *d, enum pt_const_kind kind, uint32_t n, int64_t i,
             double f, double g)
{
    uint64_t fb, gb;
    memcpy(&fb, &f, 8);
    memcpy(&gb, &g, 8);
    pt_def_u32(d, kind);
    pt_def_u32(d, n);
    pt_def_u64(d, (uint64_t)i);
    pt_def_u64(d, fb);
    pt_def_u64(d, gb);
}

static void
integer(struct pt_def *d, PyObject *o)
{
    int overflow = 0;
    long long v = PyLong_AsLongLongAndOverflow(o, &overflow);
    if (!overflow) {
        put_constant(d, PT_CONST_INT, 0, v, 0, 0);
        pt_def_u32(d, 0);
        return;
    }
    put_constant(d, PT_CONST_BIGINT, 0, 0, 0, 0);
    PyObject *hex = PyNumber_ToBase(o, 16); /* "-0x1f"; owned */
    if (hex == NULL) {
        PyErr_Clear();
        pt_def_u32(d, 0);
        return;
    }
    const char *s = PyUnicode_DATA(hex);
    bool minus = *s == '-';
    size_t n = strlen(s + minus + 2);
    pt_def_u32(d, (uint32_t)(n + minus));
    pt_def_bytes(d, "-", minus);
    pt_def_bytes(d, s + minus + 2, n);
    Py_DECREF(hex);
}

/* One constant and what it contains; returns how many entries that is. */
static uint32_t
item(struct pt_def *d, PyObject *o, int depth)
{
    enum pt_const_kind kind = PT_CONST_OTHER;
    uint32_t n = 0, entries = 1;
    if (o == Py_None)
        kind = PT_CONST_NONE;
    else if (o == Py_Ellipsis)
        kind = PT_CONST_ELLIPSIS;
    else if (PyBool_Check(o))
        kind = PT_CONST_BOOL, n = o == Py_True;
    if (kind != PT_CONST_OTHER) {
        put_constant(d, kind, 0, n, 0, 0);
        pt_def_u32(d, 0);
    } else if (PyLong_CheckExact(o)) {
        integer(d, o);
    } else if (PyFloat_CheckExact(o)) {
        put_constant(d, PT_CONST_FLOAT, 0, 0, PyFloat_AS_DOUBLE(o), 0);
        pt_def_u32(d, 0);
    } else if (PyComplex_CheckExact(o)) {
        Py_complex c = ((PyComplexObject *)o)->cval;
        put_constant(d, PT_CONST_COMPLEX, 0, 0, c.real, c.imag);
        pt_def_u32(d, 0);
    } else if (PyUnicode_CheckExact(o)) {
        put_constant(d, PT_CONST_STR, 0, 0, 0, 0);
        pt_def_text(d, o);
    } else if (PyBytes_CheckExact(o)) {
        put_constant(d, PT_CONST_BYTES, 0, 0, 0, 0);
        pt_def_pybytes(d, o);
    } else if (PyCode_Check(o)) {
        put_constant(d, PT_CONST_CODE, pt_code_id((PyCodeObject *)o), 0, 0, 0);
        pt_def_u32(d, 0);
    } else if (PyTuple_CheckExact(o) && depth < CONSTANT_DEPTH) {
        Py_ssize_t size = PyTuple_GET_SIZE(o);
        put_constant(d, PT_CONST_TUPLE, (uint32_t)size, 0, 0, 0);
        pt_def_u32(d, 0);
        for (Py_ssize_t i = 0; i < size; i++)
            entries += item(d, PyTuple_GET_ITEM(o, i), depth + 1);
    } else if (PySlice_Check(o) && depth < CONSTANT_DEPTH) {
        const PySliceObject *slice = (PySliceObject *)o;
        put_constant(d, PT_CONST_SLICE, 3, 0, 0, 0);
        pt_def_u32(d, 0);
        entries += item(d, slice->start, depth + 1) +
                   item(d, slice->stop, depth + 1) +
                   item(d, slice->step, depth + 1);
    } else if (PyFrozenSet_CheckExact(o) && depth < CONSTANT_DEPTH) {
        const PySetObject *set = (PySetObject *)o;
        put_constant(d, PT_CONST_FROZENSET, (uint32_t)set->used, 0, 0, 0);
        pt_def_u32(d, 0);
        /* a set made by the compiler holds no deleted entries */
        for (Py_ssize_t i = 0; i <= set->mask; i++)
            if (set->table[i].key != NULL)
                entries += item(d, set->table[i].key, depth + 1);
    } else {
        put_constant(d, PT_CONST_OTHER, 0, 0, 0, 0);
        pt_def_cstr(d, Py_TYPE(o)->tp_name);
    }
    return entries;
}

void
pt_def_constants(struct pt_def *d, PyObject *tuple)
{
    size_t mark = d->len;
    uint32_t n = 0;
    pt_def_u32(d, 0);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple) && !d->failed; i++)
        n += item(d, PyTuple_GET_ITEM(tuple, i), 0);
    if (!d->failed)
        memcpy(d->data + mark, &n, 4);
}
