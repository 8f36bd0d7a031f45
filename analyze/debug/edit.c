/* The terminal: editing lines, history, completion, and interrupts. */
#include "analyze/debug/debugger.h"

#include <errno.h>
#include <histedit.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct pt_terminal {
    struct pt_debugger *debugger;
    EditLine *edit;
    History *history;
    const char *prompt;
};

/* --- interrupts ------------------------------------------------------------
 */

/* Of the process: a signal's handler has nothing else to tell by. */
static volatile sig_atomic_t interrupts;
static struct sigaction before;

static void
note(int signal)
{
    interrupts = 1;
}

void
pt_interrupts_begin(void)
{
    struct sigaction act = {.sa_handler = note};
    sigemptyset(&act.sa_mask);
    interrupts = 0;
    sigaction(SIGINT, &act, &before);
}

void
pt_interrupts_end(void)
{
    sigaction(SIGINT, &before, NULL);
}

bool
pt_interrupted(void *unused)
{
    return interrupts;
}

void
pt_interrupts_forget(void)
{
    interrupts = 0;
}

/* --- completion ------------------------------------------------------------
 */

/* What a word can become: the most that all candidates have in common. */
struct completion {
    const char *word;
    size_t len;
    char common[256];
    size_t n;
};

static void
consider(struct completion *c, const char *name, size_t len)
{
    if (len < c->len || len >= sizeof c->common ||
        memcmp(name, c->word, c->len) != 0)
        return;
    if (c->n++ == 0) {
        memcpy(c->common, name, len);
        c->common[len] = 0;
        return;
    }
    size_t same = 0;
    while (same < len && c->common[same] == name[same])
        same++;
    c->common[same] = 0;
}

static void
consider_functions(struct completion *c, const struct pt_trace *trace)
{
    for (uint32_t id = 1; id <= pt_trace_code_count(trace); id++) {
        const struct pt_code *code = pt_trace_code(trace, id);
        if (code)
            consider(c, code->qualname.data, code->qualname.len);
    }
}

/* Commands as the first word, functions behind it. */
static unsigned char
complete(EditLine *edit, int ch)
{
    struct pt_terminal *t;
    const LineInfo *line = el_line(edit);
    const char *begin = line->cursor;
    if (el_get(edit, EL_CLIENTDATA, &t) != 0)
        return CC_ERROR;
    while (begin > line->buffer && begin[-1] != ' ')
        begin--;
    bool first = begin == line->buffer;
    struct completion c = {.word = begin,
                           .len = (size_t)(line->cursor - begin)};
    if (first)
        for (const struct pt_command *k = pt_commands; k->name; k++)
            consider(&c, k->name, strlen(k->name));
    else
        consider_functions(&c, t->debugger->trace);
    if (c.n == 0 || (c.n > 1 && strlen(c.common) == c.len))
        return CC_ERROR;
    el_insertstr(edit, c.common + c.len);
    if (c.n == 1)
        el_insertstr(edit, " ");
    return CC_REFRESH;
}

/* --- lines -----------------------------------------------------------------
 */

static char *
prompt_of(EditLine *edit)
{
    struct pt_terminal *t;
    return (char *)(el_get(edit, EL_CLIENTDATA, &t) == 0 ? t->prompt : "");
}

struct pt_terminal *
pt_terminal_new(struct pt_debugger *d)
{
    HistEvent event;
    if (!isatty(STDIN_FILENO) || !pt_out_is_terminal(d->out))
        return NULL;
    struct pt_terminal *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->debugger = d;
    t->history = history_init();
    t->edit = el_init("ptana", stdin, stdout, stderr);
    if (!t->history || !t->edit) {
        pt_terminal_free(t);
        return NULL;
    }
    history(t->history, &event, H_SETSIZE, 1000);
    history(t->history, &event, H_SETUNIQUE, 1);
    el_set(t->edit, EL_CLIENTDATA, t);
    el_set(t->edit, EL_PROMPT, prompt_of);
    el_set(t->edit, EL_EDITOR, "emacs");
    el_set(t->edit, EL_HIST, history, t->history);
    el_set(t->edit, EL_ADDFN, "complete", "complete a word", complete);
    el_set(t->edit, EL_BIND, "^I", "complete", NULL);
    el_set(t->edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_source(t->edit, NULL);
    return t;
}

void
pt_terminal_free(struct pt_terminal *t)
{
    if (!t)
        return;
    if (t->edit)
        el_end(t->edit);
    if (t->history)
        history_end(t->history);
    free(t);
}

const char *
pt_terminal_line(struct pt_terminal *t, const char *prompt)
{
    HistEvent event;
    int count = 0;
    t->prompt = prompt;
    for (;;) {
        errno = 0;
        pt_interrupts_forget();
        const char *line = el_gets(t->edit, &count);
        if (line && count > 0) {
            if (line[strspn(line, " \t\n")])
                history(t->history, &event, H_ENTER, line);
            pt_interrupts_forget();
            return line;
        }
        /* Ctrl-C gives up the line, no more. */
        if (!pt_interrupted(NULL))
            return NULL;
        el_reset(t->edit);
        pt_out_char(t->debugger->out, '\n');
        pt_out_flush(t->debugger->out);
    }
}
