/* The recorder's encoder of values as a module of Python, for run_encoder.py:
 * limits(depth, length, bytes, record, regex), encode(object) -> (hash, bytes),
 * types() -> the names of the types with the ids 1, 2, ...  The rest of the
 * recorder is not there: this file stands for what the encoder needs of it. */
#include "record/inside/objects.h"
#include "record/inside/value_encode.h"
#include "record/inside/value_redact.h"

enum { TYPES = 4096 };

static PyTypeObject *types[TYPES]; /* owned, for good */
static uint32_t ntypes;

static struct pt_object_entry table[1];
struct pt_object_entry *pt_objects_table = table;
size_t pt_objects_mask;
const PyMethodDef *pt_objects_new;
Py_ssize_t pt_objects_extra;
struct pt_producer pt_producer;

uint32_t
pt_code_define(PyCodeObject *co)
{
    return 1;
}

uint32_t
pt_type_define(PyTypeObject *t, const struct pt_object_entry *as)
{
    for (uint32_t i = 0; i < ntypes; i++)
        if (types[i] == t)
            return i + 1;
    if (ntypes == TYPES)
        return 0;
    types[ntypes++] = (PyTypeObject *)Py_NewRef((PyObject *)t);
    return ntypes;
}

void
pt_def_u32(struct pt_def *d, uint32_t v)
{
}

void
pt_def_u64(struct pt_def *d, uint64_t v)
{
}

void
pt_def_bytes(struct pt_def *d, const void *data, size_t len)
{
}

static PyObject *
limits(PyObject *module, PyObject *args)
{
    struct pt_value_limits l;
    const char *regex;
    if (!PyArg_ParseTuple(args, "IIIIs", &l.depth, &l.length, &l.bytes,
                          &l.record, &regex))
        return NULL;
    pt_value_init(&l);
    return PyBool_FromLong(pt_redact_init(regex));
}

static PyObject *
encode(PyObject *module, PyObject *o)
{
    uint64_t hash = pt_value_look(NULL, o);
    struct pt_encoded v = pt_value_tell(NULL, o);
    return Py_BuildValue("Ky#", (unsigned long long)hash, v.data,
                         (Py_ssize_t)v.size);
}

static PyObject *
type_names(PyObject *module, PyObject *unused)
{
    PyObject *list = PyList_New(0);
    for (uint32_t i = 0; list != NULL && i < ntypes; i++) {
        PyObject *name = PyUnicode_FromString(types[i]->tp_name);
        if (name == NULL || PyList_Append(list, name) < 0)
            Py_CLEAR(list);
        Py_XDECREF(name);
    }
    return list;
}

static PyMethodDef methods[] = {
    {"limits", limits, METH_VARARGS, NULL},
    {"encode", encode, METH_O, NULL},
    {"types", type_names, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "encoder", NULL, -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC
PyInit_encoder(void)
{
    return PyModule_Create(&definition);
}
