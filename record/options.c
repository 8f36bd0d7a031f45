#include "record/options.h"
#include "record/problem.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum pt_status setter(struct pt_options *, const char *value,
                              struct pt_error *);

struct option {
    char letter; /* 0: none */
    const char *name;
    const char *value; /* NULL: takes none */
    const char *help;
    setter *set;
};

static enum pt_status
set_python(struct pt_options *o, const char *value, struct pt_error *error)
{
    o->python = value;
    return *value != '\0' ? PT_OK
                          : pt_problem_set(error, PT_EUSAGE, 0,
                                           "--python needs an interpreter");
}

static enum pt_status
set_output(struct pt_options *o, const char *value, struct pt_error *error)
{
    o->output = value;
    return *value != '\0' ? PT_OK
                          : pt_problem_set(error, PT_EUSAGE, 0,
                                           "-o needs the name of a file");
}

static enum pt_status
set_force(struct pt_options *o, const char *value, struct pt_error *error)
{
    o->force = true;
    return PT_OK;
}

static enum pt_status
set_preset(struct pt_options *o, const char *value, struct pt_error *error)
{
    enum pt_status st = pt_preset_find(value, &o->preset, error);
    if (st == PT_OK)
        o->events = o->preset->events;
    return st;
}

static enum pt_status
set_events(struct pt_options *o, const char *value, struct pt_error *error)
{
    return pt_events_parse(value, &o->events, error);
}

static enum pt_status
set_on_full(struct pt_options *o, const char *value, struct pt_error *error)
{
    o->drop = strcmp(value, "drop") == 0;
    if (o->drop || strcmp(value, "wait") == 0)
        return PT_OK;
    return pt_problem_set(error, PT_EUSAGE, 0,
                          "--on-full=%.64s: use wait or drop", value);
}

static enum pt_status
set_syntax(struct pt_options *o, const char *value, struct pt_error *error)
{
    static const char *const names[] = {
        [PT_SYNTAX_NONE] = "none",
        [PT_SYNTAX_OWN] = "own",
        [PT_SYNTAX_ALL] = "all",
    };
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(value, names[i]) == 0) {
            o->syntax = (enum pt_syntax_of)i;
            return PT_OK;
        }
    }
    return pt_problem_set(error, PT_EUSAGE, 0,
                          "--syntax=%.64s: use own, all or none", value);
}

/* What a secret's name looks like: of a variable, key, attribute or keyword. */
static const char secrets[] =
    "pass(word|wd|phrase|code)|(^|_)(pass|pw|pwd|pin)(_|$)|secret|token|"
    "api_?key|(private|access|signing|encryption|secret|ssh)_?key|"
    "authorization|(^|_)(auth|bearer|dsn|jwt|otp|salt)(_|$)|credential|cookie|"
    "session_?(id|key)|connection_?string";

static const char *const value_words[] = {
    [PT_VALUES_NONE] = "none",
    [PT_VALUES_CALLS] = "calls",
    [PT_VALUES_LOCALS] = "locals",
};

const char *
pt_options_values(const struct pt_options *o)
{
    return o->values == PT_VALUES_NONE ? "" : value_words[o->values];
}

static enum pt_status
set_values(struct pt_options *o, const char *value, struct pt_error *error)
{
    for (unsigned i = 0; i < sizeof value_words / sizeof *value_words; i++) {
        if (strcmp(value, value_words[i]) == 0) {
            o->values = i;
            return PT_OK;
        }
    }
    return pt_problem_set(error, PT_EUSAGE, 0,
                          "--values=%.64s: use none, calls or locals", value);
}

static enum pt_status
set_limit(uint32_t *limit, uint32_t most, const char *option, const char *value,
          struct pt_error *error)
{
    char *end;
    errno = 0;
    unsigned long n = strtoul(value, &end, 10);
    if (*value < '0' || *value > '9' || *end != '\0' || errno != 0 || n < 1 ||
        n > most)
        return pt_problem_set(error, PT_EUSAGE, 0, "--%s=%.64s: use 1 to %u",
                              option, value, most);
    *limit = (uint32_t)n;
    return PT_OK;
}

static enum pt_status
set_value_depth(struct pt_options *o, const char *value, struct pt_error *error)
{
    return set_limit(&o->value_depth, PT_VALUE_DEPTH_MOST, "value-depth", value,
                     error);
}

static enum pt_status
set_value_length(struct pt_options *o, const char *value,
                 struct pt_error *error)
{
    return set_limit(&o->value_length, PT_VALUE_RECORD_MOST, "value-length",
                     value, error);
}

static enum pt_status
set_value_bytes(struct pt_options *o, const char *value, struct pt_error *error)
{
    return set_limit(&o->value_bytes, PT_VALUE_RECORD_MOST, "value-bytes",
                     value, error);
}

static enum pt_status
set_redact(struct pt_options *o, const char *value, struct pt_error *error)
{
    regex_t regex;
    char why[128];
    if (strlen(value) >= PT_REDACT_TEXT)
        return pt_problem_set(error, PT_EUSAGE, 0,
                              "--redact: use fewer than %d bytes",
                              PT_REDACT_TEXT);
    int e = regcomp(&regex, value, REG_EXTENDED | REG_ICASE | REG_NOSUB);
    if (e != 0) {
        regerror(e, &regex, why, sizeof why);
        return pt_problem_set(error, PT_EUSAGE, 0,
                              "--redact=%.64s is no POSIX extended regular "
                              "expression: %s",
                              value, why);
    }
    regfree(&regex);
    o->redact = value;
    return PT_OK;
}

static enum pt_status
set_no_redact(struct pt_options *o, const char *value, struct pt_error *error)
{
    o->redact = "";
    return PT_OK;
}

static enum pt_status
set_quantum(struct pt_options *o, const char *value, struct pt_error *error)
{
    char *end;
    o->quantum = strtod(value, &end);
    if (end != value && *end == '\0' && o->quantum > 0 && o->quantum <= 1e6)
        return PT_OK;
    return pt_problem_set(error, PT_EUSAGE, 0,
                          "--time-quantum=%.64s: use more than 0 "
                          "nanoseconds, up to 1000000",
                          value);
}

static enum pt_status
set_level(struct pt_options *o, const char *value, struct pt_error *error)
{
    char *end;
    long level = strtol(value, &end, 10);
    if (end == value || *end != '\0' || level < 1 || level > 19)
        return pt_problem_set(error, PT_EUSAGE, 0, "--level=%.64s: use 1 to 19",
                              value);
    o->level = (int)level;
    return PT_OK;
}

static enum pt_status
set_quiet(struct pt_options *o, const char *value, struct pt_error *error)
{
    o->quiet = true;
    return PT_OK;
}

static enum pt_status
set_progress(struct pt_options *o, const char *value, struct pt_error *error)
{
    o->progress = true;
    return PT_OK;
}

static enum pt_status
set_no_wait(struct pt_options *o, const char *value, struct pt_error *error)
{
    o->no_wait = true;
    return PT_OK;
}

static enum pt_status
set_alone(struct pt_options *o, const char *value, struct pt_error *error)
{
    o->alone = true;
    return PT_OK;
}

static enum pt_status
set_help(struct pt_options *o, const char *value, struct pt_error *error)
{
    o->help = true;
    return PT_OK;
}

#define RULE(function, kind)                                                   \
    static enum pt_status function(struct pt_options *o, const char *value,    \
                                   struct pt_error *error)                     \
    {                                                                          \
        return pt_filters_add(&o->filters, kind, value, error);                \
    }
RULE(set_source, PT_RULE_SOURCE)
RULE(set_include, PT_RULE_INCLUDE)
RULE(set_exclude, PT_RULE_EXCLUDE)
RULE(set_only, PT_RULE_ONLY)
RULE(set_function, PT_RULE_FUNCTION)
RULE(set_max_depth, PT_RULE_MAX_DEPTH)
RULE(set_start_at, PT_RULE_START_AT)
#undef RULE

static enum pt_status
set_exclude_stdlib(struct pt_options *o, const char *value,
                   struct pt_error *error)
{
    return pt_filters_add(&o->filters, PT_RULE_EXCLUDE_STDLIB, "", error);
}

static const struct option table[] = {
    {0, "python", "PYTHON",
     "the interpreter (default: $VIRTUAL_ENV/bin/python, python3)", set_python},
    {'o', "output", "FILE", "the trace (default: trace.ptr)", set_output},
    {'f', "force", NULL, "replace FILE though it is no trace", set_force},
    {0, "preset", "NAME",
     "flow (default), calls, lines, instructions or coverage", set_preset},
    {0, "events", "KINDS",
     "record these kinds (call,line), or change the preset (+line,-c_call)",
     set_events},
    {0, "source", "DIR|PACKAGE",
     "record only code below DIR, or of PACKAGE (may be given again, as all "
     "filters)",
     set_source},
    {0, "include", "GLOB", "record only code whose file or function matches",
     set_include},
    {0, "exclude", "GLOB", "... unless it matches this", set_exclude},
    {0, "exclude-stdlib", NULL, "leave out Python's standard library",
     set_exclude_stdlib},
    {0, "only", "FUNCTION",
     "record only the function (NAME, MODULE.NAME, FILE:LINE)", set_only},
    {0, "function", "FUNCTION", "record the function and all that it calls",
     set_function},
    {0, "max-depth", "N", "record the N outermost frames of each stack",
     set_max_depth},
    {0, "start-at", "PLACE",
     "begin to record when a function is first entered, or FILE:LINE reached",
     set_start_at},
    {0, "values", "none|calls|locals",
     "record what calls are given and give back, and with locals also what "
     "each "
     "line does to its variables (default: none)",
     set_values},
    {0, "value-depth", "N", "containers within containers (default: 3)",
     set_value_depth},
    {0, "value-length", "N", "elements of a container (default: 32)",
     set_value_length},
    {0, "value-bytes", "N",
     "bytes of a string or number (default: 256); of a whole value 16 times "
     "that",
     set_value_bytes},
    {0, "redact", "REGEX",
     "leave out the values of names (variables, keys, attributes) that match "
     "(default: password, token, secret, api_key and such)",
     set_redact},
    {0, "no-redact", NULL, "leave out no values by their names", set_no_redact},
    {0, "syntax", "own|all|none",
     "whose sources are parsed for the trace: the program's own, those of "
     "libraries too, nobody's (default)",
     set_syntax},
    {0, "on-full", "wait|drop",
     "what a program faster than ptrec does (default: wait)", set_on_full},
    {0, "time-quantum", "NS",
     "resolution of time stamps (default: 50 for flow, else 12.4)",
     set_quantum},
    {0, "level", "N", "zstd level, 1 (default) to 19", set_level},
    {0, "quiet", NULL, "no summary", set_quiet},
    {0, "progress", NULL, "tell each second how far it is", set_progress},
    {0, "no-wait", NULL,
     "close the trace when the program has ended, "
     "whoever else still records",
     set_no_wait},
    {0, "no-children", NULL,
     "record the program alone, none of the processes it starts", set_alone},
    {'h', "help", NULL, "this text", set_help},
};

enum { OPTIONS = sizeof table / sizeof *table };

bool
pt_options_describe(unsigned i, char *name, size_t size, const char **help)
{
    if (i >= OPTIONS)
        return false;
    const struct option *o = &table[i];
    char letter[8] = "";
    if (o->letter != 0)
        snprintf(letter, sizeof letter, "-%c, ", o->letter);
    snprintf(name, size, "%s--%s%s%s", letter, o->name,
             o->value != NULL ? "=" : "", o->value != NULL ? o->value : "");
    *help = o->help;
    return true;
}

/* Where parsing stands. */
struct args {
    struct pt_options *o;
    char **argv;
    int argc, at;
    struct pt_error *error;
};

static void
pass(struct args *a, char *word)
{
    a->o->flags[a->o->nflags++] = word;
}

/* The value of an option whose word ended: the next word. */
static enum pt_status
next_word(struct args *a, const char *option, char **value)
{
    if (a->at >= a->argc)
        return pt_problem_set(a->error, PT_EUSAGE, 0,
                              "%.64s needs a value after it", option);
    *value = a->argv[a->at++];
    return PT_OK;
}

static enum pt_status
long_option(struct args *a, char *word)
{
    const char *name = word + 2;
    size_t len = strcspn(name, "=");
    char *value = name[len] == '=' ? word + 2 + len + 1 : NULL;
    for (const struct option *o = table; o < table + OPTIONS; o++) {
        if (strlen(o->name) != len || memcmp(o->name, name, len) != 0)
            continue;
        if (o->value == NULL && value != NULL)
            return pt_problem_set(a->error, PT_EUSAGE, 0, "--%s takes no value",
                                  o->name);
        if (o->value != NULL && value == NULL) {
            enum pt_status st = next_word(a, word, &value);
            if (st != PT_OK)
                return st;
        }
        return o->set(a->o, value, a->error);
    }
    if (strcmp(name, "check-hash-based-pycs") == 0) {
        enum pt_status st = next_word(a, word, &value);
        if (st == PT_OK) {
            pass(a, word);
            pass(a, value);
        }
        return st;
    }
    return pt_problem_set(a->error, PT_EUSAGE, 0,
                          "no option %.64s; see `ptrec help run`", word);
}

/* A word like -Iuc: the interpreter's flags, of which c and m end all
 * options.  *ended tells that they did. */
static enum pt_status
python_flags(struct args *a, char *word, bool *ended)
{
    for (char *p = word + 1; *p != '\0'; p++) {
        if (strchr("bBdEiIOPqsSuvx", *p) != NULL)
            continue;
        if (*p == 'W' || *p == 'X') {
            char *value = NULL;
            pass(a, word);
            if (p[1] != '\0')
                return PT_OK;
            enum pt_status st = next_word(a, word, &value);
            if (st == PT_OK)
                pass(a, value);
            return st;
        }
        if (*p == 'c' || *p == 'm') {
            if (p[1] == '\0' && a->at >= a->argc)
                return pt_problem_set(a->error, PT_EUSAGE, 0, "-%c needs %s",
                                      *p, *p == 'c' ? "a text" : "a module");
            if (*p == 'c')
                a->o->command = p[1] != '\0' ? p + 1 : a->argv[a->at];
            a->at--;
            *ended = true;
            return PT_OK;
        }
        return pt_problem_set(a->error, PT_EUSAGE, 0,
                              "no option -%c (in %.64s); see `ptrec help run`",
                              *p, word);
    }
    pass(a, word);
    return PT_OK;
}

static enum pt_status
short_option(struct args *a, char *word, bool *ended)
{
    for (const struct option *o = table; o < table + OPTIONS; o++) {
        if (o->letter == 0 || o->letter != word[1])
            continue;
        char *value = NULL;
        if (o->value != NULL && word[2] != '\0') {
            value = word + 2;
        } else if (o->value != NULL) {
            enum pt_status st = next_word(a, word, &value);
            if (st != PT_OK)
                return st;
        } else if (word[2] != '\0') {
            break;
        }
        return o->set(a->o, value, a->error);
    }
    return python_flags(a, word, ended);
}

static enum pt_status
parse_words(struct args *a)
{
    bool ended = false;
    while (!ended && a->at < a->argc && !a->o->help) {
        char *word = a->argv[a->at];
        if (word[0] != '-' || word[1] == '\0')
            break;
        a->at++;
        if (strcmp(word, "--") == 0) {
            /* The interpreter needs it too where a script's name demands. */
            if (a->at < a->argc && a->argv[a->at][0] == '-')
                pass(a, word);
            break;
        }
        enum pt_status st = word[1] == '-' ? long_option(a, word)
                                           : short_option(a, word, &ended);
        if (st != PT_OK)
            return st;
    }
    a->o->program = a->argv + a->at;
    a->o->nprogram = a->argc - a->at;
    if (a->o->nprogram == 0 && !a->o->help)
        return pt_problem_set(a->error, PT_EUSAGE, 0,
                              "no program: give a script, -m MODULE, -c CODE "
                              "or - for standard input");
    return PT_OK;
}

/* What is told once has no stack that rules or other kinds could stand on. */
static enum pt_status
check_once(const struct pt_options *o, struct pt_error *error)
{
    if (!o->preset->once)
        return PT_OK;
    const char *against = o->events != o->preset->events ? "--events"
                          : o->drop                      ? "--on-full=drop"
                                                         : NULL;
    static const struct {
        enum pt_rule_kind kind;
        const char *option;
    } stacked[] = {{PT_RULE_FUNCTION, "--function"},
                   {PT_RULE_MAX_DEPTH, "--max-depth"},
                   {PT_RULE_START_AT, "--start-at"}};
    for (size_t i = 0; i < sizeof stacked / sizeof *stacked; i++)
        if (against == NULL && pt_filters_have(&o->filters, stacked[i].kind))
            against = stacked[i].option;
    if (against == NULL)
        return PT_OK;
    return pt_problem_set(error, PT_EUSAGE, 0,
                          "--preset=%s tells each line once and does not go "
                          "with %s; --preset=flow does",
                          o->preset->name, against);
}

enum pt_status
pt_options_parse(struct pt_options *o, int argc, char **argv,
                 struct pt_error *error)
{
    *o = (struct pt_options){.output = "trace.ptr",
                             .level = 1,
                             .value_depth = 3,
                             .value_length = 32,
                             .value_bytes = 256,
                             .redact = secrets};
    o->flags = calloc((size_t)argc + 1, sizeof *o->flags);
    if (o->flags == NULL)
        return pt_problem_set(error, PT_ENOMEM, 0, "out of memory");
    enum pt_status st = set_preset(o, "flow", error);
    struct args a = {o, argv, argc, 0, error};
    if (st == PT_OK)
        st = parse_words(&a);
    if (st == PT_OK)
        st = check_once(o, error);
    if (st == PT_OK && o->values != PT_VALUES_NONE &&
        (o->preset->once || !(o->events >> PT_CALL & 1)))
        st = pt_problem_set(error, PT_EUSAGE, 0,
                            "--values needs calls to be recorded: use "
                            "--preset=flow, or another that has them");
    if (o->quantum == 0)
        o->quantum = o->preset->quantum;
    return st;
}

void
pt_options_clear(struct pt_options *o)
{
    free(o->flags);
    o->flags = NULL;
    pt_filters_clear(&o->filters);
}
