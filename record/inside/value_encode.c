/* Each record is put together twice at most.  The first time finds what is met
 * more than once, numbers it from 1, and leaves numbers out where an object
 * first comes: so equal contents have equal bytes, whose hash tells a variable
 * that changed from one that did not.  Only where something is shared, and the
 * record is wanted, is it put together again with numbers that no other object
 * has. */
#include "value_encode.h"
#include "objects.h"
#include "text.h"
#include "value_encoder.h"
#include "value_redact.h"

enum {
    SLACK = 1 << 12, /* what containers around can still add to a full record */
    MET = 1 << 14    /* places for objects that are met; a power of two */
};
_Static_assert(PT_VALUE_RECORD_MOST + SLACK <= PT_LIMIT_VALUE, "record");
_Static_assert(PT_VALUE_DEPTH_MOST * 2 + 4 < PT_LIMIT_VALUE_DEPTH,
               "a container is two items deep, at most");

/* An object that the record tells of. */
struct met {
    const PyObject *o;
    uint32_t round;
    uint32_t number; /* 0: met once, so far */
};

static struct {
    struct pt_encoder encoder;
    uint64_t numbers; /* given so far, in all records */
    uint32_t met;     /* in the round */
    struct met table[MET];
    uint8_t data[PT_LIMIT_VALUE];
} values;

void
pt_value_init(const struct pt_value_limits *limits)
{
    struct pt_value_limits *l = &values.encoder.limits;
    *l = *limits;
    l->depth = l->depth < PT_VALUE_DEPTH_MOST ? l->depth : PT_VALUE_DEPTH_MOST;
    l->record =
        l->record < PT_VALUE_RECORD_MOST ? l->record : PT_VALUE_RECORD_MOST;
}

/* --- what is met twice ---------------------------------------------------- */

/* The object's entry in this round, or the place for it.  An entry of an
 * earlier round is a free one, but while telling those of the round of looking,
 * which have the numbers. */
static struct met *
find(const struct pt_encoder *e, const PyObject *o)
{
    size_t h = (size_t)(((uintptr_t)o >> 4) * 0x9E3779B97F4A7C15u >> 40);
    for (;; h++) {
        struct met *m = &values.table[h % MET];
        bool live =
            m->round == e->round || (e->before != 0 && m->round == e->before);
        if (!live || m->o == o)
            return m;
    }
}

/* Tells of an object that was told already by a reference; else notes it, with
 * its number in *number. */
static bool
refer(struct pt_encoder *e, const PyObject *o, uint64_t *number)
{
    struct met *m = find(e, o);
    bool known = m->o == o && m->round == e->round;
    *number = 0;
    if (known) {
        if (m->number == 0)
            m->number = ++e->shared;
        pt_cbor_mark(&e->w, PT_MARK_REF, 1);
        pt_cbor_uint(&e->w, e->base + m->number);
        return true;
    }
    bool looked = e->before != 0 && m->o == o && m->round == e->before;
    if (!looked && values.met >= MET / 2)
        return false;
    if (!looked) {
        values.met++;
        m->o = o;
        m->number = 0;
    }
    m->round = e->round;
    *number = e->before != 0 && m->number != 0 ? e->base + m->number : 0;
    return false;
}

/* --- strings and numbers -------------------------------------------------- */

/* What is told of `n` bytes. */
static size_t
some(const struct pt_encoder *e, size_t n)
{
    size_t room = pt_encoder_room(e) ? (size_t)(e->w.limit - e->w.at) : 0;
    size_t most = e->limits.bytes < room ? e->limits.bytes : room;
    return n < most ? n : most;
}

void
pt_encoder_text(struct pt_encoder *e, const char *text, size_t n)
{
    if (some(e, n) < n)
        pt_cbor_mark(&e->w, PT_MARK_UNREAD, 0);
    else
        pt_cbor_string(&e->w, PT_CBOR_TEXT, text, n);
}

static void
put_ascii(struct pt_encoder *e, const char *text, size_t n)
{
    size_t told = some(e, n);
    if (told < n) {
        pt_cbor_mark(&e->w, PT_MARK_CUT_STR, 2);
        pt_cbor_uint(&e->w, n);
    }
    pt_cbor_string(&e->w, PT_CBOR_TEXT, text, told);
}

static void
put_str(struct pt_encoder *e, PyObject *o)
{
    if (!pt_compat_str_ready(o)) {
        pt_cbor_mark(&e->w, PT_MARK_UNREAD, 0);
        return;
    }
    size_t n = (size_t)PyUnicode_GET_LENGTH(o);
    const void *data = PyUnicode_DATA(o);
    if (PyUnicode_IS_ASCII(o)) {
        put_ascii(e, data, n);
        return;
    }
    int kind = PyUnicode_KIND(o);
    size_t bytes = 0, told = 0, most = some(e, SIZE_MAX);
    char c[4];
    while (told < n) {
        size_t more = pt_text_encode(PyUnicode_READ(kind, data, told), c);
        if (bytes + more > most)
            break;
        bytes += more;
        told++;
    }
    if (told < n) {
        pt_cbor_mark(&e->w, PT_MARK_CUT_STR, 2);
        pt_cbor_uint(&e->w, n);
    }
    pt_cbor_head(&e->w, PT_CBOR_TEXT, bytes);
    for (size_t i = 0; i < told; i++)
        e->w.at +=
            pt_text_encode(PyUnicode_READ(kind, data, i), (char *)e->w.at);
}

static void
put_bytes(struct pt_encoder *e, const char *data, Py_ssize_t size)
{
    size_t n = size > 0 ? (size_t)size : 0, told = some(e, n);
    if (told < n) {
        pt_cbor_mark(&e->w, PT_MARK_CUT_BYTES, 2);
        pt_cbor_uint(&e->w, n);
    }
    pt_cbor_string(&e->w, PT_CBOR_BYTES, data, told);
}

/* The magnitude's bytes, big endian. */
static void
big_endian(uint8_t *out, size_t size, const digit *digits, size_t n)
{
    uint64_t part = 0;
    unsigned have = 0;
    size_t next = 0;
    for (size_t i = size; i > 0; i--) {
        if (have < 8 && next < n) {
            part |= (uint64_t)digits[next++] << have;
            have += PyLong_SHIFT;
        }
        out[i - 1] = (uint8_t)part;
        part >>= 8;
        have = have > 8 ? have - 8 : 0;
    }
}

/* A bignum (RFC 8949, 3.4.3): the magnitude of n, or of -1 - n. */
static void
put_large(struct pt_encoder *e, const digit *digits, size_t n, bool negative)
{
    uint64_t bits = (uint64_t)(n - 1) * PyLong_SHIFT;
    for (digit top = digits[n - 1]; top != 0; top >>= 1)
        bits++;
    size_t size = (size_t)((bits + 7) / 8);
    if (some(e, size) < size) {
        pt_cbor_mark(&e->w, PT_MARK_LARGE_INT, 2);
        pt_cbor_uint(&e->w, bits);
        pt_cbor_uint(&e->w, negative);
        return;
    }
    pt_cbor_head(&e->w, PT_CBOR_TAG, negative ? 3 : 2);
    uint8_t *head = e->w.at;
    pt_cbor_head(&e->w, PT_CBOR_BYTES, size);
    uint8_t *bytes = e->w.at;
    big_endian(bytes, size, digits, n);
    for (size_t i = size; negative && i > 0; i--)
        if (bytes[i - 1]-- != 0)
            break;
    e->w.at += size;
    if (bytes[0] != 0)
        return;
    /* -2**k, whose -1 - n has a byte less */
    e->w.at = head;
    pt_cbor_head(&e->w, PT_CBOR_BYTES, size - 1);
    memmove(e->w.at, bytes + 1, size - 1);
    e->w.at += size - 1;
}

static void
put_int(struct pt_encoder *e, PyObject *o)
{
    _Static_assert(PyLong_SHIFT == 30, "three digits hold 63 bits and more");
    size_t n;
    bool negative;
    const digit *digits = pt_compat_digits(o, &n, &negative);
    if (n > 3 || (n == 3 && digits[2] >= 8)) {
        put_large(e, digits, n, negative);
        return;
    }
    uint64_t v = 0;
    for (size_t i = n; i > 0; i--)
        v = v << PyLong_SHIFT | digits[i - 1];
    if (negative)
        pt_cbor_head(&e->w, PT_CBOR_NEGATIVE, v - 1);
    else
        pt_cbor_uint(&e->w, v);
}

/* --- objects -------------------------------------------------------------- */

/* How long the container is and how it is told; false for what is none. */
static bool
measure(PyObject *o, enum pt_value_form *form, uint64_t *length)
{
    Py_ssize_t n;
    if (PyList_Check(o)) {
        *form = PT_FORM_SEQUENCE;
        n = PyList_GET_SIZE(o);
    } else if (PyTuple_Check(o)) {
        *form = PT_FORM_SEQUENCE;
        n = PyTuple_GET_SIZE(o);
    } else if (PyDict_Check(o)) {
        *form = PT_FORM_MAPPING;
        n = ((PyDictObject *)o)->ma_used;
    } else if (PyAnySet_Check(o)) {
        *form = PT_FORM_SET;
        n = ((PySetObject *)o)->used;
    } else {
        return false;
    }
    *length = n > 0 ? (uint64_t)n : 0;
    return true;
}

/* The head of an object's array, and its fields before the items. */
static void
put_head(struct pt_encoder *e, const PyTypeObject *type, uint64_t number,
         enum pt_value_form form, uint64_t length, struct pt_open *open)
{
    enum { FIELDS = 4 };
    open->head = e->w.at;
    pt_cbor_mark(&e->w, PT_MARK_OBJECT, FIELDS + open->planned);
    pt_cbor_uint(&e->w, pt_type_id((PyTypeObject *)type));
    pt_cbor_uint(&e->w, number);
    pt_cbor_uint(&e->w, form);
    pt_cbor_uint(&e->w, length);
}

bool
pt_encoder_open(struct pt_encoder *e, struct pt_open *open, PyObject *o,
                enum pt_value_form form, uint64_t length, uint32_t step)
{
    uint64_t number = 0, items = length;
    if (e->depth >= e->limits.depth)
        items = 0;
    else if (items > e->limits.length)
        items = e->limits.length;
    if ((items > 0 || form == PT_FORM_OPAQUE) && refer(e, o, &number))
        return false;
    *open = (struct pt_open){.planned = (uint32_t)items * step};
    put_head(e, Py_TYPE(o), number, form, length, open);
    e->depth++;
    return true;
}

bool
pt_encoder_wrap(struct pt_encoder *e, struct pt_open *open, PyObject *o,
                uint64_t attributes)
{
    enum pt_value_form form;
    uint64_t length, number = 0, told = attributes;
    bool deep = e->depth >= e->limits.depth, holds = measure(o, &form, &length);
    if (told > e->limits.length)
        told = e->limits.length;
    if (!deep && refer(e, o, &number))
        return false;
    *open = (struct pt_open){.planned = deep ? !holds : 1 + (uint32_t)told * 2};
    put_head(e, Py_TYPE(o), number, PT_FORM_WRAPPED, 1 + attributes, open);
    e->depth++;
    return true;
}

/* Fewer items than planned: the record is full, or something is there no more.
 * A head that gets shorter draws the rest after it. */
void
pt_encoder_close(struct pt_encoder *e, const struct pt_open *open)
{
    enum { FIELDS = 5 };
    e->depth--;
    if (open->told == open->planned)
        return;
    unsigned had = pt_cbor_head_size(FIELDS + open->planned);
    uint8_t *end = e->w.at;
    e->w.at = open->head;
    pt_cbor_head(&e->w, PT_CBOR_ARRAY, FIELDS + open->told);
    size_t rest = (size_t)(end - (open->head + had));
    memmove(e->w.at, open->head + had, rest);
    e->w.at += rest;
}

void
pt_encoder_object_text(struct pt_encoder *e, PyObject *o, const char *text,
                       size_t n)
{
    struct pt_open open = {.planned = 1, .told = 1};
    put_head(e, Py_TYPE(o), 0, PT_FORM_TEXT, 1, &open);
    put_ascii(e, text, n);
}

void
pt_encoder_object_str(struct pt_encoder *e, PyObject *o, PyObject *str)
{
    struct pt_open open = {.planned = 1, .told = 1};
    if (str == NULL || !PyUnicode_Check(str)) {
        pt_encoder_object_text(e, o, "?", 1);
        return;
    }
    put_head(e, Py_TYPE(o), 0, PT_FORM_TEXT, 1, &open);
    put_str(e, str);
}

void
pt_encoder_named(struct pt_encoder *e, PyObject *name, PyObject *value)
{
    if (pt_redact_name(name))
        pt_cbor_mark(&e->w, PT_MARK_REDACTED, 0);
    else
        pt_encoder_put(e, value);
}

/* --- containers ----------------------------------------------------------- */

static void
put_items(struct pt_encoder *e, struct pt_open *open, PyObject *const *items)
{
    while (pt_encoder_more(e, open, 1))
        pt_encoder_put(e, items[open->told - 1]);
}

static void
put_dict(struct pt_encoder *e, struct pt_open *open, PyObject *o)
{
    PyObject *key, *value; /* borrowed */
    Py_ssize_t at = 0;
    while (pt_encoder_more(e, open, 2)) {
        if (!PyDict_Next(o, &at, &key, &value)) {
            open->told -= 2;
            break;
        }
        pt_encoder_put(e, key);
        pt_encoder_named(e, key, value);
    }
}

/* A set that has lost most of its elements is searched for the rest only so
 * far. */
static void
put_set(struct pt_encoder *e, struct pt_open *open, const PySetObject *set)
{
    enum { SEARCHED = 1 << 12 };
    Py_ssize_t most = set->mask < SEARCHED ? set->mask : SEARCHED;
    for (Py_ssize_t i = 0; i <= most; i++) {
        const setentry *entry = &set->table[i];
        if (entry->key == NULL || entry->hash == -1) /* free, or was deleted */
            continue;
        if (!pt_encoder_more(e, open, 1))
            break;
        pt_encoder_put(e, entry->key);
    }
}

/* The container that an object is by its layout, whatever its class. */
static void
put_container(struct pt_encoder *e, struct pt_open *open, PyObject *o)
{
    if (PyList_Check(o))
        put_items(e, open, ((PyListObject *)o)->ob_item);
    else if (PyTuple_Check(o))
        put_items(e, open, ((PyTupleObject *)o)->ob_item);
    else if (PyDict_Check(o))
        put_dict(e, open, o);
    else
        put_set(e, open, (PySetObject *)o);
}

bool
pt_encoder_builtin(struct pt_encoder *e, PyObject *o, const PyTypeObject *as)
{
    enum pt_value_form form;
    uint64_t length;
    if (PyUnicode_Check(o)) {
        put_str(e, o);
    } else if (PyLong_Check(o)) {
        put_int(e, o);
    } else if (PyFloat_Check(o)) {
        pt_cbor_double(&e->w, PyFloat_AS_DOUBLE(o));
    } else if (PyBytes_Check(o)) {
        put_bytes(e, PyBytes_AS_STRING(o), PyBytes_GET_SIZE(o));
    } else if (PyByteArray_Check(o)) {
        put_bytes(e, PyByteArray_AS_STRING(o), PyByteArray_GET_SIZE(o));
    } else if (measure(o, &form, &length)) {
        struct pt_open open;
        uint64_t items = length < e->limits.length ? length : e->limits.length;
        open = (struct pt_open){.planned = (uint32_t)items *
                                           (form == PT_FORM_MAPPING ? 2 : 1)};
        put_head(e, as, 0, form, length, &open);
        e->depth++;
        put_container(e, &open, o);
        pt_encoder_close(e, &open);
    } else {
        return false;
    }
    return true;
}

/* --- any object ----------------------------------------------------------- */

static bool
is_container(const PyTypeObject *t)
{
    return t == &PyList_Type || t == &PyTuple_Type || t == &PyDict_Type ||
           t == &PySet_Type || t == &PyFrozenSet_Type;
}

static bool
put_constant(struct pt_encoder *e, const PyObject *o)
{
    if (o == Py_None)
        pt_cbor_byte(&e->w, PT_CBOR_NULL);
    else if (o == Py_True || o == Py_False)
        pt_cbor_byte(&e->w, o == Py_True ? PT_CBOR_TRUE : PT_CBOR_FALSE);
    else if (o == Py_Ellipsis)
        pt_cbor_mark(&e->w, PT_MARK_ELLIPSIS, 0);
    else if (o == Py_NotImplemented)
        pt_cbor_mark(&e->w, PT_MARK_NOTIMPLEMENTED, 0);
    else
        return false;
    return true;
}

void
pt_encoder_put(struct pt_encoder *e, PyObject *o)
{
    const PyTypeObject *t = o != NULL ? Py_TYPE(o) : NULL;
    enum pt_value_form form;
    uint64_t length;
    struct pt_open open;
    if (t == NULL) {
        pt_cbor_byte(&e->w, PT_CBOR_UNDEFINED);
    } else if (t == &PyUnicode_Type || t == &PyLong_Type ||
               t == &PyFloat_Type || t == &PyBytes_Type) {
        pt_encoder_builtin(e, o, t);
    } else if (put_constant(e, o)) {
        return;
    } else if (is_container(t) && measure(o, &form, &length)) {
        uint32_t step = form == PT_FORM_MAPPING ? 2 : 1;
        if (!pt_encoder_open(e, &open, o, form, length, step))
            return;
        put_container(e, &open, o);
        pt_encoder_close(e, &open);
    } else {
        pt_encoder_other(e, o);
    }
}

/* --- records -------------------------------------------------------------- */

static uint64_t
hash(const uint8_t *data, size_t n)
{
    uint64_t h = n * 0x9E3779B97F4A7C15u, part = 0;
    for (; n >= sizeof part; data += sizeof part, n -= sizeof part) {
        memcpy(&part, data, sizeof part);
        h = (h ^ part) * 0xD6E8FEB86659FD93u;
        h ^= h >> 32;
    }
    part = 0;
    memcpy(&part, data, n);
    h = (h ^ part) * 0xD6E8FEB86659FD93u;
    h ^= h >> 32;
    return h != 0 ? h : 1;
}

/* A keyword argument is told as a pair, of which only the name is sure to be
 * there. */
static size_t
encode(PyObject *keyword, PyObject *o)
{
    struct pt_encoder *e = &values.encoder;
    e->w = (struct pt_cbor){values.data, values.data + e->limits.record};
    e->depth = 0;
    if (keyword != NULL) {
        struct pt_open open = {.planned = 2};
        put_head(e, &PyTuple_Type, 0, PT_FORM_SEQUENCE, 2, &open);
        pt_encoder_put(e, keyword);
        pt_encoder_named(e, keyword, o);
    } else {
        pt_encoder_put(e, o);
    }
    return (size_t)(e->w.at - values.data);
}

uint64_t
pt_value_look(PyObject *keyword, PyObject *o)
{
    struct pt_encoder *e = &values.encoder;
    if (e->round >= UINT32_MAX - 2) {
        memset(values.table, 0, sizeof values.table);
        e->round = 0;
    }
    e->round++;
    e->before = e->shared = values.met = 0;
    e->base = 0;
    return hash(values.data, encode(keyword, o));
}

struct pt_encoded
pt_value_tell(PyObject *keyword, PyObject *o)
{
    struct pt_encoder *e = &values.encoder;
    size_t size = (size_t)(e->w.at - values.data);
    if (e->shared != 0) {
        e->before = e->round++;
        e->base = values.numbers;
        size = encode(keyword, o);
        values.numbers += e->shared;
    }
    return (struct pt_encoded){values.data, (uint32_t)size};
}
