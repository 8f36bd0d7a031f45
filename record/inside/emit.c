/* The records that the hot path leaves to others. */
#include "producer.h"

#include <string.h>

void
pt_emit_slow(unsigned record, uint32_t a, uint32_t b, uint32_t c, uint32_t d,
             uint32_t e)
{
    const uint32_t words[PT_RECORD_WORDS] = {a, b, c, d, e};
    const unsigned kind = record & 0xff, n = record >> 8 & 0xff;
    const unsigned bytes = 4 + 4 * n;
    struct pt_lane *l = pt_lane;
    if (l == NULL || l->off + bytes + PT_TIME_BYTES > l->limit)
        l = pt_lane_slow(bytes + PT_TIME_BYTES, kind);
    uint64_t upper = n == 0 ? a : 0;
    if (record >> 16) {
        uint64_t now = pt_quanta();
        upper = now - l->last;
        l->last = now;
        if (upper >= PT_DT_LIMIT) {
            pt_lane_time(l, now);
            upper = 0;
        }
    }
    uint32_t *w = pt_lane_at(l);
    w[0] = kind | (uint32_t)upper << PT_WORD_KIND_BITS;
    for (unsigned i = 0; i < n; i++)
        w[1 + i] = words[i];
    pt_lane_publish(l, bytes);
}

/* The lane with room for so many bytes; one that is not the thread's own takes
 * what is lost. */
static struct pt_lane *
lane_for(unsigned bytes, unsigned kind)
{
    struct pt_lane *l = pt_lane;
    if (l == NULL || l->off + bytes > l->limit)
        l = pt_lane_slow(bytes, kind);
    return l;
}

void
pt_emit_value(uint32_t off, uint32_t dst, const void *data, uint32_t size)
{
    enum { HEAD = 12, WORD = 4 };
    struct pt_lane *l = lane_for(HEAD, PT_W_VALUE);
    uint32_t *w = pt_lane_at(l);
    pt_lane_ahead(w);
    w[0] = PT_W_VALUE | size << PT_WORD_KIND_BITS;
    w[1] = off;
    w[2] = dst;
    pt_lane_publish(l, HEAD);
    const char *p = data;
    while (size > 0 && l == pt_lane) {
        uint32_t n = size < PT_VALUE_PIECE ? size : PT_VALUE_PIECE;
        uint32_t words = 1 + (n + WORD - 1) / WORD;
        l = lane_for(words * WORD, PT_W_BYTES);
        w = pt_lane_at(l);
        pt_lane_ahead(w);
        w[words - 1] = 0;
        w[0] = PT_W_BYTES | n << PT_WORD_KIND_BITS;
        memcpy(w + 1, p, n);
        pt_lane_publish(l, words * WORD);
        p += n;
        size -= n;
    }
}
