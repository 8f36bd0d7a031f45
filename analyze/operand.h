/* What the arguments of instructions mean, as Python's dis module shows it.
 *
 * It is told from the log's opcode table and names; the versions of CPython
 * differ here in a few arguments only (operand.c has the table).
 * Thread rule: a handle belongs to one thread; the trace may be shared. */
#ifndef PT_ANALYZE_OPERAND_H
#define PT_ANALYZE_OPERAND_H

#include "analyze/repr.h"

#include <pt/graph.h>

struct pt_operands;

enum pt_status pt_operands_new(const struct pt_trace *,
                               struct pt_operands **out);
void pt_operands_free(struct pt_operands *);

/* The opcode of an instruction of code object `code`; NULL where the table is
 * not known. */
const struct pt_opcode *pt_operands_opcode(const struct pt_operands *,
                                           uint32_t code,
                                           const struct pt_ins *);

/* Appends what the argument of an instruction of code object `code` means: a
 * constant's repr, a name, "to +54", "<=", "x, y".  Nothing where the number
 * says all, or names what is not there. */
void pt_operands_put(struct pt_operands *, uint32_t code, const struct pt_ins *,
                     struct pt_growing *);

#endif
