/* Objects that are no plain value and no container: by what their type is, from
 * the most telling form to type and identity alone. */
#include "value_encoder.h"
#include "value_redact.h"

#include <string.h>

/* The texts of functions and classes are put together in so many bytes. */
enum { TEXT = 512 };

/* --- what one text says --------------------------------------------------- */

static void
append(char *out, const char *text)
{
    size_t used = strlen(out), n = strlen(text);
    if (n > TEXT - 1 - used)
        n = TEXT - 1 - used;
    memcpy(out + used, text, n);
    out[used + n] = '\0';
}

/* As far as it is ASCII, which names nearly always are. */
static void
append_str(char *out, PyObject *str)
{
    char text[TEXT];
    size_t used = 0;
    if (str == NULL || !PyUnicode_Check(str) || !pt_compat_str_ready(str))
        return;
    Py_ssize_t n = PyUnicode_GET_LENGTH(str);
    for (Py_ssize_t i = 0; i < n && used < TEXT - 1; i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(str, i);
        text[used++] = c > 0 && c < 128 ? (char)c : '?';
    }
    text[used] = '\0';
    append(out, text);
}

/* MODULE.QUALNAME, or NAME of a builtin: what a static type's name is. */
static void
append_type(char *out, const PyTypeObject *t)
{
    if (!(t->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
        append(out, t->tp_name);
        return;
    }
    PyObject *module = pt_attributes_class(t, "__module__"); /* borrowed */
    append_str(out, module);
    append(out, module != NULL && PyUnicode_Check(module) ? "." : "");
    append_str(out, ((const PyHeapTypeObject *)t)->ht_qualname);
}

static void
put_text(struct pt_encoder *e, PyObject *o, const char *text)
{
    pt_encoder_object_text(e, o, text, strlen(text));
}

/* A function of C: TYPE.NAME of a bound method. */
static void
put_builtin_function(struct pt_encoder *e, PyObject *o)
{
    const PyCFunctionObject *f = (PyCFunctionObject *)o;
    char text[TEXT] = "";
    if (f->m_self != NULL && !PyModule_Check(f->m_self)) {
        append_type(text, PyType_Check(f->m_self) ? (PyTypeObject *)f->m_self
                                                  : Py_TYPE(f->m_self));
        append(text, ".");
    }
    append(text, f->m_ml->ml_name);
    put_text(e, o, text);
}

static void
put_descriptor(struct pt_encoder *e, PyObject *o)
{
    const PyDescrObject *d = (PyDescrObject *)o;
    char text[TEXT] = "";
    append_type(text, d->d_type);
    append(text, ".");
    append_str(text, d->d_name);
    put_text(e, o, text);
}

static bool
is_descriptor(const PyTypeObject *t)
{
    return t == &PyMethodDescr_Type || t == &PyClassMethodDescr_Type ||
           t == &PyGetSetDescr_Type || t == &PyMemberDescr_Type ||
           t == &PyWrapperDescr_Type;
}

static PyObject *
module_name(PyObject *o)
{
    PyObject *dict = PyModule_GetDict(o), *key, *value; /* borrowed */
    Py_ssize_t at = 0;
    while (dict != NULL && PyDict_Next(dict, &at, &key, &value))
        if (PyUnicode_CheckExact(key) &&
            PyUnicode_CompareWithASCIIString(key, "__name__") == 0)
            return value;
    return NULL;
}

/* Code and what holds it. */
static bool
put_code_text(struct pt_encoder *e, PyObject *o)
{
    PyObject *function = o;
    if (PyMethod_Check(o))
        function = PyMethod_GET_FUNCTION(o);
    if (PyFunction_Check(function))
        pt_encoder_object_str(e, o,
                              ((PyFunctionObject *)function)->func_qualname);
    else if (PyCode_Check(o))
        pt_encoder_object_str(e, o, ((PyCodeObject *)o)->co_qualname);
    else if (PyGen_CheckExact(o) || PyCoro_CheckExact(o) ||
             PyAsyncGen_CheckExact(o))
        pt_encoder_object_str(e, o, ((PyGenObject *)o)->gi_qualname);
    else
        return false;
    return true;
}

static bool
put_named(struct pt_encoder *e, PyObject *o)
{
    char text[TEXT] = "";
    if (put_code_text(e, o))
        return true;
    if (PyType_Check(o)) {
        append_type(text, (PyTypeObject *)o);
        put_text(e, o, text);
    } else if (PyModule_Check(o)) {
        pt_encoder_object_str(e, o, module_name(o));
    } else if (PyCFunction_Check(o)) {
        put_builtin_function(e, o);
    } else if (is_descriptor(Py_TYPE(o))) {
        put_descriptor(e, o);
    } else {
        return false;
    }
    return true;
}

/* --- numbers and buffers -------------------------------------------------- */

static void
put_complex(struct pt_encoder *e, PyObject *o)
{
    struct pt_open open;
    const Py_complex *c = &((PyComplexObject *)o)->cval;
    if (!pt_encoder_open(e, &open, o, PT_FORM_NUMBERS, 2, 1))
        return;
    if (pt_encoder_more(e, &open, 2)) {
        pt_cbor_double(&e->w, c->real);
        pt_cbor_double(&e->w, c->imag);
    }
    pt_encoder_close(e, &open);
}

/* Of a range or slice. */
static void
put_bounds(struct pt_encoder *e, PyObject *o)
{
    static const char *const names[] = {"start", "stop", "step"};
    struct pt_open open;
    if (!pt_encoder_open(e, &open, o, PT_FORM_NUMBERS, 3, 1))
        return;
    while (pt_encoder_more(e, &open, 1))
        pt_encoder_put(e, pt_attributes_slot(o, names[open.told - 1]));
    pt_encoder_close(e, &open);
}

void
pt_encoder_buffer(struct pt_encoder *e, PyObject *o, const char *format,
                  int dimensions, const Py_ssize_t *shape)
{
    struct pt_open open;
    if (!pt_encoder_open(e, &open, o, PT_FORM_BUFFER,
                         1 + (uint64_t)(unsigned)dimensions, 1))
        return;
    if (pt_encoder_more(e, &open, 1))
        pt_encoder_text(e, format, strlen(format));
    while (pt_encoder_more(e, &open, 1)) {
        Py_ssize_t n = shape[open.told - 2];
        pt_cbor_uint(&e->w, n > 0 ? (uint64_t)n : 0);
    }
    pt_encoder_close(e, &open);
}

static void
put_memoryview(struct pt_encoder *e, PyObject *o)
{
    const PyMemoryViewObject *m = (PyMemoryViewObject *)o;
    bool released = (m->flags & _Py_MEMORYVIEW_RELEASED) != 0 ||
                    (m->mbuf != NULL &&
                     (m->mbuf->flags & _Py_MANAGED_BUFFER_RELEASED) != 0);
    if (released || m->view.ndim < 0 ||
        (m->view.ndim > 0 && m->view.shape == NULL))
        pt_cbor_mark(&e->w, PT_MARK_UNREAD, 0);
    else
        pt_encoder_buffer(e, o, m->view.format != NULL ? m->view.format : "B",
                          m->view.ndim, m->view.shape);
}

static bool
put_number(struct pt_encoder *e, PyObject *o)
{
    const PyTypeObject *t = Py_TYPE(o);
    if (t == &PyComplex_Type)
        put_complex(e, o);
    else if (t == &PyRange_Type || t == &PySlice_Type)
        put_bounds(e, o);
    else if (t == &PyMemoryView_Type)
        put_memoryview(e, o);
    else
        return false;
    return true;
}

/* --- objects with attributes ---------------------------------------------- */

static uint64_t
count(PyObject *o)
{
    struct pt_attributes a = pt_attributes_of(o);
    struct pt_attribute at;
    uint64_t n = 0;
    PyObject *dict = a.rest.dict; /* borrowed */
    a.rest.dict = NULL;
    while (pt_attributes_next(&a, &at))
        n++;
    return n + (dict != NULL ? (uint64_t)((PyDictObject *)dict)->ma_used : 0);
}

static void
put_attribute(struct pt_encoder *e, const struct pt_attribute *a)
{
    if (a->slot == NULL) {
        pt_encoder_put(e, a->key);
        pt_encoder_named(e, a->key, a->value);
        return;
    }
    pt_encoder_text(e, a->slot, strlen(a->slot));
    if (pt_redact_text(a->slot))
        pt_cbor_mark(&e->w, PT_MARK_REDACTED, 0);
    else
        pt_encoder_put(e, a->value);
}

static void
put_attributes(struct pt_encoder *e, struct pt_open *open, PyObject *o)
{
    struct pt_attributes a = pt_attributes_of(o);
    struct pt_attribute at;
    while (pt_encoder_more(e, open, 2)) {
        if (!pt_attributes_next(&a, &at)) {
            open->told -= 2;
            break;
        }
        put_attribute(e, &at);
    }
}

static void
put_record(struct pt_encoder *e, PyObject *o, uint64_t n)
{
    struct pt_open open;
    if (!pt_encoder_open(e, &open, o, PT_FORM_RECORD, n, 2))
        return;
    put_attributes(e, &open, o);
    pt_encoder_close(e, &open);
}

static void
put_exception(struct pt_encoder *e, PyObject *o)
{
    struct pt_open open;
    if (!pt_encoder_open(e, &open, o, PT_FORM_RECORD, 1 + count(o), 2))
        return;
    if (pt_encoder_more(e, &open, 2)) {
        pt_encoder_text(e, "args", 4);
        pt_encoder_put(e, ((PyBaseExceptionObject *)o)->args);
    }
    put_attributes(e, &open, o);
    pt_encoder_close(e, &open);
}

/* The names of a named tuple's elements (borrowed), or NULL.  Found once for
 * each class, as long as that does not change. */
static PyObject *
field_names(PyObject *o)
{
    static unsigned version;
    static PyObject *names; /* borrowed from the class of that version */
    const PyTypeObject *t = Py_TYPE(o);
    unsigned now = pt_compat_type_version(t);
    if (now == 0 || now != version) {
        names = pt_attributes_class(t, "_fields");
        version = now;
    }
    if (names == NULL || !PyTuple_CheckExact(names) ||
        PyTuple_GET_SIZE(names) != PyTuple_GET_SIZE(o))
        return NULL;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++)
        if (!PyUnicode_CheckExact(PyTuple_GET_ITEM(names, i)))
            return NULL;
    return names;
}

static void
put_named_tuple(struct pt_encoder *e, PyObject *o, PyObject *names)
{
    struct pt_open open;
    uint64_t n = (uint64_t)PyTuple_GET_SIZE(o);
    if (!pt_encoder_open(e, &open, o, PT_FORM_RECORD, n, 2))
        return;
    while (pt_encoder_more(e, &open, 2)) {
        Py_ssize_t i = open.told / 2 - 1;
        PyObject *name = PyTuple_GET_ITEM(names, i);
        pt_encoder_put(e, name);
        pt_encoder_named(e, name, PyTuple_GET_ITEM(o, i));
    }
    pt_encoder_close(e, &open);
}

/* The builtin type that the object's class is derived from, or that is its
 * class; NULL where there is none whose contents are told. */
static const PyTypeObject *
builtin_of(PyObject *o)
{
    if (PyUnicode_Check(o))
        return &PyUnicode_Type;
    if (PyLong_Check(o))
        return &PyLong_Type;
    if (PyList_Check(o))
        return &PyList_Type;
    if (PyTuple_Check(o))
        return &PyTuple_Type;
    if (PyDict_Check(o))
        return &PyDict_Type;
    if (PyBytes_Check(o))
        return &PyBytes_Type;
    if (PyFloat_Check(o))
        return &PyFloat_Type;
    if (PySet_Check(o))
        return &PySet_Type;
    if (PyFrozenSet_Check(o))
        return &PyFrozenSet_Type;
    return PyByteArray_Check(o) ? &PyByteArray_Type : NULL;
}

static void
put_wrapped(struct pt_encoder *e, PyObject *o, const PyTypeObject *as)
{
    struct pt_open open;
    if (!pt_encoder_wrap(e, &open, o, count(o)))
        return;
    if (pt_encoder_more(e, &open, 1)) {
        e->depth--; /* it is the object itself */
        pt_encoder_builtin(e, o, as);
        e->depth++;
    }
    put_attributes(e, &open, o);
    pt_encoder_close(e, &open);
}

void
pt_encoder_other(struct pt_encoder *e, PyObject *o)
{
    if (put_named(e, o) || put_number(e, o) || pt_encoder_library(e, o))
        return;
    if (PyExceptionInstance_Check(o)) {
        put_exception(e, o);
        return;
    }
    const PyTypeObject *as = builtin_of(o);
    if (as != NULL) {
        PyObject *names = PyTuple_Check(o) ? field_names(o) : NULL;
        if (names != NULL)
            put_named_tuple(e, o, names);
        else
            put_wrapped(e, o, as);
        return;
    }
    uint64_t n = count(o);
    if (n > 0 || Py_TYPE(o)->tp_dictoffset != 0) {
        put_record(e, o, n);
        return;
    }
    struct pt_open open;
    if (pt_encoder_open(e, &open, o, PT_FORM_OPAQUE, 0, 1))
        pt_encoder_close(e, &open);
}
