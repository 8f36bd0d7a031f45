"""The foreign reader, written from spec/ alone, agrees with ptana dump line by
line on recorded traces, finds nothing wrong with them, and the zstd tools take
them for what they say: frames, and a CBOR sequence inside."""
import json
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import harness  # noqa: E402
from harness import Failure, equal, require  # noqa: E402

READER = os.path.join(harness.ROOT, "tests", "foreign", "ptr_reader.py")
# The interpreter that has Debian's cbor2 and zstandard.
PYTHON = harness.DEBIAN if os.path.exists(harness.DEBIAN) else sys.executable
PROGRAMS = {"generators": (), "exceptions": (), "threads": (), "evals": (), "classes": (),
            "std_re": ()}


def agree(trace):
    """ptana dump and the foreign reader, which does not walk, give the same lines."""
    ours = harness.ptana("dump", trace, "--format=jsonl", "--as-recorded")
    theirs = harness.run([PYTHON, READER, trace, "--jsonl"], timeout=300).stdout
    same_lines(ours, theirs, "whole")
    require(ours.count(b"\n") > 100, "there is something to compare")


def told(line):
    """An event, but for the text of a value, which ptana alone writes."""
    event = json.loads(line)
    if event["ev"] == "value":
        del event["value"]
    return event


def same_lines(ours, theirs, what):
    ours, theirs = ours.splitlines(), theirs.splitlines()
    for number, (a, b) in enumerate(zip(ours, theirs)):
        if a != b and told(a) != told(b):
            raise Failure("%s, line %d:\n%s\n%s" % (what, number + 1, a.decode(), b.decode()))
    equal(len(theirs), len(ours), what, "lines")


def recorded(directory, python, name, preset):
    trace = os.path.join(directory, "t.ptr")
    harness.ptrec(python, trace, os.path.join(HERE, "programs", name + ".py"),
                  options=["--preset=" + preset])
    agree(trace)
    harness.run([PYTHON, READER, trace, "--check"], timeout=300)
    if shutil.which("zstd"):
        harness.run(["zstd", "-tq", trace])
        packed = harness.run(["zstd", "-dcq", trace]).stdout
        code = ("import cbor2, sys, io\nf = io.BytesIO(sys.stdin.buffer.read())\nn = 0\n"
                "while f.tell() < f.getbuffer().nbytes:\n    cbor2.load(f); n += 1\nprint(n)")
        path = os.path.join(directory, "packed")
        with open(path, "wb") as file:
            file.write(packed)
        with open(path, "rb") as file:
            items = int(harness.run([PYTHON, "-c", code], stdin=file).stdout)
        equal(items, harness.info(trace)["chunks"], "CBOR items and chunks")


def torn(directory, python):
    """A file cut anywhere is read up to there by both, alike."""
    trace = os.path.join(directory, "t.ptr")
    harness.ptrec(python, trace, os.path.join(HERE, "programs", "callbacks.py"),
                  options=["--preset=instructions"])
    with open(trace, "rb") as file:
        data = file.read()
    for part in (0.5, 0.8, 0.97, 0.999):
        cut = os.path.join(directory, "cut.ptr")
        with open(cut, "wb") as file:
            file.write(data[:int(len(data) * part)])
        ours = harness.run([harness.PTANA, "dump", "--format=jsonl", cut], expect=0)
        theirs = harness.run([PYTHON, READER, cut, "--jsonl"], expect=3)
        same_lines(ours.stdout, theirs.stdout, "cut at %s" % part)
        require(ours.stderr, "ptana says that it is torn")
        harness.run([harness.PTANA, "info", "--strict", cut], expect=3)
        whole = os.path.join(directory, "whole.ptr")
        harness.run([harness.PTANA, "repair", "-f", "-o", whole, cut])
        same_lines(harness.ptana("dump", whole, "--format=jsonl"), ours.stdout,
                   "repaired %s" % part)
        harness.run([PYTHON, READER, whole, "--check"])


def values(_directory):
    """Every kind of value, and where each was told."""
    trace = os.path.join(harness.ROOT, "tests", "corpus", "values.ptr")
    ours = harness.ptana("dump", trace, "--format=jsonl", "--as-recorded")
    same_lines(ours, harness.run([PYTHON, READER, trace, "--jsonl"]).stdout, "values")
    harness.run([PYTHON, READER, trace, "--check"])
    told = [json.loads(line)["told"] for line in ours.splitlines()
            if json.loads(line)["ev"] == "value"]
    equal(told[-5:], [9, 9, 24, 25, None], "where they were told")


def main():
    suite = harness.Suite("foreign")
    suite.case("values", values)
    for python in harness.chosen():
        for name in PROGRAMS:
            for preset in ("instructions", "flow") if name != "threads" else ("calls", "lines"):
                suite.case("%s %s %s" % (python, name, preset), recorded, python, name, preset)
    suite.case("torn", torn, harness.interpreters()[0])
    suite.finish()


if __name__ == "__main__":
    main()
