/* A coverage made by hand, for the tests of what reads one. */
#ifndef PT_TESTS_UNIT_COVERAGE_SAMPLE_H
#define PT_TESTS_UNIT_COVERAGE_SAMPLE_H

#include "analyze/coverage/model.h"
#include "analyze/output.h"

/* Two files: one of everything, and one that nothing was imported from. */
extern const struct pt_coverage coverage_sample;

/* What `report` writes, freed by the caller; its status must be PT_OK. */
char *coverage_written(const struct pt_coverage *,
                       enum pt_status (*report)(const struct pt_coverage *,
                                                struct pt_out *),
                       const struct pt_out_options *how);

#endif
