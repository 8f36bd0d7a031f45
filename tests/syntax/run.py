"""Syntax in traces: what parse.py makes of the standard library and of texts
written to be difficult is what an oracle says (oracle.py, run by the same
interpreter), whose sources have it, and what happens when it cannot be made."""
import collections
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tokenize

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import harness  # noqa: E402
from harness import Failure, equal, require  # noqa: E402

READER = os.path.join(harness.ROOT, "tests", "foreign", "ptr_reader.py")
PROGRAMS = os.path.join(HERE, "programs")
PYTHON = harness.DEBIAN if os.path.exists(harness.DEBIAN) else sys.executable
OPS = {1: "atom", 2: "and", 3: "or", 4: "not", 5: "chain", 6: "ternary"}
HEADERS = {1: "", 2: "else", 3: "except", 4: "finally", 5: "case"}
# Imported by a program that does nothing else.
MODULES = "argparse dataclasses difflib json.decoder"


def rows(table, *columns):
    return [[row[c] for c in columns] for row in table]


def syntaxes(trace):
    """By source id, with the sources beside them."""
    theirs = harness.run([PYTHON, READER, trace, "--syntax"], timeout=300).stdout
    found = [json.loads(line) for line in theirs.splitlines()]
    defs = harness.run([PYTHON, READER, trace, "--defs"], timeout=300).stdout
    sources = {}
    for line in defs.splitlines():
        kind, ident, content = json.loads(line)
        if kind == "source":
            sources[ident] = content
    return {sources[s["source"]]["path"]: s for s in found}, sources


def trees(syntax):
    """The decisions as the oracle has them."""
    nodes, roots = [], []
    statements = rows(syntax["statements"], "line", "column", "end_line", "end_column")
    for row in syntax["expressions"]:
        where = [row["line"], row["column"], row["end_line"], row["end_column"]]
        node = [OPS[row["op"]], where]
        nodes.append(node)
        if row["parent"]:
            nodes[row["parent"] - 1].append(node)
        else:
            roots.append([row["context"], statements[row["statement"] - 1], node])
    return roots


def check_suites(syntax, lines, expected):
    first = {}
    for row in syntax["statements"]:
        first.setdefault(row["suite"], row)
    found = []
    for number, row in enumerate(syntax["suites"]):
        if row["kind"] == 0:
            continue
        header = lines[row["line"] - 1].encode()[row["column"]:].decode()
        owner = syntax["statements"][row["owner"] - 1]
        if row["flags"] & 1:
            require(header.startswith("elif"), "an elif is not at", row)
        else:
            require(header.startswith(HEADERS[row["kind"]]), "no header at", row, header)
            colon = lines[row["colon_line"] - 1].encode()[row["colon_column"]:]
            require(colon.startswith(b":"), "no colon at", row)
        word = {2: "else", 3: "ExceptHandler", 4: "finally", 5: "match_case"}.get(row["kind"])
        found.append([first[number]["line"], row["end_line"], word])
        require(owner["line"] <= row["line"] <= row["end_line"] <= owner["end_line"],
                "a suite out of its statement", row)
    expected = [[a, b, word if word in ("else", "finally", "ExceptHandler", "match_case")
                 else None] for a, b, word in expected]
    equal(sorted(found, key=str), sorted(expected, key=str), "suites")


def compare(path, syntax, expected):
    if "failure" in expected:
        require(expected["failure"] in syntax.get("failure", ""), path, "should fail:", expected,
                syntax.get("failure"))
        return
    require("failure" not in syntax, path, syntax.get("failure"))
    with open(path, "rb") as file:
        data = file.read()
    encoding = tokenize.detect_encoding(io.BytesIO(data).readline)[0]
    lines = re.sub("\r\n?", "\n", data.decode(encoding)).split("\n")
    names = [None, *syntax["names"]]
    statements = [[[r["line"], r["column"], r["end_line"], r["end_column"]], r["first"],
                   names[r["name"]]] for r in syntax["statements"]]
    both = [(statements, expected["statements"], "statements"),
            (trees(syntax), expected["decisions"], "decisions"),
            (rows(syntax["comments"], "line", "column"), expected["comments"], "comments"),
            (rows(syntax["logical"], "first", "last"), expected["logical"], "logical lines"),
            ([r["line"] for r in syntax["code"]], expected["code"], "lines of code")]
    for got, want, what in both:
        got, want = sorted(map(json.dumps, got)), sorted(map(json.dumps, want))
        if got != want:
            extra = collections.Counter(got) - collections.Counter(want)
            less = collections.Counter(want) - collections.Counter(got)
            raise Failure("%s: %s: %s too many, %s missing" % (
                path, what, list(extra)[:3], list(less)[:3]))
    check_suites(syntax, lines, expected["suites"])


def agrees(python, found):
    paths = sorted(found)
    out = harness.run([python.path, "-I", os.path.join(HERE, "oracle.py"), *paths],
                      timeout=300).stdout
    for path, line in zip(paths, out.splitlines()):
        compare(path, found[path], json.loads(line))


def library(directory, python):
    trace = os.path.join(directory, "t.ptr")
    program = os.path.join(directory, "imports.py")
    with open(program, "w") as file:
        for module in MODULES.split():
            file.write("try: import %s\nexcept ImportError: pass\n" % module)
    harness.ptrec(python, trace, program, options=["--preset=calls", "--syntax=all"])
    found, sources = syntaxes(trace)
    require(len(found) > 20, "only", len(found), "sources have syntax")
    equal(len(found), len({s["path"] for s in sources.values()}), "sources with syntax")
    agrees(python, found)


def texts(directory, python):
    """Programs of every statement, and texts that are hard to read."""
    trace = os.path.join(directory, "t.ptr")
    shutil.copytree(PROGRAMS, os.path.join(directory, "p"))
    hard = {
        "latin1.py": "# coding: latin-1\nx = '\xe9' and not 'b'  # \xe9\n".encode("latin-1"),
        "bom.py": b"\xef\xbb\xbfx = 1 and 2\n",
        "crlf.py": b"def f():\r\n    '''a\r\n    b'''\r\n    return 1\r\n",
        "cr.py": b"x = 1\ry = (2,\r3)\r",
        "empty.py": b"", "blank.py": b"\n\n# c\n", "no_newline.py": b"if 1: x = (1 <\n 2 < 3)",
        "feed.py": b"x = 1\n\x0c\nif x:\n    y = 2\n",
        "wide.py": "d\xe4f = [\xe4 for \xe4 in (1,) if '\u20ac' and \xe4]  # \u20ac\n".encode(),
        "broken.py": b"def f(:\n", "indent.py": b"  x = 1\n y = 2\n", "nul.py": b"x = 1\0\n",
        "coding.py": b"# coding: nonsense\n", "utf8.py": b"x = '\xff'\n",
        "outside.py": b"return 1\n",
        "deep.py": b"x = " + b"(" * 150 + b"1" + b")" * 150 + b"\n",
        "long.py": b"x = 0" + b" + 1" * 3000 + b"\n",
        "many.py": b"x = not 1" + b" or x and not x" * 400 + b"\n",
        "elifs.py": b"if 0: x = 0\n" + b"".join(b"elif %d: x = 1\n" % i for i in range(200)),
    }
    calls = []
    for name, data in hard.items():
        with open(os.path.join(directory, name), "wb") as file:
            file.write(data)
        calls.append("exec(compile('pass', %r, 'exec'))" % name)
    names = sorted(os.listdir(os.path.join(directory, "p")))
    calls += ["exec(compile('pass', %r, 'exec'))" % os.path.join("p", name) for name in names]
    program = os.path.join(directory, "main.py")
    with open(program, "w") as file:
        file.write("\n".join(calls))
    harness.ptrec(python, trace, program, options=["--syntax=own"], cwd=directory)
    found, _ = syntaxes(trace)
    equal(len(found), len(hard) + len(names) + 1, "sources with syntax")
    failures = sorted(os.path.basename(p) for p, s in found.items() if "failure" in s)
    for name in "broken.py", "indent.py", "nul.py", "coding.py", "utf8.py", "outside.py":
        require(name in failures, name, "is no Python, but was parsed")
    agrees(python, found)


def whose(directory, python):
    """--syntax=own leaves out libraries, none all, and is the default."""
    trace = os.path.join(directory, "t.ptr")
    packages = os.path.join(directory, "site-packages")
    os.mkdir(packages)
    program = os.path.join(directory, "app.py")
    for path, text in (program, "import json.decoder, other, beside\n"), \
            (os.path.join(packages, "other.py"), "x = 1\n"), \
            (os.path.join(directory, "beside.py"), "x = 1\n"):
        with open(path, "w") as file:
            file.write(text)
    env = harness.environment(PYTHONPATH=packages, PYTHONDONTWRITEBYTECODE="1")
    own = [os.path.realpath(program), os.path.realpath(os.path.join(directory, "beside.py"))]
    for options, expected in ([], []), (["--syntax=none"], []), (["--syntax=own"], own), \
            (["--preset=calls", "--syntax=own"], own):
        harness.ptrec(python, trace, program, options=options, env=env, cwd=directory)
        found, _ = syntaxes(trace)
        equal(sorted(map(os.path.realpath, found)), sorted(own if expected else []), options)
    harness.ptrec(python, trace, program, options=["--syntax=all"], env=env, cwd=directory)
    found, sources = syntaxes(trace)
    require(len(found) == len(sources) > 4, "all sources have syntax:", len(found))
    harness.ptrec(python, trace, "-c", "x = 1 and 2", options=["--syntax=own"])
    found, _ = syntaxes(trace)
    equal([len(s["expressions"]) for s in found.values()], [3], "the text of -c")
    harness.run([harness.PTREC, "run", "--syntax=some", "x.py"], expect=2)


def versions(directory):
    """A trace of two versions of Python has the syntax of both."""
    several = {python.version[:2]: python for python in harness.interpreters()}
    if len(several) < 2:
        return
    first, second = sorted(several.values(), key=lambda python: python.version)[:2]
    trace = os.path.join(directory, "t.ptr")
    program = os.path.join(directory, "app.py")
    with open(program, "w") as file:
        file.write("import sys, subprocess\nif len(sys.argv) > 1:\n"
                   "    subprocess.run([sys.argv[1], __file__], check=True)\n")
    harness.ptrec(first, trace, program, second.path, options=["--syntax=own"])
    out = harness.run([PYTHON, READER, trace, "--syntax"]).stdout
    found = [json.loads(line) for line in out.splitlines()]
    equal(sorted(s["python"] for s in found if s["lines"] == 3),
          [v[0] << 8 | v[1] for v in (first.version, second.version)], "versions")


def parsing(directory, python, trace):
    """ptrec, whose program is over, while it parses a large source."""
    large = os.path.join(directory, "large.py")
    with open(large, "w") as file:
        file.write("x = [" + "1 and 2,\n" * 400000 + "]\n")
    program = os.path.join(directory, "app.py")
    with open(program, "w") as file:
        file.write("exec(compile('pass', %r, 'exec'))\nprint('over', flush=True)\n" % large)
    p = subprocess.Popen(
        [harness.PTREC, "run", "--python=" + python.path, "-o", trace, "--syntax=own",
         program],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=harness.environment())
    require(p.stdout.readline() == b"over\n", "the program does not run")
    time.sleep(0.5)
    require(p.poll() is None, "the large source was parsed at once")
    return p, program


def interrupted(directory, python):
    """Ctrl-C while a large source is parsed: the trace is whole, without it."""
    trace = os.path.join(directory, "t.ptr")
    p, program = parsing(directory, python, trace)
    p.send_signal(signal.SIGINT)
    _, err = p.communicate(timeout=20)
    equal(p.returncode, 0, "status")
    require(b"the syntax of" in err and b"was not made" in err, "says nothing:", err)
    harness.ptana("verify", trace)
    found, _ = syntaxes(trace)
    equal(sorted(found), [os.path.realpath(program)] if found else [], "what was made before")


def killed(directory, python):
    """kill -9 of ptrec ends the parser; the trace has what was written."""
    trace = os.path.join(directory, "t.ptr")
    p, _ = parsing(directory, python, trace)
    children = set()
    for task in os.listdir("/proc/%d/task" % p.pid):
        with open("/proc/%d/task/%s/children" % (p.pid, task)) as file:
            children |= set(map(int, file.read().split()))
    equal(len(children), 1, "ptrec's children")
    p.kill()
    p.communicate(timeout=20)
    end = time.time() + 10
    while time.time() < end and any(os.path.exists("/proc/%d" % pid) for pid in children):
        time.sleep(0.05)
    require(not any(os.path.exists("/proc/%d" % pid) for pid in children),
            "the parser is left behind")
    harness.ptana("info", trace + ".part", "--sources")


def told(directory, python):
    """ptana info --sources says of each source what the foreign reader finds."""
    trace = os.path.join(directory, "t.ptr")
    broken = os.path.join(directory, "broken.py")
    with open(broken, "w") as file:
        file.write("if:\n")
    harness.ptrec(python, trace, "-c", "import string\nexec(compile('1', %r, 'exec'))" % broken,
                  options=["--syntax=own"])
    found, sources = syntaxes(trace)
    ours = json.loads(harness.ptana("info", trace, "--sources", "--format=json"))["sources"]
    equal(sorted(s["path"] for s in ours), sorted(s["path"] for s in sources.values()), "paths")
    for source in ours:
        syntax = found.get(source["path"])
        equal(source["bytes"], len(sources[source["id"]]["text"].encode()), "bytes")
        equal(len(source["syntax"]), 1 if syntax else 0, source["path"])
        for row in source["syntax"]:
            equal([row["failure"], row["statements"], row["expressions"], row["python"]],
                  [syntax.get("failure"), len(syntax.get("statements", ())),
                   len(syntax.get("expressions", ())), "%d.%d" % python.version[:2]],
                  source["path"])
    text = harness.ptana("info", trace, "--sources").decode()
    require("broken.py (SyntaxError: " in text, "the failure is not told:", text)


def main():
    suite = harness.Suite("syntax")
    for python in harness.chosen():
        suite.case("%s library" % python, library, python)
        suite.case("%s texts" % python, texts, python)
    for python in harness.interpreters()[:1]:
        suite.case("%s whose" % python, whose, python)
        suite.case("%s interrupted" % python, interrupted, python)
        suite.case("%s killed" % python, killed, python)
        suite.case("%s told" % python, told, python)
    suite.case("versions", versions)
    suite.finish()


if __name__ == "__main__":
    main()
