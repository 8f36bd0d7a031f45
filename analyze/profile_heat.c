#include "analyze/profile_heat.h"
#include "analyze/columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Which functions --filter lets pass; *out is NULL where it was not given. */
static enum pt_status
pick(struct pt_session *s, const struct pt_profile *p, uint8_t **out)
{
    const struct pt_profile_config *config = s->config;
    enum pt_status st = PT_OK;
    *out = NULL;
    if (!config->filter.n)
        return PT_OK;
    bool *used = calloc(config->filter.n, sizeof *used);
    uint8_t *picked = calloc(p->nfunctions, 1);
    if (!used || !picked)
        st = PT_ENOMEM;
    for (uint32_t i = 1; i < p->nfunctions && st == PT_OK; i++) {
        struct pt_profile_row row = {.index = i};
        st = pt_profile_row_name(p, i, &row);
        for (size_t k = 0; k < config->filter.n && st == PT_OK; k++) {
            struct pt_text_list one = {&config->filter.items[k], 1};
            if (!p->names[i].callable &&
                pt_profile_row_matches(p, &row, &one)) {
                used[k] = true;
                picked[i] = 1;
            }
        }
        free(row.owned);
    }
    for (size_t i = 0; st == PT_OK && i < config->filter.n; i++)
        if (!used[i])
            st = pt_session_fail(
                s, PT_ENOTFOUND,
                "%s has no Python function that matches \"%s\"; ptana profile "
                "--all shows what ran",
                pt_trace_path(s->trace), config->filter.items[i]);
    free(used);
    if (st == PT_OK)
        *out = picked;
    else
        free(picked);
    return st;
}

/* Folds the trace in parts; what they have together is in *out. */
static enum pt_status
run_parts(struct pt_session *s, const struct pt_heat_plan *plan,
          struct pt_heat **out)
{
    struct pt_heat *parts[PT_PASS_MOST] = {NULL};
    struct pt_fold folds[PT_PASS_MOST];
    size_t n = pt_pass_parts(s->trace, s->filter);
    enum pt_status st = PT_OK;
    for (size_t i = 0; i < n && st == PT_OK; i++) {
        st = pt_heat_new(plan, &parts[i]);
        if (st == PT_OK)
            folds[i] = pt_heat_fold(parts[i]);
    }
    if (st == PT_OK)
        st = pt_pass_spread(s->trace, s->filter, folds, n, &s->trouble,
                            &s->error);
    for (size_t i = 1; i < n; i++) {
        if (st == PT_OK)
            st = pt_heat_merge(parts[0], parts[i]);
        pt_heat_free(parts[i]);
    }
    if (st == PT_OK)
        st = pt_heat_finish(parts[0]);
    if (st == PT_OK)
        *out = parts[0];
    else
        pt_heat_free(parts[0]);
    return st;
}

/* Gives the profile the functions' calls and times. */
static void
fill(const struct pt_heat *c, struct pt_profile *p)
{
    uint64_t rest = 0;
    for (uint32_t i = 0; i < c->nlines; i++)
        p->functions[c->lines[i].fn].exclusive += c->lines[i].exclusive;
    for (uint32_t i = 0; i < p->nfunctions; i++) {
        struct pt_profile_function *f = &p->functions[i];
        rest += f->exclusive;
        f->exclusive = rest >> PT_HEAT_BITS;
        rest -= f->exclusive << PT_HEAT_BITS;
        f->calls = c->functions[i].calls;
        f->inclusive = c->functions[i].inclusive;
    }
    p->events = c->events;
}

enum pt_status
pt_profile_heat_measure(struct pt_session *s, enum pt_heat_source source,
                        bool pairs, struct pt_profile_heat *out)
{
    const struct pt_profile_config *config = s->config;
    struct pt_profile_options how = {.all_calls = config->all_calls};
    struct pt_heat_options options = {.source = source, .pairs = pairs};
    uint8_t *picked = NULL;
    *out = (struct pt_profile_heat){NULL, NULL, NULL};
    enum pt_status st =
        pt_profile_new(s->trace, s->filter, &how, &out->functions);
    if (st == PT_OK && pairs)
        st = pick(s, out->functions, &picked);
    options.picked = picked;
    if (st == PT_OK)
        st = pt_heat_plan_new(out->functions, &options, &out->plan);
    if (st == PT_OK)
        st = run_parts(s, out->plan, &out->heat);
    free(picked);
    if (st != PT_OK) {
        pt_profile_heat_clear(out);
        return st;
    }
    fill(out->heat, out->functions);
    s->trouble.desyncs += out->heat->desyncs;
    s->trouble.misfits += out->heat->desyncs;
    s->trouble.unmatched += out->heat->unmatched;
    s->trouble.unfinished += out->heat->unfinished;
    return PT_OK;
}

void
pt_profile_heat_clear(struct pt_profile_heat *c)
{
    pt_heat_free(c->heat);
    pt_heat_plan_free(c->plan);
    pt_profile_free(c->functions);
    *c = (struct pt_profile_heat){NULL, NULL, NULL};
}

enum pt_status
pt_profile_heat_sort(struct pt_session *s, const char *keys, const char *option)
{
    const struct pt_profile_config *config = s->config;
    size_t len = config->sort ? strlen(config->sort) : 0;
    for (const char *p = keys; *p && len; p += *p == '|') {
        size_t n = strcspn(p, "|");
        if (n == len && memcmp(p, config->sort, n) == 0)
            return PT_OK;
        p += n;
    }
    return len ? pt_session_fail(s, PT_EUSAGE,
                                 "--sort=%s does not go with --%s, which has "
                                 "%s",
                                 config->sort, option, keys)
               : PT_OK;
}

const char *
pt_profile_heat_text(uint64_t time, bool exact, char *buffer)
{
    buffer[0] = '~';
    pt_text_duration((int64_t)pt_profile_heat_ns(time), buffer + !exact);
    return buffer;
}
