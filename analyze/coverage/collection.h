/* The inside of a collection, shared by collect.c and sources.c only. */
#ifndef PT_ANALYZE_COVERAGE_COLLECTION_H
#define PT_ANALYZE_COVERAGE_COLLECTION_H

#include "analyze/coverage/once.h"
#include "analyze/coverage/steps.h"

#include <pt/flow.h>

/* One trace, read. */
struct pt_cov_input {
    const struct pt_trace *trace;
    struct pt_obtain *obtain;
    struct pt_graph_cache *graphs;
    struct pt_counts *counts, *before; /* of a flow, or NULL */
    struct pt_steps *steps;            /* of line events, or NULL */
    struct pt_once *once;              /* of the preset coverage, or NULL */
};

/* A code object that a file has. */
struct pt_cov_member {
    uint32_t file, trace, id;
};

struct pt_cov_entry {
    char *path; /* owned */
    size_t length;
    uint32_t trace, source; /* that the text is of; source 0: nobody has it */
    char *text;             /* owned: of a file that no trace ran */
    size_t size;
    uint32_t first, n; /* members */
    uint32_t others;   /* code objects that ran another text */
};

struct pt_collection {
    const char *python;
    struct pt_cov_input *inputs;
    size_t ninputs;
    struct pt_cov_entry *entries; /* by path */
    uint32_t nentries, capacity;
    struct pt_cov_member *members; /* by file, trace, id */
    uint32_t nmembers;
};

/* Frees entries and members. */
void pt_collection_forget(struct pt_collection *);

#endif
