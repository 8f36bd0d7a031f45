"""Other tracers within the recorded program: they see what they would alone,
and what is recorded stays whole.

  run.py [WORD...]   only the cases whose names have one of the words"""
import glob
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import harness  # noqa: E402
from harness import equal, require  # noqa: E402

PROGRAMS = os.path.join(HERE, "programs")
PRESETS = ["flow", "calls", "lines"]
# A tool that has LINE costs others INSTRUCTION: CPython's doing (spec/cpython.md).
LINELESS = {"monitors.py", "extension_events.py"}


def verify(trace):
    return json.loads(harness.ptana("verify", trace, "--format=json"))


def side_by_side(directory, python, path):
    """3.11 has one slot for all tracers: what a tool that takes it from C hides
    is a gap.  Later versions have a place for each."""
    plain = harness.run([python.path, path], expect=None)
    if plain.stderr.startswith(b"no coverage"):
        print("note: %s has no coverage.py" % python)
        return
    require(plain.returncode == 0, plain.stderr.decode()[-400:])
    for preset in PRESETS[:2] if os.path.basename(path) in LINELESS else PRESETS:
        trace = os.path.join(directory, preset + ".ptr")
        traced = harness.ptrec(python, trace, path, options=["--preset=" + preset])
        equal(traced.stdout, plain.stdout, preset, "output")
        equal(traced.stderr, plain.stderr, preset, "standard error")
        found = verify(trace)
        require(found["well"] and found["desyncs"] == 0, preset, found)
        require(found["gaps"] == 0 or python.version < (3, 12), preset, found)


def jumps(directory, python):
    """A gap for each jump, and behind it the lines that ran, from its first on."""
    path = os.path.join(PROGRAMS, "jumps.py")
    trace = os.path.join(directory, "t.ptr")
    done = harness.ptrec(python, trace, path)
    plain = harness.run([python.path, path])
    equal(done.stdout, plain.stdout, "output")
    found = verify(trace)
    require(found["well"] and found["desyncs"] == 0 and found["flow"]["desyncs"] == 0, found)
    equal(found["gaps"], 7, "gaps")
    ran = [tuple(line) for line in json.loads(done.stdout.splitlines()[-1])]
    names = {name for name, _ in ran}
    walked = [(e["func"], e["line"]) for e in harness.dump(trace, "--kinds=line")
              if e["file"] == path and e["func"] in names]
    equal(walked, ran, "lines")


suite = harness.Suite("tools")
for python in harness.interpreters():
    for path in sorted(glob.glob(os.path.join(PROGRAMS, "*.py"))):
        name = os.path.basename(path)
        if name not in ("work.py", "jumps.py") and (
                name != "monitors.py" or python.version >= (3, 12)):
            suite.case("%s %s" % (python, name), side_by_side, python, path)
    suite.case("%s jumps" % python, jumps, python)
suite.finish()
