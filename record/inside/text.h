/* Python strings and constants as definition fields.  Thread rule: needs the
 * GIL.  Objects are borrowed; no string keeps a cached encoding. */
#ifndef PT_INSIDE_TEXT_H
#define PT_INSIDE_TEXT_H

#include "compat.h"
#include "producer.h"

/* A code point as UTF-8, a lone surrogate as WTF-8; returns its bytes. */
size_t pt_text_encode(uint32_t c, char out[4]);

/* A str as UTF-8 (lone surrogates as WTF-8); anything else as "". */
void pt_def_text(struct pt_def *, PyObject *str);
void pt_def_cstr(struct pt_def *, const char *);
/* A bytes object; anything else as "". */
void pt_def_pybytes(struct pt_def *, PyObject *bytes);
/* A tuple of str: its length, and each. */
void pt_def_texts(struct pt_def *, PyObject *tuple);
/* The items of a constants tuple: how many entries in pre-order, and each. */
void pt_def_constants(struct pt_def *, PyObject *tuple);

#endif
