"""Call counts of `ptana profile --format=pstats` are cProfile's, exactly.

Work that is done three times calls each function as often as work done twice,
and once more: the third round, with all caches warm.  So the difference of two
recordings is compared with cProfile's table of a third round.  Only what
cProfile itself adds (its own disable()) is left out, and addresses in the
labels of C functions are made alike."""
import marshal
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import harness  # noqa: E402
from harness import Failure  # noqa: E402

DRIVER = os.path.join(HERE, "counts_driver.py")
OWN = "<method 'disable' of '_lsprof.Profiler' objects>"


def table(path):
    """{(file, line, name): (primitive calls, calls)}"""
    with open(path, "rb") as file:
        stats = marshal.load(file)
    result = {}
    for (name, line, function), entry in stats.items():
        function = re.sub(r"0x[0-9a-fA-F]+", "0x", function)
        primitive, calls = result.get((name, line, function), (0, 0))
        result[name, line, function] = primitive + entry[0], calls + entry[1]
    return result


def counts(directory, python, name):
    work = [DRIVER, name]
    reference = os.path.join(directory, "reference")
    harness.run([python.path, *work, "3", reference])
    rounds = []
    for times in "2", "3":
        trace = os.path.join(directory, times + ".ptr")
        harness.ptrec(python, trace, *work, times, options=["--preset=calls"])
        path = trace + ".pstats"
        harness.ptana("profile", trace, "--format=pstats", "-o", path)
        rounds.append(table(path))
    once = {}
    for key, (primitive, calls) in rounds[1].items():
        before = rounds[0].get(key, (0, 0))
        if calls - before[1]:
            once[key] = primitive - before[0], calls - before[1]
    expected = table(reference)
    # The driver's frame is on the stack, but cProfile saw it not start.
    expected = {key: value for key, value in expected.items() if key[2] != OWN}
    wrong = [(key, expected.get(key), once.get(key))
             for key in sorted(set(expected) | set(once))
             if expected.get(key) != once.get(key)]
    if wrong:
        raise Failure("%d of %d functions differ (function, cProfile's primitive and all "
                      "calls, ours):\n" % (len(wrong), len(expected))
                      + "\n".join(map(repr, wrong[:20])))


def main():
    suite = harness.Suite("counts")
    names = harness.output([harness.DEBIAN if os.path.exists(harness.DEBIAN) else
                            sys.executable, "-c",
                            "import counts_programs as c; print(*c.ALL)"], cwd=HERE).split()
    for python in harness.chosen():
        for name in names:
            suite.case("%s %s" % (python, name), counts, python, name)
    suite.finish()


if __name__ == "__main__":
    main()
