/* ptana dap: a debug adapter, through which editors look at a trace. */
#include "analyze/dap/dap.h"
#include "analyze/utf8.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct config {
    const char *listen;
};

static const struct pt_option options[] = {
    {"listen", 0, PT_OPTION_TEXT, offsetof(struct config, listen), "PORT",
     "wait for one client on a TCP port of this machine instead of standard "
     "input; 0 takes a free one, and standard error tells which"},
    {0}};

/* --- text ------------------------------------------------------------------
 */

void
pt_dap_put_str(cJSON *to, const char *key, struct pt_str s)
{
    struct pt_growing g = {0};
    for (size_t i = 0; i < s.len;) {
        uint32_t c;
        unsigned n = pt_utf8_next(s.data + i, s.len - i, &c);
        bool fine = c && (n > 1 || c < 128) && (c < 0xd800 || c > 0xdfff);
        if (fine)
            pt_growing_put(&g, s.data + i, n);
        else
            pt_growing_text(&g, "\xef\xbf\xbd");
        i += n;
    }
    pt_growing_put(&g, "", 1);
    if (!g.failed)
        cJSON_AddStringToObject(to, key, g.data);
    pt_growing_free(&g);
}

void
pt_dap_put_number(cJSON *to, const char *key, double n)
{
    cJSON_AddNumberToObject(to, key, n);
}

const char *
pt_dap_text(const cJSON *args, const char *key, const char *otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(args, key);
    return cJSON_IsString(item) ? item->valuestring : otherwise;
}

int64_t
pt_dap_number(const cJSON *args, const char *key, int64_t otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(args, key);
    double n = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    return fabs(n) <= 9007199254740992.0 && n == floor(n) ? (int64_t)n
                                                          : otherwise;
}

bool
pt_dap_flag(const cJSON *args, const char *key, bool otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(args, key);
    return cJSON_IsBool(item) ? cJSON_IsTrue(item) : otherwise;
}

uint32_t
pt_dap_line_in(const struct pt_dap *d, const cJSON *of, const char *key)
{
    int64_t line = pt_dap_number(of, key, -1) + d->lines0;
    return line > 0 && line <= INT32_MAX ? (uint32_t)line : 0;
}

void
pt_dap_line_out(const struct pt_dap *d, cJSON *to, const char *key,
                uint32_t line)
{
    pt_dap_put_number(to, key, line && d->lines0 ? line - 1 : line);
}

/* --- messages --------------------------------------------------------------
 */

enum pt_status
pt_dap_refuse(struct pt_dap *d, enum pt_status status, const char *fmt, ...)
{
    struct pt_error *error = &d->session->error;
    va_list ap;
    *error = (struct pt_error){.status = status, .offset = -1, .seq = -1};
    va_start(ap, fmt);
    vsnprintf(error->text, sizeof error->text, fmt, ap);
    va_end(ap);
    return status;
}

/* Numbers a message, sends and frees it. */
static void
send(struct pt_dap *d, cJSON *message)
{
    enum pt_status st = PT_ENOMEM;
    pt_dap_put_number(message, "seq", (double)++d->seq);
    if (message)
        st = pt_wire_write(&d->wire, message);
    cJSON_Delete(message);
    if (st == PT_EIO)
        d->done = true; /* the client has gone, which is no failure of ours */
    else if (st != PT_OK)
        d->status = st;
}

void
pt_dap_event(struct pt_dap *d, const char *name, cJSON *body)
{
    cJSON *message = cJSON_CreateObject();
    cJSON_AddStringToObject(message, "type", "event");
    cJSON_AddStringToObject(message, "event", name);
    if (!cJSON_AddItemToObject(message, "body", body))
        cJSON_Delete(body);
    send(d, message);
}

void
pt_dap_output(struct pt_dap *d, const char *category, struct pt_str text)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "category", category);
    pt_dap_put_str(body, "output", text);
    pt_dap_event(d, "output", body);
}

void *
pt_dap_grow(struct pt_dap *d, void *array, size_t n, size_t size)
{
    /* At powers of two it is full. */
    if (n & (n - 1))
        return array;
    void *grown = realloc(array, (n ? 2 * n : 1) * size);
    if (!grown)
        d->status = PT_ENOMEM;
    return grown;
}

bool
pt_dap_read_ahead(struct pt_dap *d)
{
    cJSON *message = NULL;
    enum pt_status st = pt_wire_read(&d->wire, &message);
    if (st != PT_OK) {
        d->done = true;
        return false;
    }
    void *grown = pt_dap_grow(d, d->early, d->nearly, sizeof(cJSON *));
    if (!grown) {
        cJSON_Delete(message);
        return false;
    }
    d->early = grown;
    d->early[d->nearly++] = message;
    return true;
}

bool
pt_dap_waits(const struct pt_dap *d, const char *command)
{
    for (size_t i = 0; i < d->nearly; i++)
        if (strcmp(pt_dap_text(d->early[i], "command", ""), command) == 0)
            return true;
    return false;
}

static enum pt_status
next(struct pt_dap *d, cJSON **out)
{
    *out = NULL;
    if (d->nearly == 0)
        return pt_wire_read(&d->wire, out);
    *out = d->early[0];
    memmove(d->early, d->early + 1, --d->nearly * sizeof *d->early);
    return PT_OK;
}

/* --- requests --------------------------------------------------------------
 */

static void
add_filter(cJSON *list, const char *filter, const char *label, bool set,
           const char *condition)
{
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "filter", filter);
    cJSON_AddStringToObject(item, "label", label);
    cJSON_AddBoolToObject(item, "default", set);
    cJSON_AddBoolToObject(item, "supportsCondition", condition != NULL);
    if (condition)
        cJSON_AddStringToObject(item, "conditionDescription", condition);
    cJSON_AddItemToArray(list, item);
}

static enum pt_status
initialize(struct pt_dap *d, const cJSON *args, cJSON *body)
{
    static const char *const can[] = {
        "supportsConfigurationDoneRequest",
        "supportsFunctionBreakpoints",
        "supportsConditionalBreakpoints",
        "supportsHitConditionalBreakpoints",
        "supportsLogPoints",
        "supportsEvaluateForHovers",
        "supportsStepBack",
        "supportsGotoTargetsRequest",
        "supportsSteppingGranularity",
        "supportsExceptionInfoRequest",
        "supportsExceptionFilterOptions",
        "supportsLoadedSourcesRequest",
        "supportsDisassembleRequest",
        "supportsTerminateRequest",
        "supportsRestartRequest",
        "supportsDelayedStackTraceLoading",
        "supportsVariablePaging",
    };
    d->lines0 = !pt_dap_flag(args, "linesStartAt1", true);
    for (size_t i = 0; i < sizeof can / sizeof *can; i++)
        cJSON_AddTrueToObject(body, can[i]);
    cJSON *filters = cJSON_AddArrayToObject(body, "exceptionBreakpointFilters");
    add_filter(filters, "uncaught", "Uncaught exceptions", true, NULL);
    add_filter(filters, "raised", "Raised exceptions", false,
               "a type, such as KeyError or json.decoder.*; none: any");
    return PT_OK;
}

static enum pt_status
configured(struct pt_dap *d, const cJSON *args, cJSON *body)
{
    if (d->configured)
        return pt_dap_refuse(d, PT_EUSAGE, "the session has begun already");
    d->configured = true;
    return PT_OK;
}

static enum pt_status
disconnect(struct pt_dap *d, const cJSON *args, cJSON *body)
{
    d->done = true;
    return PT_OK;
}

static enum pt_status
nothing(struct pt_dap *d, const cJSON *args, cJSON *body)
{
    return PT_OK;
}

static const struct {
    const char *command;
    pt_dap_request *run;
    bool bare; /* needs no trace */
} requests[] = {
    {"initialize", initialize, true},
    {"attach", pt_dap_attach, true},
    {"launch", pt_dap_launch, true},
    {"disconnect", disconnect, true},
    {"terminate", nothing, true},
    {"cancel", nothing, true},
    {"configurationDone", configured, false},
    {"restart", nothing, false},
    {"setBreakpoints", pt_dap_set_breakpoints, false},
    {"setFunctionBreakpoints", pt_dap_set_functions, false},
    {"setExceptionBreakpoints", pt_dap_set_exceptions, false},
    {"threads", pt_dap_threads, false},
    {"stackTrace", pt_dap_stack, false},
    {"scopes", pt_dap_scopes, false},
    {"variables", pt_dap_variables, false},
    {"evaluate", pt_dap_evaluate, false},
    {"source", pt_dap_source, false},
    {"loadedSources", pt_dap_loaded, false},
    {"disassemble", pt_dap_disassemble, false},
    {"exceptionInfo", pt_dap_exception_info, false},
    {"continue", pt_dap_continue, false},
    {"reverseContinue", nothing, false},
    {"next", pt_dap_step, false},
    {"stepIn", pt_dap_step, false},
    {"stepOut", pt_dap_step, false},
    {"stepBack", pt_dap_step, false},
    {"goto", pt_dap_goto, false},
    {"gotoTargets", pt_dap_goto_targets, false},
    {"pause", nothing, false},
};

static enum pt_status
perform(struct pt_dap *d, const char *command, const cJSON *args, cJSON *body)
{
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        if (strcmp(requests[i].command, command) != 0)
            continue;
        if (!requests[i].bare && !d->trace)
            return pt_dap_refuse(d, PT_EUSAGE,
                                 "no trace is open; attach to one, or launch "
                                 "a program, first");
        d->session->error = (struct pt_error){0};
        return requests[i].run(d, args, body);
    }
    return pt_dap_refuse(d, PT_EUSAGE, "the request \"%.80s\" is not known",
                         command);
}

/* What an error that has no sentence of its own is called. */
static const char *
sentence(const struct pt_dap *d, enum pt_status st)
{
    return d->session->error.text[0] ? d->session->error.text
           : st == PT_ENOMEM         ? "out of memory"
           : st == PT_EUSAGE         ? "the trace does not tell that"
                                     : pt_status_name(st);
}

static void
answer(struct pt_dap *d, const cJSON *request)
{
    const char *command = pt_dap_text(request, "command", "");
    const cJSON *args = cJSON_GetObjectItemCaseSensitive(request, "arguments");
    cJSON *message = cJSON_CreateObject(), *body = cJSON_CreateObject();
    enum pt_status st = perform(d, command, args, body);
    cJSON_AddStringToObject(message, "type", "response");
    pt_dap_put_number(message, "request_seq",
                      (double)pt_dap_number(request, "seq", 0));
    cJSON_AddStringToObject(message, "command", command);
    cJSON_AddBoolToObject(message, "success", st == PT_OK);
    if (st != PT_OK) {
        const char *text = sentence(d, st);
        cJSON_Delete(body);
        body = cJSON_CreateObject();
        cJSON *error = cJSON_AddObjectToObject(body, "error");
        pt_dap_put_str(message, "message", (struct pt_str){text, strlen(text)});
        pt_dap_put_number(error, "id", 1);
        /* Braces would be taken for variables. */
        cJSON_AddStringToObject(error, "format", "{text}");
        cJSON *named = cJSON_AddObjectToObject(error, "variables");
        pt_dap_put_str(named, "text", (struct pt_str){text, strlen(text)});
        cJSON_AddTrueToObject(error, "showUser");
    }
    if (!cJSON_AddItemToObject(message, "body", body))
        cJSON_Delete(body);
    send(d, message);
    if (st == PT_ENOMEM)
        d->status = st;
    if (st == PT_OK && d->status == PT_OK && !d->done)
        pt_dap_after(d, command, args);
}

/* --- the session -----------------------------------------------------------
 */

static enum pt_status
serve(struct pt_dap *d)
{
    static const char passed_over[] =
        "ptana dap: a message that is no request was passed over\n";
    while (!d->done && d->status == PT_OK) {
        cJSON *message;
        enum pt_status st = next(d, &message);
        if (st == PT_END)
            break;
        if (st == PT_EUSAGE)
            return pt_session_fail(d->session, PT_EUSAGE,
                                   "what came is no message of the Debug "
                                   "Adapter Protocol; an editor starts ptana "
                                   "dap");
        if (st != PT_OK)
            return st;
        if (strcmp(pt_dap_text(message, "type", ""), "request") == 0)
            answer(d, message);
        else
            pt_dap_output(d, "console",
                          (struct pt_str){passed_over, sizeof passed_over - 1});
        cJSON_Delete(message);
    }
    return d->status;
}

static void
tell_port(unsigned port)
{
    pt_out_say("dap: listening on 127.0.0.1:%u", port);
}

static enum pt_status
open_wire(struct pt_session *s, struct pt_wire *wire)
{
    const char *text = ((struct config *)s->config)->listen;
    *wire = (struct pt_wire){.in = STDIN_FILENO, .out = STDOUT_FILENO};
    if (!text)
        return PT_OK;
    char *end;
    unsigned long port = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || port > 65535)
        return pt_session_fail(s, PT_EUSAGE,
                               "--listen=%s is no port; ports go from 0 to "
                               "65535",
                               text);
    wire->in = wire->out = pt_wire_listen((unsigned)port, tell_port);
    if (wire->in < 0)
        return pt_session_fail(s, PT_EIO,
                               "port %lu cannot be listened on (%s); name "
                               "another one, or 0 for any",
                               port, strerror(errno));
    return PT_OK;
}

static enum pt_status
run(struct pt_session *s)
{
    struct pt_dap d = {.session = s};
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    enum pt_status st = open_wire(s, &d.wire);
    if (st != PT_OK)
        return st;
    /* A client that has gone is met where it is written to. */
    sigaction(SIGPIPE, &ignore, &before);
    st = serve(&d);
    sigaction(SIGPIPE, &before, NULL);
    pt_dap_close(&d);
    for (size_t i = 0; i < d.nearly; i++)
        cJSON_Delete(d.early[i]);
    free(d.early);
    if (d.wire.in > STDERR_FILENO)
        close(d.wire.in);
    pt_wire_clear(&d.wire);
    return st;
}

const struct pt_analyzer pt_analyzer_dap = {
    .name = "dap",
    .summary = "a debug adapter: step through a trace in an editor",
    .description =
        "Speaks the Debug Adapter Protocol on standard input and output, or "
        "over TCP, for editors that do (VS Code, Emacs, Neovim, ...): what "
        "ptana debug shows, in both directions.\n"
        "attach takes the argument \"trace\": the file. launch takes "
        "\"program\" or \"module\", and \"args\", \"cwd\", \"python\": it "
        "records that with ptrec, and then opens the trace; \"trace\" names "
        "the file to keep, which is replaced, \"preset\" and \"values\" are "
        "those of ptrec run. "
        "Both open at the point of failure: with \"stopOnEntry\": true at the "
        "beginning, with false they run from there to the first breakpoint.\n"
        "Breakpoints at lines and functions take conditions, hit counts (5: "
        "the fifth, >=5, %5: each fifth) and log messages with {expressions}; "
        "exceptions are caught where they are raised, all, those of a type, "
        "or the one that nobody caught. Conditions and evaluated expressions "
        "are Python's, over recorded values; what was not recorded is said to "
        "be so, and a breakpoint whose condition is not known stops.\n"
        "Exits 0 when the client has ended the session or gone, 2 where what "
        "comes is not the protocol, 4 on an error of the system.",
    .examples = "ptana dap # started by an editor\n"
                "ptana dap --listen=5678 # one that connects",
    .options = options,
    .config_size = sizeof(struct config),
    .mends = true,
    .opens = true,
    .run = run,
};
