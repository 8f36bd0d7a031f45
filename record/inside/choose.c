#include "choose.h"
#include "objects.h"
#include "text.h"

#include "record/fields.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct pt_choice pt_choose;

/* What the rules lie in: a forked child has no arena. */
static struct {
    char text[PT_FILTER_TEXT];
    char cwd[PT_RULE_TEXT];
    struct pt_def stdlib;
    struct pt_str library;
    bool opens, starts; /* there are --function, --start-at */
} rules;

static bool
nests(const void *code, uint32_t line)
{
    const PyCodeObject *co = code;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(co->co_consts); i++) {
        PyObject *c = PyTuple_GET_ITEM(co->co_consts, i); /* borrowed */
        if (PyCode_Check(c) && ((PyCodeObject *)c)->co_firstlineno == (int)line)
            return true;
    }
    return false;
}

static struct pt_str
bytes_of(PyObject *o)
{
    if (o == NULL || !PyBytes_Check(o))
        return (struct pt_str){NULL, 0};
    return (struct pt_str){PyBytes_AS_STRING(o), (size_t)PyBytes_GET_SIZE(o)};
}

/* False where memory is short.  `names` holds the strings and is released by
 * the caller. */
static bool
describe(struct pt_candidate *out, struct pt_def *names, PyCodeObject *co)
{
    pt_def_text(names, co->co_filename);
    pt_def_text(names, co->co_name);
    pt_def_text(names, co->co_qualname);
    if (names->failed)
        return false;
    struct pt_fields b = {(unsigned char *)names->data,
                          (unsigned char *)names->data + names->len, false};
    *out = (struct pt_candidate){
        .linetable = bytes_of(co->co_linetable),
        .firstline = (uint32_t)co->co_firstlineno,
        .stdlib = rules.library,
        .nests = nests,
        .code = co,
    };
    out->file = pt_fields_str(&b);
    out->name = pt_fields_str(&b);
    out->qualname = pt_fields_str(&b);
    return true;
}

/* Without memory to find out, everything is recorded. */
static uint32_t
traits(PyCodeObject *co)
{
    struct pt_candidate code;
    struct pt_def names = {0};
    uint32_t found = 0;
    if (describe(&code, &names, co)) {
        if (!pt_choice_takes(&pt_choose, &code))
            found |= PT_CODE_OPAQUE;
        if (rules.opens && pt_choice_names(&pt_choose, PT_RULE_FUNCTION, &code))
            found |= PT_CODE_OPENS;
        if (rules.starts && pt_choice_starts(&pt_choose, &code, 0))
            found |= PT_CODE_STARTS;
        if (rules.starts && pt_choice_starts_within(&pt_choose, &code))
            found |= PT_CODE_LINES;
    }
    free(names.data);
    return found;
}

bool
pt_choose_line(PyCodeObject *co, uint32_t line)
{
    struct pt_candidate code;
    struct pt_def names = {0};
    bool named = describe(&code, &names, co) &&
                 pt_choice_starts(&pt_choose, &code, line);
    free(names.data);
    return named;
}

bool
pt_choose_init(void)
{
    memcpy(rules.text, pt_producer.arena->config.filters, sizeof rules.text);
    if (rules.text[0] == '\0')
        return true;
    rules.text[sizeof rules.text - 1] = '\0';
    static struct pt_rule list[PT_FILTER_TEXT / 6];
    size_t n = 0;
    for (const char *p = rules.text; *p != '\0'; p += strlen(p) + 1)
        if (!pt_rule_parse(p, &list[n++]))
            return false;
    if (getcwd(rules.cwd, sizeof rules.cwd) == NULL)
        rules.cwd[0] = '\0';
    pt_def_text(&rules.stdlib, PySys_GetObject("_stdlib_dir"));
    PyErr_Clear();
    if (!rules.stdlib.failed)
        rules.library =
            (struct pt_str){rules.stdlib.data + 4, rules.stdlib.len - 4};
    pt_choose = (struct pt_choice){list, n, {rules.cwd, strlen(rules.cwd)}};
    rules.opens = pt_choice_has(&pt_choose, PT_RULE_FUNCTION);
    rules.starts = pt_choice_has(&pt_choose, PT_RULE_START_AT);
    pt_objects_traits = traits;
    return true;
}
