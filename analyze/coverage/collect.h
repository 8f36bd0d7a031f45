/* From traces to what coverage is made of: the sources, and for each the code
 * objects that were made of it, with how often all in them ran.
 *
 * Every trace is read once, whole chunks spread over the cores, and what is
 * kept is by code objects.  Then one source after the other is opened: its
 * syntax is obtained, its counts are summed up, and both are gone when it is
 * closed.
 * Thread rule: a collection belongs to one thread.  What is borrowed from it
 * lives as long as it does, and as its traces. */
#ifndef PT_ANALYZE_COVERAGE_COLLECT_H
#define PT_ANALYZE_COVERAGE_COLLECT_H

#include "analyze/obtain.h"

#include <pt/counts.h>
#include <pt/replay.h>

/* So often CPython told (or, of a flow, would have told) that line `to` starts,
 * while the frame stood in line `from`; 0: it had just begun. */
struct pt_cov_step {
    uint32_t from, to;
    uint64_t count;
};

/* A code object of a source.  The same function of two traces, or of two
 * processes that compiled it, is two of them. */
struct pt_cov_code {
    uint32_t trace;   /* the number of its trace */
    uint32_t id;      /* in that trace */
    uint32_t version; /* of Python: major << 8 | minor */
    const struct pt_code *code;
    const struct pt_graph *graph;  /* borrowed; NULL: none can be made */
    struct pt_code_counts *counts; /* NULL: nothing of it ran, or the trace is
                                      none of the flow and has only steps */
    struct pt_cov_step *steps;     /* by from, to */
    uint32_t nsteps;
    uint64_t calls; /* how often a frame of it began */
    bool once;      /* counts and steps say that it ran, not how often */
};

/* A source, opened. */
struct pt_cov_source {
    struct pt_str path;       /* absolute; borrowed */
    struct pt_str text;       /* borrowed; empty where nobody has it */
    struct pt_syntax *syntax; /* NULL: `lacks` says why */
    char lacks[PT_ERROR_TEXT];
    uint32_t version; /* of the syntax: the newest that ran it */
    uint32_t others;  /* code objects that were made of another text, and are
                         left out */
    struct pt_cov_code *codes; /* by trace, then id; none: never imported */
    uint32_t ncodes;
};

struct pt_collection;

/* `python` is --python's value, borrowed; NULL none. */
enum pt_status pt_collection_new(const char *python,
                                 struct pt_collection **out);
void pt_collection_free(struct pt_collection *);

/* Reads what a trace (borrowed) tells within a filter (may be NULL); the first
 * one that is added is number 0.  A range begins and ends with events: of what
 * follows SEQ in SEQ+K all is counted at its beginning, nothing at its end; but
 * the line that a last branch leads to has begun.
 * PT_EUSAGE with a sentence where it tells of no lines. */
enum pt_status pt_collection_add(struct pt_collection *,
                                 const struct pt_trace *,
                                 const struct pt_filter *, struct pt_trouble *,
                                 struct pt_error *);
size_t pt_collection_traces(const struct pt_collection *);
const struct pt_trace *pt_collection_trace(const struct pt_collection *,
                                           size_t i);

/* Behind the last trace: finds the sources.  What has no file, as "<string>",
 * is none. */
enum pt_status pt_collection_finish(struct pt_collection *);
/* Adds a source that no trace ran, unless it is there; both are copied.  Then
 * numbers of sources are others. */
enum pt_status pt_collection_extend(struct pt_collection *, struct pt_str path,
                                    struct pt_str text);

/* The sources, by path. */
size_t pt_collection_count(const struct pt_collection *);
struct pt_str pt_collection_path(const struct pt_collection *, size_t i);
/* Where the standard library of the Python lies that ran it; "" unknown. */
struct pt_str pt_collection_stdlib(const struct pt_collection *, size_t i);
/* Whether it lies beside the Python that ran it, as the scripts do that
 * packages install there. */
bool pt_collection_is_script(const struct pt_collection *, size_t i);
/* Whether a trace has code objects of it. */
bool pt_collection_ran(const struct pt_collection *, size_t i);
/* PT_ENOMEM; that there is no syntax is no failure. */
enum pt_status pt_collection_open(struct pt_collection *, size_t i,
                                  struct pt_cov_source **out);
void pt_collection_close(struct pt_cov_source *);

#endif
