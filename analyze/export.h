/* What the formats of ptana export have in common: a format is one file that
 * exports one struct pt_export_format, and one line in export.c.
 *
 * A format is either a timeline, which is told of each call as it begins and
 * ends (analyze/spans.h), so that its memory does not grow with the trace, or a
 * summary of the call tree (analyze/calltree.h), whose memory is by distinct
 * paths. */
#ifndef PT_ANALYZE_EXPORT_H
#define PT_ANALYZE_EXPORT_H

#include "analyze/analyzer.h"
#include "analyze/json.h"
#include "analyze/names.h"
#include "analyze/profile_fold.h"
#include "analyze/spans.h"

#include <pt/version.h>

struct pt_export_options {
    bool all_calls, by_thread;
};

struct pt_export {
    const struct pt_session *session;
    const struct pt_export_options *options;
    const struct pt_trace *trace;
    struct pt_out *out;
    struct pt_json json;     /* on `out`, for who wants one */
    struct pt_growing label; /* scratch: pt_export_thread(), _process() */
    uint32_t *path;          /* of pt_export_path() */
    void *state;             /* the format's, `size` bytes, zeroed */
};

struct pt_export_format {
    const char *name;
    size_t size;
    bool binary; /* not for a terminal */
    /* Of a summary: the tree, with a root for each thread where `by_thread` or
     * the option asks for it.  A format without it is a timeline. */
    bool by_thread;
    enum pt_status (*tree)(struct pt_export *, const struct pt_profile *);

    bool lines;            /* spans know lines */
    bool thread_by_thread; /* the spans of each thread follow those of the one
                              before, between thread() and thread_end() */
    enum pt_status (*begin)(struct pt_export *);
    enum pt_status (*thread)(struct pt_export *, uint32_t thread);
    enum pt_status (*begun)(void *export, const struct pt_span_lane *);
    enum pt_status (*ended)(void *export, const struct pt_span_lane *,
                            int64_t time);
    enum pt_status (*spent)(void *export, const struct pt_span_lane *,
                            uint64_t ns, uint32_t line);
    enum pt_status (*gap)(void *export, const struct pt_span_lane *,
                          int64_t time, uint64_t lost);
    enum pt_status (*thread_end)(struct pt_export *, uint32_t thread);
    enum pt_status (*end)(struct pt_export *);
    void (*clear)(struct pt_export *); /* also after a failure */
};

extern const struct pt_export_format pt_export_chrome, pt_export_speedscope,
    pt_export_csv, pt_export_callgrind, pt_export_collapsed, pt_export_pprof;

/* Profiles the session's trace with the tree of calls, with a root for each
 * thread where `threads`; *out is to be freed.  Says on stderr what the trace
 * lacks, and which paths gave way. */
enum pt_status pt_export_profile(struct pt_session *, bool all_calls,
                                 bool threads, struct pt_profile **out);

/* What a function of a profile is called; PT_CALLTREE_MORE is "(more)".
 * `buffer` as names.h has it. */
struct pt_function_name pt_export_name(const struct pt_profile *, uint32_t fn,
                                       char *buffer);
/* Appends the name of a thread, with its process where there are several. */
void pt_export_track_name(const struct pt_trace *, uint32_t thread,
                          struct pt_growing *);

/* The name of a thread, of a process, or of a thread with its process where
 * there are several, until the next call. */
struct pt_str pt_export_thread(struct pt_export *, uint32_t id);
struct pt_str pt_export_track(struct pt_export *, uint32_t thread);
struct pt_str pt_export_process(struct pt_export *, uint32_t id);
/* The function of a lane's last span; `buffer` as names.h has it. */
struct pt_function_name pt_export_function(const struct pt_export *,
                                           const struct pt_span *,
                                           char *buffer);
/* Stores the nodes from the outermost function to `node` in x->path; how many
 * there are, which is at least 1. */
uint32_t pt_export_path(struct pt_export *, const struct pt_calltree *,
                        uint32_t node);
/* Whether the filter lets a thread pass; so do those that nothing defines. */
bool pt_export_wants(const struct pt_export *, uint32_t thread);
/* PT_OK, or PT_END when nothing more can be written: what is left need not be
 * made. */
enum pt_status pt_export_status(const struct pt_export *);

#endif
