/* Rules: their texts, which code objects they take, which functions they
 * name. */
#include <pt/choice.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define STR(s) ((struct pt_str){(s), sizeof(s) - 1})

static bool
nests_at_14(const void *code, uint32_t line)
{
    return line == 14;
}

/* Lines 10, 11, 11, 14: two units, then one each, without columns. */
static const char table[] = {
    (char)(0x80 | 13 << 3 | 1), 0, (char)(0x80 | 13 << 3), 2,
    (char)(0x80 | 13 << 3),     0, (char)(0x80 | 13 << 3), 6,
};

static struct pt_candidate
code_of(const char *file, const char *qualname)
{
    const char *dot = strrchr(qualname, '.');
    const char *name = dot ? dot + 1 : qualname;
    return (struct pt_candidate){
        .file = {file, strlen(file)},
        .name = {name, strlen(name)},
        .qualname = {qualname, strlen(qualname)},
        .linetable = {table, sizeof table},
        .firstline = 10,
        .stdlib = STR("/usr/lib/python3.12"),
        .nests = nests_at_14,
    };
}

/* Rules parted by blanks. */
static bool
takes(const char *rules, const char *file, const char *qualname)
{
    char text[512];
    struct pt_rule list[8];
    size_t n = 0;
    cr_assert_lt(snprintf(text, sizeof text, "%s", rules), (int)sizeof text);
    for (char *w = strtok(text, " "); w; w = strtok(NULL, " "))
        cr_assert(pt_rule_parse(w, &list[n++]), "%s", w);
    struct pt_choice choice = {list, n, STR("/home/me/app")};
    struct pt_candidate code = code_of(file, qualname);
    return pt_choice_takes(&choice, &code);
}

Test(choice, rules)
{
    struct pt_rule r;
    cr_expect(pt_rule_parse("only=a=b", &r));
    cr_expect(r.kind == PT_RULE_ONLY && strcmp(r.value, "a=b") == 0);
    cr_expect(pt_rule_parse("exclude-stdlib", &r));
    cr_expect(r.kind == PT_RULE_EXCLUDE_STDLIB && r.value[0] == 0);
    cr_expect_not(pt_rule_parse("exclude-stdlib=1", &r));
    cr_expect_not(pt_rule_parse("only", &r));
    cr_expect_not(pt_rule_parse("", &r));
    cr_expect_not(pt_rule_parse("onl=a", &r));
    cr_expect_str_eq(pt_rule_name(PT_RULE_MAX_DEPTH), "max-depth");
    cr_expect_str_eq(pt_rule_name(PT_RULE_LIMIT), "");
}

Test(choice, faults)
{
    static const struct {
        const char *value;
        uint8_t kind;
        bool well;
    } cases[] = {
        {"1", PT_RULE_MAX_DEPTH, true},
        {"1048576", PT_RULE_MAX_DEPTH, true},
        {"1048577", PT_RULE_MAX_DEPTH, false},
        {"0", PT_RULE_MAX_DEPTH, false},
        {"-1", PT_RULE_MAX_DEPTH, false},
        {"+1", PT_RULE_MAX_DEPTH, false},
        {"3x", PT_RULE_MAX_DEPTH, false},
        {"", PT_RULE_MAX_DEPTH, false},
        {"99999999999999999999", PT_RULE_MAX_DEPTH, false},
        {"", PT_RULE_ONLY, false},
        {"[a-c]*", PT_RULE_ONLY, true},
        {"[]a]", PT_RULE_ONLY, true},
        {"[!]", PT_RULE_ONLY, false},
        {"[", PT_RULE_ONLY, false},
        {"a[", PT_RULE_ONLY, false},
        {"\\[", PT_RULE_ONLY, true},
        {"a[", PT_RULE_SOURCE, true},
        {"", PT_RULE_EXCLUDE_STDLIB, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pt_rule r = {cases[i].kind, cases[i].value};
        cr_expect_eq(pt_rule_fault(&r) == NULL, cases[i].well, "%s: %s",
                     cases[i].value, pt_rule_fault(&r));
    }
    static char huge[PT_RULE_TEXT + 1];
    memset(huge, 'x', PT_RULE_TEXT);
    struct pt_rule r = {PT_RULE_INCLUDE, huge};
    cr_expect_not_null(pt_rule_fault(&r));
}

Test(choice, sources)
{
    static const struct {
        const char *value;
        bool directory;
        const char *means;
    } cases[] = {
        {"json", false, "json"},
        {"src", true, "/home/me/app/src"},
        {".", false, "/home/me/app"},
        {"..", false, "/home/me"},
        {"./a//b/../c/", false, "/home/me/app/a/c"},
        {"/x/./y", false, "/x/y"},
        {"/", false, "/"},
        {"../../../../..", false, "/"},
    };
    char out[PT_RULE_TEXT];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_assert(pt_rule_source(cases[i].value, STR("/home/me/app"),
                                 cases[i].directory, out, sizeof out));
        cr_expect_str_eq(out, cases[i].means, "%s: %s", cases[i].value, out);
    }
    cr_expect_not(pt_rule_source("abc", STR("/"), false, out, 3));
    cr_expect_not(pt_rule_source("/abc", STR("/"), false, out, 4));
    cr_expect(pt_rule_source("/abc", STR("/"), false, out, 6));
}

Test(choice, by_source)
{
    cr_expect(takes("source=/home/me/app", "/home/me/app/x.py", "f"));
    cr_expect(takes("source=/home/me/app/x.py", "/home/me/app/x.py", "f"));
    cr_expect(takes("source=/", "/home/me/app/x.py", "f"));
    cr_expect(takes("source=/home/me/app", "x.py", "f"));
    cr_expect(takes("source=/home/me/app/lib", "lib/x.py", "f"));
    cr_expect_not(takes("source=/home/me/ap", "/home/me/app/x.py", "f"));
    cr_expect_not(takes("source=/home/me/app", "<string>", "f"));
    cr_expect_not(takes("source=/home/me/app", "", "f"));
    cr_expect(takes("source=/x source=/home", "/home/me/app/x.py", "f"));

    cr_expect(
        takes("source=json", "/usr/lib/python3.12/json/__init__.py", "f"));
    cr_expect(takes("source=json", "/usr/lib/python3.12/json/decoder.py", "f"));
    cr_expect(takes("source=json.decoder", "/lib/json/decoder.py", "f"));
    cr_expect(takes("source=abc", "<frozen abc>", "f"));
    cr_expect(takes("source=importlib", "<frozen importlib._bootstrap>", "f"));
    cr_expect(takes("source=app", "/home/me/app/src/app/core.py", "f"));
    cr_expect(takes("source=a", "/home/me/app/a.py", "f"));
    cr_expect(takes("source=a", "a.py", "f"));
    cr_expect_not(takes("source=app", "/home/me/app/tests/test_core.py", "f"));
    cr_expect_not(takes("source=json", "/usr/lib/jsonx/decoder.py", "f"));
    cr_expect_not(takes("source=json.decoder", "/lib/json/encoder.py", "f"));
    cr_expect_not(takes("source=ab", "<frozen abc>", "f"));
}

Test(choice, by_glob)
{
    static const char file[] = "/home/me/app/tests/test_core.py";
    cr_expect(takes("include=test_core.py", file, "f"));
    cr_expect(takes("include=tests/*", file, "f"));
    cr_expect(takes("include=app/tests/*", file, "f"));
    cr_expect(takes("include=/home/*", file, "f"));
    cr_expect(takes("include=*/app/*", file, "f"));
    cr_expect(takes("include=C.parse", file, "C.parse"));
    cr_expect(takes("include=parse", file, "C.parse"));
    cr_expect(takes("include=par*", file, "C.parse"));
    cr_expect_not(takes("include=core.py", file, "f"));
    cr_expect_not(takes("include=ests/*", file, "f"));
    cr_expect_not(takes("include=home", file, "f"));
    cr_expect_not(takes("exclude=test_*", file, "f"));
    cr_expect_not(takes("include=tests/* exclude=f", file, "f"));
    cr_expect(takes("include=tests/* exclude=g", file, "f"));
    cr_expect_not(takes("source=/x include=tests/*", file, "f"));
}

Test(choice, library)
{
    static const char rule[] = "exclude-stdlib";
    cr_expect_not(takes(rule, "/usr/lib/python3.12/json/decoder.py", "f"));
    cr_expect_not(takes(rule, "<frozen os>", "f"));
    cr_expect(takes(rule, "/usr/lib/python3.12/site-packages/a.py", "f"));
    cr_expect(takes(rule, "/usr/lib/python3.12/dist-packages/a.py", "f"));
    cr_expect(takes(rule, "/usr/lib/python3.123/a.py", "f"));
    cr_expect(takes(rule, "/home/me/app/x.py", "f"));
    cr_expect(takes(rule, "<string>", "f"));
    struct pt_rule rules[] = {{PT_RULE_EXCLUDE_STDLIB, ""}};
    struct pt_choice choice = {rules, 1, STR("/")};
    struct pt_candidate code = code_of("/usr/lib/python3.12/abc.py", "f");
    code.stdlib = (struct pt_str){NULL, 0};
    cr_expect(pt_choice_takes(&choice, &code));
}

static bool
names(const char *pattern, const char *file, const char *qualname)
{
    struct pt_candidate code = code_of(file, qualname);
    return pt_match_function(pattern, &code);
}

Test(choice, functions)
{
    static const char file[] = "/lib/json/decoder.py";
    cr_expect(names("decode", file, "JSONDecoder.decode"));
    cr_expect(names("JSONDecoder.decode", file, "JSONDecoder.decode"));
    cr_expect(names("decoder.JSONDecoder.decode", file, "JSONDecoder.decode"));
    cr_expect(
        names("json.decoder.JSONDecoder.decode", file, "JSONDecoder.decode"));
    cr_expect(names("json.loads", "/lib/json/__init__.py", "loads"));
    cr_expect(names("os.fspath", "<frozen os>", "fspath"));
    cr_expect(names("x.f", "x.py", "f"));
    cr_expect_not(names("son.loads", "/lib/json/__init__.py", "loads"));
    cr_expect_not(names("json.decode", file, "JSONDecoder.decode"));
    cr_expect_not(names("xml.JSONDecoder.decode", file, "JSONDecoder.decode"));
    cr_expect_not(names("Decoder.decode", file, "JSONDecoder.decode"));
}

Test(choice, lines)
{
    static const char file[] = "/lib/json/decoder.py";
    size_t n;
    cr_expect_eq(pt_match_line("a.py:12", &n), 12);
    cr_expect_eq(n, 4);
    cr_expect_eq(pt_match_line("a.py", &n), 0);
    cr_expect_eq(pt_match_line("a.py:", &n), 0);
    cr_expect_eq(pt_match_line(":3", &n), 0);
    cr_expect_eq(pt_match_line("a:b", &n), 0);
    cr_expect_eq(pt_match_line("a:0", &n), 0);
    cr_expect_eq(pt_match_line("a:3 ", &n), 0);
    cr_expect_eq(pt_match_line("a:99999999999999999999", &n), 0);
    cr_expect(names("decoder.py:10", file, "f"));
    cr_expect(names("json/decoder.py:11", file, "f"));
    cr_expect(names("*.py:11", file, "f"));
    cr_expect_not(names("decoder.py:12", file, "f"));
    cr_expect_not(names("decoder.py:14", file, "f"), "what begins there is it");
    cr_expect_not(names("coder.py:11", file, "f"));
}

Test(choice, hostile)
{
    struct pt_candidate code = code_of("/a.py", "f");
    code.linetable = STR("\xf8\xff\xff\xff\xff\xff\xff\xff");
    cr_expect_not(pt_match_has_line(&code, 11));
    code.linetable = STR("\x01\x02");
    cr_expect_not(pt_match_has_line(&code, 10));
    code.linetable = STR("\xf0");
    cr_expect_not(pt_match_has_line(&code, 10));
    static char long_name[3 * PT_RULE_TEXT];
    memset(long_name, '/', sizeof long_name);
    code.file = (struct pt_str){long_name, sizeof long_name};
    struct pt_rule rules[] = {{PT_RULE_SOURCE, "/x"},
                              {PT_RULE_INCLUDE, "*y"},
                              {PT_RULE_ONLY, "x.py:3"}};
    struct pt_choice choice = {rules, 3, STR("/")};
    cr_expect_not(pt_choice_takes(&choice, &code));
}
