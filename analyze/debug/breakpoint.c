#include "analyze/debug/breakpoint.h"

#include <stdlib.h>
#include <string.h>

struct pt_breakpoint *
pt_breakpoint_add(struct pt_breakpoints *all, enum pt_break_kind kind,
                  const char *text)
{
    struct pt_breakpoint **list =
        realloc(all->list, (all->n + 1) * sizeof(struct pt_breakpoint *));
    if (!list)
        return NULL;
    all->list = list;
    struct pt_breakpoint *b = calloc(1, sizeof *b);
    char *copy = strdup(text);
    if (!b || !copy) {
        free(b);
        free(copy);
        return NULL;
    }
    b->kind = (uint8_t)kind;
    b->text = copy;
    b->enabled = true;
    b->number = ++all->last;
    all->list[all->n++] = b;
    return b;
}

struct pt_breakpoint *
pt_breakpoint_find(const struct pt_breakpoints *all, unsigned number)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->list[i]->number == number)
            return all->list[i];
    return NULL;
}

static void
release(struct pt_breakpoint *b)
{
    free(b->text);
    free(b->condition);
    free(b->log);
    free(b->commands);
    free(b->targets);
    free(b->ids);
    free(b);
}

void
pt_breakpoint_delete(struct pt_breakpoints *all, struct pt_breakpoint *b)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->list[i] == b) {
            memmove(all->list + i, all->list + i + 1,
                    (all->n - i - 1) * sizeof(struct pt_breakpoint *));
            all->n--;
            release(b);
            return;
        }
}

void
pt_breakpoints_clear(struct pt_breakpoints *all)
{
    for (size_t i = 0; i < all->n; i++)
        release(all->list[i]);
    free(all->list);
    *all = (struct pt_breakpoints){0};
}
