/* Evaluates expressions from standard input, a line each, for
 * tests/values/expressions.py.
 *
 *     HEXVERSION                  first: of the Python that is compared with
 *     = EXPRESSION                its value, or why there is none
 *     NAME = EXPRESSION           from here on NAME holds the value
 *
 * Answers a line each: "value REPR", "raises TEXT", "unknown TEXT", "syntax
 * TEXT".  Thread rule: one thread. */
#include "analyze/expression/expression.h"
#include "analyze/value_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES = 64 };

/* Values live as long as the expression and the result that made them. */
static struct variable {
    char name[64];
    struct pt_expr *expr;
    struct pt_expr_result result;
} variables[NAMES];
static size_t nvariables;

static enum pt_name_found
find(void *self, struct pt_str name, const struct pt_value **value, char *why)
{
    for (size_t i = nvariables; i-- > 0;)
        if (strlen(variables[i].name) == name.len &&
            memcmp(variables[i].name, name.data, name.len) == 0) {
            *value = variables[i].result.value;
            return PT_NAME_FOUND;
        }
    return PT_NAME_ABSENT;
}

static void
answer(const struct pt_expr_result *r)
{
    struct pt_growing g = {0};
    if (r->outcome != PT_EXPR_VALUE) {
        printf("%s %s\n", r->outcome == PT_EXPR_RAISES ? "raises" : "unknown",
               r->text);
        return;
    }
    pt_value_line(&g, NULL, r->value, 0);
    printf("value %.*s\n", (int)g.used, g.data);
    pt_growing_free(&g);
}

int
main(void)
{
    static char line[1 << 16];
    struct pt_expr_scope scope = {.find = find};
    if (!fgets(line, sizeof line, stdin))
        return 2;
    scope.hexversion = (uint32_t)strtoul(line, NULL, 0);
    while (fgets(line, sizeof line, stdin)) {
        char why[PT_EXPR_TEXT], *equals = strchr(line, '=');
        if (!equals || nvariables == NAMES)
            return 2;
        line[strcspn(line, "\n")] = '\0';
        *equals = '\0';
        line[strcspn(line, " ")] = '\0';
        struct variable v = {.name = ""};
        struct pt_str text = {equals + 1, strlen(equals + 1)};
        if (pt_expr_parse(text, &v.expr, why) != PT_OK) {
            printf("syntax %s\n", why);
            continue;
        }
        if (pt_expr_eval(v.expr, &scope, &v.result) != PT_OK)
            return 4;
        answer(&v.result);
        if (line[0] && v.result.value) {
            if ((size_t)snprintf(v.name, sizeof v.name, "%s", line) >=
                sizeof v.name)
                return 2;
            variables[nvariables++] = v;
        } else {
            pt_expr_result_clear(&v.result);
            pt_expr_free(v.expr);
        }
    }
    while (nvariables > 0) {
        struct variable *v = &variables[--nvariables];
        pt_expr_result_clear(&v->result);
        pt_expr_free(v->expr);
    }
    return 0;
}
