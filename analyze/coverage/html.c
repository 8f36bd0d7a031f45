/* The HTML report: a folder of pages that need no network.  The list of files
 * and the list of functions and classes are here; a page for each file is in
 * html_source.c. */
#include "analyze/coverage/html.h"
#include "analyze/coverage/regions.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

static const char style[] =
#include "coverage_style.h"
    ;
static const char script[] =
#include "coverage_script.h"
    ;

struct report {
    const struct pt_coverage *coverage;
    const char *folder;
    struct pt_error *error;
};

/* --- a list's rows -------------------------------------------------------- */

/* The first `texts` columns are text, the others numbers; NULL is left out. */
static void
put_headings(struct pt_out *out, const char *const *titles, size_t n,
             size_t texts)
{
    pt_out_text(out, "<table class=\"list\">\n<thead><tr>");
    for (size_t i = 0; i < n; i++)
        if (titles[i])
            pt_out_printf(out, "<th%s>%s</th>",
                          i < texts ? " class=\"text\"" : "", titles[i]);
    pt_out_text(out, "</tr></thead>\n<tbody>\n");
}

static void
put_numbers(struct pt_out *out, const struct pt_coverage *c,
            const struct pt_cov_total *t)
{
    pt_cov_html_number(out, t->lines.of);
    pt_cov_html_number(out, t->lines.of - t->lines.have);
    pt_cov_html_number(out, t->excluded);
    if (c->has_arcs) {
        pt_cov_html_number(out, t->arcs.of);
        pt_cov_html_number(out, t->partial);
    }
    if (c->has_conditions)
        pt_cov_html_number(out, t->conditions.of - t->conditions.have);
    if (c->has_mcdc)
        pt_cov_html_number(out, t->alone.of - t->alone.have);
    pt_cov_html_percent(out, pt_cov_percent(t, c->has_arcs));
    pt_out_text(out, "</tr>\n");
}

static void
put_page_link(struct pt_out *out, const struct pt_cov_file *f, uint32_t line)
{
    char name[PT_COV_PAGE_NAME];
    pt_out_printf(out, "<td class=\"text\"><a href=\"%s",
                  pt_cov_html_page(f->path, name));
    if (line)
        pt_out_printf(out, "#L%" PRIu32, line);
    pt_out_text(out, "\">");
}

static void
put_nav(struct pt_out *out, const struct pt_coverage *c,
        const struct pt_cov_total *total, bool files)
{
    pt_out_text(out, "<nav>\n");
    pt_cov_html_shares(out, c, total);
    pt_out_text(out, files ? "<b>Files</b> <a href=\"functions.html\">"
                             "Functions and classes</a>\n"
                           : "<a href=\"index.html\" rel=\"up\">Files</a> "
                             "<b>Functions and classes</b>\n");
    pt_out_text(out, "<input id=\"filter\" type=\"search\" placeholder="
                     "\"filter (/)\" aria-label=\"filter\" "
                     "spellcheck=\"false\">\n</nav>\n</header>\n<main>\n");
}

/* --- the lists ------------------------------------------------------------ */

static enum pt_status
put_files(const struct report *r, struct pt_out *out,
          const struct pt_cov_file *file)
{
    const struct pt_coverage *c = r->coverage;
    struct pt_cov_total total = pt_coverage_total(c);
    const char *const titles[] = {"File",
                                  "Statements",
                                  "Missing",
                                  "Excluded",
                                  c->has_arcs ? "Branches" : NULL,
                                  c->has_arcs ? "Partial" : NULL,
                                  c->has_conditions ? "Outcomes missing" : NULL,
                                  c->has_mcdc ? "MC/DC missing" : NULL,
                                  "Coverage"};
    static const char title[] = "Coverage";
    pt_cov_html_begin(out, (struct pt_str){title, sizeof title - 1}, false);
    put_nav(out, c, &total, true);
    put_headings(out, titles, sizeof titles / sizeof *titles, 1);
    for (uint32_t i = 0; i < c->nfiles; i++) {
        struct pt_cov_total t = pt_cov_file_total(&c->files[i]);
        pt_out_text(out, "<tr>");
        put_page_link(out, &c->files[i], 0);
        pt_cov_html_str(out, c->files[i].path);
        pt_out_text(out, "</a></td>");
        put_numbers(out, c, &t);
    }
    pt_out_printf(
        out, "</tbody>\n<tfoot><tr><td class=\"text\">%" PRIu32 " file%s</td>",
        c->nfiles, pt_text_plural(c->nfiles));
    put_numbers(out, c, &total);
    pt_out_text(out, "</tfoot>\n</table>\n</main>\n");
    pt_cov_html_end(out, c);
    return PT_OK;
}

static void
put_function(const struct report *r, struct pt_out *out,
             const struct pt_cov_file *f, uint32_t row,
             const struct pt_cov_regions *regions)
{
    const struct pt_cov_function *fn = &f->functions[row];
    struct pt_cov_total t = pt_cov_regions_total(regions, f, row);
    pt_out_text(out, "<tr>");
    put_page_link(out, f, fn->line);
    pt_cov_html_str(out, fn->name);
    pt_out_text(out, fn->class_ ? "</a> (class)</td>" : "</a></td>");
    put_page_link(out, f, 0);
    pt_cov_html_str(out, f->path);
    pt_out_text(out, "</a></td>");
    if (fn->calls || fn->excluded)
        pt_cov_html_number(out, fn->calls);
    else
        pt_out_text(out, "<td data-value=\"0\" class=\"none\">never</td>");
    pt_cov_html_number(out, t.lines.of);
    pt_cov_html_number(out, t.lines.of - t.lines.have);
    pt_cov_html_percent(out, pt_cov_percent(&t, r->coverage->has_arcs));
    pt_out_text(out, "</tr>\n");
}

static enum pt_status
put_functions_of(const struct report *r, struct pt_out *out,
                 const struct pt_cov_file *f)
{
    struct pt_cov_regions functions, classes;
    enum pt_status st = pt_cov_regions_init(&functions, f, false);
    if (st != PT_OK)
        return st;
    st = pt_cov_regions_init(&classes, f, true);
    if (st == PT_OK) {
        for (uint32_t i = 0; i < f->nfunctions; i++)
            put_function(r, out, f, i,
                         f->functions[i].class_ ? &classes : &functions);
        pt_cov_regions_clear(&classes);
    }
    pt_cov_regions_clear(&functions);
    return st;
}

static enum pt_status
put_functions(const struct report *r, struct pt_out *out,
              const struct pt_cov_file *file)
{
    static const char *const titles[] = {"Function",   "File",    "Calls",
                                         "Statements", "Missing", "Coverage"};
    static const char title[] = "Coverage of functions and classes";
    const struct pt_coverage *c = r->coverage;
    struct pt_cov_total total = pt_coverage_total(c);
    enum pt_status st = PT_OK;
    pt_cov_html_begin(out, (struct pt_str){title, sizeof title - 1}, false);
    put_nav(out, c, &total, false);
    put_headings(out, titles, sizeof titles / sizeof *titles, 2);
    for (uint32_t i = 0; st == PT_OK && i < c->nfiles; i++)
        st = put_functions_of(r, out, &c->files[i]);
    pt_out_text(out, "</tbody>\n</table>\n</main>\n");
    pt_cov_html_end(out, c);
    return st;
}

/* --- the folder ----------------------------------------------------------- */

static enum pt_status
put_style(const struct report *r, struct pt_out *out,
          const struct pt_cov_file *file)
{
    pt_out_text(out, style);
    return PT_OK;
}

static enum pt_status
put_script(const struct report *r, struct pt_out *out,
           const struct pt_cov_file *file)
{
    pt_out_text(out, script);
    return PT_OK;
}

static enum pt_status
put_source(const struct report *r, struct pt_out *out,
           const struct pt_cov_file *file)
{
    return pt_cov_html_source(r->coverage, file, out);
}

/* Writes one page by `put`; `file` is what it is about, NULL all. */
static enum pt_status
write_page(const struct report *r, const char *name,
           enum pt_status (*put)(const struct report *, struct pt_out *,
                                 const struct pt_cov_file *),
           const struct pt_cov_file *file)
{
    char path[PATH_MAX];
    struct pt_error ignored;
    struct pt_out *out;
    enum pt_status st = pt_cov_html_open(r->folder, name, path, r->error, &out);
    if (st != PT_OK)
        return st;
    st = put(r, out, file);
    enum pt_status closed =
        pt_out_close(out, st == PT_OK ? r->error : &ignored);
    return st == PT_OK ? closed : st;
}

enum pt_status
pt_cov_html(const struct pt_coverage *c, const char *folder,
            struct pt_error *error)
{
    struct report r = {c, folder, error};
    char name[PT_COV_PAGE_NAME];
    enum pt_status st = pt_cov_html_folder(folder, c, error);
    if (st == PT_OK)
        st = write_page(&r, "style.css", put_style, NULL);
    if (st == PT_OK)
        st = write_page(&r, "report.js", put_script, NULL);
    for (uint32_t i = 0; st == PT_OK && i < c->nfiles; i++)
        st = write_page(&r, pt_cov_html_page(c->files[i].path, name),
                        put_source, &c->files[i]);
    if (st == PT_OK)
        st = write_page(&r, "functions.html", put_functions, NULL);
    /* Last, so that what it lists is there. */
    return st == PT_OK ? write_page(&r, "index.html", put_files, NULL) : st;
}
