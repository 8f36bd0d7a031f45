/* libFuzzer target: opens a log, decodes all of it, replays it (fuzz_replay.c),
 * repairs it, and opens what repair wrote.  Checksums are not looked at, or no
 * mutation of bytes (see mutate.c) would get past them. */
#include "tests/fuzz/fuzz.h"

#include "format/trace.h"

#include <pt/scope.h>
#include <pt/syntax.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char repaired[64];

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    pt_testing.ignore_checksums = true;
    snprintf(repaired, sizeof repaired, "/tmp/pt-fuzz-%d.ptr", (int)getpid());
    return 0;
}

void
broken(const char *what)
{
    fprintf(stderr, "fuzz_reader: %s\n", what);
    abort();
}

static void
touch(struct pt_str s)
{
    static volatile unsigned char sum;
    for (size_t i = 0; i < s.len; i += 64)
        sum ^= (unsigned char)s.data[i];
    if (s.len != 0)
        sum ^= (unsigned char)s.data[s.len - 1];
}

static void
touch_definitions(const struct pt_trace *t)
{
    for (uint32_t id = 1; id <= pt_trace_code_count(t) && id < 1u << 16; id++) {
        const struct pt_code *c = pt_trace_code(t, id);
        if (c == NULL)
            continue;
        touch(c->bytecode);
        for (size_t i = 0; i < c->nnames; i++)
            touch(c->names[i]);
        for (size_t i = 0; i < c->nlocalsplus; i++)
            touch(c->locals[i]);
        size_t need = 0;
        for (size_t i = 0; i < c->nconsts; i++) {
            const struct pt_const *k = &c->consts[i];
            need -= need != 0;
            touch(k->s);
            if (k->kind == PT_CONST_TUPLE || k->kind == PT_CONST_FROZENSET ||
                k->kind == PT_CONST_SLICE)
                need += k->n;
        }
        if (need != 0)
            broken("constants do not add up");
    }
    for (uint32_t id = 1; id <= pt_trace_string_count(t) && id < 1u << 16; id++)
        touch(pt_trace_string(t, id));
    for (uint32_t id = 1; id <= pt_trace_source_count(t) && id < 1u << 16; id++)
        if (pt_trace_source(t, id) != NULL)
            touch(pt_trace_source(t, id)->text);
}

/* Follows what rows refer to, as a reader of them would. */
static void
walk_syntax(const struct pt_syntax *s)
{
    touch(s->failure);
    for (size_t i = 0; i < s->nnames; i++)
        touch(s->names[i]);
    for (size_t i = 0; i < s->nstatements; i++) {
        size_t at = i + 1;
        for (size_t left = i + 1; at != 0; left--) {
            if (left == 0 || at > i + 1)
                broken("a statement within itself");
            at = s->suites[s->statements[at - 1].suite].owner;
        }
    }
    for (size_t i = 0; i < s->nexpressions; i++)
        if (s->expressions[i].parent > i)
            broken("an expression before its parent");
    for (size_t i = 0; i < s->ncode; i++)
        if (s->code[i].line > s->lines)
            broken("a line that there is not");
}

static void
read_syntax(const struct pt_trace *t)
{
    struct pt_syntaxes *all;
    if (pt_syntaxes_new(t, &all) != PT_OK)
        broken("no syntaxes");
    for (size_t i = 0; i < pt_syntaxes_count(all); i++) {
        const struct pt_syntax_place *p = pt_syntaxes_place(all, i);
        struct pt_syntax *s;
        if (pt_syntaxes_load(all, p->source, p->version, &s) != PT_OK)
            continue;
        walk_syntax(s);
        pt_syntax_free(s);
    }
    pt_syntaxes_free(all);
}

/* Goes through a tree, as deep as it may be. */
static void
walk_value(const struct pt_value *v, unsigned depth)
{
    if (depth > PT_LIMIT_VALUE_DEPTH)
        broken("a value too deep");
    touch(v->s);
    for (uint32_t i = 0; i < v->n; i++)
        walk_value(&v->items[i], depth + 1);
}

/* All values, and of each variable the one before. */
static void
read_values(const struct pt_trace *t)
{
    struct pt_values *values;
    struct pt_scopes *scopes;
    struct pt_decoder *d;
    unsigned left = 2000;
    if (pt_values_new(t, &values) != PT_OK || pt_decoder_new(t, &d) != PT_OK ||
        pt_scopes_new(t, values, &scopes) != PT_OK)
        broken("no values");
    for (size_t i = 0; i < pt_trace_chunk_count(t) && left > 0; i++) {
        struct pt_events ev;
        if (pt_trace_chunk(t, i)->counts[PT_VALUE] == 0 ||
            pt_trace_chunk(t, i)->type != PT_CHUNK_EVENTS ||
            pt_decoder_events(d, i, &ev) != PT_OK)
            continue;
        for (uint32_t k = 0; k < ev.info->events && left > 0; k++) {
            struct pt_recorded *r;
            struct pt_scope_value last;
            const struct pt_scope_value *all;
            size_t n;
            if (ev.events[k].kind != PT_VALUE ||
                pt_values_get(values, ev.info->seq + k, &r) != PT_OK)
                continue;
            struct pt_scope scope = {.thread = r->thread,
                                     .code = ev.depth ? ev.stack[0].id : 1,
                                     .entered = UINT64_MAX};
            uint32_t dst = (uint32_t)r->role << PT_ROLE_SHIFT | r->index;
            if (pt_scope_last(scopes, &scope, dst, r->seq, &last) == PT_OK &&
                last.seq > r->seq)
                broken("a value that comes later");
            if (pt_scope_next(scopes, &scope, dst, r->seq, &last) == PT_OK &&
                last.seq <= r->seq)
                broken("a value that came before");
            pt_scope_all(scopes, &scope, r->seq, &all, &n);
            walk_value(&r->value, 0);
            pt_recorded_free(r);
            left--;
        }
    }
    pt_scopes_free(scopes);
    pt_decoder_free(d);
    pt_values_free(values);
}

/* Decodes everything; how many events there are. */
static uint64_t
decode(const struct pt_trace *t)
{
    struct pt_decoder *d;
    uint64_t n = 0;
    if (pt_decoder_new(t, &d) != PT_OK)
        broken("no decoder");
    for (size_t i = 0; i < pt_trace_chunk_count(t); i++) {
        struct pt_events ev;
        struct pt_str item;
        if (pt_trace_chunk(t, i)->type != PT_CHUNK_EVENTS) {
            if (pt_decoder_raw(d, i, &item) == PT_OK)
                touch(item);
            continue;
        }
        enum pt_status st = pt_decoder_events(d, i, &ev);
        if (st != PT_OK) {
            if (pt_decoder_error(d)->status != st ||
                pt_decoder_error(d)->text[0] == 0)
                broken("a failure without a reason");
            continue;
        }
        for (uint32_t k = 0; k < ev.info->events; k++)
            if (ev.events[k].kind == 0 || ev.events[k].kind >= PT_KIND_LIMIT)
                broken("an event of no kind");
        for (size_t k = 0; k < ev.depth; k++)
            if (ev.stack[k].callable > 1)
                broken("a frame of no kind");
        n += ev.info->events;
    }
    pt_decoder_free(d);
    return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pt_trace *t;
    struct pt_error e = {.status = PT_OK};
    int fd = memfd_create("log", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        broken("no memfd");
    enum pt_status st = pt_trace_open_fd(fd, "log", &e, &t);
    if (st != PT_OK) {
        if (e.status != st || e.text[0] == 0)
            broken("a refusal without a reason");
        return 0;
    }
    touch_definitions(t);
    uint64_t n = decode(t);
    fuzz_replay(t);
    read_syntax(t);
    read_values(t);
    st = pt_trace_repair(t, repaired, &e);
    pt_trace_close(t);
    if (st == PT_OK) {
        if (pt_trace_open(repaired, &e, &t) != PT_OK)
            broken(e.text);
        /* besides the gaps that stand for what is missing */
        const struct pt_end *end = pt_trace_end(t);
        uint64_t now = decode(t);
        if (end == NULL || end->events != now || now < n || now - n > end->gaps)
            broken("a repaired log has other events");
        pt_trace_close(t);
        unlink(repaired);
    } else if (st != PT_EUNSUPPORTED && st != PT_ELIMIT) {
        broken("repair fails for no reason");
    }
    return 0;
}
