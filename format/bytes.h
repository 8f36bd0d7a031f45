/* Little-endian loads and stores: the log's bytes are the same on every
 * machine.  Thread rule: none. */
#ifndef PT_FORMAT_BYTES_H
#define PT_FORMAT_BYTES_H

#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define PT_LE32(v) (v)
#define PT_LE64(v) (v)
#else
#define PT_LE32(v) __builtin_bswap32(v)
#define PT_LE64(v) __builtin_bswap64(v)
#endif

static inline uint32_t
pt_get32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return PT_LE32(v);
}

static inline uint64_t
pt_get64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return PT_LE64(v);
}

static inline void
pt_put32(uint8_t *p, uint32_t v)
{
    v = PT_LE32(v);
    memcpy(p, &v, sizeof v);
}

static inline void
pt_put64(uint8_t *p, uint64_t v)
{
    v = PT_LE64(v);
    memcpy(p, &v, sizeof v);
}

#endif
