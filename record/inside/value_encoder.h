/* What the files that put a value together share: value_encode.c has plain
 * values and containers, value_objects.c other objects, value_library.c types
 * of the standard library.
 * Thread rule: needs the GIL. */
#ifndef PT_INSIDE_VALUE_ENCODER_H
#define PT_INSIDE_VALUE_ENCODER_H

#include "value_attributes.h"
#include "value_cbor.h"
#include "value_encode.h"

#include <pt/value.h>

struct pt_encoder {
    struct pt_cbor w;
    struct pt_value_limits limits;
    uint32_t depth;  /* of the container that is being told */
    uint32_t round;  /* of looking and telling: marks what was met in it */
    uint32_t before; /* the round of looking, while telling; else 0 */
    uint32_t shared; /* objects that are met more than once, so far */
    uint64_t base;   /* the numbers of these follow it */
};

/* Whether there is room for one more item. */
static inline bool
pt_encoder_room(const struct pt_encoder *e)
{
    return e->w.at < e->w.limit;
}

/* An object's array is open: its items follow. */
struct pt_open {
    uint8_t *head;
    uint32_t planned; /* items as the head has them */
    uint32_t told;
};

/* Begins an object of `length` elements with `step` items each.  False where
 * the record has it already, and a reference was told instead. */
bool pt_encoder_open(struct pt_encoder *, struct pt_open *, PyObject *,
                     enum pt_value_form, uint64_t length, uint32_t step);
/* Begins an object of a class derived from a builtin type: that value is its
 * first item, which is told at any depth where it is no container, and pairs
 * of `attributes` follow. */
bool pt_encoder_wrap(struct pt_encoder *, struct pt_open *, PyObject *,
                     uint64_t attributes);
/* Whether the next item, or the next `step` items, are still told. */
static inline bool
pt_encoder_more(const struct pt_encoder *e, struct pt_open *open, uint32_t step)
{
    if (open->told + step > open->planned || !pt_encoder_room(e))
        return false;
    open->told += step;
    return true;
}
void pt_encoder_close(struct pt_encoder *, const struct pt_open *);

/* Any object, and one that is the value of a name. */
void pt_encoder_put(struct pt_encoder *, PyObject *);
void pt_encoder_named(struct pt_encoder *, PyObject *name, PyObject *);

/* What an object of a builtin type, or of a class derived from one, is as that
 * type, `as`; false where there is none that is known. */
bool pt_encoder_builtin(struct pt_encoder *, PyObject *,
                        const PyTypeObject *as);

/* UTF-8 text of ours, and an object whose one text says it all. */
void pt_encoder_text(struct pt_encoder *, const char *, size_t);
void pt_encoder_object_text(struct pt_encoder *, PyObject *, const char *,
                            size_t);
/* The same with a str, which may be NULL. */
void pt_encoder_object_str(struct pt_encoder *, PyObject *, PyObject *str);

/* An array or what is like one, by its format and shape. */
void pt_encoder_buffer(struct pt_encoder *, PyObject *, const char *format,
                       int dimensions, const Py_ssize_t *shape);

/* What is of no type that pt_encoder_put() knows by itself. */
void pt_encoder_other(struct pt_encoder *, PyObject *);
/* One of a type of the standard library's; false, and nothing is told, for
 * others. */
bool pt_encoder_library(struct pt_encoder *, PyObject *);

#endif
