/* The records that the hot path leaves to others. */
#include "producer.h"

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
