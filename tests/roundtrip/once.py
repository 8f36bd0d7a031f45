"""A recording of the preset coverage has every line and every way of a branch
that flow has of the same program, and no other: nothing is lost by switching
events off.

  once.py [WORD...]   only the cases whose names have one of the words

make check takes the programs of tests/roundtrip and three modules of the
standard library's own tests, other ones each day; make check-all takes all."""
import glob
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import harness  # noqa: E402
import stdlib  # noqa: E402
from harness import equal, require  # noqa: E402

PROGRAMS = os.path.join(HERE, "programs")
VARYING = {"threads.py"}  # not the same twice
# Deterministic enough to go the same ways twice.
MODULES = """test_bisect test_bool test_contextlib test_enumerate
    test_except_star test_fnmatch test_genexps test_grammar test_heapq test_iter
    test_listcomps test_operator test_opcodes test_patma test_property test_raise
    test_scope test_setcomps test_string test_super test_textwrap test_unpack
    test_with test_yield_from""".split()
THREE = 3


def told(trace, kind):
    """Lines by code object and number, ways of branches by their offsets."""
    return {(e["file"], e["func"], e["line"] if kind == "line" else (e["off"], e["dst"]))
            for e in harness.dump(trace, "--kinds=" + kind) if kind == "branch" or e["line"]}


def record(directory, python, preset, *program, options=(), **kwargs):
    trace = os.path.join(directory, preset + ".ptr")
    harness.ptrec(python, trace, *program, options=["--preset=" + preset, *options], **kwargs)
    return trace


def compare(once, flow, own=lambda place: True):
    for kind in "line", "branch":
        got = {place for place in told(once, kind) if own(place)}
        expected = {place for place in told(flow, kind) if own(place)}
        require(expected, "no", kind, "in", flow)
        equal(sorted(got ^ expected, key=str)[:8], [],
              "%d of %d" % (len(got), len(expected)), kind)


def same(directory, python, *program, **kwargs):
    flow, once = (record(directory, python, preset, *program, **kwargs)
                  for preset in ("flow", "coverage"))
    compare(once, flow)
    return once


def covered(trace, python):
    """What ptana coverage makes of it, but how often."""
    report = json.loads(harness.ptana("coverage", trace, "--branches", "--format=json",
                                      "--include=*", "--python=" + python.path))
    return {name: {key: file[key] for key in (
        "executed_lines", "missing_lines", "executed_branches", "missing_branches", "summary")}
        for name, file in report["files"].items()}


def coverage(directory, python, program):
    flow, once = (covered(record(directory, python, preset, program), python)
                  for preset in ("flow", "coverage"))
    equal(set(once), set(flow), "files")
    for name, file in flow.items():
        for key, value in file.items():
            equal(once[name][key], value, name, key)


def told_once(directory, python):
    once = same(directory, python, os.path.join(PROGRAMS, "outcomes.py"))
    equal(harness.info(once)["gaps"], 0)
    branches = [(e["file"], e["func"], e["off"], e["dst"])
                for e in harness.dump(once, "--kinds=branch")]
    equal(len(branches), len(set(branches)), "branches told more than once")


def module(directory, python, name):
    """Of the module itself: unittest tells times, which go other ways."""
    program = "-m", "unittest", "-q", "test." + name
    flow, once = (record(directory, python, preset, *program, expect=None, timeout=600)
                  for preset in ("flow", "coverage"))
    compare(once, flow, lambda place: os.path.basename(place[0]) == name + ".py")


def chosen_files(directory, python):
    own = "--source=" + PROGRAMS
    program = os.path.join(PROGRAMS, "std_json.py")
    once = same(directory, python, program, options=[own])
    equal({place[0] for place in told(once, "line")}, {program})


def interrupted(directory, python):
    """Another tool takes LINE in mid-program, which costs ours its watch over
    instructions: what goes the other way from then on is told all the same."""
    program = os.path.join(directory, "program.py")
    with open(program, "w", encoding="utf-8") as file:
        file.write("import sys\n"
                   "def f(n, x):\n"
                   "    for i in range(n):\n"
                   "        if x: y = 1\n"
                   "        elif y_is(i): y = 2\n"
                   "    return 0\n"
                   "def y_is(i): return i\n"
                   "f(500, 1)\n"
                   "sys.settrace(lambda *a: None)\n"
                   "sys.settrace(None)\n"
                   "f(500, 0)\n")
    same(directory, python, program, options=["--source=" + directory])


def children(directory, python):
    """A forked child goes on where its parent was."""
    program = os.path.join(directory, "program.py")
    with open(program, "w", encoding="utf-8") as file:
        file.write("import os\n"
                   "def f(x):\n"
                   "    return 1 if x else 2\n"
                   "f(1)\n"
                   "pid = os.fork()\n"
                   "if pid == 0:\n"
                   "    f(0)\n"
                   "    os._exit(0)\n"
                   "os.waitpid(pid, 0)\n")
    same(directory, python, program, options=["--source=" + directory])


def refused(directory, python):
    trace = os.path.join(directory, "t.ptr")
    for option in ("--events=+call", "--function=f", "--max-depth=3", "--start-at=f",
                   "--on-full=drop"):
        done = harness.run([harness.PTREC, "run", "--python=" + python.path, "-o", trace,
                            "--preset=coverage", option, "-c", "pass"], expect=2)
        require(option.partition("=")[0].encode() in done.stderr, done.stderr)
        require(not os.path.exists(trace), "a trace of", option)


def too_old(directory, python):
    trace = os.path.join(directory, "t.ptr")
    done = harness.run([harness.PTREC, "run", "--python=" + python.path, "-o", trace,
                        "--preset=coverage", "-c", "print('ran')"], expect=None)
    require(b"--preset=flow" in done.stderr, done.stderr)


def other_analyzers(directory, python):
    """They say what they would need."""
    trace = record(directory, python, "coverage", os.path.join(PROGRAMS, "outcomes.py"))
    for command, status in (("profile", 0), ("profile --lines", 2), ("profile --opcodes", 2),
                            ("verify --strict", 0), ("dump", 0)):
        done = harness.run([harness.PTANA, *command.split(), trace], expect=status)
        if command.startswith("profile"):
            require(b"--preset=" in done.stderr, command, done.stderr)


def main():
    suite = harness.Suite("once")
    for number, python in enumerate(harness.chosen()):
        if python.version < (3, 12):
            suite.case("%s is too old" % python, too_old, python)
            continue
        suite.case("%s told once" % python, told_once, python)
        for path in sorted(glob.glob(os.path.join(PROGRAMS, "*.py"))):
            if os.path.basename(path) not in VARYING:
                name = os.path.basename(path)
                suite.case("%s %s" % (python, name), same, python, path)
                suite.case("%s coverage of %s" % (python, name), coverage, python, path)
        for name in stdlib.some(stdlib.installed(python, MODULES), THREE, number):
            suite.case("%s %s" % (python, name), module, python, name)
        for case in chosen_files, interrupted, children, other_analyzers:
            suite.case("%s %s" % (python, case.__name__), case, python)
    suite.case("refused", refused, harness.chosen()[-1])
    suite.finish()


main()
