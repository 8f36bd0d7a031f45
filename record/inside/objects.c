/* Definitions of what events name.  A code object's nested code objects are
 * defined before it, because its constants name them; that also makes known
 * the functions that are never called. */
#include "objects.h"
#include "text.h"

#include <pt/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NESTING = 100, TABLE_MIN = 1 << 12 };

/* Id 1 of each space stands for what could not be defined: too long a message,
 * too many ids, no room under on-full=drop. */
enum { UNKNOWN = 1 };

uint32_t (*pt_objects_traits)(PyCodeObject *co);
void (*pt_objects_watch)(PyCodeObject *co);
Py_ssize_t pt_objects_extra;
struct pt_object_entry *pt_objects_table;
size_t pt_objects_mask;
const PyMethodDef *pt_objects_new;

static struct {
    uint32_t codes, callables, types; /* ids given so far */
    size_t used;                      /* entries of the table */
    int nesting;
} given;

static void
define_unknown(void)
{
    static const char name[] = "<not recorded>";
    struct pt_def d = {0};
    pt_def_begin(&d, PT_M_CODE, UNKNOWN);
    pt_def_u32(&d, 0);
    pt_def_cstr(&d, name);
    pt_def_cstr(&d, name);
    for (int i = 0; i < 7 + 3 + 2 + 2; i++)
        pt_def_u32(&d, 0); /* numbers, bytes, tuples, kinds, constants */
    pt_def_commit(&d);
    pt_def_begin(&d, PT_M_CALLABLE, UNKNOWN);
    pt_def_u32(&d, PT_CALLABLE_OBJECT);
    pt_def_u32(&d, 0);
    pt_def_u32(&d, 0);
    pt_def_cstr(&d, name);
    pt_def_u32(&d, 0);
    pt_def_commit(&d);
    pt_def_begin(&d, PT_M_TYPE, UNKNOWN);
    pt_def_u32(&d, 0);
    pt_def_cstr(&d, name);
    pt_def_commit(&d);
    free(d.data);
    given.codes = given.callables = given.types = UNKNOWN;
}

bool
pt_objects_init(void)
{
    pt_objects_table = calloc(TABLE_MIN, sizeof *pt_objects_table);
    if (pt_objects_table == NULL)
        return false;
    pt_objects_mask = TABLE_MIN - 1;
    pt_objects_extra = pt_compat_extra_request(NULL);
    if (pt_objects_extra < 0) {
        PyErr_Clear();
        return false;
    }
    PyObject *new = PyObject_GetAttrString((PyObject *)&PyBaseObject_Type,
                                           "__new__"); /* owned */
    if (new != NULL && PyCFunction_Check(new))
        pt_objects_new = ((PyCFunctionObject *)new)->m_ml;
    Py_XDECREF(new);
    PyErr_Clear();
    /* Is co_extra where compat.h says?  Ask with a code object of our own. */
    PyCodeObject *co = PyCode_NewEmpty("ptrec", "probe", 1); /* owned */
    if (co == NULL) {
        PyErr_Clear();
        return false;
    }
    void *probe = (void *)(uintptr_t)0x50545243;
    bool ok = pt_compat_extra_set(co, pt_objects_extra, probe) == 0 &&
              pt_compat_extra(co, pt_objects_extra) == probe;
    PyErr_Clear();
    Py_DECREF(co);
    if (ok)
        define_unknown();
    return ok;
}

/* --- code objects ----------------------------------------------------------
 */

/* With `whole` false the parts that can be huge are left out. */
static void
describe_code(struct pt_def *d, uint32_t id, PyCodeObject *co, bool whole)
{
    pt_def_begin(d, PT_M_CODE, id);
    pt_def_text(d, co->co_filename);
    pt_def_text(d, co->co_name);
    pt_def_text(d, co->co_qualname);
    pt_def_u32(d, (uint32_t)co->co_firstlineno);
    pt_def_u32(d, (uint32_t)co->co_argcount);
    pt_def_u32(d, (uint32_t)co->co_posonlyargcount);
    pt_def_u32(d, (uint32_t)co->co_kwonlyargcount);
    pt_def_u32(d, (uint32_t)co->co_flags);
    pt_def_u32(d, (uint32_t)co->co_stacksize);
    pt_def_u32(d, (uint32_t)co->co_nlocals);
    if (!whole) {
        for (int i = 0; i < 3 + 2 + 2; i++)
            pt_def_u32(d, 0);
        return;
    }
    PyObject *bytecode = PyCode_GetCode(co); /* owned; bytes: not GC memory */
    pt_def_pybytes(d, bytecode);
    Py_XDECREF(bytecode);
    pt_def_pybytes(d, co->co_linetable);
    pt_def_pybytes(d, co->co_exceptiontable);
    pt_def_texts(d, co->co_names);
    pt_def_texts(d, co->co_localsplusnames);
    pt_def_pybytes(d, co->co_localspluskinds);
    pt_def_constants(d, co->co_consts);
}

/* co_extra holds an id and, in the upper half, the recorder's epoch with the
 * traits.  One that was judged and not defined has no id. */
static uintptr_t
extra(uint32_t traits, uint32_t id)
{
    return (uintptr_t)(pt_producer.epoch | traits) << 32 | id;
}

/* Whether it was judged, and what is known of it then. */
static bool
is_judged(PyCodeObject *co, uint32_t *traits, uint32_t *id)
{
    uintptr_t x = (uintptr_t)pt_compat_extra(co, pt_objects_extra);
    uint32_t upper = (uint32_t)(x >> 32);
    bool judged = (upper & ~(uint32_t)PT_CODE_TRAITS) == pt_producer.epoch;
    *traits = judged ? upper & PT_CODE_TRAITS : 0;
    *id = judged ? (uint32_t)x : 0;
    return judged;
}

/* Gives the object its id, sends its definition, and takes the id back when
 * that fails.  The id is given first, so that an event of a finalizer that
 * runs meanwhile does not define it twice. */
static uint32_t
define_code(PyCodeObject *co, uint32_t traits)
{
    uint32_t id = given.codes + 1;
    if (given.nesting >= NESTING || id >= PT_LOCAL_IDS ||
        pt_compat_extra_set(co, pt_objects_extra, (void *)extra(traits, id)) <
            0)
        return UNKNOWN;
    given.codes = id;
    given.nesting++;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(co->co_consts); i++) {
        PyObject *c = PyTuple_GET_ITEM(co->co_consts, i); /* borrowed */
        if (PyCode_Check(c))
            pt_code_id((PyCodeObject *)c);
    }
    given.nesting--;
    struct pt_def d = {0};
    bool sent = false;
    for (int whole = 1; whole >= 0 && !sent; whole--) {
        describe_code(&d, id, co, whole);
        sent = pt_def_commit(&d);
    }
    free(d.data);
    if (sent && pt_objects_watch != NULL && !(traits & PT_CODE_OPAQUE))
        pt_objects_watch(co);
    if (sent)
        return id;
    pt_compat_extra_set(co, pt_objects_extra, NULL);
    return UNKNOWN;
}

uint32_t
pt_code_define(PyCodeObject *co)
{
    uint32_t traits, id;
    bool judged = is_judged(co, &traits, &id);
    if (judged && id != 0)
        return id;
    /* a pending exception, and a failure of ours, stay invisible */
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    if (!judged && pt_objects_traits != NULL)
        traits = pt_objects_traits(co);
    id = define_code(co, traits & (PT_CODE_OPAQUE | PT_CODE_OPENS));
    PyErr_Clear();
    PyErr_Restore(type, value, trace);
    return id;
}

uint32_t
pt_code_judge(PyCodeObject *co)
{
    uint32_t traits, id;
    if (is_judged(co, &traits, &id))
        return traits;
    if (pt_objects_traits == NULL)
        return 0;
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    traits = pt_objects_traits(co);
    pt_compat_extra_set(co, pt_objects_extra,
                        (void *)extra(traits | PT_CODE_SILENT, 0));
    PyErr_Clear();
    PyErr_Restore(type, value, trace);
    return traits;
}

/* --- the table of callables and types
 * ----------------------------------------- */

static void
place(struct pt_object_entry *table, size_t mask,
      const struct pt_object_entry *e)
{
    size_t h = pt_objects_hash(e->key);
    while (table[h & mask].key != NULL)
        h++;
    table[h & mask] = *e;
}

/* Adds an entry.  Where memory is short the table stays as it is: the object
 * is then defined again at its next use, which costs time and nothing else,
 * until the table is really full. */
static void
remember(const struct pt_object_entry *as, uint32_t id)
{
    struct pt_object_entry e = *as;
    e.id = id;
    if (given.used * 2 > pt_objects_mask) {
        size_t mask = pt_objects_mask * 2 + 1;
        struct pt_object_entry *t = calloc(mask + 1, sizeof *t);
        if (t != NULL) {
            for (size_t i = 0; i <= pt_objects_mask; i++)
                if (pt_objects_table[i].key != NULL)
                    place(t, mask, &pt_objects_table[i]);
            free(pt_objects_table);
            pt_objects_table = t;
            pt_objects_mask = mask;
        } else if (given.used + 1 >= pt_objects_mask) {
            return;
        }
    }
    place(pt_objects_table, pt_objects_mask, &e);
    given.used++;
}

/* The class in `type`'s MRO that defines a method by `d`: "list" for the
 * append of a subclass of list.  Borrowed; NULL where none does. */
static PyTypeObject *
definer(PyTypeObject *type, const PyMethodDef *d)
{
    PyObject *mro = type->tp_mro;
    for (Py_ssize_t i = 0; mro != NULL && i < PyTuple_GET_SIZE(mro); i++) {
        PyTypeObject *t = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        if (!PyType_Check((PyObject *)t) || t->tp_methods == NULL)
            continue;
        for (const PyMethodDef *m = t->tp_methods; m->ml_name != NULL; m++)
            if (m == d)
                return t;
    }
    return NULL;
}

/* The class in `type`'s MRO that defines a method called `name` in C, if any.
 */
static const PyTypeObject *
namer(PyTypeObject *type, const char *name)
{
    PyObject *mro = type->tp_mro;
    for (Py_ssize_t i = 0; mro != NULL && i < PyTuple_GET_SIZE(mro); i++) {
        PyTypeObject *t = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        if (!PyType_Check((PyObject *)t) || t->tp_methods == NULL)
            continue;
        for (const PyMethodDef *m = t->tp_methods; m->ml_name != NULL; m++)
            if (strcmp(m->ml_name, name) == 0)
                return t;
    }
    return NULL;
}

/* A type's name without its module: tp_name of a static type has both. */
static const char *
short_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL ? dot + 1 : name;
}

/* The module of a type: what precedes the dot of a static type's name, else
 * what its dictionary says, without asking through descriptors. */
static void
def_type_module(struct pt_def *d, PyTypeObject *t)
{
    if (t->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        /* borrowed; the key is an exact str and so is every likely one there,
           but a str subclass may hide in a class's namespace: compare by hand
           rather than run its __eq__ */
        PyObject *dict = t->tp_dict, *key, *value;
        Py_ssize_t pos = 0;
        while (dict != NULL && PyDict_Next(dict, &pos, &key, &value)) {
            if (PyUnicode_CheckExact(key) &&
                PyUnicode_CompareWithASCIIString(key, "__module__") == 0) {
                pt_def_text(d, value);
                return;
            }
        }
        pt_def_u32(d, 0);
        return;
    }
    const char *dot = strrchr(t->tp_name, '.');
    if (dot == NULL) {
        pt_def_cstr(d, "builtins");
        return;
    }
    pt_def_u32(d, (uint32_t)(dot - t->tp_name));
    pt_def_bytes(d, t->tp_name, (size_t)(dot - t->tp_name));
}

static void
def_type_name(struct pt_def *d, PyTypeObject *t)
{
    if (t->tp_flags & Py_TPFLAGS_HEAPTYPE)
        pt_def_text(d, ((PyHeapTypeObject *)t)->ht_qualname);
    else
        pt_def_cstr(d, short_name(t->tp_name));
}

/* The key that cProfile writes for a function of C, as Modules/_lsprof.c finds
 * it: the repr of what the type of `self` has under that name, else the
 * function's own name with its module. */
static void
def_label(struct pt_def *d, const PyMethodDef *m, PyObject *self,
          PyObject *module, const PyTypeObject *owner)
{
    char label[512];
    const PyTypeObject *named = NULL;
    if (owner != NULL && self != NULL && PyType_Check(self))
        named = namer(Py_TYPE(self), m->ml_name);
    else
        named = owner;
    if (owner != NULL && strcmp(m->ml_name, "__new__") == 0)
        snprintf(label, sizeof label,
                 "<built-in method __new__ of type object at %p>",
                 (void *)&PyType_Type);
    else if (PT_OBJECT_UNNAMED && named == &PyBaseObject_Type)
        snprintf(label, sizeof label, "<method '%s'>", m->ml_name);
    else if (named != NULL)
        snprintf(label, sizeof label, "<method '%s' of '%s' objects>",
                 m->ml_name, named->tp_name);
    else if ((owner == NULL || m->ml_flags & METH_STATIC) && module != NULL &&
             PyUnicode_Check(module) && PyUnicode_IS_COMPACT_ASCII(module))
        snprintf(label, sizeof label, "<built-in method %.200s.%s>",
                 (const char *)PyUnicode_DATA(module), m->ml_name);
    else
        snprintf(label, sizeof label, "<built-in method %s>", m->ml_name);
    pt_def_cstr(d, label);
}

/* A function of C: of a module, or a method of `owner`. */
static void
describe_function(struct pt_def *d, const PyMethodDef *m, PyObject *self,
                  PyObject *module, PyTypeObject *owner)
{
    pt_def_u32(d, owner != NULL ? PT_CALLABLE_METHOD : PT_CALLABLE_BUILTIN);
    if (owner != NULL) {
        def_type_module(d, owner);
        def_type_name(d, owner);
    } else {
        pt_def_text(d, module);
        pt_def_u32(d, 0);
    }
    pt_def_cstr(d, m->ml_name);
    def_label(d, m, self, module, owner);
}

/* The class that a bound function of C belongs to; NULL for one of a module.
 * A function bound to a class is one of its own class methods or static ones,
 * or else a method of its metatype. */
static PyTypeObject *
function_owner(PyObject *self, const PyMethodDef *m)
{
    if (self == NULL || PyModule_Check(self))
        return NULL;
    PyTypeObject *t = NULL;
    if (PyType_Check(self) && m != pt_objects_new)
        t = definer((PyTypeObject *)self, m);
    if (t == NULL && !(PyType_Check(self) && m == pt_objects_new))
        t = definer(Py_TYPE(self), m);
    if (t == NULL)
        t = PyType_Check(self) ? (PyTypeObject *)self : Py_TYPE(self);
    return t;
}

static void
describe_callable(struct pt_def *d, PyObject *f)
{
    PyTypeObject *t = Py_TYPE(f);
    if (t == &PyCFunction_Type || t == &PyCMethod_Type) {
        PyCFunctionObject *c = (PyCFunctionObject *)f;
        describe_function(d, c->m_ml, c->m_self, c->m_module,
                          function_owner(c->m_self, c->m_ml));
    } else if (t == &PyMethodDescr_Type || t == &PyClassMethodDescr_Type) {
        PyMethodDescrObject *m = (PyMethodDescrObject *)f;
        describe_function(d, m->d_method, NULL, NULL, m->d_common.d_type);
    } else {
        bool class = PyType_Check(f);
        if (class)
            t = (PyTypeObject *)f;
        pt_def_u32(d, class ? PT_CALLABLE_TYPE : PT_CALLABLE_OBJECT);
        def_type_module(d, t);
        pt_def_u32(d, 0);
        def_type_name(d, t);
        pt_def_u32(d, 0);
    }
}

/* Sends a definition that was put together; its id counts when it went. */
static uint32_t
settle(struct pt_def *d, uint32_t *last, const struct pt_object_entry *as)
{
    bool sent = pt_def_commit(d);
    free(d->data);
    if (!sent)
        return UNKNOWN;
    remember(as, ++*last);
    return *last;
}

static uint32_t
define_callable(PyObject *f, const struct pt_object_entry *as)
{
    struct pt_def d = {0};
    if (given.callables + 1 >= PT_LOCAL_IDS)
        return UNKNOWN;
    pt_def_begin(&d, PT_M_CALLABLE, given.callables + 1);
    describe_callable(&d, f);
    return settle(&d, &given.callables, as);
}

uint32_t
pt_callable_any(PyObject *f)
{
    struct pt_object_entry want = pt_callable_key(f);
    const struct pt_object_entry *e = pt_objects_find(&want);
    return e != NULL ? e->id : define_callable(f, &want);
}

uint32_t
pt_type_define(PyTypeObject *t, const struct pt_object_entry *as)
{
    struct pt_def d = {0};
    if (given.types + 1 >= PT_LOCAL_IDS)
        return UNKNOWN;
    pt_def_begin(&d, PT_M_TYPE, given.types + 1);
    def_type_module(&d, t);
    def_type_name(&d, t);
    return settle(&d, &given.types, as);
}
