/* The one module that prints: a buffered output with a colour and a width, and
 * the sentences on stderr.  A write that fails makes the output fail for good;
 * pt_out_close() tells.  Thread rule: an output belongs to one thread. */
#ifndef PT_ANALYZE_OUTPUT_H
#define PT_ANALYZE_OUTPUT_H

#include <pt/log.h>
#include <pt/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PT_OUT_BUFFER = 1 << 16 };

/* The fields are for the inline functions below; use the accessors. */
struct pt_out {
    int fd;
    bool color;
    bool utf8;        /* the locale's charset, for characters of our own */
    unsigned width;   /* columns a line should fit */
    bool fit;         /* ... by a terminal's or a user's wish; else no limit */
    const char *path; /* NULL: standard output */
    enum pt_status status;
    int sys; /* errno of the failure */
    size_t used;
    char buffer[PT_OUT_BUFFER];
};

struct pt_out_options {
    const char *path;  /* NULL or "-": standard output */
    const char *color; /* "auto", "always", "never", NULL: auto */
    uint64_t width;    /* 0: of the terminal; where there is none, no limit */
};

/* Opens a file or standard output; `error` is filled on failure. */
enum pt_status pt_out_open(const struct pt_out_options *,
                           struct pt_error *error, struct pt_out **out);
/* Flushes and releases; the first failure, in `error`.  NULL is fine. */
enum pt_status pt_out_close(struct pt_out *, struct pt_error *error);
bool pt_out_is_terminal(const struct pt_out *);
void pt_out_flush(struct pt_out *);

void pt_out_bytes(struct pt_out *, const void *data, size_t len);
void pt_out_text(struct pt_out *, const char *text);
void pt_out_printf(struct pt_out *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void pt_out_u64(struct pt_out *, uint64_t n);
void pt_out_i64(struct pt_out *, int64_t n);
void pt_out_spaces(struct pt_out *, unsigned n);

static inline void
pt_out_char(struct pt_out *o, char c)
{
    if (o->used == PT_OUT_BUFFER)
        pt_out_flush(o);
    o->buffer[o->used++] = c;
}

/* A trace's string as text: control characters, separators of lines, and what
 * is no UTF-8 escaped. */
void pt_out_str(struct pt_out *, struct pt_str);

enum pt_style {
    PT_STYLE_PLAIN,
    PT_STYLE_BOLD,
    PT_STYLE_DIM,
    PT_STYLE_WARN,
    PT_STYLE_GOOD,
    PT_STYLE_BAD
};
/* Switches the style where the output has colour. */
void pt_out_style(struct pt_out *, enum pt_style);

/* Makes `text` (NUL-terminated, already escaped) at most `width` columns wide
 * by leaving out its middle, in place; what follows the last dot stays whole
 * as long as it can. */
void pt_text_shorten(char *text, unsigned width);
unsigned pt_text_width(const char *text);
/* Escapes as pt_out_str() does, into a buffer; cut at its end. */
size_t pt_text_escape(struct pt_str, char *buffer, size_t size);

/* Ratios and amounts as people read them; buffers of PT_NUMBER_TEXT bytes. */
enum { PT_NUMBER_TEXT = 32 };
/* "1.234 ms", four significant digits. */
const char *pt_text_duration(int64_t ns, char *buffer);
const char *pt_text_grouped(uint64_t n, char *buffer); /* 1,234,567 */
/* "" for one, "s" for any other number. */
const char *pt_text_plural(uint64_t n);
const char *pt_text_size(uint64_t bytes, char *buffer); /* 1.2 MB */

/* One line "ptana: ..." on stderr. */
void pt_out_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
