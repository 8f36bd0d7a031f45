#include "test_record_fake.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KINDS ((1u << (PT_C_EXCEPTION + 1)) - 2)

/* --- definitions ---------------------------------------------------------- */

struct message {
    unsigned char *bytes;
    size_t len, room;
};

static void
add(struct message *m, const void *data, size_t len)
{
    if (m->len + len > m->room) {
        m->room = (m->len + len) * 2;
        m->bytes = realloc(m->bytes, m->room);
    }
    memcpy(m->bytes + m->len, data, len);
    m->len += len;
}

static void
add_u32(struct message *m, uint32_t v)
{
    add(m, &v, sizeof v);
}

static void
add_str(struct message *m, const char *s)
{
    add_u32(m, (uint32_t)strlen(s));
    add(m, s, strlen(s));
}

static void
begin(struct message *m, uint32_t type, uint32_t id)
{
    m->len = 0;
    add_u32(m, 0);
    add_u32(m, type);
    add_u32(m, id);
}

static void
commit(struct message *m, struct fake *f)
{
    uint32_t len = (uint32_t)m->len;
    memcpy(m->bytes, &len, sizeof len);
    fake_defs_put(f, m->bytes, m->len);
}

static void
define_code(struct message *m, struct fake *f, uint32_t id, const char *file,
            const char *name)
{
    begin(m, PT_M_CODE, id);
    add_str(m, file);
    add_str(m, name);
    add_str(m, name);
    for (int i = 0; i < 7; i++)
        add_u32(m, id);
    add_str(m, "\x97");
    add_str(m, "");
    add_str(m, "");
    add_u32(m, 1);
    add_str(m, "print");
    add_u32(m, 0);
    add_str(m, "");
    /* one constant: None, or the code object told before */
    add_u32(m, 1);
    add_u32(m, id > 1 ? PT_CONST_CODE : PT_CONST_NONE);
    add_u32(m, id > 1 ? id - 1 : 0);
    for (int i = 0; i < 6; i++)
        add_u32(m, 0);
    add_str(m, "");
    commit(m, f);
}

void
fake_define_code(struct fake *f, uint32_t id, const char *file,
                 const char *name)
{
    struct message m = {0};
    define_code(&m, f, id, file, name);
    free(m.bytes);
}

void
fake_define(struct fake *f)
{
    struct message m = {0};
    begin(&m, PT_M_INTERPRETER, 1);
    add_u32(&m, 0x030c0100);
    add_str(&m, "3.12.1");
    add_str(&m, "cpython-312-x86_64-linux-gnu");
    add_str(&m, "/usr/bin/python3");
    for (int i = 0; i < 256; i++) {
        add_str(&m, "NOP");
        add_u32(&m, 0);
        add_u32(&m, 0);
    }
    add_str(&m, "/usr/lib/python3.12");
    commit(&m, f);
    begin(&m, PT_M_PROCESS, 1);
    add_str(&m, f->folder);
    add_str(&m, "/usr/bin/python3");
    add_u32(&m, 2);
    add_str(&m, "python3");
    add_str(&m, "app.py");
    commit(&m, f);
    for (uint32_t i = 1; i <= FAKE_CODES; i++) {
        char name[32];
        snprintf(name, sizeof name, "f%u", i);
        define_code(&m, f, i, "/nowhere/app.py", name);
    }
    for (uint32_t i = 1; i <= FAKE_CALLABLES; i++) {
        char name[32];
        snprintf(name, sizeof name, "c%u", i);
        begin(&m, PT_M_CALLABLE, i);
        add_u32(&m, PT_CALLABLE_BUILTIN);
        add_str(&m, "builtins");
        add_str(&m, "");
        add_str(&m, name);
        add_str(&m, name);
        commit(&m, f);
    }
    for (uint32_t i = 1; i <= FAKE_TYPES; i++) {
        begin(&m, PT_M_TYPE, i);
        add_str(&m, "builtins");
        add_str(&m, i == 1 ? "ValueError" : "KeyError");
        commit(&m, f);
    }
    free(m.bytes);
}

void
fake_defs_put(struct fake *f, const void *data, size_t len)
{
    struct pt_arena *arena = f->t->map.arena;
    unsigned char *ring = (unsigned char *)arena + PT_DEFS_AT;
    uint32_t size = pt_defs_size(f->shrink);
    for (size_t i = 0; i < len; i++)
        ring[(f->defs + i) % size] = ((const unsigned char *)data)[i];
    f->defs += len;
    atomic_store_explicit(&arena->defs_head, f->defs, memory_order_release);
}

/* --- the collector's side ---------------------------------------------------
 */

struct pt_tracee *
fake_process(struct fake *f, pid_t pid)
{
    struct pt_arena_map map;
    struct pt_error error;
    cr_assert_eq(pt_arena_map_init(&map, &f->config, f->shrink, &error), PT_OK,
                 "%s", error.text);
    cr_assert_eq(pt_tracee_new(pid, &map, 0, NULL, &f->notes, &f->t), PT_OK);
    pt_arena_map_handed(&f->t->map);
    f->defs = 0;
    fake_define(f);
    return f->t;
}

static void
open_with(struct fake *f, uint32_t stamped, bool flow)
{
    *f = (struct fake){0};
    strcpy(f->folder, "/tmp/ptrec-test-XXXXXX");
    cr_assert(mkdtemp(f->folder) != NULL);
    snprintf(f->path, sizeof f->path, "%s/t.ptr", f->folder);
    pt_timebase_start(&f->clock);
    pt_timebase_quantum(&f->clock, 12.4);
    pt_timebase_fix(&f->clock);
    uint32_t edges = 1u << PT_THREAD | 1u << PT_GAP;
    f->config = (struct pt_config){
        .events = KINDS,
        .stamped = (stamped != 0 ? stamped : KINDS) | edges,
        .flow = flow,
        .quantum_log2 = f->clock.quantum_log2,
        .clock = f->clock.source,
    };
    pt_journal_init(&f->journal, &f->clock, f->config.events, f->config.stamped,
                    f->config.flow);
    struct pt_header header = {
        .version = 1 << 16,
        .clock = f->clock.clock,
        .writer = {"test", 4},
        .preset = {"lines", 5},
        .optional = flow ? PT_OPTIONAL_FLOW : 0,
        .events = f->config.events,
        .stamped = f->config.stamped,
    };
    struct pt_writer_options options = {.level = 1};
    struct pt_error error;
    cr_assert_eq(pt_writer_open(f->path, &header, &options, &error, &f->writer),
                 PT_OK, "%s", error.text);
    f->journal.writer = f->writer;
    fake_process(f, FAKE_MAIN);
}

void
fake_open(struct fake *f, uint32_t stamped)
{
    open_with(f, stamped, false);
}

void
fake_open_flow(struct fake *f)
{
    open_with(f, KINDS & ~(1u << PT_BRANCH), true);
}

bool
fake_drain(struct fake *f)
{
    bool busy = false;
    cr_assert_eq(pt_tracee_drain(f->t, &f->journal, &busy), PT_OK);
    return busy;
}

void
fake_close(struct fake *f)
{
    struct pt_error error;
    enum pt_ending ending = PT_ENDED_EXIT;
    if (f->t != NULL) {
        cr_assert_eq(pt_tracee_finish(f->t, &f->journal, &ending, 3), PT_OK);
        pt_tracee_free(f->t, &f->journal);
        f->t = NULL;
    }
    struct pt_end end = {.gaps = f->journal.gaps,
                         .lost = f->journal.lost,
                         .reason = {"complete", 8}};
    cr_assert_eq(pt_writer_close(f->writer, &end, &error), PT_OK, "%s",
                 error.text);
    cr_assert_eq(pt_trace_open(f->path, &error, &f->trace), PT_OK, "%s",
                 error.text);
    const struct pt_damage *damage = pt_trace_damage(f->trace);
    cr_assert(!damage->torn && damage->bad_chunks == 0, "%s", damage->text);
    cr_assert_eq(pt_decoder_new(f->trace, &f->decoder), PT_OK);
}

void
fake_clear(struct fake *f)
{
    char file[400];
    pt_decoder_free(f->decoder);
    pt_trace_close(f->trace);
    pt_journal_clear(&f->journal);
    pt_notes_clear(&f->notes);
    DIR *dir = opendir(f->folder);
    struct dirent *e;
    while (dir != NULL && (e = readdir(dir)) != NULL) {
        snprintf(file, sizeof file, "%s/%s", f->folder, e->d_name);
        unlink(file);
    }
    if (dir != NULL)
        closedir(dir);
    rmdir(f->folder);
}

/* --- the producer's side ----------------------------------------------------
 */

uint64_t
fake_now(const struct fake *f)
{
    return pt_timebase_ticks(&f->clock) >> f->clock.quantum_log2;
}

void
fake_claim(struct fake_lane *l, struct fake *f, uint32_t slot)
{
    struct pt_arena *arena = f->t->map.arena;
    *l = (struct fake_lane){.f = f, .slot = slot};
    l->ring = (uint32_t *)pt_arena_ring(&f->t->map, slot, &l->size);
    struct pt_slot *s = pt_arena_slot(&f->t->map, slot);
    l->off = atomic_load(&s->head);
    uint32_t used = atomic_load(&arena->slots_used);
    while (used <= slot &&
           !atomic_compare_exchange_weak(&arena->slots_used, &used, slot + 1))
        ;
    atomic_store(&s->state, PT_SLOT_LIVE);
}

void
fake_publish(struct fake_lane *l, uint64_t head)
{
    l->off = head;
    atomic_store_explicit(&pt_arena_slot(&l->f->t->map, l->slot)->head, head,
                          memory_order_release);
}

void
fake_put(struct fake_lane *l, const uint32_t *words, unsigned n)
{
    uint32_t segment = l->size / PT_SEGMENTS;
    struct pt_slot *s = pt_arena_slot(&l->f->t->map, l->slot);
    uint64_t end = l->off - l->off % segment + segment;
    if (l->off % segment != 0 && l->off + (uint64_t)4 * n > end) {
        l->ring[l->off % l->size / 4] = PT_W_PAD;
        fake_publish(l, end);
    }
    if (l->off % segment == 0) {
        while (l->off + segment -
                   atomic_load_explicit(&s->tail, memory_order_acquire) >
               l->size) {
            cr_assert(l->wait, "the ring is full");
            sched_yield();
        }
    }
    for (unsigned i = 0; i < n; i++)
        l->ring[l->off % l->size / 4 + i] = words[i];
    fake_publish(l, l->off + (uint64_t)4 * n);
}

void
fake_begin(struct fake_lane *l, uint32_t tid)
{
    uint64_t now = fake_now(l->f);
    FAKE_PUT(l, PT_W_BEGIN, tid, (uint32_t)now, (uint32_t)(now >> 32));
}

void
fake_end(struct fake_lane *l)
{
    FAKE_PUT(l, PT_W_END);
    atomic_store(&pt_arena_slot(&l->f->t->map, l->slot)->state, PT_SLOT_DEAD);
}

bool
fake_is(struct pt_str s, const char *text)
{
    return s.len == strlen(text) && memcmp(s.data, text, s.len) == 0;
}

/* --- the trace ---------------------------------------------------------------
 */

struct pt_event *
fake_events(struct fake *f, uint32_t tid, size_t *n)
{
    struct pt_event *all = NULL;
    *n = 0;
    for (size_t i = 0; i < pt_trace_chunk_count(f->trace); i++) {
        const struct pt_chunk_info *info = pt_trace_chunk(f->trace, i);
        if (info->type != PT_CHUNK_EVENTS)
            continue;
        const struct pt_thread *thread =
            pt_trace_thread(f->trace, info->thread);
        cr_assert(thread != NULL);
        if (thread->tid != tid)
            continue;
        struct pt_events events;
        cr_assert_eq(pt_decoder_events(f->decoder, i, &events), PT_OK);
        all = realloc(all, (*n + info->events + 1) * sizeof *all);
        memcpy(all + *n, events.events, info->events * sizeof *all);
        *n += info->events;
    }
    return all;
}

uint64_t
fake_count(struct fake *f, unsigned kind)
{
    uint64_t n = 0;
    for (size_t i = 0; i < pt_trace_chunk_count(f->trace); i++) {
        const struct pt_chunk_info *info = pt_trace_chunk(f->trace, i);
        if (info->type == PT_CHUNK_EVENTS)
            n += info->counts[kind];
    }
    return n;
}
