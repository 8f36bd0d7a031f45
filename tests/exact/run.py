"""Programs recorded twice over at once, as flow and instruction by instruction:
what the walk gives back of the one must be the other, event for event, and what
is counted without a walk must be what the walk counts, of each instruction,
block and edge (the unit test replay_counts/recorded).

  run.py [WORD...]   only the cases whose names have one of the words

make check takes the programs of tests/roundtrip, and, with three of the
interpreters, other ones each day, each of them with a filter and six modules of
the standard library's own tests, also other ones; make check-all takes all
filters and all modules with all interpreters.  What CPython does that no walk can
follow is in KNOWN, with its cause, and must show as a desync or a difference,
never more often than there; spec/cpython.md tells more.  At last the suite says how much was skipped,
which must be less than 1 %: cases in KNOWN, and recorded events that were not
compared."""
import glob
import json
import os
import re
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import harness  # noqa: E402
import stdlib  # noqa: E402
from harness import equal, require  # noqa: E402

PROGRAMS = os.path.join(os.path.dirname(HERE), "roundtrip", "programs")
TINY = os.path.join(harness.BUILD, "tests", "tiny", "bin", "ptrec")  # 53 events a chunk
OPTIONS = ["--preset=flow", "--events=+instruction,+line"]
SIX = 6
# Programs whose frames stand in every way; make check-all takes all in tiny chunks.
FRAMES = {"callbacks.py", "coroutines.py", "exceptions.py", "generators.py", "threads.py"}
VARYING = {"threads.py"}  # not the same twice

# (version, module): (events that may differ or not be compared, desyncs, why)
KNOWN = {
    ("3.11", "test_exceptions"): (0, 1, "a child in which no allocation succeeds: the tuple that "
                                  "tells of an exception is not made either"),
}


# What is recorded of a program.  A glob of names makes every other frame
# opaque, which is the worst that a walk can meet.
FILTERS = [
    ["--exclude-stdlib"],
    ["--source=" + PROGRAMS],
    ["--only=[a-m]*"],
    ["--only=[!a-m]*"],
    ["--exclude=*[aeiou]"],
    ["--function=[n-z]*"],
    ["--max-depth=2"],
    ["--max-depth=7"],
    ["--exclude-stdlib", "--function=[!a-f]*", "--max-depth=3"],
    ["--start-at=[n-z]*"],
    ["--start-at=*.py:%d" % line for line in range(8, 30)] + ["--max-depth=5"],
]


def flow_of(trace):
    found = harness.run([harness.PTANA, "verify", "--format=json", trace], expect=None, timeout=600)
    return json.loads(found.stdout)["flow"]


class Skipped:
    """What has been compared and what not, over all cases."""
    def __init__(self):
        self.lock = threading.Lock()
        self.compared = self.skipped = 0

    def add(self, flow):
        with self.lock:
            self.compared += flow["compared"]
            self.skipped += flow["skipped"] + flow["differing"]

    def tell(self, _):
        events = self.compared + self.skipped
        print("note: known to differ are %d of %d cases; skipped were %d of %d events" % (
            len(KNOWN), cases, self.skipped, events))
        require(self.skipped * 100 < events, "1 % of the events or more were skipped")
        require(len(KNOWN) * 100 < cases, "1 % of the cases or more are known to differ")


skipped = Skipped()


def compare_counts(directory):
    """Of the traces in a directory: what is counted, and what a walk counts."""
    unit = os.path.join(harness.BUILD, "tests", "unit")
    done = harness.run([unit, "--filter", "replay_counts/recorded"], expect=None, timeout=600,
                       env=harness.environment(PT_TRACES=directory))
    told = (done.stdout + done.stderr).decode(errors="replace")
    require(done.returncode == 0 and re.search(r"Tested: .*1.*Passing: .*1", told),
            "counts are not what the walk counts:", told[-1500:])


def check(trace, python, name):
    flow = flow_of(trace)
    differing, desyncs, _ = KNOWN.get(("%d.%d" % python.version[:2], name), (0, 0, ""))
    skipped.add(flow)
    require(flow["compared"] > 0, name, "nothing was compared")
    require(flow["differing"] + flow["skipped"] <= differing and flow["desyncs"] <= desyncs,
            name, flow)
    compare_counts(os.path.dirname(trace))


def exact_program(directory, python, path, rules):
    """Flow alone as well: what CPython tells of a branch depends on whether
    INSTRUCTION is told too, and what ran must not."""
    alone = os.path.join(directory, "alone.ptr")
    trace = os.path.join(directory, "t.ptr")
    alike = {"cwd": directory,  # neither leaves bytecode to the other
             "env": harness.environment(PYTHONDONTWRITEBYTECODE="1", **python.settings)}
    harness.ptrec(python, alone, path, options=OPTIONS[:1] + rules, **alike)
    harness.ptrec(python, trace, path, options=OPTIONS + rules, **alike)
    check(trace, python, os.path.basename(path))
    both, flow = flow_of(trace), flow_of(alone)
    equal(flow["desyncs"], 0, "desyncs of the flow alone")
    if os.path.basename(path) not in VARYING:
        for what in "instructions", "lines":
            equal(flow[what], both[what], what, "of the flow alone")


def exact_chunks(directory, python, path):
    """With chunks that end everywhere, so that keyframes are taken in every state."""
    trace = os.path.join(directory, "t.ptr")
    harness.run([TINY, "run", "--quiet", "--python=" + python.path, "-o", trace, *OPTIONS, path],
                cwd=directory)
    told = harness.info(trace)
    require(told["chunks"] * 53 >= told["events"] > 1000, "its chunks are larger than", told["chunks"])
    check(trace, python, os.path.basename(path))


def exact_values(directory, python, path):
    """Values as points of proof, in such chunks: nothing runs otherwise, and what has
    not changed is found where it was told."""
    trace = os.path.join(directory, "t.ptr")
    harness.run([TINY, "run", "--quiet", "--python=" + python.path, "-o", trace, OPTIONS[0],
                 "--values=locals", path], cwd=directory)
    report = json.loads(harness.ptana("verify", trace, "--format=json"))
    require(harness.info(trace)["kinds"]["value"] > 100, "there are values")
    equal((report["lost_values"], report["desyncs"]), (0, 0), "lost values, desyncs")


def exact_module(directory, python, module):
    """The module's tests may fail for reasons of their own."""
    trace = os.path.join(directory, "t.ptr")
    harness.ptrec(python, trace, "-m", "unittest", "-q", "test." + module, options=OPTIONS,
                  cwd=directory, timeout=900, expect=None,
                  env=harness.environment(**python.settings))
    check(trace, python, module)


suite = harness.Suite("exact")
cases = 0  # of make check-all
chosen = {python.path for python in
          (harness.interpreters() if sys.argv[1:] else harness.chosen())}
for number, python in enumerate(harness.with_jit(harness.interpreters())):
    programs = sorted(glob.glob(os.path.join(PROGRAMS, "*.py")))
    for index, path in enumerate(programs):
        name = "%s %s" % (python, os.path.basename(path))
        suite.case(name, exact_program, python, path, [])
        if python.path not in chosen or (python.settings and not harness.ALL):
            continue
        if os.path.basename(path) in FRAMES or harness.ALL or sys.argv[1:]:
            suite.case(name + " in tiny chunks", exact_chunks, python, path)
            if python.version[:2] in ((3, 12), (3, 13)):
                suite.case(name + " with values", exact_values, python, path)
        for rules in stdlib.some(FILTERS, 1, number + index):
            suite.case(name + " " + " ".join(rules[-3:]), exact_program, python, path, rules)
    modules = stdlib.installed(python, stdlib.LANGUAGE)
    cases += len(programs) * (1 + len(FILTERS)) + len(modules)
    if python.path not in chosen:
        continue
    if not modules:
        print("note: %s has no tests of the standard library" % python)
        continue
    for module in stdlib.some(modules, SIX, number):
        suite.case("%s %s" % (python, module), exact_module, python, module)
suite.finish(last=("skipped", skipped.tell))
