/* A session of the Debug Adapter Protocol: what its files share.
 *
 * Requests are answered in order, one after the other.  A motion that takes
 * long looks at what comes meanwhile: a pause, or a disconnect, ends it.
 * Thread rule: as the engine. */
#ifndef PT_ANALYZE_DAP_DAP_H
#define PT_ANALYZE_DAP_DAP_H

#include "analyze/analyzer.h"
#include "analyze/dap/wire.h"
#include "analyze/debug/locals.h"
#include "analyze/operand.h"

/* What a client asked to stop at, beside the engine's breakpoint. */
struct pt_dap_stop {
    unsigned number;           /* of the breakpoint */
    char kind;                 /* 's'ource, 'f'unction, 'x'ception */
    char *file;                /* owned: of 's' */
    struct pt_expr *condition; /* owned; NULL none */
    enum { PT_HIT_ANY, PT_HIT_EXACTLY, PT_HIT_FROM, PT_HIT_EACH } hit;
    uint64_t hits, wanted; /* so many times it would have stopped; of `hit` */
    bool uncaught;         /* only where the program failed */
};

/* What an id of a frame, or of something that has variables, means until the
 * engine moves. */
struct pt_dap_frame {
    size_t thread, entry; /* index among the engine's threads; of its stack */
};
struct pt_dap_handle {
    bool locals;  /* of the frame `frame`; else of `value` */
    size_t frame; /* index among the frames */
    const struct pt_value *value;
};

struct pt_dap {
    struct pt_session *session;
    struct pt_wire wire;
    uint64_t seq;  /* of the last message that was sent */
    cJSON **early; /* requests that came while the engine moved */
    size_t nearly;
    enum pt_status status; /* what the session cannot go on after */
    bool done;             /* the client has ended it */
    bool lines0;           /* its lines count from 0 */

    /* The trace, once a client has named one. */
    struct pt_trace *trace;
    struct pt_engine *engine;
    struct pt_locals *locals;
    struct pt_graph_cache *graphs;
    struct pt_operands *operands;
    struct pt_failure failure;
    uint64_t failed_at; /* seq of the point of failure */
    enum { PT_START_FAILURE, PT_START_ENTRY, PT_START_RUN } start;
    char *recorded;   /* owned: a trace to remove at the end; NULL none */
    bool configured;  /* the client has set its breakpoints */
    uint8_t *on_disk; /* of each source: 0 not known, 1 the same, 2 not */

    struct pt_dap_stop *stops;
    size_t nstops;
    struct pt_target *targets; /* of gotoTargets, by id - 1 */
    size_t ntargets;

    /* These live until the engine moves. */
    struct pt_dap_frame *frames;
    size_t nframes;
    struct pt_dap_handle *handles;
    size_t nhandles;
    struct pt_expr_result **results;
    struct pt_expr **expressions;
    size_t nresults;
};

/* A request: fills `body`, and returns PT_OK; anything else refuses it with the
 * sentence in the session's error. */
typedef enum pt_status pt_dap_request(struct pt_dap *, const cJSON *args,
                                      cJSON *body);

/* --- dap.c ------------------------------------------------------------------
 */

/* Refuses the request. */
enum pt_status pt_dap_refuse(struct pt_dap *, enum pt_status, const char *fmt,
                             ...) __attribute__((format(printf, 3, 4)));
/* Sends an event, whose body it takes. */
void pt_dap_event(struct pt_dap *, const char *name, cJSON *body);
/* Sends text for the client's console: "console", "stdout", "stderr". */
void pt_dap_output(struct pt_dap *, const char *category, struct pt_str);
/* Reads a message ahead of its turn; false where the client has gone. */
bool pt_dap_read_ahead(struct pt_dap *);
/* Whether a request of that name waits. */
bool pt_dap_waits(const struct pt_dap *, const char *command);
/* Room for one more item of an array; NULL, and the session fails, without
 * memory. */
void *pt_dap_grow(struct pt_dap *, void *array, size_t n, size_t size);

/* --- text -------------------------------------------------------------------
 */

/* Members of an object; strings become UTF-8 without NUL. */
void pt_dap_put_str(cJSON *, const char *key, struct pt_str);
void pt_dap_put_number(cJSON *, const char *key, double);
/* An argument; `otherwise` where it is not there or of another type. */
const char *pt_dap_text(const cJSON *args, const char *key,
                        const char *otherwise);
/* A whole number that a double holds exactly. */
int64_t pt_dap_number(const cJSON *args, const char *key, int64_t otherwise);
bool pt_dap_flag(const cJSON *args, const char *key, bool otherwise);
uint32_t pt_dap_line_in(const struct pt_dap *, const cJSON *of,
                        const char *key);
void pt_dap_line_out(const struct pt_dap *, cJSON *, const char *key,
                     uint32_t line);

/* --- launch.c: the trace ----------------------------------------------------
 */

pt_dap_request pt_dap_attach, pt_dap_launch;
void pt_dap_close(struct pt_dap *);

/* --- motion.c ---------------------------------------------------------------
 */

/* Goes to where a session begins, and tells so. */
void pt_dap_begin(struct pt_dap *);
/* What ids meant until now is forgotten. */
void pt_dap_forget(struct pt_dap *);
/* A step of any kind names a thread. */
pt_dap_request pt_dap_continue, pt_dap_step, pt_dap_goto, pt_dap_goto_targets,
    pt_dap_exception_info;
/* Does what the request before has asked for, once it is answered. */
void pt_dap_after(struct pt_dap *, const char *command, const cJSON *args);
/* Hooks of the engine. */
bool pt_dap_interrupted(void *dap);

/* --- stops.c ----------------------------------------------------------------
 */

pt_dap_request pt_dap_set_breakpoints, pt_dap_set_functions,
    pt_dap_set_exceptions;
bool pt_dap_holds(void *dap, struct pt_engine *, struct pt_breakpoint *);
void pt_dap_log(void *dap, struct pt_engine *, struct pt_breakpoint *);
const struct pt_dap_stop *pt_dap_stop_of(const struct pt_dap *,
                                         unsigned number);
void pt_dap_stops_clear(struct pt_dap *);

/* --- look.c -----------------------------------------------------------------
 */

pt_dap_request pt_dap_threads, pt_dap_stack, pt_dap_scopes, pt_dap_variables,
    pt_dap_evaluate;

/* --- sources.c --------------------------------------------------------------
 */

pt_dap_request pt_dap_source, pt_dap_loaded, pt_dap_disassemble;
/* The source of a code object, as the protocol describes one. */
cJSON *pt_dap_source_of(struct pt_dap *, uint32_t code);

#endif
