#include "format/meta.h"

#include "format/columns.h"

#include <pt/version.h>

#include <string.h>

#define MAGIC "ptrec"

static void
key_uint(struct pt_buf *b, const char *key, uint64_t v)
{
    pt_cbor_text(b, key);
    pt_cbor_uint(b, v);
}

static void
key_str(struct pt_buf *b, const char *key, struct pt_str s)
{
    pt_cbor_text(b, key);
    pt_cbor_str(b, s);
}

void
pt_header_write(struct pt_buf *b, const struct pt_header *h)
{
    pt_cbor_map(b, 14u + (h->nfilters != 0) + (h->values.len != 0));
    pt_cbor_text(b, "magic");
    pt_cbor_text(b, MAGIC);
    pt_cbor_text(b, "version");
    pt_cbor_array(b, 2);
    pt_cbor_uint(b, PT_FORMAT_MAJOR);
    pt_cbor_uint(b, PT_FORMAT_MINOR);
    key_uint(b, "required", h->required);
    key_uint(b, "optional", h->optional);
    pt_cbor_text(b, "clock");
    pt_cbor_map(b, 6);
    key_uint(b, "origin", h->clock.origin);
    key_uint(b, "mult", h->clock.mult);
    key_uint(b, "shift", h->clock.shift);
    key_uint(b, "quantum", h->clock.quantum);
    size_t n = strnlen(h->clock.source, sizeof h->clock.source);
    key_str(b, "source", (struct pt_str){h->clock.source, n});
    pt_cbor_text(b, "unix_ns");
    pt_cbor_int(b, h->clock.unix_ns);
    key_str(b, "writer", h->writer);
    key_str(b, "preset", h->preset);
    key_str(b, "host", h->host);
    key_str(b, "system", h->system);
    key_str(b, "cwd", h->cwd);
    key_str(b, "uuid", h->uuid);
    pt_cbor_text(b, "argv");
    pt_cbor_array(b, h->argc);
    for (size_t i = 0; i < h->argc; i++)
        pt_cbor_str(b, h->argv[i]);
    key_uint(b, "events", h->events);
    key_uint(b, "stamped", h->stamped);
    if (h->values.len != 0)
        key_str(b, "values", h->values);
    if (h->nfilters == 0)
        return;
    pt_cbor_text(b, "filters");
    pt_cbor_array(b, h->nfilters);
    for (size_t i = 0; i < h->nfilters; i++)
        pt_cbor_str(b, h->filters[i]);
}

static void
read_clock(struct pt_cbor *c, struct pt_clock *clock)
{
    size_t pairs = pt_cbor_get_map(c);
    for (size_t i = 0; i < pairs && !c->bad; i++) {
        struct pt_str key = pt_cbor_get_text(c);
        if (pt_str_is(key, "origin")) {
            clock->origin = pt_cbor_get_uint(c, UINT64_MAX);
        } else if (pt_str_is(key, "mult")) {
            clock->mult = pt_cbor_get_uint(c, INT64_MAX);
        } else if (pt_str_is(key, "shift")) {
            clock->shift = (uint32_t)pt_cbor_get_uint(c, 63);
        } else if (pt_str_is(key, "quantum")) {
            clock->quantum = (uint32_t)pt_cbor_get_uint(c, UINT32_MAX);
        } else if (pt_str_is(key, "source")) {
            struct pt_str s = pt_cbor_get_str(c);
            size_t n =
                s.len < sizeof clock->source ? s.len : sizeof clock->source - 1;
            memcpy(clock->source, s.data, n);
        } else if (pt_str_is(key, "unix_ns")) {
            clock->unix_ns = pt_cbor_get_int(c);
        } else {
            pt_cbor_skip(c, 1);
        }
    }
}

static enum pt_status
read_strs(struct pt_cbor *c, struct pt_pool *pool, const struct pt_str **out,
          size_t *count)
{
    size_t n = pt_cbor_get_array(c);
    if (c->bad)
        return PT_EDAMAGED;
    struct pt_str *strs = pt_pool_take(pool, n, sizeof *strs);
    if (strs == NULL)
        return pool->limited ? PT_ELIMIT : PT_ENOMEM;
    for (size_t i = 0; i < n; i++)
        strs[i] = pt_cbor_get_str(c);
    *out = strs;
    *count = n;
    return PT_OK;
}

static void
read_version(struct pt_cbor *c, struct pt_header *h)
{
    if (pt_cbor_get_array(c) != 2)
        c->bad = true;
    uint32_t major = (uint32_t)pt_cbor_get_uint(c, UINT16_MAX);
    uint32_t minor = (uint32_t)pt_cbor_get_uint(c, UINT16_MAX);
    h->version = PT_FORMAT_VERSION(major, minor);
}

enum pt_status
pt_header_read(struct pt_str item, struct pt_pool *pool, struct pt_header *out)
{
    struct pt_header h = {0};
    struct pt_cbor c = pt_cbor_over(item.data, item.len);
    enum pt_status st = PT_OK;
    bool magic = false;
    size_t pairs = pt_cbor_get_map(&c);
    static const struct {
        const char *key;
        size_t at;
    } strings[] = {
        {"writer", offsetof(struct pt_header, writer)},
        {"preset", offsetof(struct pt_header, preset)},
        {"host", offsetof(struct pt_header, host)},
        {"system", offsetof(struct pt_header, system)},
        {"cwd", offsetof(struct pt_header, cwd)},
        {"uuid", offsetof(struct pt_header, uuid)},
        {"values", offsetof(struct pt_header, values)},
    };
    for (size_t i = 0; i < pairs && !c.bad && st == PT_OK; i++) {
        struct pt_str key = pt_cbor_get_text(&c);
        size_t k = 0, n = sizeof strings / sizeof *strings;
        while (k < n && !(strlen(strings[k].key) == key.len &&
                          memcmp(strings[k].key, key.data, key.len) == 0))
            k++;
        if (k < n) {
            struct pt_str s = pt_cbor_get_str(&c);
            memcpy((char *)&h + strings[k].at, &s, sizeof s);
        } else if (pt_str_is(key, "magic")) {
            magic = pt_str_is(pt_cbor_get_text(&c), MAGIC);
        } else if (pt_str_is(key, "version")) {
            read_version(&c, &h);
        } else if (pt_str_is(key, "required")) {
            h.required = (uint32_t)pt_cbor_get_uint(&c, UINT32_MAX);
        } else if (pt_str_is(key, "optional")) {
            h.optional = (uint32_t)pt_cbor_get_uint(&c, UINT32_MAX);
        } else if (pt_str_is(key, "clock")) {
            read_clock(&c, &h.clock);
        } else if (pt_str_is(key, "argv")) {
            st = read_strs(&c, pool, &h.argv, &h.argc);
        } else if (pt_str_is(key, "filters")) {
            st = read_strs(&c, pool, &h.filters, &h.nfilters);
        } else if (pt_str_is(key, "events")) {
            h.events = (uint32_t)pt_cbor_get_uint(&c, UINT32_MAX);
        } else if (pt_str_is(key, "stamped")) {
            h.stamped = (uint32_t)pt_cbor_get_uint(&c, UINT32_MAX);
        } else {
            pt_cbor_skip(&c, 1);
        }
    }
    if (st == PT_ENOMEM || st == PT_ELIMIT)
        return st;
    const uint32_t known = PT_REQUIRED_PREDICTED;
    if (magic && (h.version >> 16 > PT_FORMAT_MAJOR || h.required & ~known)) {
        out->version = h.version;
        out->required = h.required;
        return PT_EUNSUPPORTED;
    }
    if (st != PT_OK || c.bad || c.at != c.end || !magic || h.version == 0 ||
        !pt_clock_valid(&h.clock))
        return PT_EDAMAGED;
    *out = h;
    return PT_OK;
}

void
pt_end_write(struct pt_buf *b, const struct pt_end *e)
{
    pt_cbor_map(b, 5);
    key_uint(b, "events", e->events);
    key_uint(b, "gaps", e->gaps);
    key_uint(b, "lost", e->lost);
    pt_cbor_text(b, "time");
    pt_cbor_int(b, e->time);
    key_str(b, "reason", e->reason);
}

enum pt_status
pt_end_read(struct pt_str item, struct pt_end *out)
{
    struct pt_end e = {0};
    struct pt_cbor c = pt_cbor_over(item.data, item.len);
    size_t pairs = pt_cbor_get_map(&c);
    for (size_t i = 0; i < pairs && !c.bad; i++) {
        struct pt_str key = pt_cbor_get_text(&c);
        if (pt_str_is(key, "events"))
            e.events = pt_cbor_get_uint(&c, UINT64_MAX);
        else if (pt_str_is(key, "gaps"))
            e.gaps = pt_cbor_get_uint(&c, UINT64_MAX);
        else if (pt_str_is(key, "lost"))
            e.lost = pt_cbor_get_uint(&c, UINT64_MAX);
        else if (pt_str_is(key, "time"))
            e.time = pt_cbor_get_int(&c);
        else if (pt_str_is(key, "reason"))
            e.reason = pt_cbor_get_str(&c);
        else
            pt_cbor_skip(&c, 1);
    }
    if (c.bad || c.at != c.end)
        return PT_EDAMAGED;
    *out = e;
    return PT_OK;
}
