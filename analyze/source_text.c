#include "analyze/source_text.h"
#include "analyze/output.h"

#include <string.h>

enum { TAB = 8, MOST = 1024 };

/* Python ends a line at \n, \r\n and \r. */
static size_t
line_end(struct pt_str text, size_t at)
{
    while (at < text.len && text.data[at] != '\n' && text.data[at] != '\r')
        at++;
    return at;
}

static size_t
behind(struct pt_str text, size_t end)
{
    if (end + 1 < text.len && text.data[end] == '\r' &&
        text.data[end + 1] == '\n')
        return end + 2;
    return end < text.len ? end + 1 : end;
}

struct pt_str
pt_source_text_line(struct pt_source_text *s, uint32_t number)
{
    if (s->line == 0 || number < s->line) {
        static const char mark[] = "\xef\xbb\xbf";
        bool marked = s->text.len >= 3 && memcmp(s->text.data, mark, 3) == 0;
        s->at = marked ? 3 : 0;
        s->line = 1;
    }
    for (; s->line < number && s->at < s->text.len; s->line++)
        s->at = behind(s->text, line_end(s->text, s->at));
    if (s->line != number || s->at >= s->text.len)
        return (struct pt_str){"", 0};
    return (struct pt_str){s->text.data + s->at,
                           line_end(s->text, s->at) - s->at};
}

unsigned
pt_source_text_indent(struct pt_str line)
{
    unsigned columns = 0;
    for (size_t i = 0; i < line.len; i++) {
        if (line.data[i] == '\t')
            columns += TAB - columns % TAB;
        else if (line.data[i] == ' ')
            columns++;
        else
            return columns;
    }
    return 0; /* an empty line is not indented */
}

void
pt_source_text_show(struct pt_str line, unsigned indent, char *buffer,
                    size_t size)
{
    char plain[MOST];
    size_t n = 0;
    unsigned column = 0;
    for (size_t i = 0; i < line.len && n < sizeof plain; i++) {
        char ch = line.data[i];
        if (ch != '\t') {
            plain[n++] = ch;
            column++;
            continue;
        }
        do
            plain[n++] = ' ';
        while (++column % TAB && n < sizeof plain);
    }
    size_t skip = 0;
    while (skip < n && skip < indent && plain[skip] == ' ')
        skip++;
    while (n > skip && plain[n - 1] == ' ')
        n--;
    pt_text_escape((struct pt_str){plain + skip, n - skip}, buffer, size);
}
