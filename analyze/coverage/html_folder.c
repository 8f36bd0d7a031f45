/* The folder of the HTML report.  A file in it says that it is ours, and lists
 * what we wrote, so that a later report takes away just that. */
#include "analyze/coverage/html.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char marker[] = ".ptana-coverage";
static const char first_line[] = "report of ptana coverage\n";
static const char *const common[] = {"index.html", "functions.html",
                                     "style.css", "report.js"};
/* Characters of a path in a page's name, which ends with a hash of all of it.
 */
enum { READABLE = 100 };

const char *
pt_cov_html_page(struct pt_str path, char *buffer)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    size_t from = path.len > READABLE ? path.len - READABLE : 0, used = 0;
    for (size_t i = 0; i < path.len; i++)
        hash = (hash ^ (unsigned char)path.data[i]) * 0x100000001b3u;
    for (size_t i = from; i < path.len; i++) {
        char c = path.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c >= '0' && c <= '9') || (c == '.' && used) || c == '-';
        buffer[used++] = plain ? c : '_';
    }
    snprintf(buffer + used, PT_COV_PAGE_NAME - used, "-%016" PRIx64 ".html",
             hash);
    return buffer;
}

static enum pt_status
fail(struct pt_error *error, enum pt_status status, const char *fmt, ...)
{
    va_list ap;
    *error = (struct pt_error){
        .status = status, .sys = errno, .offset = -1, .seq = -1};
    va_start(ap, fmt);
    vsnprintf(error->text, sizeof error->text, fmt, ap);
    va_end(ap);
    return status;
}

static enum pt_status
refuse(struct pt_error *error, const char *folder)
{
    fail(error, PT_EIO,
         "%.300s cannot be written (%s); name another folder with -o", folder,
         strerror(errno));
    return PT_EIO;
}

static bool
join(char *path, const char *folder, const char *name)
{
    return snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX;
}

/* 1: there is nothing in it but what may lie about; -1: it cannot be read. */
static int
is_empty(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    int empty = 1;
    if (!dir)
        return -1;
    while ((entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            empty = 0;
    closedir(dir);
    return empty;
}

/* Removes the pages that the marker lists; false where it is no marker. */
static bool
clean(const char *folder)
{
    char path[PATH_MAX], line[NAME_MAX + 2];
    if (!join(path, folder, marker))
        return false;
    FILE *list = fopen(path, "re");
    if (!list)
        return false;
    bool ours = fgets(line, sizeof line, list) && strcmp(line, first_line) == 0;
    while (ours && fgets(line, sizeof line, list)) {
        line[strcspn(line, "\n")] = 0;
        /* A name and no path: nothing outside is touched. */
        if (line[0] && !strchr(line, '/') && join(path, folder, line))
            unlink(path);
    }
    fclose(list);
    return ours;
}

/* Before the pages, so that a report which was cut off can be replaced, too. */
static enum pt_status
mark(const char *folder, const struct pt_coverage *c, struct pt_error *error)
{
    char path[PATH_MAX], name[PT_COV_PAGE_NAME];
    struct pt_out *out;
    enum pt_status st = pt_cov_html_open(folder, marker, path, error, &out);
    if (st != PT_OK)
        return st;
    pt_out_text(out, first_line);
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        pt_out_printf(out, "%s\n", common[i]);
    for (uint32_t i = 0; i < c->nfiles; i++)
        pt_out_printf(out, "%s\n", pt_cov_html_page(c->files[i].path, name));
    return pt_out_close(out, error);
}

enum pt_status
pt_cov_html_folder(const char *folder, const struct pt_coverage *c,
                   struct pt_error *error)
{
    if (mkdir(folder, 0777) != 0) {
        struct stat st;
        if (errno != EEXIST)
            return refuse(error, folder);
        if (stat(folder, &st) == 0 && !S_ISDIR(st.st_mode))
            return fail(error, PT_EUSAGE,
                        "%.300s is a file, and the report is a folder; name "
                        "another one with -o",
                        folder);
        int empty = is_empty(folder);
        if (empty < 0)
            return refuse(error, folder);
        if (!empty && !clean(folder))
            return fail(error, PT_EUSAGE,
                        "%.300s holds something else than a report of ptana "
                        "coverage; name another folder with -o",
                        folder);
    }
    return mark(folder, c, error);
}

enum pt_status
pt_cov_html_open(const char *folder, const char *name, char *path,
                 struct pt_error *error, struct pt_out **out)
{
    if (!join(path, folder, name)) {
        errno = ENAMETOOLONG;
        return refuse(error, folder);
    }
    struct pt_out_options options = {.path = path, .color = "never"};
    return pt_out_open(&options, error, out);
}
