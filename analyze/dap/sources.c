/* Sources as the program had them, and instructions. */
#include "analyze/dap/dap.h"
#include "analyze/names.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INSTRUCTIONS_MOST = 10000, FILE_TEXT = 4096 };

/* --- sources ----------------------------------------------------------------
 */

/* Whether the file that is there now has this text. */
static bool
has_text(struct pt_str path, struct pt_str text)
{
    char name[FILE_TEXT], piece[16384];
    struct stat s;
    size_t at = 0;
    ssize_t n = -1;
    if (path.len == 0 || path.len >= sizeof name || path.data[0] != '/' ||
        memchr(path.data, 0, path.len))
        return false;
    memcpy(name, path.data, path.len);
    name[path.len] = '\0';
    /* The name is the trace's: a pipe must not be waited for. */
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return false;
    if (fstat(fd, &s) == 0 && S_ISREG(s.st_mode) &&
        (uint64_t)s.st_size == text.len)
        while ((n = read(fd, piece, sizeof piece)) > 0 &&
               (size_t)n <= text.len - at &&
               memcmp(piece, text.data + at, (size_t)n) == 0)
            at += (size_t)n;
    close(fd);
    return n == 0 && at == text.len;
}

static bool
is_on_disk(struct pt_dap *d, uint32_t id, const struct pt_source *s)
{
    if (!d->on_disk[id])
        d->on_disk[id] =
            has_text(s->path.len ? s->path : s->file, s->text) ? 1 : 2;
    return d->on_disk[id] == 1;
}

/* An editor shows the file where that still is what ran; else it asks for the
 * text by the source's id. */
static cJSON *
describe(struct pt_dap *d, uint32_t id, struct pt_str file)
{
    const struct pt_source *s = id ? pt_trace_source(d->trace, id) : NULL;
    cJSON *item = cJSON_CreateObject();
    struct pt_str path = s && s->path.len ? s->path : file, name = path;
    const char *slash = name.len ? memrchr(name.data, '/', name.len) : NULL;
    if (slash) {
        name.len -= (size_t)(slash + 1 - name.data);
        name.data = slash + 1;
    }
    pt_dap_put_str(item, "name", name);
    pt_dap_put_str(item, "path", path);
    if (s && s->text.len && !is_on_disk(d, id, s)) {
        pt_dap_put_number(item, "sourceReference", id);
        cJSON_AddStringToObject(item, "origin", "as it was recorded");
    }
    return item;
}

cJSON *
pt_dap_source_of(struct pt_dap *d, uint32_t code)
{
    const struct pt_code *c = pt_trace_code(d->trace, code);
    return c ? describe(d, c->source, c->file) : NULL;
}

enum pt_status
pt_dap_source(struct pt_dap *d, const cJSON *args, cJSON *body)
{
    const cJSON *of = cJSON_GetObjectItemCaseSensitive(args, "source");
    int64_t id = pt_dap_number(of, "sourceReference",
                               pt_dap_number(args, "sourceReference", 0));
    const char *path = pt_dap_text(of, "path", "");
    const struct pt_source *s = NULL;
    if (id > 0 && id <= UINT32_MAX)
        s = pt_trace_source(d->trace, (uint32_t)id);
    for (uint32_t i = 1; !s && i <= pt_trace_source_count(d->trace); i++) {
        const struct pt_source *one = pt_trace_source(d->trace, i);
        struct pt_str p = one ? one->path : (struct pt_str){0};
        if (one && *path && p.len == strlen(path) &&
            memcmp(p.data, path, p.len) == 0)
            s = one;
    }
    if (!s || s->text.len == 0)
        return pt_dap_refuse(d, PT_ENOTFOUND,
                             "the trace has no text of this source");
    pt_dap_put_str(body, "content", s->text);
    cJSON_AddStringToObject(body, "mimeType", "text/x-python");
    return PT_OK;
}

enum pt_status
pt_dap_loaded(struct pt_dap *d, const cJSON *args, cJSON *body)
{
    cJSON *list = cJSON_AddArrayToObject(body, "sources");
    for (uint32_t i = 1; i <= pt_trace_source_count(d->trace); i++) {
        const struct pt_source *s = pt_trace_source(d->trace, i);
        if (s)
            cJSON_AddItemToArray(list, describe(d, i, s->file));
    }
    return PT_OK;
}

/* --- instructions -----------------------------------------------------------
 */

static void
put_instruction(struct pt_dap *d, cJSON *list, const struct pt_graph *g,
                int64_t index)
{
    cJSON *item = cJSON_CreateObject();
    char where[64], number[32];
    cJSON_AddItemToArray(list, item);
    if (index < 0 || index >= g->n) {
        /* As many are answered as were asked for. */
        snprintf(where, sizeof where, "%" PRIu32 "%+" PRId64, g->code,
                 2 * index);
        cJSON_AddStringToObject(item, "address", where);
        cJSON_AddStringToObject(item, "instruction", "");
        cJSON_AddStringToObject(item, "presentationHint", "invalid");
        return;
    }
    const struct pt_ins *ins = &g->ins[index];
    const struct pt_opcode *op = pt_operands_opcode(d->operands, g->code, ins);
    struct pt_growing text = {0};
    snprintf(where, sizeof where, "%" PRIu32 "+%" PRIu32, g->code, ins->off);
    cJSON_AddStringToObject(item, "address", where);
    if (op)
        pt_growing_str(&text, op->name);
    else
        pt_growing_text(&text, "?");
    if (op && op->flags & PT_OP_ARG) {
        snprintf(number, sizeof number, " %" PRIu32, ins->arg);
        pt_growing_text(&text, number);
        size_t before = text.used;
        pt_growing_text(&text, " (");
        pt_operands_put(d->operands, g->code, ins, &text);
        if (text.used == before + 2)
            text.used = before;
        else
            pt_growing_text(&text, ")");
    }
    pt_dap_put_str(item, "instruction", pt_growing_whole(&text));
    pt_growing_free(&text);
    if (ins->line) {
        cJSON *source = pt_dap_source_of(d, g->code);
        if (source)
            cJSON_AddItemToObject(item, "location", source);
        pt_dap_line_out(d, item, "line", ins->line);
    }
}

/* "CODE+OFFSET": a code object's id, and a byte in it. */
enum pt_status
pt_dap_disassemble(struct pt_dap *d, const cJSON *args, cJSON *body)
{
    const char *text = pt_dap_text(args, "memoryReference", "");
    unsigned long code, off = 0;
    char *end;
    int64_t shift = pt_dap_number(args, "instructionOffset", 0);
    int64_t n = pt_dap_number(args, "instructionCount", 0);
    cJSON *list = cJSON_AddArrayToObject(body, "instructions");
    code = strtoul(text, &end, 10);
    if (*end == '+')
        off = strtoul(end + 1, &end, 10);
    int64_t moved =
        (int64_t)(off & UINT32_MAX) + pt_dap_number(args, "offset", 0);
    const struct pt_graph *g =
        *end || code == 0 || code > UINT32_MAX
            ? NULL
            : pt_graph_cache_at(d->graphs, (uint32_t)code);
    if (!g)
        return pt_dap_refuse(d, PT_ENOTFOUND, "there is no code at \"%.60s\"",
                             text);
    uint32_t at = moved >= 0 && moved <= UINT32_MAX
                      ? pt_graph_index(g, (uint32_t)moved)
                      : PT_INS_NONE;
    int64_t first = at == PT_INS_NONE ? moved / 2 : at;
    if (shift > INT32_MAX || shift < INT32_MIN)
        return pt_dap_refuse(d, PT_EUSAGE, "there is no code so far off");
    for (int64_t i = 0; i < n && i < INSTRUCTIONS_MOST; i++)
        put_instruction(d, list, g, first + shift + i);
    return PT_OK;
}
