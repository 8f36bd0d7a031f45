/* Values on their way from the ring to the reader. */
#include "test_record_fake.h"

#include <pt/values.h>

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { LOCAL = PT_ROLE_LOCAL << PT_ROLE_SHIFT };

struct recording {
    struct fake f;
    struct fake_lane l;
    struct pt_values *values;
};

static void
begin(struct recording *r)
{
    fake_open_flow(&r->f);
    fake_claim(&r->l, &r->f, 0);
    fake_begin(&r->l, 77);
    FAKE_PUT(&r->l, PT_W_CALL_AT, 1, PT_NOWHERE);
}

static void
put_head(struct recording *r, uint32_t off, uint32_t dst, size_t size)
{
    FAKE_PUT(&r->l, PT_W_VALUE | (uint32_t)size << PT_WORD_KIND_BITS, off, dst);
}

static void
put_bytes(struct recording *r, const void *bytes, size_t size)
{
    const char *p = bytes;
    while (size > 0) {
        uint32_t words[1 + PT_VALUE_PIECE / 4] = {0};
        size_t n = size < PT_VALUE_PIECE ? size : PT_VALUE_PIECE;
        words[0] = PT_W_BYTES | (uint32_t)n << PT_WORD_KIND_BITS;
        memcpy(words + 1, p, n);
        fake_put(&r->l, words, 1 + (unsigned)(n + 3) / 4);
        p += n;
        size -= n;
    }
}

#define PUT(r, off, dst, text)                                                 \
    do {                                                                       \
        put_head(r, off, dst, sizeof(text) - 1);                               \
        put_bytes(r, text, sizeof(text) - 1);                                  \
    } while (0)

/* Writes what has come as a chunk of its own. */
static void
flush(struct recording *r)
{
    fake_drain(&r->f);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(pt_tracee_flush(r->f.t, &r->f.journal), PT_OK);
}

static void
finish(struct recording *r)
{
    fake_end(&r->l);
    fake_drain(&r->f);
    cr_assert_not(r->f.t->stopped);
    fake_close(&r->f);
    cr_assert_eq(pt_values_new(r->f.trace, &r->values), PT_OK);
}

static void
end(struct recording *r)
{
    pt_values_free(r->values);
    fake_clear(&r->f);
}

/* The n-th value of the trace. */
static struct pt_recorded *
get(struct recording *r, unsigned n)
{
    struct pt_recorded *out = NULL;
    for (size_t i = 0; i < pt_trace_chunk_count(r->f.trace); i++) {
        struct pt_events ev;
        if (pt_trace_chunk(r->f.trace, i)->type != PT_CHUNK_EVENTS)
            continue;
        cr_assert_eq(pt_decoder_events(r->f.decoder, i, &ev), PT_OK);
        for (uint32_t k = 0; k < ev.info->events; k++) {
            enum pt_status st =
                pt_values_get(r->values, ev.info->seq + k, &out);
            if (ev.events[k].kind != PT_VALUE) {
                cr_assert_eq(st, PT_ENOTFOUND);
                continue;
            }
            cr_assert_eq(st, PT_OK);
            cr_assert_eq(out->seq, ev.info->seq + k);
            if (n-- == 0)
                return out;
            pt_recorded_free(out);
        }
    }
    cr_assert_fail("no such value");
    return NULL;
}

static bool
is_text(struct pt_str s, const char *text)
{
    return s.len == strlen(text) && memcmp(s.data, text, s.len) == 0;
}

Test(record_values, scalars)
{
    static const uint8_t kinds[] = {
        PT_VALUE_NONE,    PT_VALUE_BOOL,     PT_VALUE_INT,    PT_VALUE_INT,
        PT_VALUE_BIGINT,  PT_VALUE_BIGINT,   PT_VALUE_BIGINT, PT_VALUE_BIGINT,
        PT_VALUE_FLOAT,   PT_VALUE_STR,      PT_VALUE_STR,    PT_VALUE_BYTES,
        PT_VALUE_UNBOUND, PT_VALUE_REDACTED, PT_VALUE_UNREAD, PT_VALUE_ELLIPSIS,
        PT_VALUE_REF};
    struct recording r;
    begin(&r);
    PUT(&r, 4, LOCAL | 0, "\xf6");
    PUT(&r, 4, LOCAL | 0, "\xf5");
    PUT(&r, 4, LOCAL | 0, "\x18\x2a");
    PUT(&r, 4, LOCAL | 0, "\x3b\x7f\xff\xff\xff\xff\xff\xff\xff");
    PUT(&r, 4, LOCAL | 0, "\x1b\xff\xff\xff\xff\xff\xff\xff\xff");
    PUT(&r, 4, LOCAL | 0, "\x3b\xff\xff\xff\xff\xff\xff\xff\xff");
    PUT(&r, 4, LOCAL | 0, "\xc3\x42\xff\xff");
    PUT(&r, 4, LOCAL | 0, "\x83\x05\x19\x10\x00\x01");
    PUT(&r, 4, LOCAL | 0, "\xfb\x40\x09\x21\xfb\x54\x44\x2d\x18");
    PUT(&r, 4, LOCAL | 0, "\x63h\xc3\xa9");
    PUT(&r, 4, LOCAL | 0, "\x63\xed\xa0\x80");
    PUT(&r, 4, LOCAL | 0, "\x83\x04\x18\x64\x42xy");
    PUT(&r, 4, LOCAL | 1, "\xf7");
    PUT(&r, 4, LOCAL | 1, "\x81\x06");
    PUT(&r, 4, LOCAL | 1, "\x81\x08");
    PUT(&r, 4, LOCAL | 1, "\x81\x09");
    PUT(&r, 4, LOCAL | 1, "\x82\x01\x18\x63");
    finish(&r);
    struct pt_recorded *v[sizeof kinds];
    for (unsigned i = 0; i < sizeof kinds; i++) {
        v[i] = get(&r, i);
        cr_expect_eq(v[i]->value.kind, kinds[i], "value %u: %u", i,
                     v[i]->value.kind);
        cr_expect_eq(v[i]->role, PT_ROLE_LOCAL);
        cr_expect_eq(v[i]->index, i >= 12);
        cr_expect_eq(v[i]->off, 4);
        cr_expect_eq(v[i]->told, v[i]->seq);
    }
    cr_expect_eq(v[1]->value.i, 1);
    cr_expect_eq(v[2]->value.i, 42);
    cr_expect_eq(v[3]->value.i, INT64_MIN);
    cr_expect(v[4]->value.i == 1 && v[4]->value.s.len == 8);
    cr_expect(v[5]->value.i == -1 && v[5]->value.s.len == 9 &&
              v[5]->value.s.data[0] == 1 && v[5]->value.s.data[8] == 0);
    cr_expect(v[6]->value.i == -1 && v[6]->value.s.len == 3 &&
              v[6]->value.s.data[0] == 1 && v[6]->value.s.data[1] == 0);
    cr_expect(v[7]->value.i == -1 && v[7]->value.cut &&
              v[7]->value.length == 4096);
    cr_expect_float_eq(v[8]->value.f, 3.141592653589793, 0);
    cr_expect(is_text(v[9]->value.s, "h\xc3\xa9") && v[9]->value.length == 2);
    cr_expect(is_text(v[10]->value.s, "\xed\xa0\x80") &&
              v[10]->value.length == 1);
    cr_expect(is_text(v[11]->value.s, "xy") && v[11]->value.cut &&
              v[11]->value.length == 100);
    cr_expect_eq(v[16]->value.number, 99);
    for (unsigned i = 0; i < sizeof kinds; i++)
        pt_recorded_free(v[i]);
    cr_expect_eq(pt_values_lost(r.values), 0);
    end(&r);
}

/* A list of an int and a list that is not told: type 2, numbers 5 and 6. */
#define LIST "\x87\x07\x02\x05\x01\x02\x01\x85\x07\x02\x06\x01\x09"

Test(record_values, objects)
{
    struct recording r;
    begin(&r);
    PUT(&r, 4, LOCAL, LIST);
    finish(&r);
    struct pt_recorded *v = get(&r, 0);
    const struct pt_value *list = &v->value;
    cr_assert_eq(list->kind, PT_VALUE_OBJECT);
    const struct pt_type *type = pt_trace_type(r.f.trace, list->type);
    cr_assert_not_null(type);
    cr_expect(list->number == 5 && list->form == PT_FORM_SEQUENCE &&
              list->length == 2 && list->n == 2 && !list->cut);
    cr_expect(list->items[0].kind == PT_VALUE_INT && list->items[0].i == 1);
    cr_expect(list->items[1].kind == PT_VALUE_OBJECT && list->items[1].n == 0 &&
              list->items[1].cut && list->items[1].length == 9);
    pt_recorded_free(v);
    end(&r);
}

/* What has not changed is found where it was told, also in a chunk before, and
 * in the frame that it was told of. */
Test(record_values, same)
{
    struct recording r;
    begin(&r);
    PUT(&r, 4, LOCAL, "\x01");
    PUT(&r, 6, LOCAL, "\x81\x02");
    flush(&r);
    PUT(&r, 8, LOCAL, "\x81\x02");
    FAKE_PUT(&r.l, PT_W_CALL_AT, 2, 8);
    PUT(&r, 4, LOCAL, "\x81\x02"); /* another frame's, of which nothing is */
    PUT(&r, 4, LOCAL, "\x02");
    FAKE_PUT(&r.l, PT_W_RETURN, 2);
    FAKE_PUT(&r.l, PT_W_CALL_AT, 3, 8);
    FAKE_PUT(&r.l, PT_W_RETURN, 3);
    PUT(&r, 10, LOCAL, "\x81\x02");
    flush(&r);
    PUT(&r, 12, LOCAL, "\x81\x02");
    finish(&r);
    static const int64_t expected[] = {1, 1, 1, -1, 2, 1, 1};
    struct pt_recorded *first = get(&r, 0);
    for (unsigned i = 0; i < 7; i++) {
        struct pt_recorded *v = get(&r, i);
        if (expected[i] < 0) {
            cr_expect_eq(v->value.kind, PT_VALUE_LOST);
            cr_expect_eq(v->told, UINT64_MAX);
        } else {
            cr_expect(v->value.kind == PT_VALUE_INT &&
                          v->value.i == expected[i],
                      "value %u: %d", i, (int)v->value.i);
            cr_expect_eq(v->told, i == 4 ? v->seq : first->seq);
        }
        pt_recorded_free(v);
    }
    pt_recorded_free(first);
    end(&r);
}

/* A generator's variables are its own, and it has them still when it goes on.
 */
Test(record_values, suspended)
{
    struct recording r;
    begin(&r);
    for (uint32_t key = 1; key <= 2; key++) {
        FAKE_PUT(&r.l, PT_W_CALL_KEY_AT, 2, key, 0, 4);
        if (key == 1)
            PUT(&r, 4, LOCAL, "\x01");
        else
            PUT(&r, 4, LOCAL, "\x02");
        FAKE_PUT(&r.l, PT_W_YIELD_AT, 2, 6);
    }
    flush(&r);
    for (uint32_t key = 1; key <= 2; key++) {
        FAKE_PUT(&r.l, PT_W_RESUME_AT, 2, key, 0, 4, 8);
        PUT(&r, 10, LOCAL, "\x81\x02");
        FAKE_PUT(&r.l, PT_W_YIELD_AT, 2, 12);
    }
    finish(&r);
    for (unsigned i = 0; i < 4; i++) {
        struct pt_recorded *v = get(&r, i);
        cr_expect(v->value.kind == PT_VALUE_INT && v->value.i == i % 2 + 1);
        pt_recorded_free(v);
    }
    end(&r);
}

/* [11, 5, 2] in a list of its own: as object 5 was told last. */
Test(record_values, again)
{
    struct recording r;
    begin(&r);
    PUT(&r, 4, LOCAL, LIST);
    PUT(&r, 4, LOCAL | 1, "\x86\x07\x02\x07\x01\x01\x83\x0b\x05\x02");
    flush(&r);
    PUT(&r, 4, LOCAL | 2, "\x83\x0b\x07\x01");
    PUT(&r, 4, LOCAL | 2, "\x83\x0b\x18\x37\x01");
    finish(&r);
    for (unsigned i = 1; i < 3; i++) {
        struct pt_recorded *v = get(&r, i);
        cr_assert(v->value.number == 7 && v->value.n == 1);
        const struct pt_value *list = &v->value.items[0];
        cr_expect(list->kind == PT_VALUE_OBJECT && list->number == 5 &&
                  list->n == 2 && list->items[0].i == 1);
        pt_recorded_free(v);
    }
    struct pt_recorded *v = get(&r, 3);
    cr_expect(v->value.kind == PT_VALUE_REF && v->value.number == 55);
    pt_recorded_free(v);
    end(&r);
}

/* Long values come in pieces, and drains can end between them. */
Test(record_values, pieces)
{
    enum { SIZE = 30000, HEAD = 3 };
    static char text[HEAD + SIZE];
    struct recording r;
    memcpy(text, "\x79\x75\x30", HEAD);
    for (int i = 0; i < SIZE; i++)
        text[HEAD + i] = (char)('a' + i % 26);
    begin(&r);
    for (int i = 0; i < 20; i++) {
        put_head(&r, 4, LOCAL, sizeof text);
        fake_drain(&r.f);
        put_bytes(&r, text, 1000);
        fake_drain(&r.f);
        put_bytes(&r, text + 1000, sizeof text - 1000);
        fake_drain(&r.f);
    }
    finish(&r);
    for (unsigned i = 0; i < 20; i++) {
        struct pt_recorded *v = get(&r, i);
        cr_expect(v->value.kind == PT_VALUE_STR && v->value.s.len == SIZE &&
                  memcmp(v->value.s.data, text + HEAD, SIZE) == 0);
        pt_recorded_free(v);
    }
    end(&r);
}

/* What a gap has torn is left out, and nothing is said to be as it was. */
Test(record_values, torn)
{
    struct recording r;
    begin(&r);
    PUT(&r, 4, LOCAL, "\x01");
    put_head(&r, 4, LOCAL, 4);
    FAKE_PUT(&r.l, PT_W_GAP, 3, 0, 0, 0);
    FAKE_PUT(&r.l, PT_W_FRAME, 1, 0, 0, 4);
    put_bytes(&r, "abcd", 4);
    PUT(&r, 6, LOCAL, "\x81\x02");
    put_head(&r, 4, LOCAL, 4); /* and the thread ends */
    finish(&r);
    struct pt_recorded *v = get(&r, 0);
    cr_expect(v->value.kind == PT_VALUE_INT && v->value.i == 1);
    pt_recorded_free(v);
    v = get(&r, 1);
    cr_expect_eq(v->value.kind, PT_VALUE_LOST);
    pt_recorded_free(v);
    cr_expect_eq(fake_count(&r.f, PT_VALUE), 2);
    end(&r);
}

/* What is no value is logged as unread; what went before it stays. */
Test(record_values, malformed)
{
    static const struct pt_str bad[] = {
#define BAD(text) {text, sizeof(text) - 1}
        BAD("\xa0"),                             /* a map */
        BAD("\x82\x01"),                         /* breaks off */
        BAD("\x01\x01"),                         /* something follows */
        BAD("\x81\x0c"),                         /* no such array */
        BAD("\x81\x00"),                         /* nor this */
        BAD("\x80"),                             /* nor this */
        BAD("\x82\x08\x01"),                     /* too long */
        BAD("\x85\x07\x18\x63\x01\x01\x00"),     /* no such type */
        BAD("\x85\x07\x02\x01\x18\x63\x00"),     /* no such form */
        BAD("\x86\x07\x02\x01\x01\x01\x81\x02"), /* "same" within */
        BAD("\xd8\x20\x41x"),                    /* no such tag */
        BAD("\xc2\x01"),                         /* of no bytes */
        BAD("\x9f\x01\xff"),                     /* without a length */
        BAD("\x1c"),                             /* no CBOR */
#undef BAD
    };
    enum { N = sizeof bad / sizeof *bad };
    struct recording r;
    char deep[6 * PT_LIMIT_VALUE_DEPTH + 1] = {0};
    begin(&r);
    for (unsigned i = 0; i < N; i++) {
        put_head(&r, 4, LOCAL, bad[i].len);
        put_bytes(&r, bad[i].data, bad[i].len);
    }
    for (unsigned i = 0; i < PT_LIMIT_VALUE_DEPTH; i++)
        memcpy(deep + 6 * i, "\x86\x07\x00\x00\x01\x01", 6);
    put_head(&r, 4, LOCAL, sizeof deep); /* one too many */
    put_bytes(&r, deep, sizeof deep);
    put_head(&r, 4, LOCAL, sizeof deep - 6);
    put_bytes(&r, deep + 6, sizeof deep - 6);
    PUT(&r, 4, LOCAL, "\x07");
    PUT(&r, 4, 0, "\x07"); /* of no variable: left out */
    PUT(&r, 4, PT_ROLE_LIMIT << PT_ROLE_SHIFT, "\x07");
    finish(&r);
    for (unsigned i = 0; i <= N; i++) {
        struct pt_recorded *v = get(&r, i);
        cr_expect_eq(v->value.kind, PT_VALUE_UNREAD, "value %u", i);
        pt_recorded_free(v);
    }
    struct pt_recorded *v = get(&r, N + 1);
    cr_expect_eq(v->value.kind, PT_VALUE_OBJECT);
    pt_recorded_free(v);
    v = get(&r, N + 2);
    cr_expect(v->value.kind == PT_VALUE_INT && v->value.i == 7);
    pt_recorded_free(v);
    cr_expect_eq(r.f.journal.malformed, N + 3);
    cr_expect_eq(fake_count(&r.f, PT_VALUE), N + 3);
    end(&r);
}

/* A keyframe says how far values have shown the frame to be. */
Test(record_values, keyframe)
{
    struct recording r;
    struct pt_events ev;
    size_t chunks = 0;
    begin(&r);
    FAKE_PUT(&r.l, PT_W_BRANCH, 6, 20);
    PUT(&r, 26, LOCAL, "\x01");
    flush(&r);
    FAKE_PUT(&r.l, PT_W_C_CALL_AT, 3, 30);
    PUT(&r, 30, PT_ROLE_ARGUMENT << PT_ROLE_SHIFT, "\x01");
    flush(&r);
    finish(&r);
    for (size_t i = 0; i < pt_trace_chunk_count(r.f.trace); i++) {
        if (pt_trace_chunk(r.f.trace, i)->type != PT_CHUNK_EVENTS)
            continue;
        cr_assert_eq(pt_decoder_events(r.f.decoder, i, &ev), PT_OK);
        if (chunks == 1)
            cr_expect(ev.depth == 1 && ev.stack[0].at == PT_AT_JUMPED &&
                      ev.stack[0].dst == 20 && ev.stack[0].next == 26);
        if (chunks == 2)
            cr_expect(ev.depth == 2 && ev.stack[0].at == PT_AT_INSIDE &&
                      ev.stack[0].off == 30 && ev.stack[0].next == 0);
        chunks++;
    }
    cr_expect_eq(chunks, 3);
    end(&r);
}
