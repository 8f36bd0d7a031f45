/* The index of variables: which of them each values chunk has. */
#include "format/value_item.h"

#include <stdlib.h>

static int
by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* How many of the variables from `i` on are of the same code object. */
static size_t
same_code(const uint64_t *keys, size_t n, size_t i)
{
    size_t k = i;
    while (k < n && keys[k] >> 32 == keys[i] >> 32)
        k++;
    return k - i;
}

void
pt_variables_add(struct pt_buf *b, uint64_t seq,
                 const struct pt_block_values *v)
{
    uint64_t *keys = pt_alloc(v->variables * sizeof *keys);
    size_t n = 0, codes = 0;
    if (keys == NULL) {
        b->failed = true;
        return;
    }
    for (size_t i = 0; i < v->nslots; i++)
        if (v->slots[i] != 0)
            keys[n++] = v->slots[i];
    qsort(keys, n, sizeof *keys, by_value);
    for (size_t i = 0; i < n; i += same_code(keys, n, i))
        codes++;
    pt_cbor_array(b, 2);
    pt_cbor_uint(b, seq);
    pt_cbor_array(b, 2 * codes);
    uint64_t code = 0;
    for (size_t i = 0; i < n;) {
        size_t count = same_code(keys, n, i);
        uint64_t dst = 0;
        pt_cbor_uint(b, (keys[i] >> 32) - code);
        code = keys[i] >> 32;
        pt_cbor_array(b, count);
        for (size_t end = i + count; i < end; i++) {
            pt_cbor_uint(b, (keys[i] & UINT32_MAX) - dst);
            dst = keys[i] & UINT32_MAX;
        }
    }
    pt_alloc_free(keys);
}

void
pt_variables_write(struct pt_buf *b, const struct pt_buf *entries, size_t n)
{
    pt_cbor_map(b, 1);
    pt_cbor_text(b, "chunks");
    pt_cbor_array(b, n);
    pt_buf_add(b, entries->data, entries->len);
}
