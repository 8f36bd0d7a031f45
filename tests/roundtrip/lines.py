"""Hits of `ptana profile --lines` are those that CPython tells a counter of, and
executions of `--opcodes` too; and what the lines of a function took is what
`ptana profile` says that the function took.

Work that is done three times runs each line as often as work done twice, and
once more (counts.py).  So the difference of two recordings is compared with
what a counter in the program saw of a third round: of sys.monitoring, in 3.11 of
a trace function.  Both ways of knowing lines are compared: an event each (preset
lines), and what follows from the flow.  make check takes seven programs, other
ones each day, make check-all takes all."""
import json
import os
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import harness  # noqa: E402
from harness import Failure, equal, require  # noqa: E402

DRIVER = os.path.join(HERE, "lines_driver.py")
TINY = os.path.join(harness.BUILD, "tests", "tiny", "bin", "ptrec")
TINY_NAMES = "generators", "recursion", "fractions"
SEVEN = 7
# In no event, but they run.
SILENT = {"RESUME", "EXTENDED_ARG", "CACHE", "COPY_FREE_VARS", "MAKE_CELL",
          "RETURN_GENERATOR"}


def profile(trace, *options):
    return json.loads(harness.ptana("profile", trace, "--format=json", *options))


def record(directory, python, preset, name, times):
    """With `tiny` in the preset's name, in chunks of 53 events."""
    trace = os.path.join(directory, "%s-%s.ptr" % (preset, times))
    preset, _, tiny = preset.partition("-")
    harness.run([TINY if tiny else harness.PTREC, "run", "--quiet", "--python=" + python.path,
                 "--preset=" + preset, "-o", trace, DRIVER, name, times])
    return trace


def hits(report):
    return {(file, int(line)): told["hits"]
            for file, lines in report["files"].items()
            for line, told in lines.items()
            if os.path.basename(file) != "lines_driver.py"}


def difference(more, less):
    found = {key: n - less.get(key, 0) for key, n in more.items()}
    return {key: n for key, n in found.items() if n}


def compare(got, expected, what):
    wrong = ["%r: got %r, expected %r" % (key, got.get(key, 0), expected.get(key, 0))
             for key in sorted(set(got) | set(expected)) if got.get(key) != expected.get(key)]
    if wrong:
        raise Failure("%d of %d %s differ:\n" % (len(wrong), len(expected), what)
                      + "\n".join(wrong[:20]))


def around(function):
    """A function as --lines has it: with what is written in it without a name."""
    name = re.sub(r"(\.<locals>)?\.?<(lambda|genexpr|listcomp|dictcomp|setcomp)>.*", "",
                  function["name"])
    return function["file"], name or "<module>"


def sums(functions):
    calls, own = {}, {}
    for f in functions:
        if f.get("kind", "python") == "python":
            key = around(f)
            calls[key] = calls.get(key, 0) + f["calls"]
            own[key] = own.get(key, 0) + f["exclusive"]
    return calls, own


def compare_times(trace, *options):
    """The lines' times add up to what the functions took."""
    flat, lines = profile(trace, *options), profile(trace, "--lines", *options)
    calls, own = sums(flat["functions"])
    got_calls, got_own = sums(lines["functions"])
    compare(got_calls, {key: n for key, n in calls.items()}, "functions' calls")
    for key, ns in own.items():
        require(abs(got_own[key] - ns) <= 1 + len(calls), key, "took", got_own[key], "and", ns)
    spent = sum(line["exclusive"] for file in lines["files"].values() for line in file.values())
    require(abs(spent - sum(own.values())) <= 1 + len(lines["files"]) * 3000,
            "lines took", spent, "and functions", sum(own.values()))
    equal(abs(lines["total"] - flat["total"]) <= len(flat["functions"]), True,
          "totals", lines["total"], flat["total"])
    outer = {around(f) for f in flat["functions"] if around(f)[1] != f["name"]}
    inclusive = {(f["file"], f["line"], f["name"]): f["inclusive"] for f in flat["functions"]}
    for f in lines["functions"]:
        if around(f) not in outer:
            key = f["file"], f["line"], f["name"]
            equal(f["inclusive"], inclusive[key], key, "inclusive")
    return lines


def lines(directory, python, name, presets=("flow", "lines")):
    path = os.path.join(directory, "told")
    harness.run([python.path, DRIVER, name, "3", path])
    with open(path, encoding="utf-8") as file:
        told = json.load(file)
    expected = hits({"files": {file: {line: {"hits": n} for line, n in lines.items()}
                               for file, lines in told["lines"].items()}})
    require(sum(expected.values()) > 10, "only", sum(expected.values()), "lines ran")
    for preset in presets:
        less, more = (record(directory, python, preset, name, times) for times in "23")
        found = compare_times(more)
        for option in "--max-depth=3", "--exclude=[a-f]*", "--to=30ms":
            compare_times(more, option)
        compare(difference(hits(found), hits(profile(less, "--lines"))), expected,
                "lines of preset " + preset)
        if preset.startswith("lines"):
            require(all(line["exact"] for file in found["files"].values()
                        for line in file.values()), "a line that has events is not exact")
        elif told["opcodes"]:
            own = "--exclude=" + os.path.basename(DRIVER)
            once = difference(*({o["name"]: o["executions"]
                                 for o in profile(trace, "--opcodes", own)["opcodes"]}
                                for trace in (more, less)))
            compare({key: n for key, n in once.items() if key not in SILENT},
                    {key: n for key, n in told["opcodes"].items() if key not in SILENT},
                    "opcodes")


def main():
    suite = harness.Suite("lines")
    names = harness.output([harness.DEBIAN if os.path.exists(harness.DEBIAN) else
                            sys.executable, "-c",
                            "import counts_programs as c; print(*c.ALL)"], cwd=HERE).split()
    if not harness.ALL and len(sys.argv) < 2:
        day = int(time.time() // 86400) * SEVEN
        names = [names[(day + i) % len(names)] for i in range(SEVEN)]
    for python in harness.chosen():
        for name in names:
            suite.case("%s %s" % (python, name), lines, python, name)
        for name in TINY_NAMES:
            suite.case("%s %s in tiny chunks" % (python, name), lines, python, name,
                       ("flow-tiny", "lines-tiny"))
    suite.finish()


if __name__ == "__main__":
    main()
