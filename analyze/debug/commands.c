/* The table of commands, finding one, and their help. */
#include "analyze/debug/debugger.h"

#include <string.h>

#define RUN(name) .run = pt_command_##name
const struct pt_command pt_commands[] = {
    {"step", "s", "[N]", "To the next line, into what is called.", true,
     RUN(step)},
    {"next", "n", "[N]",
     "To the next line of this function, over what is "
     "called.",
     true, RUN(next)},
    {"finish", "fin", "", "Out of the selected function, behind its return.",
     true, RUN(finish)},
    {"until", "u", "[WHERE]",
     "To a line further down, out of a loop; or to a "
     "place, or out of this function.",
     true, RUN(until)},
    {"advance", NULL, "WHERE", "To a place.", true, RUN(advance)},
    {"continue", "c|fg", "[N]", "To the next stop, or the N-th.", true,
     RUN(continue)},
    {"stepi", "si", "[N]", "To the next instruction.", true, RUN(stepi)},
    {"nexti", "ni", "[N]", "... of this function, over what is called.", true,
     RUN(nexti)},
    {"reverse-step", "rs", "[N]", "As step, backwards.", true, RUN(rstep)},
    {"reverse-next", "rn", "[N]", "As next, backwards.", true, RUN(rnext)},
    {"reverse-finish", "rf", "",
     "To before the call of the selected "
     "function.",
     true, RUN(rfinish)},
    {"reverse-until", "ru", "[WHERE]",
     "As until, backwards: to a line further "
     "up.",
     true, RUN(runtil)},
    {"reverse-advance", NULL, "WHERE", "As advance, backwards.", true,
     RUN(radvance)},
    {"reverse-continue", "rc", "[N]", "As continue, backwards.", true,
     RUN(rcontinue)},
    {"reverse-stepi", "rsi", "[N]", "As stepi, backwards.", true, RUN(rstepi)},
    {"reverse-nexti", "rni", "[N]", "As nexti, backwards.", true, RUN(rnexti)},

    {"break", "b|br|brea", "WHERE [thread N] [if CONDITION]",
     "Stop at FILE:LINE, LINE, or a function: NAME, CLASS.NAME, MODULE.NAME, a "
     "glob.",
     false, RUN(break)},
    {"tbreak", "tb", "WHERE [thread N] [if CONDITION]", "... once.", false,
     RUN(tbreak)},
    {"logpoint", "dprintf", "WHERE,TEXT",
     "Print TEXT there, with the value of each {EXPRESSION} in it, and go on.",
     false, RUN(logpoint)},
    {"catch", NULL, "exception [TYPE] | call NAME | thread",
     "Stop where an exception is raised, a C function or a class is called, a "
     "thread begins or ends.",
     false, RUN(catch)},
    {"watch", NULL, "EXPRESSION",
     "Stop where its value changes, with the variables of the selected frame.",
     false, RUN(watch)},
    {"delete", "d", "[NUMBER...]", "Delete breakpoints; without a number, all.",
     false, RUN(delete)},
    {"enable", "en", "[NUMBER...]", "Heed breakpoints again.", false,
     RUN(enable)},
    {"disable", "dis", "[NUMBER...]", "Heed breakpoints no more.", false,
     RUN(disable)},
    {"ignore", NULL, "NUMBER COUNT", "Pass over the next COUNT hits.", false,
     RUN(ignore)},
    {"condition", NULL, "NUMBER [CONDITION]",
     "Stop only where the expression is true; without one, always.", false,
     RUN(condition)},
    {"commands", NULL, "[NUMBER]",
     "The lines up to \"end\" are run when the breakpoint stops.", false,
     RUN(commands)},

    {"goto", "g", "POSITION",
     "To an event SEQ or SEQ+K, a time since ptrec began (1.5s, 20ms), a mark, "
     "begin, end, failure, or the N-th time that a place ran: WHERE N; -1 is "
     "the last.",
     false, RUN(goto)},
    {"when", NULL, "", "The position and the time here.", false, RUN(when)},
    {"mark", NULL, "[NAME]", "Give this position a name.", false, RUN(mark)},
    {"thread", "t", "[ID]", "Look at another thread at this moment.", false,
     RUN(thread)},
    {"backtrace", "bt|where|w", "[N | -N]",
     "The stack: all, the N innermost, or the N outermost.", false,
     RUN(backtrace)},
    {"frame", "f", "[N]", "Select a frame of the stack, and show it.", false,
     RUN(frame)},
    {"up", NULL, "[N]", "Select the caller.", true, RUN(up)},
    {"down", NULL, "[N]", "Select what it called.", true, RUN(down)},
    {"list", "l", "[LINE | FIRST,LAST | FUNCTION | -]",
     "The source around here, then what follows, or with - what comes before.",
     true, RUN(list)},
    {"disassemble", NULL, "[FUNCTION]", "The instructions of a function.",
     false, RUN(disassemble)},
    {"calls", NULL, "[N]",
     "The calls that the selected function made, N before and N behind here.",
     false, RUN(calls)},
    {"info", "i", "WHAT",
     "locals, args, threads, processes, tasks, breakpoints, marks, line, "
     "source, sources, "
     "functions [GLOB].",
     false, RUN(info)},
    {"print", "p", "EXPRESSION",
     "What a Python expression is in the selected frame, by the values that "
     "were recorded.",
     false, RUN(print)},
    {"display", NULL, "[EXPRESSION]", "Print it wherever it stops.", false,
     RUN(display)},
    {"undisplay", NULL, "[NUMBER]", "No more.", false, RUN(undisplay)},
    {"last", NULL, "NAME", "Where a variable got the value it has.", false,
     RUN(last)},
    {"history", NULL, "NAME", "The values it had until here, and where.", false,
     RUN(history)},
    {"search", NULL, "TEXT", "Functions and classes with TEXT in their names.",
     false, RUN(search)},
    {"source", NULL, "FILE", "Run the commands of a file.", false, RUN(source)},
    {"echo", NULL, "TEXT", "Print TEXT.", false, RUN(echo)},
    {"help", "h", "[COMMAND]", "What there is.", false, RUN(help)},
    {"quit", "q|exit", "", "Leave.", false, RUN(quit)},
    {0}};
#undef RUN

const struct pt_command *
pt_command_find(const char *word, size_t len, bool *several)
{
    const struct pt_command *found = NULL;
    char text[32];
    *several = false;
    if (len == 0 || len >= sizeof text)
        return NULL;
    memcpy(text, word, len);
    text[len] = 0;
    for (const struct pt_command *c = pt_commands; c->name; c++)
        if (strcmp(c->name, text) == 0 ||
            (c->aliases && pt_word_among(c->aliases, text)))
            return c;
    for (const struct pt_command *c = pt_commands; c->name; c++)
        if (strncmp(c->name, text, len) == 0) {
            *several = found != NULL;
            if (*several)
                return NULL;
            found = c;
        }
    return found;
}

static void
put_command(struct pt_out *o, const struct pt_command *c)
{
    pt_out_style(o, PT_STYLE_BOLD);
    pt_out_text(o, c->name);
    pt_out_style(o, PT_STYLE_PLAIN);
    if (*c->usage)
        pt_out_printf(o, " %s", c->usage);
    if (c->aliases) {
        pt_out_text(o, "   (");
        for (const char *p = c->aliases; *p; p++)
            if (*p == '|')
                pt_out_text(o, ", ");
            else
                pt_out_char(o, *p);
        pt_out_char(o, ')');
    }
    pt_out_printf(o, "\n    %s\n", c->help);
}

bool
pt_command_help(struct pt_debugger *d, const char *args)
{
    bool several;
    if (*args) {
        const struct pt_command *c =
            pt_command_find(args, strlen(args), &several);
        if (!c)
            return pt_debug_refuse(d, "There is no command \"%s\".", args);
        put_command(d->out, c);
        return true;
    }
    for (const struct pt_command *c = pt_commands; c->name; c++)
        put_command(d->out, c);
    pt_out_text(d->out,
                "A command may be cut to a beginning that no other has, and an "
                "empty line repeats the last step.\n");
    return true;
}
