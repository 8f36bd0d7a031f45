/* The tree of processes, drawn as ps --forest does.
 *
 * A parent is told before its child, so it has the lower id: what a damaged
 * trace says otherwise is not believed, and there are no circles. */
#include "analyze/info.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEEPEST = 40, /* levels that are drawn further in */
    HEAD = 63,    /* columns before the command */
    LEAST = 20,   /* of a command, however narrow the terminal */
    COMMAND = 1024
};

struct node {
    uint32_t parent; /* 0 none */
    uint32_t child, last, next;
    uint32_t depth;
    uint64_t events;
};

static void
append(struct node *nodes, uint32_t parent, uint32_t id)
{
    struct node *above = &nodes[parent];
    if (above->last != 0)
        nodes[above->last].next = id;
    else
        above->child = id;
    above->last = id;
    nodes[id].parent = parent;
    nodes[id].depth = parent == 0 ? 0 : above->depth + 1;
}

/* nodes[0] has those that nobody in the trace has started. */
static void
build(const struct pt_trace *trace, const struct pt_info *info,
      struct node *nodes)
{
    uint32_t n = pt_trace_process_count(trace);
    for (uint32_t id = 1; id <= n; id++) {
        const struct pt_process *p = pt_trace_process(trace, id);
        if (p == NULL)
            continue;
        bool known =
            p->parent < id && pt_trace_process(trace, p->parent) != NULL;
        append(nodes, known ? p->parent : 0, id);
    }
    for (uint32_t id = 1; id <= pt_trace_thread_count(trace); id++) {
        const struct pt_thread *t = pt_trace_thread(trace, id);
        if (t != NULL && t->process <= n)
            nodes[t->process].events += info->threads[id].events;
    }
}

static void
put_end(struct pt_out *o, const struct pt_process_end *end)
{
    char text[PT_NUMBER_TEXT];
    const char *name;
    switch (end != NULL ? end->ending : PT_ENDED_UNKNOWN) {
    case PT_ENDED_EXIT:
        snprintf(text, sizeof text, "exit %" PRId32, end->value);
        break;
    case PT_ENDED_SIGNAL:
        name = sigabbrev_np(end->value);
        snprintf(text, sizeof text, name != NULL ? "SIG%s" : "signal %.0s%d",
                 name != NULL ? name : "", end->value);
        break;
    default:
        snprintf(text, sizeof text, "%s", pt_info_ending(end));
        break;
    }
    pt_out_printf(o, "  %-9s", text);
}

/* Where lines have to fit, a command loses its middle. */
static void
put_command(struct pt_out *o, const struct pt_process *p, uint32_t indent)
{
    char text[COMMAND];
    size_t n = 0;
    if (!o->fit) {
        pt_info_words(o, p->argv, p->argc);
        return;
    }
    text[0] = '\0';
    for (size_t i = 0; i < p->argc && n + 2 < sizeof text; i++) {
        if (i > 0)
            text[n++] = ' ';
        n += pt_text_escape(p->argv[i], text + n, sizeof text - n);
    }
    uint32_t used = HEAD + indent;
    pt_text_shorten(text, o->width > used + LEAST ? o->width - used : LEAST);
    pt_out_text(o, text);
}

static void
put_row(struct pt_session *s, const struct node *nodes, uint32_t id)
{
    const struct pt_process *p = pt_trace_process(s->trace, id);
    const struct pt_process_end *end = pt_trace_process_end(s->trace, id);
    char text[PT_NUMBER_TEXT];
    pt_out_printf(s->out, "%7" PRIu32 " #%-5" PRIu32, p->pid, id);
    pt_out_printf(s->out, " %10s", pt_text_duration(p->time, text));
    pt_out_printf(s->out, " %10s",
                  end != NULL ? pt_text_duration(end->time, text) : "");
    pt_out_printf(s->out, " %13s", pt_text_grouped(nodes[id].events, text));
    put_end(s->out, end);
    uint32_t depth = nodes[id].depth < DEEPEST ? nodes[id].depth : DEEPEST;
    pt_out_spaces(s->out, 2 + 4 * (depth > 0 ? depth - 1 : 0));
    if (depth > 0)
        pt_out_text(s->out, "\\_  ");
    put_command(s->out, p, 4 * depth);
    pt_out_char(s->out, '\n');
}

enum pt_status
pt_info_tree(struct pt_session *s, const struct pt_info *info)
{
    struct node *nodes =
        calloc((size_t)pt_trace_process_count(s->trace) + 1, sizeof *nodes);
    if (nodes == NULL)
        return PT_ENOMEM;
    build(s->trace, info, nodes);
    pt_out_style(s->out, PT_STYLE_BOLD);
    pt_out_printf(s->out, "%7s %-6s %10s %10s %13s  %-9s  %s\n", "pid", "id",
                  "begins", "ends", "events", "how", "command");
    pt_out_style(s->out, PT_STYLE_PLAIN);
    for (uint32_t id = nodes[0].child; id != 0;) {
        put_row(s, nodes, id);
        if (nodes[id].child != 0) {
            id = nodes[id].child;
            continue;
        }
        while (id != 0 && nodes[id].next == 0)
            id = nodes[id].parent;
        id = id != 0 ? nodes[id].next : 0;
    }
    free(nodes);
    return PT_OK;
}
