/* The debugger's command line: commands over the engine, and how places look.
 *
 * Everything is printed through the session's output, refusals too, so that a
 * transcript is in order.
 * Thread rule: as the session. */
#ifndef PT_ANALYZE_DEBUG_DEBUGGER_H
#define PT_ANALYZE_DEBUG_DEBUGGER_H

#include "analyze/analyzer.h"
#include "analyze/debug/locals.h"
#include "analyze/debug/view.h"
#include "analyze/operand.h"
#include "analyze/source_text.h"
#include "analyze/value_text.h"

struct pt_mark {
    char *name; /* owned */
    uint64_t seq, k;
};

struct pt_display {
    unsigned number;
    struct pt_expr *expr; /* owned */
};

struct pt_watch;
struct pt_terminal;

struct pt_debugger {
    struct pt_session *session;
    const struct pt_trace *trace;
    struct pt_out *out;
    struct pt_engine *engine;
    struct pt_graph_cache *graphs;
    struct pt_operands *operands;
    struct pt_locals *locals;
    struct pt_display *displays;
    size_t ndisplays;
    unsigned last_display;    /* number given */
    struct pt_watch *watches; /* nwatches of them */
    size_t nwatches;
    struct pt_terminal *terminal; /* NULL: commands come from elsewhere */
    struct pt_source_text text;   /* of source ... */
    uint32_t source;              /* ... with this id */
    struct pt_mark *marks;
    size_t nmarks;
    /* What was shown last: a frame is named again when it is another. */
    uint32_t shown_thread;
    uint64_t shown_frame;
    /* Where list goes on. */
    uint32_t listed_code, listed_first, listed_last;
    char *last;                       /* command that an empty line repeats */
    struct pt_breakpoint *collecting; /* whose commands are being given */
    unsigned depth; /* of files and commands that run others */
    bool quit;
    bool refused;          /* some command was */
    enum pt_status status; /* what nobody can go on after; PT_OK */
};

/* --- shell.c ----------------------------------------------------------------
 */

/* Runs one line; false where it was refused.  `typed`: an empty line repeats.
 */
bool pt_debug_line(struct pt_debugger *, const char *line, bool typed);
/* The lines of a file, up to one that is refused. */
bool pt_debug_file(struct pt_debugger *, const char *path);
/* Prints a sentence; always false. */
bool pt_debug_refuse(struct pt_debugger *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* True for PT_OK; what cannot be gone on after ends the session, all else is
 * refused with a sentence. */
bool pt_debug_check(struct pt_debugger *, enum pt_status);

/* --- commands.c -------------------------------------------------------------
 */

struct pt_command {
    const char *name;
    const char *aliases; /* "s|st" or NULL */
    const char *usage;   /* what follows the name, "" nothing */
    const char *help;    /* one sentence */
    bool repeats;        /* an empty line does it again */
    bool (*run)(struct pt_debugger *, const char *args);
};
extern const struct pt_command pt_commands[]; /* ends with a NULL name */
/* By name, alias, or a beginning that only one command has; NULL otherwise,
 * and *several tells whether more than one has it. */
const struct pt_command *pt_command_find(const char *word, size_t len,
                                         bool *several);
bool pt_command_help(struct pt_debugger *, const char *args);

/* What the table has, by file. */
bool pt_command_step(struct pt_debugger *, const char *args); /* run.c */
bool pt_command_next(struct pt_debugger *, const char *args);
bool pt_command_until(struct pt_debugger *, const char *args);
bool pt_command_advance(struct pt_debugger *, const char *args);
bool pt_command_finish(struct pt_debugger *, const char *args);
bool pt_command_continue(struct pt_debugger *, const char *args);
bool pt_command_stepi(struct pt_debugger *, const char *args);
bool pt_command_nexti(struct pt_debugger *, const char *args);
bool pt_command_rstep(struct pt_debugger *, const char *args);
bool pt_command_rnext(struct pt_debugger *, const char *args);
bool pt_command_runtil(struct pt_debugger *, const char *args);
bool pt_command_radvance(struct pt_debugger *, const char *args);
bool pt_command_rfinish(struct pt_debugger *, const char *args);
bool pt_command_rcontinue(struct pt_debugger *, const char *args);
bool pt_command_rstepi(struct pt_debugger *, const char *args);
bool pt_command_rnexti(struct pt_debugger *, const char *args);

bool pt_command_break(struct pt_debugger *, const char *args); /* stops.c */
bool pt_command_tbreak(struct pt_debugger *, const char *args);
bool pt_command_logpoint(struct pt_debugger *, const char *args);
bool pt_command_catch(struct pt_debugger *, const char *args);
bool pt_command_watch(struct pt_debugger *, const char *args); /* watch.c */
bool pt_command_delete(struct pt_debugger *, const char *args);
bool pt_command_enable(struct pt_debugger *, const char *args);
bool pt_command_disable(struct pt_debugger *, const char *args);
bool pt_command_ignore(struct pt_debugger *, const char *args);
bool pt_command_condition(struct pt_debugger *, const char *args);
bool pt_command_commands(struct pt_debugger *, const char *args);
bool pt_info_breakpoints(struct pt_debugger *, const char *args);

bool pt_command_goto(struct pt_debugger *, const char *args); /* go.c */
bool pt_command_when(struct pt_debugger *, const char *args);
bool pt_command_mark(struct pt_debugger *, const char *args);
bool pt_command_thread(struct pt_debugger *, const char *args);
bool pt_info_marks(struct pt_debugger *, const char *args);

bool pt_command_backtrace(struct pt_debugger *, const char *args); /* stack.c */
bool pt_command_frame(struct pt_debugger *, const char *args);
bool pt_command_up(struct pt_debugger *, const char *args);
bool pt_command_down(struct pt_debugger *, const char *args);

bool pt_command_list(struct pt_debugger *, const char *args); /* list.c */
bool pt_command_disassemble(struct pt_debugger *, const char *args);

bool pt_command_info(struct pt_debugger *, const char *args); /* info.c */
bool pt_command_search(struct pt_debugger *, const char *args);
bool pt_command_calls(struct pt_debugger *, const char *args); /* calls.c */

bool pt_command_print(struct pt_debugger *, const char *args); /* data.c */
bool pt_command_display(struct pt_debugger *, const char *args);
bool pt_command_undisplay(struct pt_debugger *, const char *args);
bool pt_command_last(struct pt_debugger *, const char *args);
bool pt_command_history(struct pt_debugger *, const char *args);
bool pt_info_locals(struct pt_debugger *, const char *args);
bool pt_info_args(struct pt_debugger *, const char *args);

bool pt_command_source(struct pt_debugger *, const char *args); /* shell.c */
bool pt_command_echo(struct pt_debugger *, const char *args);
bool pt_command_quit(struct pt_debugger *, const char *args);

/* A whole number of `args`, *out where there is none; false, and a sentence,
 * for anything else or less than `least`. */
bool pt_debug_count(struct pt_debugger *, const char *args, uint64_t least,
                    uint64_t *out);
/* Whether nothing follows the command; else a sentence. */
bool pt_debug_nothing(struct pt_debugger *, const char *args);

/* --- where.c ----------------------------------------------------------------
 */

/* Where the engine is: the frame, where it is another than was shown or `whole`
 * is true, and its line. */
bool pt_debug_show(struct pt_debugger *, bool whole);
/* The selected frame; false, with a sentence, where there is none. */
bool pt_debug_frame(struct pt_debugger *, struct pt_frame *out);
/* "fails at t1.py:14"; "builtins.len (C)". */
void pt_debug_put_frame(struct pt_debugger *, const struct pt_frame *);
/* A file's name, below the directory that ptrec ran in without that. */
void pt_debug_put_file(struct pt_debugger *, struct pt_str file);
/* "12+3". */
void pt_debug_put_seq(struct pt_debugger *, uint64_t seq, uint64_t k);
/* "#2 (worker)". */
void pt_debug_put_thread(struct pt_debugger *, uint32_t thread);
/* A line of a code object's source; false where the trace has no source. */
bool pt_debug_source(struct pt_debugger *, uint32_t code, uint32_t line,
                     struct pt_str *out);
/* One instruction; `here` marks it. */
void pt_debug_put_ins(struct pt_debugger *, const struct pt_graph *,
                      uint32_t index, bool here);
/* What an event of the log says, as a sentence without its end. */
void pt_debug_put_event(struct pt_debugger *, const struct pt_place *);

/* --- data.c -----------------------------------------------------------------
 */

/* An expression; false, with a sentence, for what is none. */
bool pt_debug_parse(struct pt_debugger *, const char *text,
                    struct pt_expr **out);
/* The hooks of the engine for conditions and logs; the state is the debugger.
 */
bool pt_debug_holds(void *state, struct pt_engine *, struct pt_breakpoint *);
void pt_debug_log(void *state, struct pt_engine *, struct pt_breakpoint *);
/* What is displayed wherever it stops. */
void pt_debug_displays(struct pt_debugger *);

/* --- watch.c ----------------------------------------------------------------
 */

/* The engine's hook. */
enum pt_status pt_debug_change(void *state, struct pt_breakpoint *,
                               bool reverse, uint64_t seq, uint64_t *out);
/* What it was before and is behind an event that changed it. */
bool pt_debug_put_change(struct pt_debugger *, const struct pt_breakpoint *);
void pt_debug_watches_clear(struct pt_debugger *);

/* --- edit.c -----------------------------------------------------------------
 */

/* NULL where the input or the output is no terminal, or there is no memory. */
struct pt_terminal *pt_terminal_new(struct pt_debugger *);
void pt_terminal_free(struct pt_terminal *);
/* The next line, with its end, borrowed; NULL at the end of the input. */
const char *pt_terminal_line(struct pt_terminal *, const char *prompt);
/* From now on SIGINT ends what takes long, not the program. */
void pt_interrupts_begin(void);
void pt_interrupts_end(void);
/* Whether one has come since the last call of _forget. */
bool pt_interrupted(void *unused);
void pt_interrupts_forget(void);

#endif
