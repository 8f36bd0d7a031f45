/* The view of lines as one JSON object: files, and in each its lines. */
#include "analyze/json.h"
#include "analyze/profile_lines.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line of a file; several functions can have it. */
struct place {
    struct pt_str file;
    uint32_t line;
    uint64_t hits, exclusive, inclusive, spread;
};

static int
compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    size_t n = x->file.len < y->file.len ? x->file.len : y->file.len;
    int c = n ? memcmp(x->file.data, y->file.data, n) : 0;
    if (c == 0)
        c = (x->file.len > y->file.len) - (x->file.len < y->file.len);
    return c ? c : (x->line > y->line) - (x->line < y->line);
}

static bool
same_file(const struct place *a, const struct place *b)
{
    return a->file.len == b->file.len &&
           memcmp(a->file.data, b->file.data, a->file.len) == 0;
}

static size_t
join_places(struct place *places, size_t n)
{
    size_t kept = 0;
    if (n)
        qsort(places, n, sizeof *places, compare_places);
    for (size_t i = 0; i < n; i++) {
        if (!kept || compare_places(&places[kept - 1], &places[i]) != 0) {
            places[kept++] = places[i];
            continue;
        }
        struct place *p = &places[kept - 1];
        p->hits += places[i].hits;
        p->exclusive += places[i].exclusive;
        p->inclusive += places[i].inclusive;
        p->spread += places[i].spread;
    }
    return kept;
}

/* The lines of the functions that are shown. */
static enum pt_status
find_places(const struct pt_profile_lines *l, struct place **out, size_t *n)
{
    struct place *places = malloc(((size_t)l->n + 1) * sizeof *places);
    size_t count = 0;
    if (!places)
        return PT_ENOMEM;
    for (size_t i = 0; i < l->rows.shown; i++) {
        const struct pt_profile_row *row = &l->rows.rows[i];
        uint32_t first, lines = pt_profile_lines_of(l, row->index, &first);
        for (uint32_t k = 0; k < lines; k++) {
            const struct pt_heat_line *c = l->lines[first + k];
            if (c->line || pt_profile_lines_ran(c))
                places[count++] = (struct place){row->file,
                                                 c->line,
                                                 c->hits,
                                                 c->exclusive,
                                                 pt_heat_inclusive(c),
                                                 c->spread};
        }
    }
    *n = join_places(places, count);
    *out = places;
    return PT_OK;
}

static void
json_function(struct pt_json *j, const struct pt_profile_row *r)
{
    pt_json_open(j, '{');
    pt_json_member_str(j, "name", r->name);
    pt_json_member_str(j, "file", r->file);
    pt_json_member_u64(j, "line", r->line);
    pt_json_member_u64(j, "calls", r->fn->calls);
    pt_json_member_u64(j, "exclusive", r->fn->exclusive);
    pt_json_member_u64(j, "inclusive", r->fn->inclusive);
    pt_json_close(j, '}');
}

static void
json_place(struct pt_json *j, const struct place *p)
{
    char number[16];
    snprintf(number, sizeof number, "%" PRIu32, p->line);
    pt_json_key(j, number);
    pt_json_open(j, '{');
    pt_json_member_u64(j, "hits", p->hits);
    pt_json_member_u64(j, "exclusive", pt_profile_heat_ns(p->exclusive));
    pt_json_member_u64(j, "inclusive", pt_profile_heat_ns(p->inclusive));
    pt_json_member_bool(j, "exact", p->spread == 0);
    pt_json_close(j, '}');
}

static void
json_files(struct pt_json *j, const struct place *places, size_t n)
{
    pt_json_open(j, '{');
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || !same_file(&places[i - 1], &places[i])) {
            if (i > 0)
                pt_json_close(j, '}');
            pt_json_key_str(j, places[i].file);
            pt_json_open(j, '{');
        }
        json_place(j, &places[i]);
    }
    if (n > 0)
        pt_json_close(j, '}');
    pt_json_close(j, '}');
}

enum pt_status
pt_profile_lines_json(struct pt_session *s, const struct pt_profile_lines *l)
{
    struct place *places;
    struct pt_json j;
    size_t n;
    enum pt_status st = find_places(l, &places, &n);
    if (st != PT_OK)
        return st;
    pt_profile_json_open(&j, s);
    j.compact = 4; /* a line of a file is a line of the report */
    pt_json_key(&j, "files");
    json_files(&j, places, n);
    pt_json_key(&j, "functions");
    pt_json_open(&j, '[');
    for (size_t i = 0; i < l->rows.shown; i++)
        json_function(&j, &l->rows.rows[i]);
    pt_json_close(&j, ']');
    pt_profile_json_close(&j, s, l->heat->functions, &l->rows);
    free(places);
    return PT_OK;
}
