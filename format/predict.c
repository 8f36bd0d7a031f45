#include "format/predict.h"

#include "format/model.h"

enum {
    CODE_RULE = PT_MODEL_WAYS, /* the key is by the second rule */
    CODE_LITERAL = 2 * PT_MODEL_WAYS,
    RUN_GOES_ON = 255
};

struct pt_predictor {
    struct pt_model model;
    struct pt_buf runs, codes;
};

enum pt_status
pt_predictor_new(struct pt_predictor **out)
{
    struct pt_predictor *p = pt_alloc_zero(1, sizeof *p);
    if (p == NULL)
        return PT_ENOMEM;
    *out = p;
    return PT_OK;
}

void
pt_predictor_free(struct pt_predictor *p)
{
    if (p == NULL)
        return;
    pt_model_clear(&p->model);
    pt_buf_clear(&p->runs);
    pt_buf_clear(&p->codes);
    pt_alloc_free(p);
}

/* --- writing -------------------------------------------------------------- */

/* The next event of a block; its key and time are looked at apart. */
static inline struct pt_step
read_event(const struct pt_block *b, const uint32_t at[PT_COLUMN_COUNT],
           uint8_t kind, uint8_t mask)
{
    struct pt_step s = {.kind = kind, .has = mask};
    if (mask & PT_HAS(CODE))
        s.id = b->column[PT_COL_CODE][at[PT_COL_CODE]];
    else if (mask & PT_HAS(CALLEE))
        s.id = b->column[PT_COL_CALLEE][at[PT_COL_CALLEE]];
    else if (mask & PT_HAS(TYPE))
        s.id = b->column[PT_COL_TYPE][at[PT_COL_TYPE]];
    if (mask & PT_HAS(OFF))
        s.pos = b->column[PT_COL_OFF][at[PT_COL_OFF]];
    else if (mask & PT_HAS(LINE))
        s.pos = b->column[PT_COL_LINE][at[PT_COL_LINE]];
    if (mask & PT_HAS(DST))
        s.dst = b->column[PT_COL_DST][at[PT_COL_DST]];
    if (mask & PT_HAS(ARG))
        s.arg = b->arg[at[PT_COL_ARG]];
    return s;
}

/* A block being packed. */
struct packing {
    struct pt_predictor *p;
    struct pt_block *b;
    uint32_t at[PT_COLUMN_COUNT];   /* where each column is read */
    uint32_t kept[PT_COLUMN_COUNT]; /* literals' values, at its beginning */
    uint32_t literals;
    uint32_t run; /* events of rank 0 since the last mark */
};

static void
put_mark(struct packing *k, unsigned code)
{
    struct pt_buf *runs = &k->p->runs, *codes = &k->p->codes;
    for (; k->run >= RUN_GOES_ON; k->run -= RUN_GOES_ON)
        runs->data[runs->len++] = RUN_GOES_ON;
    runs->data[runs->len++] = (uint8_t)k->run;
    codes->data[codes->len++] = (uint8_t)code;
    k->run = 0;
}

/* The event becomes a literal: its values are kept; its step's number, or 0
 * without memory. */
static uint32_t
put_literal(struct packing *k, uint8_t shape, const struct pt_step *s)
{
    struct pt_block *b = k->b;
    if (!pt_model_reserve(&k->p->model))
        return 0;
    unsigned mask = b->masks[shape];
    for (unsigned c = PT_COL_TIME + 1; c < PT_COLUMN_COUNT; c++) {
        if (!(mask & 1u << c))
            continue;
        if (c == PT_COL_ARG)
            b->arg[k->kept[c]++] = b->arg[k->at[c]];
        else
            b->column[c][k->kept[c]++] = b->column[c][k->at[c]];
    }
    b->shape[k->literals++] = shape;
    put_mark(k, CODE_LITERAL);
    return pt_model_learn(&k->p->model, s);
}

/* The event as its rank among those that came next, where it is one of them and
 * its time and key are as predicted: its step's number, else 0. */
static inline uint32_t
put_predicted(struct packing *k, const struct pt_step *s, uint64_t key,
              bool stamped)
{
    struct pt_model *m = &k->p->model;
    struct pt_step *at = &m->steps[m->frames[m->top].last];
    unsigned rank = 0;
    while (!pt_model_same(&m->steps[at->next[rank]], s))
        if (at->next[rank] == 0 || ++rank == PT_MODEL_WAYS)
            return 0;
    uint32_t step = at->next[rank];
    unsigned code = rank;
    if (s->kind == PT_BRANCH && stamped != pt_model_stamp_due(m))
        return 0;
    if (pt_model_keyed(s->kind, s->has) && key != pt_model_key(m, s, 0)) {
        if (key != pt_model_key(m, s, 1))
            return 0;
        code |= CODE_RULE;
    }
    if (code == 0) {
        k->run++;
    } else {
        put_mark(k, code);
        pt_model_promote(at, rank, step);
    }
    return step;
}

static bool
put_event(struct packing *k, uint8_t shape, const uint32_t step[])
{
    const struct pt_block *b = k->b;
    uint8_t kind = b->shapes[shape], mask = b->masks[shape];
    struct pt_step s = read_event(b, k->at, kind, mask);
    bool stamped = (mask & PT_HAS(TIME)) != 0;
    uint64_t key = 0;
    if (kind == PT_BRANCH)
        s.has &= (uint8_t)~PT_HAS(TIME);
    if (pt_model_keyed(kind, mask)) {
        key = s.arg;
        s.arg = 0;
    }
    uint32_t number = put_predicted(k, &s, key, stamped);
    if (number == 0)
        number = put_literal(k, shape, &s);
    if (number == 0)
        return false;
    pt_model_advance(&k->p->model, number, key, stamped);
    for (unsigned c = 0; c < PT_COLUMN_COUNT; c++)
        k->at[c] += step[c];
    return true;
}

enum pt_status
pt_predict_pack(struct pt_predictor *p, struct pt_block *b,
                const struct pt_frame *stack, size_t depth,
                struct pt_marks *out)
{
    struct packing k = {.p = p, .b = b};
    p->runs.len = p->codes.len = 0;
    if (pt_model_begin(&p->model, stack, depth) != PT_OK ||
        pt_buf_room(&p->runs, b->n + b->n / RUN_GOES_ON + 1) == NULL ||
        pt_buf_room(&p->codes, b->n + 1) == NULL)
        return PT_ENOMEM;
    uint32_t steps[PT_BLOCK_SHAPES][PT_COLUMN_COUNT];
    for (unsigned s = 0; s < b->nshapes; s++)
        for (unsigned c = 0; c < PT_COLUMN_COUNT; c++)
            steps[s][c] = b->masks[s] >> c & 1;
    for (uint32_t i = 0; i < b->n; i++)
        if (!put_event(&k, b->shape[i], steps[b->shape[i]]))
            return PT_ENOMEM;
    for (unsigned c = PT_COL_TIME + 1; c < PT_COLUMN_COUNT; c++)
        b->used[c] = k.kept[c];
    *out = (struct pt_marks){
        .runs = {(const char *)p->runs.data, p->runs.len},
        .codes = {(const char *)p->codes.data, p->codes.len},
        .literals = k.literals,
    };
    return PT_OK;
}

/* --- reading -------------------------------------------------------------- */

/* Events being unpacked. */
struct unpacking {
    struct pt_model *m;
    struct pt_event *event; /* the next to be filled */
    uint32_t left;          /* how many there are still */
    const struct pt_event *literal;
    uint32_t literals; /* how many there are still */
};

/* Step `number` happens again.  The key is by `rule`. */
static inline __attribute__((always_inline)) void
get_step(struct unpacking *u, uint32_t number, unsigned rule)
{
    struct pt_model *m = u->m;
    const struct pt_step *s = &m->steps[number];
    struct pt_event *e = u->event;
    bool stamped = s->kind == PT_BRANCH && pt_model_stamp_due(m);
    uint64_t key = s->keyed ? pt_model_key(m, s, rule) : 0;
    e->arg = s->arg | key;
    e->id = s->id;
    e->pos = s->pos;
    e->dst = s->dst;
    e->kind = s->kind;
    e->has = (uint8_t)(s->has | (stamped ? PT_HAS(TIME) : 0));
    e->reserved = 0;
    pt_model_advance(m, number, key, stamped);
    u->event++;
    u->left--;
}

/* `run` events of rank 0. */
static enum pt_status
get_run(struct unpacking *u, uint32_t run)
{
    struct pt_model *m = u->m;
    if (run > u->left)
        return PT_EDAMAGED;
    for (; run > 0; run--) {
        uint32_t number = m->steps[m->frames[m->top].last].next[0];
        if (number == 0)
            return PT_EDAMAGED;
        get_step(u, number, 0);
    }
    return PT_OK;
}

static enum pt_status
get_literal(struct unpacking *u)
{
    struct pt_model *m = u->m;
    if (u->literals == 0)
        return PT_EDAMAGED;
    if (!pt_model_reserve(m))
        return PT_ENOMEM;
    const struct pt_event *e = u->literal++;
    u->literals--;
    struct pt_step s = {.arg = e->arg,
                        .id = e->id,
                        .pos = e->pos,
                        .dst = e->dst,
                        .kind = e->kind,
                        .has = e->has};
    uint64_t key = 0;
    if (s.kind == PT_BRANCH)
        s.has &= (uint8_t)~PT_HAS(TIME);
    if (pt_model_keyed(s.kind, s.has)) {
        key = s.arg;
        s.arg = 0;
    }
    *u->event++ = *e;
    u->left--;
    pt_model_advance(m, pt_model_learn(m, &s), key,
                     (e->has & PT_HAS(TIME)) != 0);
    return PT_OK;
}

static enum pt_status
get_mark(struct unpacking *u, unsigned code)
{
    struct pt_model *m = u->m;
    if (u->left == 0 || code > CODE_LITERAL)
        return PT_EDAMAGED;
    if (code == CODE_LITERAL)
        return get_literal(u);
    struct pt_step *at = &m->steps[m->frames[m->top].last];
    unsigned rank = code % CODE_RULE;
    uint32_t number = at->next[rank];
    if (number == 0)
        return PT_EDAMAGED;
    pt_model_promote(at, rank, number);
    get_step(u, number, code / CODE_RULE);
    return PT_OK;
}

enum pt_status
pt_predict_unpack(struct pt_predictor *p, const struct pt_marks *marks,
                  const struct pt_event *literals, const struct pt_frame *stack,
                  size_t depth, struct pt_event *events, uint32_t n)
{
    struct unpacking u = {.m = &p->model,
                          .event = events,
                          .left = n,
                          .literal = literals,
                          .literals = marks->literals};
    enum pt_status st = pt_model_begin(&p->model, stack, depth);
    size_t run = 0;
    for (size_t i = 0; i < marks->codes.len && st == PT_OK; i++) {
        uint8_t part;
        do {
            if (run == marks->runs.len)
                return PT_EDAMAGED;
            part = (uint8_t)marks->runs.data[run++];
            st = get_run(&u, part);
        } while (part == RUN_GOES_ON && st == PT_OK);
        if (st == PT_OK)
            st = get_mark(&u, (uint8_t)marks->codes.data[i]);
    }
    if (st == PT_OK && (run != marks->runs.len || u.literals != 0))
        return PT_EDAMAGED;
    return st == PT_OK ? get_run(&u, u.left) : st;
}
