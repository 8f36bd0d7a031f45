/* What module a file is of. */
#include "tests/unit/test_replay.h"

#include "analyze/modules.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *file, *module;
} cases[] = {
    {"/usr/lib/python3.12/json/decoder.py", "json.decoder"},
    {"/usr/lib/python3.12/json/__init__.py", "json"},
    {"/usr/lib/python3.12/re.py", "re"},
    {"/usr/lib/python3.12/dist-packages/yaml/nodes.py", "yaml.nodes"},
    {"/v/lib/python3.12/site-packages/a/b/__init__.py", "a.b"},
    {"/v/lib/python3.12/site-packages/six.py", "six"},
    {"/opt/app.zip/pkg/mod.py", "pkg.mod"},
    {"<frozen importlib._bootstrap>", "importlib._bootstrap"},
    {"<frozen >", ""},
    {"<string>", "<string>"},
    {"", ""},
    /* A program and a module beside it. */
    {"/home/u/app.py", "app"},
    {"tool", "tool"},
    {"/tool", "tool"},
    /* Packages whose __init__.py ran, and one whose did not. */
    {"/home/u/src/top/__init__.py", "top"},
    {"/home/u/src/top/low/__init__.py", "top.low"},
    {"/home/u/src/top/low/x.py", "top.low.x"},
    {"/home/u/src/top/bare/y.py", "y"},
    {"rel/__init__.py", "rel"},
    {"rel/z.py", "rel.z"},
    /* As odd as it gets. */
    {"/__init__.py", "__init__"},
    {"/usr/lib/python3.12/", ""},
    {"/usr/lib/python3.12x/q.py", "q"},
    {".py", ""},
    {"/", ""},
    {"/site-packages/", ""},
};
enum { CASES = sizeof cases / sizeof *cases };

Test(analyze_modules, names_of_files)
{
    static struct pt_interpreter python = {.hexversion = 0x030c01f0};
    struct synth s;
    uint32_t ids[CASES], interpreter;
    synth_begin(&s);
    python.stdlib = (struct pt_str){"/usr/lib/python3.12", 19};
    cr_assert_eq(pt_writer_interpreter(s.writer, &python, &interpreter), PT_OK);
    for (unsigned i = 0; i < CASES; i++) {
        struct pt_code c = {.interpreter = interpreter,
                            .file = {cases[i].file, strlen(cases[i].file)},
                            .name = {"f", 1},
                            .qualname = {"f", 1},
                            .firstline = i + 1};
        cr_assert_eq(pt_writer_code(s.writer, &c, &ids[i]), PT_OK);
    }
    struct pt_trace *trace = synth_end(&s);
    struct pt_modules *m;
    cr_assert_eq(pt_modules_new(trace, &m), PT_OK);
    for (unsigned i = 0; i < CASES; i++) {
        struct pt_growing g = {0};
        pt_module_put(m, pt_trace_code(trace, ids[i]), &g);
        cr_expect(
            g.used == strlen(cases[i].module) &&
                (g.used == 0 || memcmp(g.data, cases[i].module, g.used) == 0),
            "%s: %.*s", cases[i].file, (int)g.used, g.data ? g.data : "");
        pt_growing_free(&g);
    }
    pt_modules_free(m);
    pt_trace_close(trace);
    synth_clear(&s);
}
