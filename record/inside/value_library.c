/* Types of the standard library that are written in C, and NumPy's arrays, by
 * their layouts, which no header tells of but datetime's.  A type counts as one
 * of these by its name only where no class of Python can have made it; and what
 * an object holds is believed only where all that is known of it agrees. */
#include "value_encoder.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-variable"
#include <datetime.h>
#pragma GCC diagnostic pop

/* --- collections.deque ---------------------------------------------------- */

enum { BLOCK = 64 };

struct block {
    struct block *left;
    PyObject *data[BLOCK];
    struct block *right;
};

struct deque {
    PyObject_VAR_HEAD struct block *first, *last;
    Py_ssize_t begin,
        end; /* the first element in `first`, the last in `last` */
};

static bool
put_deque(struct pt_encoder *e, PyObject *o)
{
    const struct deque *d = (struct deque *)o;
    Py_ssize_t n = Py_SIZE(o), at = d->begin;
    if (n < 0 || at < 0 || at >= BLOCK || d->first == NULL ||
        (n > 0 && (at + n - 1) % BLOCK != d->end))
        return false;
    struct pt_open open;
    if (!pt_encoder_open(e, &open, o, PT_FORM_SEQUENCE, (uint64_t)n, 1))
        return true;
    const struct block *b = d->first;
    while (pt_encoder_more(e, &open, 1)) {
        pt_encoder_put(e, b->data[at]);
        if (++at == BLOCK) {
            at = 0;
            b = b->right;
        }
    }
    pt_encoder_close(e, &open);
    return true;
}

/* --- datetime ------------------------------------------------------------- */

enum { TEXT = 128, DAY = 86400 };

static void
append(char *out, const char *text)
{
    size_t used = strlen(out);
    snprintf(out + used, TEXT - used, "%s", text);
}

static void
append_clock(char *out, int hour, int minute, int second, int micro)
{
    size_t used = strlen(out);
    snprintf(out + used, TEXT - used, "%02d:%02d:%02d", hour, minute, second);
    used = strlen(out);
    if (micro != 0)
        snprintf(out + used, TEXT - used, ".%06d", micro);
}

/* A datetime.timezone: its offset and its name. */
struct timezone_object {
    PyObject_HEAD PyObject *offset, *name;
};

static bool
is_c_type(const PyTypeObject *t, const char *name, size_t size)
{
    return (!(t->tp_flags & Py_TPFLAGS_HEAPTYPE) ||
            (t->tp_flags & Py_TPFLAGS_IMMUTABLETYPE)) &&
           t->tp_basicsize == (Py_ssize_t)size && strcmp(t->tp_name, name) == 0;
}

/* The offset where it is a fixed one, else what kind of object knows it. */
static void
append_zone(char *out, PyObject *zone)
{
    const PyTypeObject *t = Py_TYPE(zone);
    const struct timezone_object *z = (struct timezone_object *)zone;
    if (is_c_type(t, "datetime.timezone", sizeof *z) && z->offset != NULL &&
        is_c_type(Py_TYPE(z->offset), "datetime.timedelta",
                  sizeof(PyDateTime_Delta))) {
        const PyDateTime_Delta *d = (PyDateTime_Delta *)z->offset;
        int s = d->days * DAY + d->seconds;
        size_t used = strlen(out);
        snprintf(out + used, TEXT - used, "%c%02d:%02d", s < 0 ? '-' : '+',
                 (s < 0 ? -s : s) / 3600, (s < 0 ? -s : s) / 60 % 60);
        return;
    }
    append(out, " ");
    append(out, t->tp_name);
}

static bool
put_text(struct pt_encoder *e, PyObject *o, const char *text)
{
    pt_encoder_object_text(e, o, text, strlen(text));
    return true;
}

static bool
put_date(struct pt_encoder *e, PyObject *o)
{
    char text[TEXT];
    snprintf(text, sizeof text, "%04d-%02d-%02d", PyDateTime_GET_YEAR(o),
             PyDateTime_GET_MONTH(o), PyDateTime_GET_DAY(o));
    return put_text(e, o, text);
}

static bool
put_datetime(struct pt_encoder *e, PyObject *o)
{
    char text[TEXT];
    snprintf(text, sizeof text, "%04d-%02d-%02d ", PyDateTime_GET_YEAR(o),
             PyDateTime_GET_MONTH(o), PyDateTime_GET_DAY(o));
    append_clock(text, PyDateTime_DATE_GET_HOUR(o),
                 PyDateTime_DATE_GET_MINUTE(o), PyDateTime_DATE_GET_SECOND(o),
                 PyDateTime_DATE_GET_MICROSECOND(o));
    if (((PyDateTime_DateTime *)o)->hastzinfo)
        append_zone(text, ((PyDateTime_DateTime *)o)->tzinfo);
    return put_text(e, o, text);
}

static bool
put_time(struct pt_encoder *e, PyObject *o)
{
    char text[TEXT] = "";
    append_clock(text, PyDateTime_TIME_GET_HOUR(o),
                 PyDateTime_TIME_GET_MINUTE(o), PyDateTime_TIME_GET_SECOND(o),
                 PyDateTime_TIME_GET_MICROSECOND(o));
    if (((PyDateTime_Time *)o)->hastzinfo)
        append_zone(text, ((PyDateTime_Time *)o)->tzinfo);
    return put_text(e, o, text);
}

static bool
put_delta(struct pt_encoder *e, PyObject *o)
{
    const PyDateTime_Delta *d = (PyDateTime_Delta *)o;
    char text[TEXT] = "";
    if (d->days != 0)
        snprintf(text, sizeof text, "%d day%s, ", d->days,
                 d->days == 1 || d->days == -1 ? "" : "s");
    size_t used = strlen(text);
    snprintf(text + used, TEXT - used, "%d:%02d:%02d", d->seconds / 3600,
             d->seconds / 60 % 60, d->seconds % 60);
    used = strlen(text);
    if (d->microseconds != 0)
        snprintf(text + used, TEXT - used, ".%06d", d->microseconds);
    return put_text(e, o, text);
}

static bool
put_zone(struct pt_encoder *e, PyObject *o)
{
    char text[TEXT] = "UTC";
    append_zone(text, o);
    return put_text(e, o, text);
}

/* --- decimal.Decimal ------------------------------------------------------ */

enum { NEGATIVE = 1, INFINITE = 2, QUIET_NAN = 4, SIGNALING_NAN = 8 };
enum { WORD_DIGITS = 19, WORDS_MOST = 24, OWN_WORDS = 4, EXPONENT = 32 };
#define WORD_LIMIT 10000000000000000000u

/* libmpdec's number, as _decimal holds it. */
struct decimal {
    PyObject_HEAD Py_hash_t hash;
    uint8_t flags;
    int64_t exponent, digits, len, alloc;
    uint64_t *words; /* of 19 digits each, least first */
    uint64_t own[OWN_WORDS];
};

/* The coefficient's digits; false where the object is not as it should be. */
static bool
decimal_digits(const struct decimal *d, char *out)
{
    if (d->digits <= 0 || d->len <= 0 || d->len > WORDS_MOST ||
        d->alloc < d->len || d->words == NULL ||
        (d->digits + WORD_DIGITS - 1) / WORD_DIGITS != d->len)
        return false;
    for (int64_t i = d->len - 1; i >= 0; i--) {
        if (d->words[i] >= WORD_LIMIT)
            return false;
        int n = sprintf(out, i == d->len - 1 ? "%" PRIu64 : "%019" PRIu64,
                        d->words[i]);
        out += n;
    }
    return true;
}

/* As str() has it: the General Decimal Arithmetic's scientific string. */
static void
decimal_text(char *out, size_t size, const char *digits, int64_t exponent)
{
    int64_t n = (int64_t)strlen(digits), point = n + exponent;
    if (exponent == 0) {
        snprintf(out, size, "%s", digits);
    } else if (exponent < 0 && point > 0) {
        snprintf(out, size, "%.*s.%s", (int)point, digits, digits + point);
    } else if (exponent < 0 && point > -6) {
        snprintf(out, size, "0.%.*s%s", (int)-point, "00000", digits);
    } else {
        snprintf(out, size, "%.1s%s%sE%+" PRId64, digits, n > 1 ? "." : "",
                 digits + 1, point - 1);
    }
}

static bool
put_decimal(struct pt_encoder *e, PyObject *o)
{
    const struct decimal *d = (struct decimal *)o;
    char digits[WORDS_MOST * WORD_DIGITS + 8];
    char text[sizeof digits + EXPONENT] = "-";
    char *number = text + ((d->flags & NEGATIVE) != 0);
    size_t room = sizeof text - 1;
    if (d->flags & INFINITE)
        snprintf(number, room, "Infinity");
    else if (d->flags & (QUIET_NAN | SIGNALING_NAN))
        snprintf(number, room, d->flags & QUIET_NAN ? "NaN" : "sNaN");
    else if (decimal_digits(d, digits))
        decimal_text(number, room, digits, d->exponent);
    else
        return false;
    return put_text(e, o, text);
}

/* --- arrays --------------------------------------------------------------- */

struct array {
    PyObject_VAR_HEAD char *items;
    Py_ssize_t allocated;
    const char *description; /* begins with the type's letter */
    PyObject *weak;
    Py_ssize_t exports;
};

static bool
put_array(struct pt_encoder *e, PyObject *o)
{
    const struct array *a = (struct array *)o;
    const Py_ssize_t n = Py_SIZE(o);
    if (a->description == NULL || n < 0 || n > a->allocated + (n == 0))
        return false;
    const char format[] = {*a->description, '\0'};
    pt_encoder_buffer(e, o, format, 1, &n);
    return true;
}

/* What NumPy's ABI has had since 1.0. */
struct ndarray {
    PyObject_HEAD char *data;
    int dimensions;
    Py_ssize_t *shape, *strides;
    PyObject *base;
    struct {
        PyObject_HEAD PyTypeObject *type;
        char kind, letter, order;
    } * description;
};

static bool
put_ndarray(struct pt_encoder *e, PyObject *o)
{
    enum { DIMENSIONS_MOST = 64 };
    const struct ndarray *a = (struct ndarray *)o;
    if (a->dimensions < 0 || a->dimensions > DIMENSIONS_MOST ||
        (a->dimensions > 0 && a->shape == NULL) || a->description == NULL ||
        a->description->letter < '?' || a->description->letter > 'z')
        return false;
    const char format[] = {a->description->letter, '\0'};
    pt_encoder_buffer(e, o, format, a->dimensions, a->shape);
    return true;
}

/* --- pathlib -------------------------------------------------------------- */

/* Its classes are of Python; what str() would say lies in their slots. */
static bool
is_path(const PyTypeObject *t)
{
    for (; t != NULL && t->tp_flags & Py_TPFLAGS_HEAPTYPE; t = t->tp_base)
        if (t->tp_name[0] == 'P' && strcmp(t->tp_name, "PurePath") == 0)
            return true;
    return false;
}

/* The parts joined, as far as they are short and ASCII. */
static bool
join(char *out, size_t size, PyObject *parts, const char *separator)
{
    size_t used = 0;
    out[0] = '\0';
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(parts); i++) {
        PyObject *part = PyList_GET_ITEM(parts, i);
        if (part == NULL || !PyUnicode_CheckExact(part) ||
            !PyUnicode_IS_ASCII(part))
            return false;
        const char *text = PyUnicode_DATA(part);
        if (text[0] == '/')
            used = 0; /* an absolute path takes the place of those before */
        bool between = used > 0 && out[used - 1] != '/';
        int n = snprintf(out + used, size - used, "%s%s",
                         between ? separator : "", text);
        if (n < 0 || (size_t)n >= size - used)
            return false;
        used += (size_t)n;
    }
    return true;
}

static bool
put_path(struct pt_encoder *e, PyObject *o)
{
    enum { PATH = 1024 };
    char text[PATH];
    PyObject *whole = pt_attributes_slot(o, "_str"); /* borrowed */
    if (whole != NULL && PyUnicode_CheckExact(whole)) {
        pt_encoder_object_str(e, o, whole);
        return true;
    }
    PyObject *parts = pt_attributes_slot(o, "_raw_paths"); /* borrowed */
    if (parts == NULL)
        parts = pt_attributes_slot(o, "_parts"); /* 3.11 */
    if (parts == NULL || !PyList_CheckExact(parts) ||
        !join(text, sizeof text, parts, "/"))
        return false;
    return put_text(e, o, text[0] != '\0' ? text : ".");
}

/* -------------------------------------------------------------------------- */

bool
pt_encoder_library(struct pt_encoder *e, PyObject *o)
{
    static const struct {
        const char *name;
        size_t size; /* of an object, at least */
        bool (*put)(struct pt_encoder *, PyObject *);
    } types[] = {
        {"collections.deque", sizeof(struct deque), put_deque},
        {"datetime.datetime", sizeof(PyDateTime_DateTime), put_datetime},
        {"datetime.date", sizeof(PyDateTime_Date), put_date},
        {"datetime.timedelta", sizeof(PyDateTime_Delta), put_delta},
        {"datetime.time", sizeof(PyDateTime_Time), put_time},
        {"datetime.timezone", sizeof(struct timezone_object), put_zone},
        {"decimal.Decimal", sizeof(struct decimal), put_decimal},
        {"array.array", sizeof(struct array), put_array},
        {"numpy.ndarray", sizeof(struct ndarray), put_ndarray},
    };
    const PyTypeObject *t = Py_TYPE(o);
    while (t != NULL && t->tp_flags & Py_TPFLAGS_HEAPTYPE &&
           !(t->tp_flags & Py_TPFLAGS_IMMUTABLETYPE))
        t = t->tp_base;
    if (t == NULL || t == &PyBaseObject_Type)
        return is_path(Py_TYPE(o)) && put_path(e, o);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (t->tp_basicsize >= (Py_ssize_t)types[i].size &&
            strcmp(t->tp_name, types[i].name) == 0)
            return types[i].put(e, o);
    return false;
}
