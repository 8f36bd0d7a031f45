"""Round trips: what a plain oracle in Python sees of a program is, event by
event, what the recorded trace holds, on every interpreter and preset.

oracle/sitecustomize.py is the oracle.  Compared is the main thread from the
start of the program's <module> to its end, and every other thread."""
import glob
import marshal
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import harness  # noqa: E402
from harness import Failure, equal, require  # noqa: E402

ORACLE = os.path.join(HERE, "oracle")
FRAMES = {"call", "return", "yield", "resume", "throw", "unwind"}
C_CALLS = {"c_call", "c_return", "c_exception"}
RAISES = {"exception", "handled"}
PRESETS = {
    "calls": FRAMES | C_CALLS,
    "lines": FRAMES | C_CALLS | RAISES | {"line"},
    "instructions": FRAMES | C_CALLS | RAISES | {"line", "instruction", "branch", "jump"},
}
ENTER = {"call", "resume", "throw"}
LEAVE = {"return", "yield", "unwind"}
LOCAL = {"threads"}  # programs of which only their own functions are compared


def simplify(event):
    """An event of ptana dump as the oracle writes it."""
    kind = event["ev"]
    if kind == "line":
        return kind, event["func"], event["line"]
    if kind == "instruction":
        return kind, event["func"], event["off"]
    if kind in ("branch", "jump"):
        return kind, event["func"], event["off"], event["dst"]
    if kind == "exception":
        return kind, event["func"], event["off"], event["type"], event["re"]
    if kind == "handled":
        return kind, event["func"], event["off"]
    if kind in C_CALLS:
        return kind, event["func"], event["callee"]
    return kind, event["func"]


def cut(events, program):
    """The events from the program's own <module> to its end."""
    begun, depth, found = False, 0, []
    for event in events:
        kind = event["ev"]
        if not begun:
            begun = (kind == "call" and event["func"] == "<module>"
                     and event["file"] == program)
            if not begun:
                continue
        found.append(event)
        if kind in ENTER:
            depth += 1
        elif kind in LEAVE:
            depth -= 1
            if depth == 0:
                return found
    require(begun, "the trace has no call of the program's <module>")
    raise Failure("the program's <module> has no end in the trace")


def recorded(trace, program, local):
    """Per thread, in the order they began, the simplified events."""
    threads = {}
    last = {}
    for event in harness.dump(trace):
        require(event["ev"] != "gap", "the trace has a gap:", event)
        tid = event["tid"]
        require(last.get(tid, -1) < event["seq"], "seq does not grow:", event)
        last[tid] = event["seq"]
        if event["ev"] not in ("thread", "process", "task"):
            threads.setdefault(tid, []).append(event)
    result = []
    for index, events in enumerate(threads.values()):
        if index == 0:
            events = cut(events, program)
        if local:
            events = [e for e in events if e["file"] == program]
        result.append([simplify(e) for e in events])
    return result


def same(expected, got, what):
    if expected == got:
        return
    at = next((i for i, (a, b) in enumerate(zip(expected, got)) if a != b),
              min(len(expected), len(got)))
    lines = ["%s: %d events, the oracle has %d; the first difference is at %d" % (
        what, len(got), len(expected), at)]
    for i in range(max(0, at - 6), at + 6):
        a = expected[i] if i < len(expected) else "(end)"
        b = got[i] if i < len(got) else "(end)"
        lines.append("%s %s   %s" % ("  " if a == b else "->", a, "" if a == b else b))
    raise Failure("\n".join(lines))


def round_trip(directory, python, program, presets):
    name = os.path.basename(program)[:-3]
    local = name in LOCAL
    common = dict(PYTHONPATH=ORACLE, PT_PROGRAM=program, PT_LOCAL="1" if local else None,
                  **python.settings)
    plain = harness.run([python.path, program], env=harness.environment(**common))
    for preset in presets:
        kinds = PRESETS[preset]
        path = os.path.join(directory, "oracle")
        watched = harness.run([python.path, program], env=harness.environment(
            **common, PT_ORACLE=path, PT_PRESET=preset))
        equal(watched.stdout, plain.stdout, "the oracle changed the program's output")
        with open(path, "rb") as file:
            oracle = marshal.load(file)
        trace = os.path.join(directory, preset + ".ptr")
        traced = harness.ptrec(python, trace, program, options=["--preset=" + preset],
                               env=harness.environment(**common))
        equal(traced.stdout, plain.stdout, preset, "output")
        equal(traced.stderr, plain.stderr, preset, "standard error")
        threads = recorded(trace, program, local)
        expected = [[tuple(e) for e in events if e[0] in kinds] for events in oracle]
        threads = [events for events in threads if events]
        expected = [events for events in expected if events]
        equal(len(threads), len(expected), preset, "threads")
        for index, (want, got) in enumerate(zip(expected, threads)):
            same(want, got, "%s, thread %d" % (preset, index))


def main():
    suite = harness.Suite("roundtrip")
    whole = {python.name for python in harness.chosen()}
    for python in harness.with_jit(harness.interpreters()):
        # instructions: every kind of event there is
        presets = list(PRESETS) if python.name in whole else ["instructions"]
        for program in sorted(glob.glob(os.path.join(HERE, "programs", "*.py"))):
            name = os.path.basename(program)[:-3]
            suite.case("%s %s" % (python, name), round_trip, python, program, presets)
    suite.finish()


if __name__ == "__main__":
    main()
