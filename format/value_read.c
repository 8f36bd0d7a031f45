/* From a record's CBOR to a tree.
 *
 * An item can say that it was told in a record before; so a tree can be made of
 * several.  Each of these steps goes back, so that they end. */
#include "format/defs.h"
#include "format/values.h"

#include <string.h>

/* More steps back than this for one tree are no program's. */
enum { STEPS = 1 << 12 };

struct reading {
    struct pt_values *values;
    struct pt_pool *pool;
    struct pt_cbor in;
    size_t chunk; /* where the record is */
    uint32_t record;
    unsigned depth;
    unsigned *steps; /* that are left */
    enum pt_status status;
};

static void read_item(struct reading *, struct pt_value *);

/* --- records -------------------------------------------------------------- */

/* Begins to read another record; its page is kept until the tree is made.
 * False where it is not there. */
static bool
open_record(struct reading *r, size_t chunk, uint32_t record)
{
    struct pt_values_page *p;
    r->status = pt_values_page(r->values, chunk, &p);
    if (r->status != PT_OK || record >= p->n)
        return false;
    uint32_t begin = record > 0 ? p->ends[record - 1] : 0;
    r->chunk = chunk;
    r->record = record;
    r->in = pt_cbor_over(p->bytes.data + begin, p->ends[record] - begin);
    return true;
}

/* The rest of an array that says where: another record, before this one. */
static bool
read_place(struct reading *r, size_t n, size_t *chunk, uint32_t *record)
{
    if (n == 0)
        return false;
    *record = (uint32_t)pt_cbor_get_uint(&r->in, UINT32_MAX);
    *chunk = r->chunk;
    if (n > 1)
        *chunk =
            pt_values_chunk(r->values, pt_cbor_get_uint(&r->in, UINT64_MAX));
    if (n > 2)
        pt_cbor_skip(&r->in, n - 2);
    if (r->in.bad || *chunk == SIZE_MAX || *r->steps == 0)
        return false;
    --*r->steps;
    return *chunk < r->chunk || (*chunk == r->chunk && *record < r->record);
}

/* Goes to the array that tells of object `number`. */
static bool
find_object(struct pt_cbor *c, uint64_t number)
{
    struct pt_cbor_item it;
    while (c->at != c->end) {
        struct pt_cbor before = *c;
        if (!pt_cbor_next(c, &it))
            return false;
        if (it.type != PT_CBOR_ARRAY)
            continue;
        if (it.value < PT_ITEM_OBJECT_HEAD ||
            pt_cbor_get_uint(c, PT_ITEM_LIMIT - 1) != PT_ITEM_OBJECT)
            continue;
        pt_cbor_get_uint(c, UINT32_MAX);
        if (pt_cbor_get_uint(c, UINT64_MAX) == number && !c->bad) {
            *c = before;
            return true;
        }
    }
    return false;
}

/* --- items ---------------------------------------------------------------- */

static void
damaged(struct reading *r)
{
    r->in.bad = true;
}

static struct pt_str
copied(struct reading *r, struct pt_str s)
{
    char *p = pt_pool_take(r->pool, s.len + 1, 1);
    if (p == NULL) {
        if (r->status == PT_OK)
            r->status = r->pool->limited ? PT_ELIMIT : PT_ENOMEM;
        return (struct pt_str){"", 0};
    }
    if (s.len > 0)
        memcpy(p, s.data, s.len);
    return (struct pt_str){p, s.len};
}

static uint64_t
code_points(struct pt_str s)
{
    uint64_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.data[i] & 0xc0) != 0x80;
    return n;
}

static void
set_text(struct reading *r, struct pt_value *v, uint8_t kind, struct pt_str s)
{
    v->kind = kind;
    v->s = copied(r, s);
    v->length = kind == PT_VALUE_STR ? code_points(s) : s.len;
}

/* `n` is the number, or for a negative one -1 less it. */
static void
set_int(struct reading *r, struct pt_value *v, uint64_t n, bool negative)
{
    if (n <= INT64_MAX) {
        v->kind = PT_VALUE_INT;
        v->i = negative ? -1 - (int64_t)n : (int64_t)n;
        return;
    }
    char bytes[9];
    uint64_t magnitude = n + negative;
    bool carried = negative && magnitude == 0;
    bytes[0] = (char)carried;
    for (unsigned i = 0; i < 8; i++)
        bytes[8 - i] = (char)(magnitude >> 8 * i);
    struct pt_str s = {bytes + !carried, 8u + carried};
    v->kind = PT_VALUE_BIGINT;
    v->i = negative ? -1 : 1;
    v->s = copied(r, s);
}

/* A bignum's bytes are the magnitude, of a negative one less 1. */
static void
set_bignum(struct reading *r, struct pt_value *v, struct pt_str s,
           bool negative)
{
    char *p = pt_pool_take(r->pool, s.len + 1, 1);
    if (p == NULL) {
        r->status = r->pool->limited ? PT_ELIMIT : PT_ENOMEM;
        return;
    }
    memcpy(p + 1, s.data, s.len);
    size_t i = s.len;
    while (negative && (unsigned char)++p[i] == 0)
        i--;
    size_t skip = 0;
    while (skip <= s.len && p[skip] == 0)
        skip++;
    v->kind = PT_VALUE_BIGINT;
    v->i = negative ? -1 : 1;
    v->s = (struct pt_str){p + skip, s.len + 1 - skip};
}

static void
read_tagged(struct reading *r, uint64_t tag, struct pt_value *v)
{
    struct pt_str s = pt_cbor_get_bytes(&r->in);
    if (r->in.bad)
        return;
    if (tag == PT_TAG_WTF8)
        set_text(r, v, PT_VALUE_STR, s);
    else if (tag == PT_TAG_BIG || tag == PT_TAG_BIG_NEGATIVE)
        set_bignum(r, v, s, tag == PT_TAG_BIG_NEGATIVE);
    else
        damaged(r);
}

static void
read_object(struct reading *r, size_t n, struct pt_value *v)
{
    v->kind = PT_VALUE_OBJECT;
    v->type = (uint32_t)pt_cbor_get_uint(&r->in, UINT32_MAX);
    v->number = pt_cbor_get_uint(&r->in, UINT64_MAX);
    v->form = (uint8_t)pt_cbor_get_uint(&r->in, PT_FORM_LIMIT - 1);
    v->length = pt_cbor_get_uint(&r->in, UINT64_MAX);
    n -= PT_ITEM_OBJECT_HEAD;
    if (r->in.bad || n == 0)
        return;
    /* An item takes a byte at least, so this is bounded by the record. */
    struct pt_value *items = pt_pool_take(r->pool, n, sizeof *items);
    if (items == NULL) {
        r->status = r->pool->limited ? PT_ELIMIT : PT_ENOMEM;
        return;
    }
    v->items = items;
    for (size_t i = 0; i < n && !r->in.bad && r->status == PT_OK; i++)
        read_item(r, &items[i]);
    v->n = (uint32_t)n;
}

/* How many items an object of that form and length has where it is whole. */
static uint64_t
whole(const struct pt_value *v)
{
    switch (v->form) {
    case PT_FORM_SEQUENCE:
    case PT_FORM_SET:
        return v->length;
    case PT_FORM_MAPPING:
    case PT_FORM_RECORD:
        return 2 * v->length;
    case PT_FORM_OPAQUE:
        return v->n;
    default:
        return v->n == 0 && v->length != 0;
    }
}

/* An object that has not changed since it was told. */
static void
read_again(struct reading *r, size_t n, struct pt_value *v)
{
    uint64_t number = pt_cbor_get_uint(&r->in, UINT64_MAX);
    uint64_t length = pt_cbor_get_uint(&r->in, UINT64_MAX);
    struct reading there = *r;
    size_t chunk;
    uint32_t record;
    *v = (struct pt_value){
        .kind = PT_VALUE_REF, .number = number, .length = length};
    if (!read_place(r, n - 3, &chunk, &record) || r->in.bad)
        return;
    there.steps = r->steps;
    if (open_record(&there, chunk, record) && find_object(&there.in, number))
        read_item(&there, v);
    r->status = there.status;
    if (there.in.bad)
        *v = (struct pt_value){
            .kind = PT_VALUE_REF, .number = number, .length = length};
}

static void
read_cut(struct reading *r, uint64_t kind, struct pt_value *v)
{
    uint64_t length = pt_cbor_get_uint(&r->in, UINT64_MAX);
    struct pt_cbor_item it;
    if (kind == PT_ITEM_CUT_INT) {
        v->kind = PT_VALUE_BIGINT;
        v->i = pt_cbor_get_uint(&r->in, 1) != 0 ? -1 : 1;
        v->s = (struct pt_str){"", 0};
    } else if (kind == PT_ITEM_CUT_BYTES) {
        set_text(r, v, PT_VALUE_BYTES, pt_cbor_get_bytes(&r->in));
    } else if (pt_cbor_next(&r->in, &it) && it.type == PT_CBOR_TEXT) {
        set_text(r, v, PT_VALUE_STR,
                 (struct pt_str){(const char *)it.data, (size_t)it.value});
    } else if (!r->in.bad && it.type == PT_CBOR_TAG &&
               it.value == PT_TAG_WTF8) {
        set_text(r, v, PT_VALUE_STR, pt_cbor_get_bytes(&r->in));
    } else
        damaged(r);
    v->length = length;
    v->cut = true;
}

static void
read_array(struct reading *r, size_t n, struct pt_value *v)
{
    static const uint8_t least[PT_ITEM_LIMIT] = {
        1, 2, 1, 3, 3, 3, 1, PT_ITEM_OBJECT_HEAD, 1, 1, 1, 3};
    static const uint8_t kinds[PT_ITEM_LIMIT] = {
        [PT_ITEM_REF] = PT_VALUE_REF,
        [PT_ITEM_REDACTED] = PT_VALUE_REDACTED,
        [PT_ITEM_UNREAD] = PT_VALUE_UNREAD,
        [PT_ITEM_ELLIPSIS] = PT_VALUE_ELLIPSIS,
        [PT_ITEM_NOTIMPLEMENTED] = PT_VALUE_NOTIMPLEMENTED};
    uint64_t kind = pt_cbor_get_uint(&r->in, PT_ITEM_LIMIT - 1);
    if (r->in.bad || kind == 0 || n < least[kind]) {
        damaged(r);
        return;
    }
    switch (kind) {
    case PT_ITEM_SAME: /* a record as a whole, which the caller knows */
        damaged(r);
        break;
    case PT_ITEM_CUT_STR:
    case PT_ITEM_CUT_BYTES:
    case PT_ITEM_CUT_INT:
        read_cut(r, kind, v);
        break;
    case PT_ITEM_OBJECT:
        read_object(r, n, v);
        v->cut = v->n < whole(v);
        break;
    case PT_ITEM_AGAIN:
        read_again(r, n, v);
        break;
    default:
        v->kind = kinds[kind];
        if (kind == PT_ITEM_REF)
            v->number = pt_cbor_get_uint(&r->in, UINT64_MAX);
        break;
    }
}

static void
read_item(struct reading *r, struct pt_value *v)
{
    struct pt_cbor_item it;
    if (r->depth >= PT_LIMIT_VALUE_DEPTH) {
        damaged(r);
        return;
    }
    if (!pt_cbor_next(&r->in, &it))
        return;
    r->depth++;
    switch (it.type) {
    case PT_CBOR_UINT:
    case PT_CBOR_NEGINT:
        set_int(r, v, it.value, it.type == PT_CBOR_NEGINT);
        break;
    case PT_CBOR_FLOAT:
        v->kind = PT_VALUE_FLOAT;
        v->f = it.real;
        break;
    case PT_CBOR_BOOL:
        v->kind = PT_VALUE_BOOL;
        v->i = it.value != 0;
        break;
    case PT_CBOR_NULL:
        v->kind = PT_VALUE_NONE;
        break;
    case PT_CBOR_UNDEFINED:
        v->kind = PT_VALUE_UNBOUND;
        break;
    case PT_CBOR_TEXT:
    case PT_CBOR_BYTES:
        set_text(r, v, it.type == PT_CBOR_TEXT ? PT_VALUE_STR : PT_VALUE_BYTES,
                 (struct pt_str){(const char *)it.data, (size_t)it.value});
        break;
    case PT_CBOR_TAG:
        read_tagged(r, it.value, v);
        break;
    case PT_CBOR_ARRAY:
        read_array(r, (size_t)it.value, v);
        break;
    default:
        damaged(r);
        break;
    }
    r->depth--;
}

/* A record that says no more than where the variable was told. */
static bool
is_same(const struct pt_cbor *in, size_t *n)
{
    struct pt_cbor c = *in;
    struct pt_cbor_item it;
    bool same = pt_cbor_next(&c, &it) && it.type == PT_CBOR_ARRAY &&
                it.value > 0 &&
                pt_cbor_get_uint(&c, PT_ITEM_LIMIT - 1) == PT_ITEM_SAME;
    *n = same ? (size_t)it.value : 0;
    return same && !c.bad;
}

enum pt_status
pt_value_read(struct pt_values *vs, struct pt_values_page *page,
              uint32_t record, struct pt_pool *pool, struct pt_value *out,
              size_t *chunk, uint32_t *told)
{
    unsigned steps = STEPS;
    struct reading r = {.values = vs, .pool = pool, .steps = &steps};
    size_t n;
    *out = (struct pt_value){.kind = PT_VALUE_LOST};
    *chunk = SIZE_MAX;
    bool found = open_record(&r, page->chunk, record), placed = true;
    while (found && is_same(&r.in, &n)) {
        size_t at;
        uint32_t k;
        pt_cbor_get_array(&r.in);
        pt_cbor_get_uint(&r.in, PT_ITEM_LIMIT - 1);
        placed = n > 1;
        found = read_place(&r, n - 1, &at, &k) && open_record(&r, at, k);
    }
    if (found) {
        *chunk = r.chunk;
        *told = r.record;
        read_item(&r, out);
    }
    bool limited = r.status == PT_ELIMIT;
    if (r.status != PT_OK && !limited)
        return r.status;
    if (!found || limited || r.in.bad || r.in.at != r.in.end) {
        *out = (struct pt_value){.kind = PT_VALUE_LOST};
        vs->lost += placed;
    }
    return PT_OK;
}
