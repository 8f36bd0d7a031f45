#include "analyze/json.h"
#include "analyze/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void quote(struct pt_out *out, struct pt_str s, bool html);

void
pt_json_init(struct pt_json *j, struct pt_out *out, unsigned compact)
{
    *j = (struct pt_json){.out = out, .compact = compact, .first = true};
}

void
pt_json_finish(struct pt_json *j)
{
    pt_out_char(j->out, '\n');
}

static void
fresh_line(struct pt_json *j)
{
    if (j->depth && j->depth < j->compact) {
        pt_out_char(j->out, '\n');
        pt_out_spaces(j->out, j->depth);
    }
}

/* What stands before a value or a key. */
static void
separate(struct pt_json *j)
{
    if (j->named) {
        j->named = false;
        return;
    }
    if (!j->first)
        pt_out_char(j->out, ',');
    if (!j->first && j->depth >= j->compact)
        pt_out_char(j->out, ' ');
    fresh_line(j);
    j->first = false;
}

void
pt_json_open(struct pt_json *j, char bracket)
{
    separate(j);
    pt_out_char(j->out, bracket);
    j->depth++;
    j->first = true;
}

void
pt_json_close(struct pt_json *j, char bracket)
{
    bool empty = j->first, folded = j->depth >= j->compact;
    j->depth--;
    if (!empty && !folded) {
        pt_out_char(j->out, '\n');
        pt_out_spaces(j->out, j->depth);
    }
    pt_out_char(j->out, bracket);
    j->first = false;
}

void
pt_json_key_str(struct pt_json *j, struct pt_str key)
{
    separate(j);
    pt_json_quote(j->out, key);
    pt_out_text(j->out, ": ");
    j->named = true;
}

void
pt_json_key(struct pt_json *j, const char *key)
{
    pt_json_key_str(j, (struct pt_str){key, strlen(key)});
}

void
pt_json_text(struct pt_json *j, const char *text)
{
    pt_json_str(j, (struct pt_str){text, strlen(text)});
}

void
pt_json_str(struct pt_json *j, struct pt_str s)
{
    separate(j);
    quote(j->out, s, j->html);
}

void
pt_json_i64(struct pt_json *j, int64_t n)
{
    separate(j);
    pt_out_i64(j->out, n);
}

void
pt_json_u64(struct pt_json *j, uint64_t n)
{
    separate(j);
    pt_out_u64(j->out, n);
}

void
pt_json_fixed(struct pt_json *j, double value, int digits)
{
    separate(j);
    if (isfinite(value))
        pt_out_printf(j->out, "%.*f", digits, value);
    else
        pt_out_text(j->out, "null");
}

void
pt_json_double(struct pt_json *j, double value)
{
    char text[40] = "null";
    for (int digits = 15; isfinite(value) && digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    separate(j);
    pt_out_text(j->out, text);
    if (isfinite(value) && text[strcspn(text, ".e")] == 0)
        pt_out_text(j->out, ".0");
}

void
pt_json_micros(struct pt_json *j, int64_t n)
{
    uint64_t size = n < 0 ? -(uint64_t)n : (uint64_t)n;
    separate(j);
    pt_out_printf(j->out, "%s%" PRIu64 ".%03u", n < 0 ? "-" : "", size / 1000,
                  (unsigned)(size % 1000));
}

void
pt_json_bool(struct pt_json *j, bool value)
{
    separate(j);
    pt_out_text(j->out, value ? "true" : "false");
}

void
pt_json_null(struct pt_json *j)
{
    separate(j);
    pt_out_text(j->out, "null");
}

/* --- members -------------------------------------------------------------- */

#define MEMBER(name, type)                                                     \
    void pt_json_member_##name(struct pt_json *j, const char *key, type value) \
    {                                                                          \
        pt_json_key(j, key);                                                   \
        pt_json_##name(j, value);                                              \
    }
MEMBER(str, struct pt_str)
MEMBER(text, const char *)
MEMBER(u64, uint64_t)
MEMBER(i64, int64_t)
MEMBER(bool, bool)

#define MAYBE(name, type)                                                      \
    void pt_json_maybe_##name(struct pt_json *j, const char *key, bool known,  \
                              type value)                                      \
    {                                                                          \
        pt_json_key(j, key);                                                   \
        if (known)                                                             \
            pt_json_##name(j, value);                                          \
        else                                                                   \
            pt_json_null(j);                                                   \
    }
MAYBE(u64, uint64_t)
MAYBE(i64, int64_t)

/* --- strings -------------------------------------------------------------- */

static void
escape(struct pt_out *out, uint32_t c)
{
    const char *const hex = "0123456789abcdef";
    char text[6] = {
        '\\',       'u', hex[c >> 12 & 15], hex[c >> 8 & 15], hex[c >> 4 & 15],
        hex[c & 15]};
    const char *const plain = "\"\\\b\f\n\r\t", *const name = "\"\\bfnrt";
    const char *at = c < 128 ? strchr(plain, (int)c) : NULL;
    if (at && c) {
        pt_out_char(out, '\\');
        pt_out_char(out, name[at - plain]);
    } else
        pt_out_bytes(out, text, sizeof text);
}

static void
quote(struct pt_out *out, struct pt_str s, bool html)
{
    const unsigned char *p = (const unsigned char *)s.data;
    size_t start = 0, i = 0;
    pt_out_char(out, '"');
    while (i < s.len) {
        uint32_t c = p[i];
        unsigned n = 1;
        bool plain = c != '"' && c != '\\' && !(html && c == '<');
        if (c >= 32 && c < 127 && plain) {
            i++;
            continue;
        }
        if (c >= 128)
            n = pt_utf8_next(p + i, s.len - i, &c);
        if (n > 1 && (c < 0xd800 || c > 0xdfff)) {
            i += n;
            continue;
        }
        pt_out_bytes(out, p + start, i - start);
        escape(out, c);
        i += n;
        start = i;
    }
    if (s.len > start)
        pt_out_bytes(out, p + start, s.len - start);
    pt_out_char(out, '"');
}

void
pt_json_quote(struct pt_out *out, struct pt_str s)
{
    quote(out, s, false);
}
