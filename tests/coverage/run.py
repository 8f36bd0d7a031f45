"""Lines, exclusions, selection and the table of `ptana coverage` against
coverage.py, and against counters of the interpreter itself.

Packages of the standard library are copied and run by their own tests, once
recorded and once under coverage.py (peers.py says which; where there is none, the
interpreter's own line events tell what ran, and the case says so).  make check takes four of
them, other ones each day, make check-all takes all."""
import glob
import json
import os
import re
import shutil
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import harness  # noqa: E402
import peers  # noqa: E402
from harness import Failure, equal, require  # noqa: E402

DRIVER = os.path.join(HERE, "packages_driver.py")
# A module and the tests that run it; without those that take long, or run it in
# another process.
PACKAGES = {
    "argparse": ["test.test_argparse"],
    "ast": ["test.test_ast"],
    "calendar": ["test.test_calendar"],
    "cmd": ["test.test_cmd"],
    "codeop": ["test.test_codeop"],
    "configparser": ["test.test_configparser"],
    "contextlib": ["test.test_contextlib", "test.test_contextlib_async"],
    "csv": ["test.test_csv"],
    "dataclasses": ["test.test_dataclasses"],
    "difflib": ["test.test_difflib"],
    "email": ["test.test_email"],
    "fileinput": ["test.test_fileinput"],
    "fractions": ["test.test_fractions"],
    "graphlib": ["test.test_graphlib"],
    "gettext": ["test.test_gettext"],
    "heapq": ["test.test_heapq"],
    "html": ["test.test_html", "test.test_htmlparser"],
    "http": ["test.test_http_cookies", "test.test_http_cookiejar"],
    "ipaddress": ["test.test_ipaddress"],
    "json": ["test.test_json"],
    "mailbox": ["test.test_mailbox"],
    "netrc": ["test.test_netrc"],
    "optparse": ["test.test_optparse"],
    "pickle": ["test.test_pickle"],
    "plistlib": ["test.test_plistlib"],
    "pprint": ["test.test_pprint"],
    "queue": ["test.test_queue"],
    "reprlib": ["test.test_reprlib"],
    "sched": ["test.test_sched"],
    "shelve": ["test.test_shelve"],
    "shlex": ["test.test_shlex"],
    "statistics": ["test.test_statistics"],
    "string": ["test.test_string"],
    "tempfile": ["test.test_tempfile"],
    "textwrap": ["test.test_textwrap"],
    "timeit": ["test.test_timeit"],
    "tomllib": ["test.test_tomllib"],
    "typing": ["test.test_typing"],
    "uuid": ["test.test_uuid"],
    "xml": ["test.test_minidom", "test.test_sax"],
    "zipfile": ["test.test_zipfile"],
}
FOUR = 4


def record(python, trace, *words, options=(), cwd=None):
    return harness.run([harness.PTREC, "run", "--quiet", "-f", "--python=" + python.path,
                        "-o", trace, *options, *words], cwd=cwd, timeout=600)


def coverage(python, *words, cwd=None, expect=0):
    """What ptana coverage prints, as text."""
    env = harness.environment()
    return harness.run([harness.PTANA, "coverage", "--python=" + python.path, *words],
                       cwd=cwd, expect=expect, env=env).stdout.decode()


def as_json(python, *words, cwd=None):
    return json.loads(coverage(python, "--format=json", *words, cwd=cwd))


def write(directory, files):
    for name, text in files.items():
        path = os.path.join(directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def need_peer(python):
    """False, and said so, where there is no coverage.py for it."""
    if peers.of(python):
        return True
    print("note: no coverage.py for %s: not compared" % python)
    return False


def compare_lines(got, expected, what):
    """Two reports' files: statements that ran, that did not, and exclusions."""
    wrong = []
    equal(sorted(got), sorted(expected), what, "files")
    for file, theirs in sorted(expected.items()):
        own = got[file]
        statements = set(theirs["executed_lines"]) | set(theirs["missing_lines"])
        for key in "missing_lines", "excluded_lines":
            if own[key] != theirs[key]:
                wrong.append("%s %s: %s" % (file, key, sorted(
                    set(own[key]) ^ set(theirs[key]))))
        # They have lines that ran, but are no statements.
        extra = set(own["executed_lines"]) - statements
        if extra:
            wrong.append("%s: %s ran" % (file, sorted(extra)))
        for key in "num_statements", "covered_lines", "missing_lines", "excluded_lines", \
                "percent_covered_display":
            if own["summary"][key] != theirs["summary"][key]:
                wrong.append("%s %s: %s, expected %s" % (
                    file, key, own["summary"][key], theirs["summary"][key]))
    if wrong:
        raise Failure("%s: %d differences\n%s" % (what, len(wrong), "\n".join(wrong[:30])))


# --- packages of the standard library ----------------------------------------

def copy_package(python, name, directory):
    """A copy of a module below directory/lib; None where it is not there."""
    stdlib = harness.output([python.path, "-I", "-S", "-c",
                             "import os; print(os.path.dirname(os.__file__))"]).strip()
    source = os.path.join(stdlib, name)
    target = os.path.join(directory, "lib")
    os.makedirs(target)
    if os.path.isdir(source):
        shutil.copytree(source, os.path.join(target, name),
                        ignore=shutil.ignore_patterns("__pycache__"))
    elif os.path.exists(source + ".py"):
        shutil.copy(source + ".py", target)
    else:
        return None
    return target


def has_tests(python, names):
    test = "import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, sys.argv[1:])))"
    return harness.run([python.path, "-I", "-c", test, *names], expect=None).returncode == 0


def package(directory, python, name):
    tests = [test for test in PACKAGES[name] if has_tests(python, [test])]
    lib = copy_package(python, name, directory)
    if not lib or not tests:
        print("note: %s has no %s with tests: not run" % (python, name))
        return
    words = [DRIVER, lib, name, *tests]
    trace = os.path.join(directory, "trace.ptr")
    require(b"True" in record(python, trace, *words, cwd=directory).stdout, "tests ran")
    got = as_json(python, "--source=lib", trace, cwd=directory)["files"]
    require(got, "files of", name)
    if peers.of(python):
        peer = peers.Peer(python, directory)
        peer.run("--source=lib", *words, timeout=600)
        compare_lines(got, peer.json()["files"], name)
    else:
        print("note: no coverage.py for %s: %s against line events" % (python, name))
        told = os.path.join(directory, "told.json")
        harness.run([python.path, DRIVER, "--trace", told, *words[1:]], cwd=directory,
                    timeout=600)
        with open(told, encoding="utf-8") as file:
            compare_told(directory, got, json.load(file), name)


def compare_told(directory, got, told, what):
    """Lines that were told belong to statements that ran, and each of those was told."""
    wrong = []
    for file, report in got.items():
        lines = set(told.get(os.path.join(directory, file), ()))
        executed, missing = set(report["executed_lines"]), set(report["missing_lines"])
        if lines & missing:
            wrong.append("%s: %s is not missing" % (file, sorted(lines & missing)))
        # Of a statement of several lines a line may be told that is not its first.
        starts = sorted(executed | missing | set(report["excluded_lines"]))
        ends = dict(zip(starts, [*starts[1:], 1 << 30]))
        unseen = sorted(line for line in executed
                        if not any(line <= other < ends[line] for other in lines))
        if unseen:
            wrong.append("%s: %s did not run" % (file, unseen))
    if wrong:
        raise Failure("%s:\n%s" % (what, "\n".join(wrong)))


# --- hits --------------------------------------------------------------------

PROGRAM = '''\
import sys


def gen(n):
    for i in range(n):
        if i % 3:
            yield i
        else:
            x = (yield
                 i)


class C:
    """Of no use."""
    a = [i for i in range(5) if i % 2]

    @staticmethod
    def m(n): return n if n < 2 else C.m(n - 1) + C.m(n - 2)

    def unused(self):
        return self


def loops(n):
    while n: n -= 1
    else: n = 0
    for i in range(3): pass
    return sum(
        i
        for i in gen(9)
        if i > 2)


def raises(n):
    try:
        try:
            {}[n]
        except KeyError as e:
            raise ValueError from e
        finally:
            n += 1
    except ValueError:
        with open(__file__) as f:
            f.readline(
                1)
        return n


def many(a, *b,
         c=3):
    match a, c:
        case (1, _):
            return 1
        case (2, 3) if b:
            return 2
        case _:
            return 3


print(C.m(9), loops(7), raises(1), many(1), many(2, 4), many(
    3,
    c=8), file=sys.stderr)
for k in range(4): [gen for gen in (1, 2)]
'''


def single_lines(text):
    """Lines of statements that are one line long, by Python's own parser."""
    import ast
    tree = ast.parse(text)
    wide = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.stmt, ast.expr)) and node.end_lineno != node.lineno:
            body = getattr(node, "body", None)
            end = body[0].lineno - 1 if isinstance(body, list) and body else node.end_lineno
            wide.update(range(node.lineno, end + 1) if end > node.lineno else ())
    return set(range(1, text.count("\n") + 1)) - wide


def hits(directory, python, preset):
    """As often as the profile has them: one counts ways between instructions,
    the other walks them."""
    program = os.path.join(directory, "program.py")
    trace = os.path.join(directory, "trace.ptr")
    write(directory, {"program.py": PROGRAM})
    record(python, trace, program, options=["--preset=" + preset], cwd=directory)
    got = as_json(python, trace, cwd=directory)["files"]["program.py"]
    told = json.loads(harness.ptana("profile", trace, "--lines", "--format=json"))
    expected = {int(line): entry["hits"] for line, entry in told["files"][program].items()
                if entry["hits"]}
    own = {int(line): n for line, n in got["ptrec"]["hits"].items() if n}
    lines = single_lines(PROGRAM)
    require(len(lines) > 30, "few lines to compare:", sorted(lines))
    equal({line: n for line, n in own.items() if line in lines},
          {line: n for line, n in expected.items()
           if line in lines and line in got["executed_lines"]}, "hits")
    # In a statement of several lines it is the statement that counts.
    equal([own.get(line) for line in (9, 26, 57)], [3, 1, 1], "of statements")
    never = [f["name"] for f in got["ptrec"]["functions"] if not f["calls"]]
    equal(never, ["C.unused"], "never called")


# --- exclusions and selection ------------------------------------------------

EXCLUDED = '''\
"""A module."""
# A comment.
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import os
    import sys
import abc  # pragma: no cover


def plain(a):
    """A
    docstring."""
    if a:  # pragma: no cover
        a = 1

        # within
        a = 2
    elif a is None: # pragma: no cover
        a = 3
    else:
        a = 4
    return [a,
            # pragma: no cover
            a]


@abc.abstractmethod  # pragma: no cover
@abc.abstractmethod
def decorated(
    a
):

    # a comment
    return a


def signature(
    a,  # pragma: no cover
    b,
):
    return a


class Proto:
    def one(self): ...
    async def two(self) -> int: ...
    def three(self):
        ...

    def four(self):
        """Of no use."""
        x = """
        # pragma: no cover
        """
        return x

    if not TYPE_CHECKING: y = 1  # pragma: no cover
    else: y = 2


class Outer:  # pragma: no cover
    class Inner:
        x = {
            1: 2,
        }

    def f(self): return 1


for i in range(2):
    "a string"
    try:
        if i: raise KeyError  # PRAGMA: NO COVER
    except KeyError: # pragma:no cover
        print(
            1)
    finally:
        i = 1
match plain(1):
    case 1:  # pragma: no cover
        x = 1
    case _:
        x = 2
match plain(1):  # pragma: no cover
    case 1:
        x = 1
lambda: 0  # pragma: no cover
x: int = 3  # pragma: no cover
while i:  # pragma: no branch
    i -= 1
def last(): return (
    1)
'''


DEFAULTS = [
    r"[#]\s*(pragma|PRAGMA)[:\s]?\s*(no|NO)\s*(cover|COVER)",
    r"^\s*(((async )?def .*?)?\)(\s*->.*?)?:\s*)?\.\.\.\s*(#|$)",
    r"if (typing\.)?TYPE_CHECKING:",
]
OWN_PATTERNS = ["^class P", r"def (?:plain|last)\(", r"\bf?inally", r"x = 1$", "(?i:NOT type)"]


def exclusions(directory, python):
    for name, text in ("plain.py", EXCLUDED), ("dos.py", EXCLUDED.replace("\n", "\r\n")), \
            ("bom.py", "\ufeff" + EXCLUDED), ("header.py", "# coding: latin-1\n\n" + EXCLUDED), \
            ("empty.py", ""), ("comments.py", "# one\n\n# two"), ("doc.py", '"""Doc."""'):
        with open(os.path.join(directory, name), "w", encoding="utf-8", newline="") as file:
            file.write(text)
    names = sorted(os.path.basename(name)[:-3] for name in glob.glob(directory + "/*.py"))
    write(directory, {"main.py": "import %s\n" % ", ".join(names)})
    trace = os.path.join(directory, "trace.ptr")
    record(python, trace, "main.py", cwd=directory)
    if need_peer(python):
        peer = peers.Peer(python, directory)
        peer.run("main.py")
        compare_lines(as_json(python, trace, cwd=directory)["files"], peer.json()["files"],
                      "exclusions")
        # What is told to coverage.py is instead of its defaults, not besides; a # begins a
        # comment there.
        write(directory, {".coveragerc": "[report]\nexclude_lines =\n    %s\n" % "\n    ".join(
            DEFAULTS[:None if python.version >= (3, 12) else 1] + OWN_PATTERNS)})
        compare_lines(as_json(python, *("--exclude-lines=" + p for p in OWN_PATTERNS), trace,
                              cwd=directory)["files"], peer.json()["files"], "own patterns")


TREE = {
    "main.py": "import pack.one, pack.sub.two10, pack.sub.two9, tool\nprint(1)\n",
    "tool.py": "def f():\n    return 1\nf()\n",
    "pack/__init__.py": "",
    "pack/one.py": "def f(a):\n    if a:\n        return 1\n    b = 2\n    return b\nf(1)\n",
    "pack/never.py": "def g():\n    return 1\n\n\nclass G:\n    x = 1\n",
    "pack/broken.py": "def (:\n",
    "pack/not-a-module.txt": "x",
    "pack/.#one.py": "x",
    "pack/sub/__init__.py": "",
    "pack/sub/two9.py": "x = 1\n",
    "pack/sub/two10.py": "if 0:\n    pass\ndef f():\n    pass\n",
    "pack/data/loose.py": "x = 1\n",
}




def selection(directory, python):
    files = {name: text for name, text in TREE.items() if name != "pack/broken.py"}
    write(directory, files)
    trace = os.path.join(directory, "trace.ptr")
    record(python, trace, "main.py", cwd=directory)

    def names(*words, expect=0):
        text = coverage(python, *words, trace, cwd=directory, expect=expect)
        return [line.split()[0] for line in text.splitlines()[2:-2]]

    inner = ["pack/__init__.py", "pack/never.py", "pack/one.py", "pack/sub/__init__.py",
             "pack/sub/two9.py", "pack/sub/two10.py"]
    equal(names("--source=pack"), inner, "a folder")
    equal(names("--source=pack.sub"), [name for name in inner if "/sub/" in name], "a package")
    equal(names("--source=pack", "--include=one.py", "--omit=*/never.py"), ["pack/one.py"],
          "an include")
    equal(names("--include=pack/sub/*"), [name for name in inner if "/sub/" in name], "of a folder")
    equal(names("--include=tool.py", "--include=**/sub/t*"),
          ["pack/sub/two9.py", "pack/sub/two10.py", "tool.py"], "several")
    require("never" in coverage(python, "--source=pack", "--functions", trace, cwd=directory),
            "of a file that nobody imported")
    coverage(python, "--source=nowhere", trace, cwd=directory, expect=2)
    if not need_peer(python):
        return
    peer = peers.Peer(python, directory)
    peer.run("--source=pack,tool", "main.py")
    compare_lines(as_json(python, "--source=pack", "--source=tool", trace, cwd=directory)["files"],
                  peer.json()["files"], "sources")
    if python.version < (3, 12):
        return  # its table has other widths
    for words in [], ["-m"], ["--skip-covered"], ["--skip-empty", "-m"], ["--sort=miss"], \
            ["--sort=-cover"], ["--sort=-name"], ["--sort=stmts"], ["--precision=2", "-m"], \
            ["--include=*/sub/*"], ["--include=pack/o*"], ["--omit=*/sub/*,tool.py"], \
            ["--include=one.py"], ["--omit=pack/**/t*"]:
        own = [part for word in words
               for part in (["--omit=" + p for p in word[7:].split(",")]
                            if word.startswith("--omit=") else [word])]
        # Theirs ran what --source has; of that --include takes a part.
        equal(coverage(python, "--source=pack", "--source=tool", *own, trace, cwd=directory),
              peer.report(*words), "table", words)


def merging(directory, python):
    """Two traces show what either ran; a trace of a part, that part."""
    program = ("import sys\n\n\ndef one():\n    return 1\n\n\ndef two():\n    return (\n"
               "        2)\n\n\n(one if sys.argv[1:] else two)()\n")
    write(directory, {"program.py": program})
    traces = [os.path.join(directory, name) for name in ("a.ptr", "b.ptr")]
    record(python, traces[0], "program.py", cwd=directory)
    record(python, traces[1], "program.py", "1", cwd=directory, options=["--preset=lines"])

    def missing(*words):
        report = as_json(python, *words, cwd=directory)["files"]["program.py"]
        return report["missing_lines"], report["ptrec"]["hits"].get("13")

    equal(missing(traces[0]), ([5], 1), "the first")
    equal(missing(traces[1]), ([9], 1), "the second")
    equal(missing(*traces), ([], 2), "both")
    equal(missing("--function=two", traces[0]), ([1, 4, 5, 8, 13], 0), "a function's part")
    calls = [e for e in harness.dump(traces[0]) if e["ev"] == "call" and e["func"] == "two"]
    place = calls[0]["seq"]
    equal(missing("--from=%d" % place, traces[0])[0], [1, 4, 5, 8], "from a call on")
    equal(missing("--from=%d" % place, "--to=%d" % place, traces[0])[0], [1, 4, 5, 8, 9, 13],
          "nothing but a call")
    text = coverage(python, "--fail-under=lines:50,90", traces[0], cwd=directory, expect=1)
    require("TOTAL" in text, "a table:", text)
    # Another text of the same name: the last one counts.
    write(directory, {"program.py": program.replace("return 1", "return 3")})
    record(python, traces[1], "program.py", "1", cwd=directory)
    done = harness.run([harness.PTANA, "coverage", "--python=" + python.path, *traces],
                       cwd=directory)
    require(b"another text" in done.stderr, "no word of two texts:", done.stderr)
    equal(missing(*traces), ([9], 1), "of the last text")


def once(directory, python):
    """The preset coverage gives what flow gives, but for how often."""
    if python.version < (3, 12):
        return
    write(directory, {"program.py": PROGRAM, **TREE, "pack/broken.py": ""})
    trace = os.path.join(directory, "trace.ptr")
    for program in "program.py", "main.py":
        reports = []
        for preset in "flow", "coverage":
            record(python, trace, program, options=["--preset=" + preset], cwd=directory)
            files = as_json(python, "--branches", "--source=.", trace, cwd=directory)["files"]
            reports.append({name: {key: file[key] for key in (
                "executed_lines", "missing_lines", "executed_branches", "missing_branches",
                "summary")} for name, file in files.items()})
        equal(reports[1], reports[0], program)


ANNOTATED = """class C:
    x: int
    y: str = ""
    if y == "":
        z: int

    def f(self, a: int,
          b: str) -> str:
        w: int
        return a
q: (
    int)
"""


def annotations(directory, python):
    """What only the function of annotations runs is no statement, from 3.14 on."""
    future = "from __future__ import annotations\n"
    write(directory, {"plain.py": ANNOTATED, "texts.py": future + ANNOTATED,
                      "main.py": "import plain, texts\n"})
    trace = os.path.join(directory, "trace.ptr")
    record(python, trace, "main.py", cwd=directory)
    files = as_json(python, trace, cwd=directory)["files"]
    deferred = python.version >= (3, 14)
    equal(files["plain.py"]["executed_lines"], [1, *([] if deferred else [2]), 3, 4, 5, 7, 11],
          "plain")
    equal(files["texts.py"]["executed_lines"], [1, 2, 3, 4, 5, 6, 8, 12], "texts")
    equal([files[name]["missing_lines"] for name in ("plain.py", "texts.py")], [[10], [11]],
          "missing")


def unparsed(directory, python):
    """Without a parser the lines are those of the bytecode, and that is said."""
    write(directory, {"program.py": "x = [\n    1,\n    2]\n\nif x:\n    y = 1\nelse:\n    y = 2\n"})
    trace = os.path.join(directory, "trace.ptr")
    record(python, trace, "program.py", cwd=directory)
    done = harness.run([harness.PTANA, "coverage", "-m", "--python=/bin/false", trace],
                       cwd=directory)
    require(b"bytecode" in done.stderr, "no word of it:", done.stderr)
    require(re.search(rb"^program.py +\d+ +1 .* 8$", done.stdout, re.M), done.stdout)
    record(python, trace, "program.py", cwd=directory, options=["--syntax=own"])
    done = harness.run([harness.PTANA, "coverage", "-m", "--python=/bin/false", trace],
                       cwd=directory)
    equal(done.stderr, b"", "with the trace's syntax")
    require(re.search(rb"^program.py +4 +1 +75% +8$", done.stdout, re.M), done.stdout)
    record(python, trace, "program.py", cwd=directory, options=["--preset=calls"])
    done = harness.run([harness.PTANA, "coverage", trace], cwd=directory, expect=2)
    require(b"--preset=flow" in done.stderr, "no preset:", done.stderr)


def main():
    suite = harness.Suite("coverage")
    day = int(time.time() // 86400)
    names = sorted(PACKAGES)
    if not harness.ALL:
        names = [names[(day * FOUR + i) % len(names)] for i in range(FOUR)]
    for python in harness.chosen():
        for name in sorted(PACKAGES) if suite.wanted else names:
            suite.case("%s package %s" % (python, name), package, python, name)
        for preset in "flow", "lines":
            suite.case("%s hits %s" % (python, preset), hits, python, preset)
        for function in exclusions, selection, merging, once, annotations, \
                unparsed:
            suite.case("%s %s" % (python, function.__name__), function, python)
    suite.finish()


main()
