/* Local ids of code objects, callables and types, and their definitions.
 *
 * The first use of an object sends its definition to the collector; later uses
 * are a load (code objects, through co_extra) or one probe of a hash table.
 * Nothing here holds a reference, allocates through Python except the bytes
 * object of PyCode_GetCode(), which the code object keeps, raises, or runs
 * Python code.
 * Thread rule: needs the GIL.  Objects are borrowed. */
#ifndef PT_INSIDE_OBJECTS_H
#define PT_INSIDE_OBJECTS_H

#include "compat.h"
#include "producer.h"

struct pt_object_entry;

/* Prepares co_extra and the tables, and defines what stands for objects whose
 * definition cannot be sent.  Returns false when this interpreter does not lay
 * out its code objects as compat.h says. */
bool pt_objects_init(void);

/* What rules say of a code object; 0: it is recorded, whatever the stack. */
enum {
    PT_CODE_OPAQUE = 1 << 30, /* its frames are not recorded */
    PT_CODE_OPENS = 1 << 29,  /* a --function */
    PT_CODE_SILENT = 1 << 28, /* nothing of it was sent yet */
    PT_CODE_STARTS = 1 << 27, /* a --start-at ... */
    PT_CODE_LINES = 1 << 26,  /* ... has the line of one */
    PT_CODE_TRAITS = PT_CODE_OPAQUE | PT_CODE_OPENS | PT_CODE_SILENT |
                     PT_CODE_STARTS | PT_CODE_LINES
};

/* Called once for each code object, to find that; NULL where all are 0. */
extern uint32_t (*pt_objects_traits)(PyCodeObject *co);
/* Called once for each code object that is recorded, when it has been defined;
 * NULL for nobody. */
extern void (*pt_objects_watch)(PyCodeObject *co);

uint32_t pt_code_define(PyCodeObject *co);
uint32_t pt_code_judge(PyCodeObject *co);
uint32_t pt_type_define(PyTypeObject *type, const struct pt_object_entry *as);

#pragma GCC visibility push(hidden) /* found without a table */
extern Py_ssize_t pt_objects_extra; /* co_extra index */

/* Whether the code object's id is at hand. */
static inline bool
pt_code_known(const PyCodeObject *co, uint32_t *id)
{
    uintptr_t x = (uintptr_t)pt_compat_extra(co, pt_objects_extra);
    *id = (uint32_t)x;
    return x >> 32 == pt_producer.epoch;
}

static inline uint32_t
pt_code_id(PyCodeObject *co)
{
    uint32_t id;
    return PT_LIKELY(pt_code_known(co, &id)) ? id : pt_code_define(co);
}

static inline uint32_t
pt_code_traits(PyCodeObject *co)
{
    uint32_t id;
    return PT_LIKELY(pt_code_known(co, &id)) ? 0 : pt_code_judge(co);
}

/* One entry of the tables.  An address can be used again for another object,
 * so what identifies the object is compared as well: where its name lies and,
 * for classes that can die, the name's hash. */
struct pt_object_entry {
    const void *key;
    const char *name;
    uint64_t mark;
    uint32_t id;
};
extern struct pt_object_entry *pt_objects_table;
extern size_t pt_objects_mask;
extern const PyMethodDef *pt_objects_new; /* behind object.__new__ */
#pragma GCC visibility pop

static inline size_t
pt_objects_hash(const void *key)
{
    return (size_t)(((uintptr_t)key >> 4) * 0x9E3779B97F4A7C15u >> 24);
}

/* A class's name as a number; 0 for static types, which never die. */
static inline uint64_t
pt_type_mark(const PyTypeObject *t)
{
    if (!(t->tp_flags & Py_TPFLAGS_HEAPTYPE))
        return 0;
    const PyObject *name = ((const PyHeapTypeObject *)t)->ht_name;
    Py_hash_t h = ((const PyASCIIObject *)name)->hash;
    if (h != -1)
        return (uint64_t)h;
    uint64_t fnv = 0xcbf29ce484222325u;
    for (const char *c = t->tp_name; *c != '\0'; c++)
        fnv = (fnv ^ (unsigned char)*c) * 0x100000001b3u;
    return fnv;
}

/* The method definition behind a function of C; NULL for other callables. */
static inline const PyMethodDef *
pt_callable_definition(PyObject *f)
{
    const PyTypeObject *t = Py_TYPE(f);
    if (t == &PyCFunction_Type || t == &PyCMethod_Type)
        return ((PyCFunctionObject *)f)->m_ml;
    if (t == &PyMethodDescr_Type || t == &PyClassMethodDescr_Type)
        return ((PyMethodDescrObject *)f)->d_method;
    return NULL;
}

/* What a callable is known by: a method definition where there is one, so
 * that bound methods, which come and go, share their descriptor's. */
static inline struct pt_object_entry
pt_callable_key(PyObject *f)
{
    PyTypeObject *t = Py_TYPE(f);
    const PyMethodDef *d = pt_callable_definition(f);
    if (d != NULL && d == pt_objects_new) {
        /* one definition serves the __new__ of all static types */
        t = (PyTypeObject *)((PyCFunctionObject *)f)->m_self;
        return (struct pt_object_entry){.key = (const char *)t + 3,
                                        .name = t->tp_name,
                                        .mark = pt_type_mark(t)};
    }
    if (d != NULL)
        return (struct pt_object_entry){.key = d, .name = d->ml_name};
    bool class = PyType_Check(f);
    if (class)
        t = (PyTypeObject *)f;
    /* a class and an instance of it are different callables */
    return (struct pt_object_entry){.key = (const char *)t + !class,
                                    .name = t->tp_name,
                                    .mark = pt_type_mark(t)};
}

/* The entry like `want`, or NULL. */
static inline const struct pt_object_entry *
pt_objects_find(const struct pt_object_entry *want)
{
    size_t h = pt_objects_hash(want->key);
    for (;; h++) {
        const struct pt_object_entry *e =
            &pt_objects_table[h & pt_objects_mask];
        if (PT_LIKELY(e->key == want->key && e->name == want->name &&
                      e->mark == want->mark))
            return e;
        if (e->key == NULL)
            return NULL;
    }
}

/* The same for any callable, defined or not. */
uint32_t pt_callable_any(PyObject *f);

/* Whether the id of a function of C is at hand: of the two types that most of
 * them have, where the first place looked at has it.  (No entry has the one
 * definition behind all __new__ as its key.) */
static inline bool
pt_callable_known(PyObject *f, uint32_t *id)
{
    const PyTypeObject *t = Py_TYPE(f);
    const PyMethodDef *d;
    if (t == &PyMethodDescr_Type)
        d = ((PyMethodDescrObject *)f)->d_method;
    else if (t == &PyCFunction_Type)
        d = ((PyCFunctionObject *)f)->m_ml;
    else
        return false;
    const struct pt_object_entry *e =
        &pt_objects_table[pt_objects_hash(d) & pt_objects_mask];
    *id = e->id;
    return e->key == d && e->name == d->ml_name;
}

static inline uint32_t
pt_callable_id(PyObject *f)
{
    uint32_t id;
    return PT_LIKELY(pt_callable_known(f, &id)) ? id : pt_callable_any(f);
}

/* The id of a class as the type of an exception: a space of its own. */
static inline uint32_t
pt_type_id(PyTypeObject *t)
{
    struct pt_object_entry want = {.key = (const char *)t + 2,
                                   .name = t->tp_name,
                                   .mark = pt_type_mark(t)};
    const struct pt_object_entry *e = pt_objects_find(&want);
    return PT_LIKELY(e != NULL) ? e->id : pt_type_define(t, &want);
}

#endif
