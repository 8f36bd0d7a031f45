#include "analyze/coverage/excerpt.h"

#include <string.h>

struct writing {
    char *buffer;
    size_t used, size;
    bool blank, full;
};

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\f' || c == '\v';
}

static void
put(struct writing *w, struct pt_str part)
{
    for (size_t i = 0; i < part.len && !w->full; i++) {
        char c = part.data[i];
        if (is_space(c)) {
            w->blank = w->used != 0;
            continue;
        }
        if (w->used + w->blank + 1 >= w->size) {
            w->full = true;
            return;
        }
        if (w->blank)
            w->buffer[w->used++] = ' ';
        w->blank = false;
        w->buffer[w->used++] = c;
    }
    w->blank = w->used != 0;
}

/* Makes room for the dots, without leaving a part of a character. */
static void
put_dots(struct writing *w)
{
    static const char dots[] = "...";
    size_t at = w->size - sizeof dots;
    if (at > w->used)
        at = w->used;
    while (at && ((unsigned char)w->buffer[at] & 0xc0) == 0x80)
        at--;
    memcpy(w->buffer + at, dots, sizeof dots - 1);
    w->used = at + sizeof dots - 1;
}

size_t
pt_cov_excerpt(struct pt_source_text *text, const struct pt_cov_span *span,
               char *buffer, size_t size)
{
    struct writing w = {.buffer = buffer, .size = size};
    if (size < 8 || span->line == 0) {
        if (size)
            buffer[0] = 0;
        return 0;
    }
    for (uint32_t n = span->line; n <= span->end_line && !w.full; n++) {
        struct pt_str line = pt_source_text_line(text, n);
        size_t from = n == span->line ? span->column : 0;
        size_t to = n == span->end_line ? span->end_column : line.len;
        if (to > line.len)
            to = line.len;
        if (from < to)
            put(&w, (struct pt_str){line.data + from, to - from});
        if (text->at >= text->text.len)
            break; /* it ends before the span does */
    }
    if (w.full)
        put_dots(&w);
    buffer[w.used] = 0;
    return w.used;
}
