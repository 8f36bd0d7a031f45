#include "analyze/coverage/html.h"
#include "analyze/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Characters that change the order in which others are shown, by which a source
 * can look like another. */
static bool
is_turning(uint32_t code)
{
    return (code >= 0x202a && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0x200e ||
           code == 0x200f || code == 0x61c;
}

static const char *
entity(uint32_t code)
{
    switch (code) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void
pt_cov_html_str(struct pt_out *out, struct pt_str s)
{
    char text[64];
    for (size_t i = 0; i < s.len;) {
        uint32_t code;
        unsigned n = pt_utf8_next(s.data + i, s.len - i, &code);
        const char *name = entity(code);
        if (name)
            pt_out_text(out, name);
        else if (is_turning(code))
            pt_out_printf(out, "\\u%04" PRIx32, code);
        else if (code == '\t')
            pt_out_char(out, '\t');
        else {
            size_t used = pt_text_escape((struct pt_str){s.data + i, n}, text,
                                         sizeof text);
            pt_out_bytes(out, text, used);
        }
        i += n;
    }
}

void
pt_cov_html_begin(struct pt_out *out, struct pt_str title, bool up)
{
    pt_out_text(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
                     "<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width\">\n"
                     "<title>");
    pt_cov_html_str(out, title);
    pt_out_text(out, "</title>\n"
                     "<link rel=\"stylesheet\" href=\"style.css\">\n"
                     "<script src=\"report.js\" defer></script>\n"
                     "</head>\n<body>\n<header>\n<h1>");
    if (up)
        pt_out_text(out, "<a href=\"index.html\" rel=\"up\" "
                         "title=\"all files (u)\">&uarr;</a> ");
    pt_cov_html_str(out, title);
    pt_out_text(out, "</h1>\n");
}

static void
put_share(struct pt_out *out, const char *what,
          const struct pt_cov_share *share)
{
    pt_out_printf(out, "<span>%s <b>%" PRIu64 "</b> of %" PRIu64 "</span>\n",
                  what, share->have, share->of);
}

void
pt_cov_html_shares(struct pt_out *out, const struct pt_coverage *c,
                   const struct pt_cov_total *t)
{
    char text[PT_NUMBER_TEXT];
    pt_out_printf(out, "<span class=\"shares\"><span><b>%s%%</b></span>\n",
                  pt_cov_percent_text(pt_cov_percent(t, c->has_arcs), 0, text));
    put_share(out, "lines", &t->lines);
    if (c->has_arcs)
        put_share(out, "branches", &t->arcs);
    if (c->has_conditions)
        put_share(out, "outcomes of conditions", &t->conditions);
    if (c->has_mcdc)
        put_share(out, "MC/DC", &t->alone);
    pt_out_text(out, "</span>\n");
}

void
pt_cov_html_end(struct pt_out *out, const struct pt_coverage *c)
{
    pt_out_text(out, "<footer>ptana coverage of");
    for (uint32_t i = 0; i < c->ntraces; i++) {
        pt_out_text(out, i ? ", " : " ");
        pt_cov_html_str(out,
                        (struct pt_str){c->traces[i], strlen(c->traces[i])});
    }
    pt_out_text(out, "</footer>\n</body>\n</html>\n");
}

void
pt_cov_html_number(struct pt_out *out, uint64_t n)
{
    pt_out_printf(out, "<td data-value=\"%" PRIu64 "\">%" PRIu64 "</td>", n, n);
}

void
pt_cov_html_percent(struct pt_out *out, double percent)
{
    char text[PT_NUMBER_TEXT];
    pt_out_printf(
        out,
        "<td class=\"percents\" data-value=\"%.6f\"><span class=\"bar\">"
        "<i style=\"width:%.1f%%\"></i></span>"
        "<span class=\"percent\">%s%%</span></td>",
        percent, percent, pt_cov_percent_text(percent, 0, text));
}
