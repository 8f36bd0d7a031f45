/* The definitions ring: messages of any length, in the order in which they are
 * committed. */
#include "connection.h"

#include <stdlib.h>
#include <string.h>

void
pt_def_bytes(struct pt_def *d, const void *data, size_t len)
{
    if (d->len + len > d->cap) {
        size_t cap = (d->len + len) * 2 + 256;
        char *p = d->failed ? NULL : realloc(d->data, cap);
        if (p == NULL) {
            d->failed = true;
            return;
        }
        d->data = p;
        d->cap = cap;
    }
    if (len != 0)
        memcpy(d->data + d->len, data, len);
    d->len += len;
}

void
pt_def_u32(struct pt_def *d, uint32_t v)
{
    pt_def_bytes(d, &v, 4);
}

void
pt_def_u64(struct pt_def *d, uint64_t v)
{
    pt_def_bytes(d, &v, 8);
}

void
pt_def_begin(struct pt_def *d, uint32_t type, uint32_t id)
{
    d->len = 0;
    d->failed = false;
    pt_def_u32(d, 0);
    pt_def_u32(d, type);
    pt_def_u32(d, id);
}

/* Waits until the definitions ring has room for one more byte. */
static bool
defs_wait(uint64_t head)
{
    struct pt_arena *a = pt_producer.arena;
    const uint32_t size = pt_defs_size(pt_producer.shrink);
    bool over = false;
    for (;;) {
        atomic_store(&a->defs_waiting, 1);
        uint32_t word = atomic_load(&a->defs_tail_word);
        if (head - atomic_load(&a->defs_tail) < size)
            break;
        pt_await_collector(&a->defs_tail_word, word);
        if (head - atomic_load(&a->defs_tail) < size)
            break;
        over = !pt_collector_alive();
        if (over)
            break;
    }
    atomic_store(&a->defs_waiting, 0);
    return !over;
}

/* A forked child will go on with the ids that were committed until then. */
static void
note_known(const char *message)
{
    uint32_t head[3]; /* length, type, id */
    memcpy(head, message, sizeof head);
    uint32_t type = head[1] - PT_M_CODE;
    if (type < PT_KNOWN && head[2] > pt_producer.known[type])
        pt_producer.known[type] = head[2];
}

bool
pt_def_commit(struct pt_def *d)
{
    if (!pt_joined())
        pt_producer_follow();
    struct pt_arena *a = pt_producer.arena;
    const uint32_t size = pt_defs_size(pt_producer.shrink);
    if (d->failed || d->len > PT_DEF_LIMIT ||
        atomic_load(&a->stop) != PT_STOP_NO)
        return false;
    uint32_t len = (uint32_t)d->len;
    memcpy(d->data, &len, 4);
    char *ring = (char *)a + PT_DEFS_AT;
    uint64_t head = atomic_load_explicit(&a->defs_head, memory_order_relaxed);
    if (pt_producer.on_full == PT_FULL_DROP &&
        head - atomic_load(&a->defs_tail) + d->len > size)
        return false;
    for (size_t done = 0; done < d->len;) {
        uint64_t used =
            head - atomic_load_explicit(&a->defs_tail, memory_order_acquire);
        if (used >= size) {
            if (!defs_wait(head))
                return false;
            continue;
        }
        size_t at = head % size, n = d->len - done;
        if (n > size - used)
            n = size - used;
        if (n > size - at)
            n = size - at;
        memcpy(ring + at, d->data + done, n);
        done += n;
        head += n;
        atomic_store_explicit(&a->defs_head, head, memory_order_release);
    }
    note_known(d->data);
    return true;
}

void
pt_def_note(const char *sentence)
{
    struct pt_def d = {0};
    size_t n = strlen(sentence);
    pt_def_begin(&d, PT_M_NOTE, 1);
    pt_def_u32(&d, (uint32_t)n);
    pt_def_bytes(&d, sentence, n);
    pt_def_commit(&d);
    free(d.data);
}
