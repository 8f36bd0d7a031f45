/* --fail-under: how much has to be covered, at least. */
#include "analyze/coverage/coverage.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* X(word, what is counted, what it needs) */
enum what { TOTAL, LINES, BRANCHES, CONDITIONS, MCDC, WHATS };
static const char *const words[WHATS] = {"total", "lines", "branches",
                                         "conditions", "mcdc"};

struct demand {
    enum what what;
    double least; /* percent */
};

/* One "WHAT:PERCENT", or a percentage of what the table's total is. */
static bool
parse(const char *text, size_t len, struct demand *out)
{
    char value[32], *end;
    const char *colon = memchr(text, ':', len);
    size_t word = colon ? (size_t)(colon - text) : 0;
    size_t at = colon ? word + 1 : 0;
    out->what = TOTAL;
    for (size_t w = 0; colon && w <= WHATS; w++) {
        if (w == WHATS)
            return false;
        out->what = (enum what)w;
        if (strlen(words[w]) == word && memcmp(words[w], text, word) == 0)
            break;
    }
    if (len - at == 0 || len - at >= sizeof value)
        return false;
    memcpy(value, text + at, len - at);
    value[len - at] = 0;
    out->least = strtod(value, &end);
    return !*end && value[0] != ' ' && out->least >= 0 && out->least <= 100;
}

/* Calls for each demand of all --fail-under. */
static enum pt_status
each(struct pt_session *s, void (*visit)(void *state, struct demand),
     void *state)
{
    const struct pt_cov_config *config = s->config;
    for (size_t i = 0; i < config->fail_under.n; i++) {
        const char *p = config->fail_under.items[i];
        for (;; p++) {
            size_t len = strcspn(p, ",");
            struct demand d;
            if (!parse(p, len, &d))
                return pt_session_fail(
                    s, PT_EUSAGE,
                    "--fail-under=%.100s: \"%.*s\" is no percentage from 0 to "
                    "100, and no lines:, branches:, conditions: or mcdc: with "
                    "one",
                    config->fail_under.items[i], (int)(len < 40 ? len : 40), p);
            visit(state, d);
            p += len;
            if (!*p)
                break;
        }
    }
    return PT_OK;
}

static void
note(void *state, struct demand d)
{
    bool *asked = state;
    asked[d.what] = true;
}

enum pt_status
pt_cov_gate_check(struct pt_session *s)
{
    const struct pt_cov_config *config = s->config;
    bool asked[WHATS] = {false};
    /* Nothing is covered wholly because nobody looked. */
    const bool counted[WHATS] = {[TOTAL] = true,
                                 [LINES] = true,
                                 [BRANCHES] = config->branches,
                                 [CONDITIONS] =
                                     config->conditions || config->mcdc,
                                 [MCDC] = config->mcdc};
    enum pt_status st = each(s, note, asked);
    for (size_t w = 0; st == PT_OK && w < WHATS; w++)
        if (asked[w] && !counted[w])
            return pt_session_fail(s, PT_EUSAGE, "--fail-under=%s: needs --%s",
                                   words[w], words[w]);
    return st;
}

struct gate {
    struct pt_session *session;
    const struct pt_coverage *coverage;
    struct pt_cov_total total;
};

static double
percent_of(struct pt_cov_share share)
{
    return share.of ? 100.0 * (double)share.have / (double)share.of : 100.0;
}

/* As coverage.py has it: rounded as it is shown, but 100 is all. */
static bool
is_below(double percent, double least, unsigned digits)
{
    double scale = pow(10, digits);
    if (least >= 100)
        return percent < 100;
    return nearbyint(percent * scale) / scale < least;
}

static void
judge(void *state, struct demand d)
{
    struct gate *g = state;
    const struct pt_cov_config *config = g->session->config;
    const struct pt_cov_total *t = &g->total;
    unsigned digits = config->precision < 10 ? (unsigned)config->precision : 10;
    double percent = d.what == LINES        ? percent_of(t->lines)
                     : d.what == BRANCHES   ? percent_of(t->arcs)
                     : d.what == CONDITIONS ? percent_of(t->conditions)
                     : d.what == MCDC
                         ? percent_of(t->alone)
                         : pt_cov_percent(t, g->coverage->has_arcs);
    char text[PT_NUMBER_TEXT];
    if (!is_below(percent, d.least, digits))
        return;
    pt_out_say("coverage of %s is %s %%, and --fail-under asks for %g %%",
               d.what == TOTAL  ? "all"
               : d.what == MCDC ? "MC/DC"
                                : words[d.what],
               pt_cov_percent_text(percent, digits, text), d.least);
    g->session->verdict = PT_EXIT_THRESHOLD;
}

void
pt_cov_gate(struct pt_session *s, const struct pt_coverage *c)
{
    struct gate g = {s, c, pt_coverage_total(c)};
    each(s, judge, &g);
}
