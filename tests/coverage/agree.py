"""Lines and branches agree with coverage.py's: on snippets of control flow, and
on packages of the standard library that their own tests run.

Each program runs twice in the same interpreter, under `coverage run --branch`
and under `ptrec run`, and the two JSON reports are compared field by field.
3.11 needs coverage.py 6.5 (Debian's python3-coverage), later versions 7.11 or
newer: installed for that interpreter, or as $COVERAGE_PEERS/site-X.Y/coverage.
Who has none is named.  What may differ is told by rule in
spec/coverage-differences.md; all else fails."""
import glob
import json
import os
import re
import shutil
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests"))
import harness
import stdlib

SNIPPETS = os.path.join(ROOT, "tests", "coverage", "snippets")
FIELDS = ("executed_lines", "missing_lines", "excluded_lines",
          "executed_branches", "missing_branches")

# Modules and packages, each with the test modules that run them.
LIBRARY = {
    "argparse": "test_argparse",
    "ast": "test_unparse",
    "asyncio": "test_asyncio.test_queues test_asyncio.test_locks "
               "test_asyncio.test_tasks test_asyncio.test_streams "
               "test_asyncio.test_taskgroups test_asyncio.test_timeouts",
    "bisect": "test_bisect",
    "calendar": "test_calendar",
    "codeop": "test_codeop",
    "collections": "test_collections test_userdict test_userlist",
    "colorsys": "test_colorsys",
    "configparser": "test_configparser",
    "contextlib": "test_contextlib test_contextlib_async",
    "copy": "test_copy",
    "csv": "test_csv",
    "dataclasses": "test_dataclasses",
    "difflib": "test_difflib",
    "email": "test_email",
    "enum": "test_enum",
    "filecmp": "test_filecmp",
    "fractions": "test_fractions",
    "functools": "test_functools",
    "gettext": "test_gettext",
    "graphlib": "test_graphlib",
    "heapq": "test_heapq",
    "html": "test_html test_htmlparser",
    "http": "test_http_cookies test_http_cookiejar",
    "ipaddress": "test_ipaddress",
    "json": "test_json",
    "netrc": "test_netrc",
    "numbers": "test_abstract_numbers",
    "plistlib": "test_plistlib",
    "pprint": "test_pprint",
    "queue": "test_queue",
    "quopri": "test_quopri",
    "reprlib": "test_reprlib",
    "sched": "test_sched",
    "shlex": "test_shlex",
    "statistics": "test_statistics",
    "string": "test_string",
    "textwrap": "test_textwrap",
    "tokenize": "test_tokenize",
    "tomllib": "test_tomllib",
    "typing": "test_typing",
    "urllib": "test_urlparse test_robotparser",
    "wave": "test_wave",
    "xml": "test_xml_etree test_minidom test_sax",
    "zipfile": "test_zipfile",
}

# Runs tests of fresh copies of a package, which lie in this folder.
LIBRARY_MAIN = """
import random
import sys
package, *names = sys.argv[1:]
for name in list(sys.modules):
    if name.split(".")[0] == package:
        del sys.modules[name]
__import__(package)
import os
import unittest
random.seed(1)
suite = unittest.defaultTestLoader.loadTestsFromNames(
    ["test." + name for name in names])
with open(os.devnull, "w") as out:
    result = unittest.TextTestRunner(out).run(suite)
print(result.testsRun)
"""


# --- coverage.py ---------------------------------------------------------------

def wanted(python):
    """The release of coverage.py whose rules hold for a version."""
    return "6" if python.version < (3, 12) else "7"


def candidates(python):
    """Folders for PYTHONPATH in which coverage.py may lie, None for none."""
    peers = os.environ.get("COVERAGE_PEERS")
    if peers:
        yield os.path.join(peers, "site-%d.%d" % python.version[:2])
    yield None
    if python.path != harness.DEBIAN and os.path.exists(harness.DEBIAN):
        debian = harness.Interpreter(harness.DEBIAN)
        found = harness.run([debian.path, "-c", "import coverage; print(coverage.__file__)"],
                            expect=None)
        if debian.version[:2] == python.version[:2] and found.returncode == 0:
            yield os.path.dirname(found.stdout.decode().strip())


def with_coverage(python, directory):
    """PYTHONPATH for coverage.py alone, "" where none is needed, None: it is
    not there."""
    for folder in candidates(python):
        path = ""
        if folder:
            if os.path.basename(folder) != "coverage":
                folder = os.path.join(folder, "coverage")
            path = os.path.join(directory, "site-%s" % len(os.listdir(directory)))
            os.mkdir(path)
            os.symlink(folder, os.path.join(path, "coverage"))
        found = harness.run([python.path, "-c", "import coverage; print(coverage.__version__)"],
                            expect=None, env=harness.environment(PYTHONPATH=path or None))
        if found.returncode == 0 and found.stdout.decode().split(".")[0] == wanted(python):
            return path
    return None


def theirs(python, path, directory, argv, options):
    """coverage.py's report of `python argv...`: by file name."""
    env = harness.environment(PYTHONPATH=path or None,
                              COVERAGE_FILE=os.path.join(directory, "data"))
    coverage = [python.path, "-m", "coverage"]
    out = os.path.join(directory, "theirs.json")
    harness.run([*coverage, "run", "--branch", *options, *argv], cwd=directory, env=env,
                timeout=900)
    harness.run([*coverage, "json", "-q", "-o", out], cwd=directory, env=env, timeout=300)
    table = harness.run([*coverage, "report", "-m"], cwd=directory, env=env, timeout=300)
    with open(out, encoding="utf-8") as file:
        return json.load(file), table.stdout.decode()


def ours(python, directory, argv, options):
    trace = os.path.join(directory, "trace.ptr")
    # Alone, as coverage.py without its configuration for subprocesses.
    harness.ptrec(python, trace, *argv, cwd=directory, timeout=900,
                  options=["--no-children"])
    arguments = ["--branches", "--python=" + python.path, *options]
    report = harness.ptana("coverage", trace, "--format=json", *arguments,
                           cwd=directory, timeout=300)
    table = harness.ptana("coverage", trace, "-m", *arguments, cwd=directory, timeout=300)
    os.unlink(trace)
    return json.loads(report), table.decode()


# --- what may differ -----------------------------------------------------------

class File:
    """What both say of a file, and its text, which the rules may ask."""

    def __init__(self, directory, name, python, their, our):
        self.name = name
        self.version = python.version
        self.their = their["files"][name]
        self.our = our["files"][name]
        with open(os.path.join(directory, name), encoding="utf-8") as file:
            self.lines = file.read().split("\n")

    def line(self, number):
        return self.lines[abs(number) - 1] if 0 < abs(number) <= len(self.lines) else ""


def ran_beside(field, item, side, file):
    """executed_lines of coverage.py tells of whatever ran, also where it is no
    statement: docstrings, excluded lines, and annotations that somebody asked
    for (3.14)."""
    return field == "executed_lines" and side == "theirs" and (
        item in file.their["excluded_lines"] or
        re.match("[rRuU]?[\"']", file.line(item).strip()) is not None or
        file.version >= (3, 14) and re.match(r"\s*\w+\s*:", file.line(item)) is not None)


def not_allowed(field, item, side, file):
    """executed_branches of 6.5 tells of whatever was taken from a line with
    branches, also of what it does not count: to the line itself, or by an
    exception."""
    return (file.version < (3, 12) and field == "executed_branches" and
            side == "theirs" and list(item) not in file.our["missing_branches"])


def behind_the_end(field, item, side, file):
    """executed_lines of 6.5 tells of lines that a file does not have: where a
    RecursionError hits its tracer, it takes one frame for another."""
    return (file.version < (3, 12) and field == "executed_lines" and
            side == "theirs" and item > len(file.lines))


UNBRANCHED = (r"\s*(@|(async\s+)?def\b|class\b).*:\s*[^\s#]|"
              r"\s*(async\s+)?with\b|\s*while\s+(1|True)\b")
RAISES = r"\s*assert\b|.*:\s*raise\b"


def no_branch_there(field, item, side, file):
    """From 3.14 on coverage.py learns of branches, not of lines: of the two
    ways that it allows from a line without one, it sees one at most.  These
    are a definition in one line, a `while` whose test is constant and that has
    an `else`, and the lines of nested `with`."""
    return (file.version >= (3, 14) and
            (field, side) in (("executed_branches", "ours"), ("missing_branches", "theirs"))
            and re.match(UNBRANCHED, file.line(item[0])) is not None)


def raise_falls_through(field, item, side, file):
    """There, it has a branch that raises go on to the line behind the raise:
    of an assert, and of a raise in the line of its if."""
    if file.version < (3, 14) or field not in FIELDS:
        return False
    if isinstance(item, tuple):
        return re.match(RAISES, file.line(item[0])) is not None
    return ((field, side) in (("executed_lines", "theirs"), ("missing_lines", "ours")) and
            any(re.match(RAISES, file.line(n)) for n in range(max(1, item - 8), item)))


# (field, item, side, file) -> bool: a row of spec/coverage-differences.md each.
# Those of lists leave the numbers as they are.
LISTS = [ran_beside, not_allowed, behind_the_end]
RULES = [no_branch_there, raise_falls_through]


# --- comparing -----------------------------------------------------------------

def items(report, field):
    return {tuple(x) if isinstance(x, list) else x for x in report.get(field, [])}


def compare_file(file):
    """What differs, and whether something did that changes numbers and may."""
    found, allowed = [], False
    for field in FIELDS:
        a, b = items(file.their, field), items(file.our, field)
        for side, rest in (("theirs", a - b), ("ours", b - a)):
            for item in sorted(rest):
                if any(rule(field, item, side, file) for rule in LISTS):
                    continue
                if any(rule(field, item, side, file) for rule in RULES):
                    allowed = True
                    continue
                found.append("%s: %s: only %s: %s: %s" % (
                    file.name, field, side, item,
                    file.line(item if isinstance(item, int) else item[0]).strip()))
    if not found and not allowed:
        found += ["%s: summary: %s: %s, theirs %s" % (
                      file.name, key, file.our["summary"].get(key), value)
                  for key, value in file.their["summary"].items()
                  if file.our["summary"].get(key) != value]
    return found, allowed


def compare(python, directory, their, our):
    their, their_table = their
    our, our_table = our
    found, allowed = [], False
    for name in sorted({*their["files"], *our["files"]}):
        if name not in our["files"] or name not in their["files"]:
            found.append("%s: only %s" % (
                name, "theirs" if name in their["files"] else "ours"))
            continue
        more, may = compare_file(File(directory, name, python, their, our))
        found += more
        allowed |= may
    if not allowed and not found:
        for key, value in their["totals"].items():
            if our["totals"].get(key) != value:
                found.append("totals: %s: %s, theirs %s" % (
                    key, our["totals"].get(key), value))
        found += [line for line in our_table.split("\n")
                  if line.rstrip() not in map(str.rstrip, their_table.split("\n"))]
    harness.require(not found, "\n".join([str(len(found)) + " differences:", *found]))


# --- snippets ------------------------------------------------------------------

def write_snippets(python, directory):
    names = []
    for path in sorted(glob.glob(os.path.join(SNIPPETS, "*.txt"))):
        with open(path, encoding="utf-8") as file:
            parts = re.split(r"(?m)^=== ", file.read())[1:]
        for part in parts:
            head, _, text = part.partition("\n")
            name, *since = head.split()
            if since and python.version < tuple(map(int, since[0].strip(">=").split("."))):
                continue
            name = os.path.basename(path)[:-4] + "_" + name
            harness.require(name not in names, "two snippets", name)
            with open(os.path.join(directory, name + ".py"), "w", encoding="utf-8") as file:
                file.write(text)
            names.append(name)
    with open(os.path.join(directory, "main.py"), "w", encoding="utf-8") as file:
        file.write("import importlib\nfor name in %r.split():\n    try:\n"
                   "        importlib.import_module(name)\n"
                   "    except Exception:\n        pass\n" % " ".join(names))
    harness.require(len(names) > 200, "snippets:", len(names))


def snippets(directory, python):
    path = with_coverage(python, directory)
    work = os.path.join(directory, "work")
    os.mkdir(work)
    write_snippets(python, work)
    compare(python, work, theirs(python, path, work, ["main.py"], ["--source=."]),
            ours(python, work, ["main.py"], ["--source=."]))


# --- the standard library ------------------------------------------------------

def copy_package(python, package, directory):
    """A copy of its own, which coverage.py has not imported before."""
    code = "import sysconfig; print(sysconfig.get_path('stdlib'))"
    folder = harness.output([python.path, "-c", code]).strip()
    path = os.path.join(folder, package)
    if os.path.isdir(path):
        shutil.copytree(path, os.path.join(directory, package),
                        ignore=shutil.ignore_patterns("__pycache__", "idlelib"))
    else:
        shutil.copy(path + ".py", directory)


def library(directory, python, package):
    path = with_coverage(python, directory)
    work = os.path.join(directory, "work")
    os.mkdir(work)
    copy_package(python, package, work)
    with open(os.path.join(work, "main.py"), "w", encoding="utf-8") as file:
        file.write(LIBRARY_MAIN)
    argv = ["main.py", package, *LIBRARY[package].split()]
    omit = ["--omit=main.py", "--source=."]
    compare(python, work, theirs(python, path, work, argv, omit),
            ours(python, work, argv, omit))


def main():
    suite = harness.Suite("agree")
    for number, python in enumerate(harness.chosen()):
        directory = harness.tempfile.mkdtemp(prefix="pt-")
        missing = with_coverage(python, directory) is None
        shutil.rmtree(directory)
        if missing:
            print("agree: %s: no coverage.py %s, nothing is compared" % (
                python, wanted(python)))
            continue
        suite.case("%s snippets" % python, snippets, python)
        present = [name for name in LIBRARY
                   if stdlib.installed(python, [LIBRARY[name].split()[0].split(".")[0]])]
        for package in stdlib.some(present, 2, number) if present else ():
            suite.case("%s library %s" % (python, package), library, python, package)
    suite.finish()


if __name__ == "__main__":
    main()
