/* Tables from the address of an object to what is known of it.
 *
 * An entry begins with the address, and is zeroed but for that when it is made.
 * It stays when the object has gone, until another one lies there, so a table
 * is bounded by the addresses ever used and needs no deletion; whose entry it
 * is the caller must tell by what is in it.
 * Thread rule: needs the GIL. */
#ifndef PT_INSIDE_ADDRESSES_H
#define PT_INSIDE_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct pt_addresses {
    char *entries;
    size_t mask, used;
};

/* The entry's place, taken or free; the table is not empty. */
static inline char *
pt_addresses_place(const struct pt_addresses *t, size_t size,
                   const void *address)
{
    size_t h = (size_t)(((uintptr_t)address >> 4) * 0x9E3779B97F4A7C15u >> 24);
    for (;; h++) {
        char *e = t->entries + (h & t->mask) * size;
        const void *at;
        memcpy(&at, e, sizeof at);
        if (at == address || at == NULL)
            return e;
    }
}

/* The entry of `size` bytes, NULL where there is none. */
static inline void *
pt_addresses_find(const struct pt_addresses *t, size_t size,
                  const void *address)
{
    const void *at;
    if (t->entries == NULL)
        return NULL;
    char *e = pt_addresses_place(t, size, address);
    memcpy(&at, e, sizeof at);
    return at != NULL ? e : NULL;
}

/* Room for `n` more entries, which then move none; false without memory. */
bool pt_addresses_room(struct pt_addresses *, size_t size, size_t n);

/* The entry, made if it is new; NULL without memory. */
void *pt_addresses_meet(struct pt_addresses *, size_t size,
                        const void *address);

#endif
