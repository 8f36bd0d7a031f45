#include "record/syntaxer.h"
#include "syntax/parser.h"

#include <pt/choice.h>

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    WAITING_BYTES = 64 << 20, /* of texts; more are left to ptana */
    VERSIONS = 8,             /* of Python in one trace */
    NICENESS = 10,
    STARTS = 4, /* interpreters that may fail in a row */
};

/* A minor version that ran, and how it is called. */
struct version {
    uint32_t number;
    char *python;
    unsigned char *seen; /* by source id: it was offered */
    size_t limit;
};

struct task {
    struct task *next;
    uint32_t source;
    unsigned version;
    struct pt_syntax *made; /* once it is done */
    size_t len;
    char text[];
};

struct queue {
    struct task *first, **end;
};

struct pt_syntaxer {
    enum pt_syntax_of of;
    struct version versions[VERSIONS];
    unsigned nversions;
    struct known {
        uint32_t version; /* index + 1, 0 none */
        char *stdlib;
    } * interpreters; /* by id */
    size_t ninterpreters;
    size_t left_out;
    int fd; /* eventfd */
    bool begun;
    pthread_t thread;
    struct pt_parser parser; /* the thread's */
    unsigned failures;       /* of starts, in a row; the thread's */
    unsigned running;        /* version + 1 of the parser, 0 none */
    atomic_bool hurried;     /* somebody waits */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t come;
    struct queue waiting, done;
    size_t pending, bytes; /* in `waiting` and under way */
    bool over;
    struct pt_error error; /* why nothing more is parsed */
};

static void
append(struct queue *q, struct task *t)
{
    t->next = NULL;
    *q->end = t;
    q->end = &t->next;
}

static void
put_back(struct queue *q, struct task *t)
{
    t->next = q->first;
    q->first = t;
    if (t->next == NULL)
        q->end = &t->next;
}

static struct task *
take(struct queue *q)
{
    struct task *t = q->first;
    if (t != NULL && (q->first = t->next) == NULL)
        q->end = &q->first;
    return t;
}

static void
free_task(struct task *t)
{
    pt_syntax_free(t->made);
    free(t);
}

/* --- the thread ----------------------------------------------------------- */

/* Parses one text, with an interpreter of its version. */
static enum pt_status
parse(struct pt_syntaxer *s, struct task *t, struct pt_error *error)
{
    enum pt_status st = PT_OK;
    if (s->running != t->version + 1 || s->parser.pid == 0) {
        pt_parser_stop(&s->parser);
        s->running = t->version + 1;
        st = pt_parser_start(&s->parser, s->versions[t->version].python,
                             atomic_load(&s->hurried) ? 0 : NICENESS, error);
    }
    if (st == PT_OK)
        st = pt_parser_parse(&s->parser, (struct pt_str){t->text, t->len},
                             &t->made);
    if (st == PT_OK) {
        t->made->source = t->source;
        t->made->version = s->versions[t->version].number;
    }
    return st;
}

/* What is done with a task: to the collector, or away.  The lock is held. */
static void
hand_over(struct pt_syntaxer *s, struct task *t, enum pt_status st,
          const struct pt_error *error)
{
    uint64_t one = 1;
    s->pending--;
    s->bytes -= t->len;
    s->failures = st == PT_OK ? 0 : s->failures + 1;
    if (st == PT_OK) {
        append(&s->done, t);
    } else {
        free_task(t);
        if (s->error.status == PT_OK && st != PT_END)
            s->error = *error;
    }
    (void)!write(s->fd, &one, sizeof one);
}

static void *
work(void *arg)
{
    struct pt_syntaxer *s = arg;
    pthread_mutex_lock(&s->lock);
    while (!s->over) {
        struct task *t = take(&s->waiting);
        if (t == NULL) {
            pthread_cond_wait(&s->come, &s->lock);
            continue;
        }
        struct pt_error error = {.status = PT_ENOMEM, .text = "out of memory"};
        enum pt_status st = PT_EIO;
        if (s->failures < STARTS) {
            pthread_mutex_unlock(&s->lock);
            st = parse(s, t, &error);
            pthread_mutex_lock(&s->lock);
        }
        if (st == PT_END && !s->over) {
            /* Not over but hurried: once more, with another interpreter. */
            pt_parser_stop(&s->parser);
            atomic_store(&s->parser.cancelled, false);
            put_back(&s->waiting, t);
            continue;
        }
        hand_over(s, t, st, &error);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* --- the collector's side ------------------------------------------------- */

enum pt_status
pt_syntaxer_new(enum pt_syntax_of of, struct pt_syntaxer **out)
{
    if (of == PT_SYNTAX_NONE)
        return PT_OK;
    struct pt_syntaxer *s = calloc(1, sizeof *s);
    if (s == NULL)
        return PT_ENOMEM;
    s->of = of;
    s->parser.fd = -1;
    s->waiting.end = &s->waiting.first;
    s->done.end = &s->done.first;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->come, NULL);
    s->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    *out = s;
    return PT_OK;
}

static void
stop(struct pt_syntaxer *s)
{
    pthread_mutex_lock(&s->lock);
    s->over = true;
    pthread_cond_signal(&s->come);
    pthread_mutex_unlock(&s->lock);
    pt_parser_cancel(&s->parser);
    if (s->begun)
        pthread_join(s->thread, NULL);
    s->begun = false;
    pt_parser_stop(&s->parser);
}

void
pt_syntaxer_free(struct pt_syntaxer *s)
{
    struct task *t;
    if (s == NULL)
        return;
    stop(s);
    while ((t = take(&s->waiting)) != NULL || (t = take(&s->done)) != NULL)
        free_task(t);
    for (unsigned i = 0; i < s->nversions; i++) {
        free(s->versions[i].python);
        free(s->versions[i].seen);
    }
    for (size_t i = 0; i < s->ninterpreters; i++)
        free(s->interpreters[i].stdlib);
    free(s->interpreters);
    if (s->fd >= 0)
        close(s->fd);
    pthread_cond_destroy(&s->come);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* Index + 1 of the version, 0 where there are too many. */
static uint32_t
version_of(struct pt_syntaxer *s, const struct pt_interpreter *in)
{
    uint32_t number = in->hexversion >> 16;
    for (unsigned i = 0; i < s->nversions; i++)
        if (s->versions[i].number == number)
            return i + 1;
    char *python = strndup(in->executable.data, in->executable.len);
    if (s->nversions == VERSIONS || python == NULL || python[0] != '/') {
        free(python);
        return 0;
    }
    s->versions[s->nversions] =
        (struct version){.number = number, .python = python};
    return ++s->nversions;
}

void
pt_syntaxer_interpreter(struct pt_syntaxer *s, uint32_t id,
                        const struct pt_interpreter *in)
{
    if (s == NULL || id == 0 || in->executable.len == 0)
        return;
    if (id >= s->ninterpreters) {
        struct known *more =
            realloc(s->interpreters, (id + (size_t)1) * sizeof *more);
        if (more == NULL)
            return;
        memset(more + s->ninterpreters, 0,
               (id + 1 - s->ninterpreters) * sizeof *more);
        s->interpreters = more;
        s->ninterpreters = id + (size_t)1;
    }
    struct known *k = &s->interpreters[id];
    if (k->version != 0)
        return;
    k->stdlib =
        strndup(in->stdlib.len > 0 ? in->stdlib.data : "", in->stdlib.len);
    k->version = k->stdlib != NULL ? version_of(s, in) : 0;
}

/* True at the first call for a source. */
static bool
is_new(struct version *v, uint32_t id)
{
    if (id >= v->limit) {
        size_t limit = id + (size_t)64;
        unsigned char *more = realloc(v->seen, limit);
        if (more == NULL)
            return false;
        memset(more + v->limit, 0, limit - v->limit);
        v->seen = more;
        v->limit = limit;
    }
    bool fresh = !v->seen[id];
    v->seen[id] = 1;
    return fresh;
}

static bool
contains(struct pt_str s, const char *word)
{
    return s.len > 0 && memmem(s.data, s.len, word, strlen(word)) != NULL;
}

/* What was installed is no more the program's own than the standard library,
 * wherever it lies. */
static bool
is_own(const struct known *k, const struct pt_source *source)
{
    struct pt_rule rule = {.kind = PT_RULE_EXCLUDE_STDLIB, .value = ""};
    struct pt_choice choice = {.rules = &rule, .n = 1};
    struct pt_candidate code = {.file = source->path,
                                .stdlib = {k->stdlib, strlen(k->stdlib)}};
    return !contains(source->path, "/site-packages/") &&
           !contains(source->path, "/dist-packages/") &&
           !pt_choice_names(&choice, PT_RULE_EXCLUDE_STDLIB, &code);
}

void
pt_syntaxer_offer(struct pt_syntaxer *s, uint32_t interpreter, uint32_t id,
                  const struct pt_source *source)
{
    if (s == NULL || interpreter >= s->ninterpreters ||
        source->text.data == NULL)
        return;
    const struct known *k = &s->interpreters[interpreter];
    if (k->version == 0 || (s->of == PT_SYNTAX_OWN && !is_own(k, source)) ||
        !is_new(&s->versions[k->version - 1], id))
        return;
    size_t len = source->text.len;
    pthread_mutex_lock(&s->lock);
    bool room = s->bytes + len <= WAITING_BYTES;
    pthread_mutex_unlock(&s->lock);
    struct task *t = room ? malloc(sizeof *t + len) : NULL;
    if (t == NULL) {
        s->left_out++;
        return;
    }
    *t = (struct task){
        .source = id, .version = k->version - 1, .len = len, .made = NULL};
    memcpy(t->text, source->text.data, len);
    if (!s->begun && pthread_create(&s->thread, NULL, work, s) != 0) {
        s->left_out++;
        free(t);
        return;
    }
    s->begun = true;
    pthread_mutex_lock(&s->lock);
    append(&s->waiting, t);
    s->pending++;
    s->bytes += len;
    pthread_cond_signal(&s->come);
    pthread_mutex_unlock(&s->lock);
}

enum pt_status
pt_syntaxer_collect(struct pt_syntaxer *s, struct pt_writer *writer)
{
    enum pt_status st = PT_OK;
    if (s == NULL)
        return PT_OK;
    uint64_t n;
    (void)!read(s->fd, &n, sizeof n);
    while (st == PT_OK) {
        pthread_mutex_lock(&s->lock);
        struct task *t = take(&s->done);
        pthread_mutex_unlock(&s->lock);
        if (t == NULL)
            break;
        st = pt_writer_syntax(writer, t->made);
        /* The log refuses what is too large: not its failure. */
        if (st == PT_ELIMIT || st == PT_EUSAGE) {
            s->left_out++;
            st = PT_OK;
        }
        free_task(t);
    }
    return st;
}

int
pt_syntaxer_fd(const struct pt_syntaxer *s)
{
    return s != NULL ? s->fd : -1;
}

size_t
pt_syntaxer_waiting(struct pt_syntaxer *s)
{
    if (s == NULL)
        return 0;
    pthread_mutex_lock(&s->lock);
    size_t n = s->pending;
    pthread_mutex_unlock(&s->lock);
    return n;
}

void
pt_syntaxer_hurry(struct pt_syntaxer *s)
{
    /* What is nice now can never be less so. */
    if (s != NULL && !atomic_exchange(&s->hurried, true))
        pt_parser_cancel(&s->parser);
}

void
pt_syntaxer_tell(struct pt_syntaxer *s, struct pt_notes *notes)
{
    if (s == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    size_t missing = s->left_out + s->pending;
    struct pt_error error = s->error;
    pthread_mutex_unlock(&s->lock);
    if (error.status != PT_OK)
        pt_notes_add(notes,
                     "no syntax of the sources was made (%.150s); ptana makes "
                     "it when it needs it",
                     error.text);
    else if (missing > 0)
        pt_notes_add(notes,
                     "the syntax of %zu source%s was not made; ptana makes it "
                     "when it needs it",
                     missing, missing == 1 ? "" : "s");
}
