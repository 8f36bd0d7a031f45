/* What the tests of the log share: a small log that holds every kind of
 * chunk, definition, constant, event and column, and comparisons.
 * Thread rule: one thread; Criterion runs each test in a process of its own. */
#ifndef PT_TEST_FORMAT_H
#define PT_TEST_FORMAT_H

#include <pt/reader.h>
#include <pt/writer.h>

#define S(literal) ((struct pt_str){literal, sizeof(literal) - 1})

/* A directory of the test's own, removed with all that is in it. */
struct place {
    char dir[64];
    char path[96];   /* dir/t.ptr */
    char part[112];  /* dir/t.ptr.part */
    char second[96]; /* dir/u.ptr */
};
void place_make(struct place *);
void place_remove(struct place *);

/* A header whose quantum is 32 ticks and whose tick is a little less than
 * half a nanosecond. */
const struct pt_header *sample_header(void);

/* Writes a log with all of that and two threads; the first failure of the
 * writer, when the file is still closed or abandoned properly. */
enum pt_status sample_write(const char *path);
/* The same with a chunk of each optional type too, one of them unknown. */
void sample_write_all(const struct place *);
enum { SAMPLE_EVENTS = 42 }; /* how many events it has */

/* A code object with constants of every kind; `nested` is an id. */
struct pt_code sample_code(uint32_t interpreter, uint32_t source,
                           uint32_t nested);

bool str_equal(struct pt_str, struct pt_str);
bool const_equal(const struct pt_const *, const struct pt_const *);
bool code_equal(const struct pt_code *, const struct pt_code *);
bool event_equal(const struct pt_event *, const struct pt_event *);
bool frame_equal(const struct pt_frame *, const struct pt_frame *);
bool header_equal(const struct pt_header *, const struct pt_header *);
/* True when everything that `part` defines is defined so in `whole`, or stands
 * for what is lost. */
bool defs_within(const struct pt_trace *part, const struct pt_trace *whole);

/* All events of a log by seq, seq being dense from 0. */
struct all_events {
    struct pt_event *events;
    uint64_t n;
};
struct all_events read_all(const char *path);

/* Copies a file's bytes; the caller frees them. */
unsigned char *slurp(const char *path, size_t *size);
void spit(const char *path, const unsigned char *bytes, size_t size);

#endif
