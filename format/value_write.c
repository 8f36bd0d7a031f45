/* A block's values: each is checked, item by item, while it is copied. */
#include "format/columns.h"
#include "format/defs.h"
#include "format/value_item.h"

#include <string.h>

enum { FIRST_SLOTS = 64 };

/* --- copying -------------------------------------------------------------- */

struct copy {
    struct pt_cbor in;
    struct pt_buf *out;
    const struct pt_value_maker *maker;
};

static bool copy_item(struct copy *, unsigned depth);

/* What was read since `from` stays as it is. */
static void
as_it_is(struct copy *c, const uint8_t *from)
{
    pt_buf_add(c->out, from, (size_t)(c->in.at - from));
}

static void
put_text(struct copy *c, struct pt_str s)
{
    if (!pt_utf8_valid(s.data, s.len))
        pt_cbor_tag(c->out, PT_TAG_WTF8);
    pt_cbor_str(c->out, s);
}

/* Where a record was told: in this chunk, in an earlier one, or nobody knows.
 * An array that ends with it has this many items more. */
static unsigned
place_items(const struct pt_value_place *p)
{
    return p->known ? p->seq == UINT64_MAX ? 1 : 2 : 0;
}

static void
put_place(struct copy *c, const struct pt_value_place *p)
{
    if (!p->known)
        return;
    pt_cbor_uint(c->out, p->record);
    if (p->seq != UINT64_MAX)
        pt_cbor_uint(c->out, p->seq);
}

static bool
copy_object(struct copy *c, size_t n, unsigned depth)
{
    const struct pt_value_maker *m = c->maker;
    uint64_t type = pt_cbor_get_uint(&c->in, UINT32_MAX);
    uint64_t number = pt_cbor_get_uint(&c->in, UINT64_MAX);
    uint64_t form = pt_cbor_get_uint(&c->in, PT_FORM_LIMIT - 1);
    uint64_t length = pt_cbor_get_uint(&c->in, UINT64_MAX);
    uint32_t id = type < m->ntypes ? m->types[type] : 0;
    if (c->in.bad || (type != 0 && id == 0))
        return false;
    pt_cbor_array(c->out, n);
    pt_cbor_uint(c->out, PT_ITEM_OBJECT);
    pt_cbor_uint(c->out, id);
    pt_cbor_uint(c->out, number);
    pt_cbor_uint(c->out, form);
    pt_cbor_uint(c->out, length);
    if (number != 0 && m->told != NULL)
        m->told(m->state, number);
    for (size_t i = PT_ITEM_OBJECT_HEAD; i < n; i++)
        if (!copy_item(c, depth + 1))
            return false;
    return true;
}

static void
copy_again(struct copy *c)
{
    const struct pt_value_maker *m = c->maker;
    struct pt_value_place place = {.known = false};
    uint64_t number = pt_cbor_get_uint(&c->in, UINT64_MAX);
    uint64_t length = pt_cbor_get_uint(&c->in, UINT64_MAX);
    if (m->find != NULL)
        place = m->find(m->state, number);
    pt_cbor_array(c->out, 3 + place_items(&place));
    pt_cbor_uint(c->out, PT_ITEM_AGAIN);
    pt_cbor_uint(c->out, number);
    pt_cbor_uint(c->out, length);
    put_place(c, &place);
}

static bool
copy_cut(struct copy *c, uint64_t kind)
{
    pt_cbor_array(c->out, 3);
    pt_cbor_uint(c->out, kind);
    pt_cbor_uint(c->out, pt_cbor_get_uint(&c->in, UINT64_MAX));
    if (kind == PT_ITEM_CUT_STR) {
        put_text(c, pt_cbor_get_text(&c->in));
    } else if (kind == PT_ITEM_CUT_BYTES) {
        struct pt_str s = pt_cbor_get_bytes(&c->in);
        pt_cbor_bytes(c->out, s.data, s.len);
    } else {
        struct pt_cbor_item it;
        if (!pt_cbor_next(&c->in, &it) || it.value > 1 ||
            (it.type != PT_CBOR_UINT && it.type != PT_CBOR_BOOL))
            return false;
        pt_cbor_uint(c->out, it.value);
    }
    return true;
}

static bool
copy_array(struct copy *c, uint64_t n, unsigned depth)
{
    static const uint8_t items[PT_ITEM_LIMIT] = {[PT_ITEM_REF] = 2,
                                                 [PT_ITEM_SAME] = 1,
                                                 [PT_ITEM_CUT_STR] = 3,
                                                 [PT_ITEM_CUT_BYTES] = 3,
                                                 [PT_ITEM_CUT_INT] = 3,
                                                 [PT_ITEM_REDACTED] = 1,
                                                 [PT_ITEM_UNREAD] = 1,
                                                 [PT_ITEM_ELLIPSIS] = 1,
                                                 [PT_ITEM_NOTIMPLEMENTED] = 1,
                                                 [PT_ITEM_AGAIN] = 3};
    uint64_t kind = pt_cbor_get_uint(&c->in, PT_ITEM_LIMIT - 1);
    if (kind == PT_ITEM_OBJECT)
        return n >= PT_ITEM_OBJECT_HEAD && copy_object(c, n, depth);
    if (c->in.bad || n != items[kind])
        return false;
    switch (kind) {
    case PT_ITEM_SAME:
        pt_cbor_array(c->out, 1 + place_items(&c->maker->same));
        pt_cbor_uint(c->out, kind);
        put_place(c, &c->maker->same);
        return depth == 0;
    case PT_ITEM_CUT_STR:
    case PT_ITEM_CUT_BYTES:
    case PT_ITEM_CUT_INT:
        return copy_cut(c, kind);
    case PT_ITEM_AGAIN:
        copy_again(c);
        return true;
    default:
        pt_cbor_array(c->out, n);
        pt_cbor_uint(c->out, kind);
        if (kind == PT_ITEM_REF)
            pt_cbor_uint(c->out, pt_cbor_get_uint(&c->in, UINT64_MAX));
        return true;
    }
}

static bool
copy_tagged(struct copy *c, const uint8_t *from, uint64_t tag)
{
    pt_cbor_get_bytes(&c->in);
    as_it_is(c, from);
    return tag == PT_TAG_BIG || tag == PT_TAG_BIG_NEGATIVE ||
           tag == PT_TAG_WTF8;
}

/* Recursion ends at the limit. */
static bool
copy_item(struct copy *c, unsigned depth)
{
    const uint8_t *from = c->in.at;
    struct pt_cbor_item it;
    if (depth >= PT_LIMIT_VALUE_DEPTH || !pt_cbor_next(&c->in, &it))
        return false;
    switch (it.type) {
    case PT_CBOR_MAP:
        return false;
    case PT_CBOR_TAG:
        return copy_tagged(c, from, it.value) && !c->in.bad;
    case PT_CBOR_ARRAY:
        return copy_array(c, it.value, depth) && !c->in.bad;
    case PT_CBOR_TEXT:
        put_text(c, (struct pt_str){(const char *)it.data, (size_t)it.value});
        return true;
    default:
        as_it_is(c, from);
        return true;
    }
}

/* --- a block's values ----------------------------------------------------- */

void
pt_block_values_free(struct pt_block_values *v)
{
    if (v == NULL)
        return;
    pt_buf_clear(&v->bytes);
    pt_alloc_free(v->sizes);
    pt_alloc_free(v->slots);
    pt_alloc_free(v);
}

void
pt_block_values_reset(struct pt_block_values *v)
{
    if (v == NULL)
        return;
    v->bytes.len = 0;
    v->bytes.failed = false;
    v->n = 0;
    v->variables = 0;
    if (v->nslots != 0)
        memset(v->slots, 0, v->nslots * sizeof *v->slots);
}

static uint64_t *
find_slot(uint64_t *slots, size_t nslots, uint64_t key)
{
    size_t i = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32);
    while (slots[i &= nslots - 1] != 0 && slots[i] != key)
        i++;
    return &slots[i];
}

/* Adds a variable to the set, which is at most half full. */
static bool
add_variable(struct pt_block_values *v, uint64_t key)
{
    if (2 * (v->variables + 1) > v->nslots) {
        size_t n = v->nslots != 0 ? 2 * v->nslots : FIRST_SLOTS;
        uint64_t *slots = pt_alloc_zero(n, sizeof *slots);
        if (slots == NULL)
            return false;
        for (size_t i = 0; i < v->nslots; i++)
            if (v->slots[i] != 0)
                *find_slot(slots, n, v->slots[i]) = v->slots[i];
        pt_alloc_free(v->slots);
        v->slots = slots;
        v->nslots = n;
    }
    uint64_t *slot = find_slot(v->slots, v->nslots, key);
    v->variables += *slot == 0;
    *slot = key;
    return true;
}

static enum pt_status
append(struct pt_block *b, struct pt_str raw, const struct pt_value_maker *m)
{
    struct pt_block_values *v = b->values;
    size_t before = v->bytes.len;
    struct copy c = {
        .in = pt_cbor_over(raw.data, raw.len), .out = &v->bytes, .maker = m};
    bool good =
        raw.len <= PT_LIMIT_VALUE && copy_item(&c, 0) && c.in.at == c.in.end;
    if (v->bytes.failed || !good) {
        v->bytes.len = before;
        return v->bytes.failed ? PT_ENOMEM : PT_EDAMAGED;
    }
    if (!pt_alloc_room(&v->sizes, &v->cap, v->n + 1, sizeof *v->sizes))
        return PT_ENOMEM;
    v->sizes[v->n] = (uint32_t)(v->bytes.len - before);
    return PT_OK;
}

enum pt_status
pt_block_value(struct pt_block *b, uint32_t code, uint32_t off, uint32_t dst,
               struct pt_str raw, const struct pt_value_maker *m)
{
    uint32_t role = dst >> PT_ROLE_SHIFT;
    if (role == 0 || role >= PT_ROLE_LIMIT)
        return PT_EDAMAGED;
    if (b->values == NULL) {
        b->values = pt_alloc_zero(1, sizeof *b->values);
        if (b->values == NULL)
            return PT_ENOMEM;
    }
    struct pt_block_values *v = b->values;
    size_t before = v->bytes.len;
    enum pt_status st = append(b, raw, m);
    if (st == PT_OK && !add_variable(v, (uint64_t)code << 32 | dst))
        st = PT_ENOMEM;
    if (st == PT_OK)
        st = pt_block_push(b, PT_VALUE, PT_HAS(OFF) | PT_HAS(DST), 0, 0, off,
                           dst, 0);
    if (st == PT_OK)
        v->n++;
    else
        v->bytes.len = before;
    return st;
}

uint32_t
pt_block_value_count(const struct pt_block *b)
{
    return b->values != NULL ? (uint32_t)b->values->n : 0;
}

bool
pt_block_full(const struct pt_block *b)
{
    return b->n == PT_BLOCK_EVENTS ||
           (b->values != NULL && b->values->bytes.len >= PT_BLOCK_VALUE_BYTES);
}

void
pt_values_write(struct pt_buf *b, const struct pt_block_values *v,
                struct pt_buf *scratch)
{
    pt_cbor_map(b, 3);
    pt_cbor_text(b, "n");
    pt_cbor_uint(b, v->n);
    pt_column_write32(b, "sizes", v->sizes, v->n, scratch);
    pt_cbor_text(b, "bytes");
    pt_cbor_bytes(b, v->bytes.data, v->bytes.len);
}
