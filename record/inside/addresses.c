#include "addresses.h"

#include <stdlib.h>

enum { LEAST = 256 };

static bool
grow(struct pt_addresses *t, size_t size)
{
    size_t n = t->entries != NULL ? 2 * (t->mask + 1) : LEAST;
    struct pt_addresses more = {calloc(n, size), n - 1, t->used};
    if (more.entries == NULL)
        return false;
    for (size_t i = 0; t->entries != NULL && i <= t->mask; i++) {
        const char *e = t->entries + i * size;
        const void *at;
        memcpy(&at, e, sizeof at);
        if (at != NULL)
            memcpy(pt_addresses_place(&more, size, at), e, size);
    }
    free(t->entries);
    *t = more;
    return true;
}

/* Half full is full, but where there is no memory for more. */
bool
pt_addresses_room(struct pt_addresses *t, size_t size, size_t n)
{
    if (t->entries != NULL && (t->used + n) * 2 < t->mask)
        return true;
    return grow(t, size) || (t->entries != NULL && t->used + n < t->mask);
}

void *
pt_addresses_meet(struct pt_addresses *t, size_t size, const void *address)
{
    void *known = pt_addresses_find(t, size, address);
    if (known != NULL)
        return known;
    if (!pt_addresses_room(t, size, 1))
        return NULL;
    char *e = pt_addresses_place(t, size, address);
    memcpy(e, &address, sizeof address);
    t->used++;
    return e;
}
