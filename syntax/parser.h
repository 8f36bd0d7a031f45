/* Syntax from a source's text, by Python's own parser: an interpreter of the
 * minor version that ran the program is started with parse.py, which parses
 * text after text and runs nothing of them.
 *
 * A text that cannot be parsed, or that its interpreter dies of or takes too
 * long for, has a syntax that says so.
 * Thread rule: a parser belongs to one thread; pt_parser_cancel() is for
 * others. */
#ifndef PT_SYNTAX_PARSER_H
#define PT_SYNTAX_PARSER_H

#include <pt/syntax.h>

#include <stdatomic.h>

struct pt_parser {
    int fd;  /* of its standard input and output, -1 none */
    int pid; /* 0 none */
    uint32_t version;
    atomic_bool cancelled; /* by another thread */
};

/* Starts the interpreter `python`, a path or a name to look for on PATH;
 * `niceness` is added to our own.  PT_EIO with a sentence where it cannot
 * parse, PT_END when it was cancelled meanwhile. pt_parser_stop() afterwards in
 * any case; a parser may be started again. */
enum pt_status pt_parser_start(struct pt_parser *, const char *python,
                               int niceness, struct pt_error *error);
/* Ends the interpreter; nothing happens where there is none. */
void pt_parser_stop(struct pt_parser *);

/* The syntax of `text`, of source 0: the caller says which it is, and frees it.
 * PT_END when it was cancelled, PT_ENOMEM.  Where parser->pid is 0 afterwards,
 * the text has cost the interpreter its life: start another. */
enum pt_status pt_parser_parse(struct pt_parser *, struct pt_str text,
                               struct pt_syntax **out);

/* The call under way, and all that follow, return PT_END soon. */
void pt_parser_cancel(struct pt_parser *);

/* From parse.py's answer: PT_EDAMAGED where it is not as it should be. */
enum pt_status pt_parser_answer(struct pt_str answer, struct pt_syntax **out);

#endif
