/* The forms of ptana dump: JSON lines, text, and text of instructions.
 * Thread rule: as the session. */
#ifndef PT_ANALYZE_DUMP_H
#define PT_ANALYZE_DUMP_H

#include "analyze/analyzer.h"
#include "analyze/repr.h"

/* --- instructions --------------------------------------------------------- */

/* One that ran, decoded; what is borrowed lives until the next call. */
struct pt_dump_ins {
    const struct pt_opcode *op; /* NULL: the bytecode is not known */
    struct pt_str meaning;      /* of the argument; "" none */
    struct pt_position at;      /* in the source */
    uint32_t arg;               /* where op->flags has PT_OP_ARG */
    uint32_t from; /* offset of the one before it in its frame, UINT32_MAX
                      unknown */
};

struct pt_disassembler;

/* The cache is borrowed. */
enum pt_status pt_disassembler_new(const struct pt_trace *,
                                   struct pt_graph_cache *,
                                   struct pt_disassembler **out);
void pt_disassembler_free(struct pt_disassembler *);
/* The instruction of an event of kind instruction; PT_ENOMEM. */
enum pt_status pt_disassembler_at(struct pt_disassembler *,
                                  const struct pt_merged *,
                                  struct pt_dump_ins *out);
/* The offset of the instruction of code object `code` that `off` lies in: an
 * inline cache's counts as its own.  `off` where that is not known. */
uint32_t pt_disassembler_place(struct pt_disassembler *, uint32_t code,
                               uint32_t off);

/* --- values --------------------------------------------------------------- */

/* A value event's; what is borrowed lives until the next call. */
struct pt_dump_value {
    struct pt_str text; /* as Python's repr() has it, in one line */
    struct pt_str name; /* of the variable; "" where it has none */
    unsigned role;
    uint32_t index;
    uint64_t told; /* seq of the event that tells it; UINT64_MAX unknown */
    bool known;    /* it is in the trace */
};

struct pt_dump_values;

/* The trace is borrowed. */
enum pt_status pt_dump_values_new(const struct pt_trace *,
                                  struct pt_dump_values **out);
void pt_dump_values_free(struct pt_dump_values *);
/* The value of an event of kind value, of at most `width` bytes, 0 without a
 * limit.  PT_EDAMAGED where its chunk cannot be read, PT_ENOMEM. */
enum pt_status pt_dump_values_at(struct pt_dump_values *,
                                 const struct pt_merged *, size_t width,
                                 struct pt_dump_value *out);
/* "x = 1  ", into PT_DUMP_TEXT bytes. */
void pt_dump_value_text(const struct pt_dump_value *, char *text);

/* --- JSON lines ----------------------------------------------------------- */

struct pt_dump_json;

enum pt_status pt_dump_json_new(struct pt_session *, struct pt_dump_json **out);
void pt_dump_json_free(struct pt_dump_json *);
/* `ins` and `value` may be NULL. */
void pt_dump_json_line(struct pt_dump_json *, const struct pt_merged *,
                       const struct pt_dump_ins *ins,
                       const struct pt_dump_value *value);

/* --- text ----------------------------------------------------------------- */

enum { PT_DUMP_TEXT = 2048 };

void pt_dump_text_head(struct pt_out *);
/* One line: seq, time, thread, kind, and where, indented by the depth.  `value`
 * may be NULL. */
void pt_dump_text_line(struct pt_session *, const struct pt_merged *,
                       const struct pt_dump_value *value);

void pt_dump_code_head(struct pt_out *);
/* One line: seq, time, thread, place in the source, and the function, indented
 * by the depth, with its instruction or, where `ins` is NULL, its event. */
void pt_dump_code_line(struct pt_session *, struct pt_disassembler *,
                       const struct pt_merged *, const struct pt_dump_ins *,
                       const struct pt_dump_value *);

/* What both lines are made of; buffers of PT_DUMP_TEXT bytes. */
/* seq, time and thread, in columns. */
void pt_dump_text_when(const struct pt_merged *, char *text);
/* What the event itself says; false where no function belongs to it. */
bool pt_dump_text_what(const struct pt_trace *, const struct pt_merged *,
                       const struct pt_dump_value *, char *text);
/* The base name of a code object's file. */
void pt_dump_text_file(const struct pt_code *, char *text);
/* Takes what `over` asks for out of `text`, which keeps `least` columns. */
void pt_dump_text_give(char *text, unsigned least, unsigned *over);

#endif
