/* Collapsed stacks, as flamegraph.pl and many others read them: a line for each
 * path that took time, its functions from the outermost on, and its ns. */
#include "analyze/export.h"

#include <string.h>

/* A semicolon would part one function into two. */
static void
put_text(struct pt_out *o, struct pt_str s)
{
    for (const char *q; s.len && (q = memchr(s.data, ';', s.len));) {
        size_t n = (size_t)(q - s.data);
        pt_out_str(o, (struct pt_str){s.data, n});
        pt_out_char(o, ':');
        s = (struct pt_str){q + 1, s.len - n - 1};
    }
    pt_out_str(o, s);
}

static struct pt_str
base_name(struct pt_str file)
{
    const char *slash = file.len ? memrchr(file.data, '/', file.len) : NULL;
    if (!slash)
        return file;
    size_t n = (size_t)(slash + 1 - file.data);
    return (struct pt_str){slash + 1, file.len - n};
}

/* "name (file.py:12)", as py-spy writes it; C functions have no file. */
static void
put_function(struct pt_export *x, const struct pt_profile *p, uint32_t fn)
{
    char buffer[PT_NAME_TEXT];
    struct pt_function_name f = pt_export_name(p, fn, buffer);
    put_text(x->out, f.name);
    if (f.line == 0)
        return;
    pt_out_text(x->out, " (");
    put_text(x->out, base_name(f.file));
    pt_out_char(x->out, ':');
    pt_out_u64(x->out, f.line);
    pt_out_char(x->out, ')');
}

static enum pt_status
put_tree(struct pt_export *x, const struct pt_profile *p)
{
    const struct pt_calltree *t = p->tree;
    for (uint32_t i = 1; i < t->n && x->out->status == PT_OK; i++) {
        const struct pt_calltree_node *node = &t->nodes[i];
        if (node->depth == 0 || node->exclusive == 0)
            continue;
        uint32_t n = pt_export_path(x, t, i);
        if (x->options->by_thread) {
            uint32_t root = t->nodes[x->path[0]].parent;
            put_text(x->out, pt_export_track(x, t->nodes[root].thread));
            pt_out_char(x->out, ';');
        }
        for (uint32_t k = 0; k < n; k++) {
            if (k)
                pt_out_char(x->out, ';');
            put_function(x, p, t->nodes[x->path[k]].fn);
        }
        pt_out_char(x->out, ' ');
        pt_out_u64(x->out, node->exclusive);
        pt_out_char(x->out, '\n');
    }
    return pt_export_status(x);
}

const struct pt_export_format pt_export_collapsed = {.name = "collapsed",
                                                     .tree = put_tree};
