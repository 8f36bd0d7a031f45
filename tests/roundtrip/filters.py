"""Filters: what is recorded with a filter is what an unfiltered recording holds
of the frames that the filter lets pass, event by event, by a filter of the
test's own; and what ptana shows of the unfiltered one with the same filter.

make check takes another filter each day for each program; make check-all takes
all of them."""
import fnmatch
import glob
import json
import os
import pstats
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import harness  # noqa: E402
import run as roundtrip  # noqa: E402
from harness import equal, require  # noqa: E402

PROGRAMS = os.path.join(HERE, "programs")
PRESETS = [["--preset=calls"], ["--preset=lines"], ["--preset=instructions"],
           ["--preset=flow"]]


class Filter:
    """A filter as options, and as what it says of an event's frame."""

    def __init__(self, *options, chosen=None, opens=None, depth=None):
        self.options = list(options)
        self.chosen = chosen or (lambda event, python: True)
        self.opens = opens
        self.depth = depth or 1 << 30

    def apply(self, events, python):
        """The events of one thread that it lets pass, each with its depth."""
        stack = [(False, self.opens is None, 0)]
        for event in events:
            kind = event["ev"]
            if kind in roundtrip.ENTER:
                _, within, depth = stack[-1]
                within = within or self.opens(event)
                passes = self.chosen(event, python) and within and depth < self.depth
                stack.append((passes, within, depth + passes))
            passes, _, depth = stack[-1]
            if passes:
                yield event, depth
            if kind in roundtrip.LEAVE and len(stack) > 1:
                stack.pop()


def named(*globs):
    def matches(event, python=None):
        names = [event["func"], event["func"].rpartition(".")[2]]
        return any(fnmatch.fnmatchcase(name, pattern) for name in names for pattern in globs)
    return matches


def excluded(pattern):
    """--exclude: by name, or by file, from any slash on."""
    def matches(event, python):
        parts = event["file"].split("/")
        files = ["/".join(parts[i:]) for i in range(len(parts))]
        return not named(pattern)(event) and \
            not any(fnmatch.fnmatchcase(name, pattern) for name in files)
    return matches


def outside_library(event, python):
    name = event["file"]
    if name.startswith("<frozen "):
        return False
    return not name.startswith(python.library + "/") or "/site-packages/" in name \
        or "/dist-packages/" in name


def in_programs(event, python):
    return event["file"].startswith(PROGRAMS + "/")


FILTERS = [
    Filter("--exclude-stdlib", chosen=outside_library),
    Filter("--source=" + PROGRAMS, chosen=in_programs),
    Filter("--only=[a-m]*", chosen=named("[a-m]*")),
    Filter("--only=[n-z]*", "--only=<*", chosen=named("[n-z]*", "<*")),
    Filter("--exclude=*[aeiou]", chosen=excluded("*[aeiou]")),
    Filter("--exclude=programs/*", chosen=excluded("programs/*")),
    Filter("--function=[n-z]*", opens=named("[n-z]*")),
    Filter("--max-depth=2", depth=2),
    Filter("--max-depth=6", depth=6),
    Filter("--exclude-stdlib", "--function=[!<]*", "--max-depth=2",
           chosen=outside_library, opens=named("[!<]*"), depth=2),
]


def threads_of(trace, *args):
    """Per thread, in the order they began, its events."""
    threads = {}
    for event in harness.dump(trace, *args):
        require(event["ev"] != "gap", "the trace has a gap:", event)
        if event["ev"] not in ("thread", "process", "task"):
            threads.setdefault(event["tid"], []).append(event)
    return list(threads.values())


def simple(event, depth):
    """What is compared; a frame's depth where it comes or goes."""
    moves = event["ev"] in roundtrip.FRAMES
    return roundtrip.simplify(event) + (event["file"], depth if moves else None)


def compared(threads, program):
    """Without threads of which nothing is left."""
    kept = [[item for item in events if not roundtrip.LOCAL & {name_of(program)}
             or item[-2] == program] for events in threads]
    return [events for events in kept if events]


def name_of(program):
    return os.path.basename(program)[:-3]


UNLIKE = ("seq", "k", "t", "pid", "tid")  # of two recordings


def told(trace, program, *options):
    """Per thread all that ptana tells of its events, but for numbers and times.
    What follows from the flow stands apart: a StopIteration in a loop is logged
    without its place, so that it can come before or behind what ran until then."""
    threads = []
    for events in threads_of(trace, *options):
        kept = [{k: v for k, v in event.items() if k not in UNLIKE} for event in events
                if not roundtrip.LOCAL & {name_of(program)} or event["file"] == program]
        walked = [event for event in kept if event["ev"] in ("line", "instruction")]
        threads.append(walked + [event for event in kept
                                 if event["ev"] not in ("line", "instruction")])
    return [events for events in threads if events]


def counted(trace, program, *options):
    """Of each function, and of each caller with it, how often it was called."""
    functions = json.loads(harness.ptana("profile", trace, "--format=json", "--all-calls",
                                         *options))["functions"]
    local = roundtrip.LOCAL & {name_of(program)}
    flat = {(f["name"], f["file"], f["line"], f["kind"]): (f["calls"], f["primitive"])
            for f in functions if not local or f["file"] == program}
    path = trace + ".pstats"
    harness.ptana("profile", trace, "--format=pstats", "-f", "-o", path, *options)
    callers = {}
    for callee, (_, _, _, _, of) in pstats.Stats(path).stats.items():
        for caller, numbers in of.items():
            if not local or caller[0] == callee[0] == program:
                key = without_address(callee), without_address(caller)
                before = callers.get(key, (0, 0))
                callers[key] = (before[0] + numbers[0], before[1] + numbers[1])
    return flat, callers


def without_address(key):
    return key[:2] + (re.sub(" at 0x[0-9a-f]+", "", key[2]),)


def check_ptana(whole, part, program, preset, options):
    """What ptana makes of the whole with the filter is what it makes of the part."""
    for how in [["--as-recorded"], []][:2 if preset == ["--preset=flow"] else 1]:
        expected, got = told(part, program, *how), told(whole, program, *how, *options)
        equal(len(got), len(expected), "threads of ptana dump", *how)
        for index, (want, have) in enumerate(zip(expected, got)):
            forget_lines(want, have)
            roundtrip.same(want, have, "ptana dump %s, thread %d" % (" ".join(how), index))
    for want, have in zip(counted(part, program), counted(whole, program, *options)):
        same_numbers(want, have)


def forget_lines(want, have):
    """Without lines that one of them does not know: where nothing tells of a frame's
    line, the start of a chunk, which has another place in each, forgets it."""
    for a, b in zip(want, have):
        if a["line"] is None or b["line"] is None:
            a["line"] = b["line"] = None


def same_numbers(want, have):
    for key in sorted(set(want) | set(have), key=str):
        equal(have.get(key), want.get(key), "ptana profile:", key)


def check(directory, python, program, preset, rule):
    env = harness.environment()
    whole = os.path.join(directory, "whole.ptr")
    part = os.path.join(directory, "part.ptr")
    harness.ptrec(python, whole, program, options=preset, env=env)
    harness.ptrec(python, part, program, options=preset + rule.options, env=env)
    expected = compared([[simple(*item) for item in rule.apply(events, python)]
                         for events in threads_of(whole, "--as-recorded")], program)
    got = compared([[simple(event, event.get("depth")) for event in events]
                    for events in threads_of(part, "--as-recorded")], program)
    equal(len(got), len(expected), "threads")
    for index, (want, have) in enumerate(zip(expected, got)):
        roundtrip.same(want, have, "thread %d" % index)
    check_ptana(whole, part, program, preset, rule.options)
    equal(harness.info(part)["header"]["filters"],
          [option[2:] for option in rule.options], "filters")


def without_open_ends(events):
    """Without the ends of C calls that had begun before the first event: of
    which CPython 3.11 tells, and later ones do not."""
    kept, calls = [], [0]
    for event in events:
        kind = event["ev"]
        if kind in roundtrip.ENTER:
            calls.append(0)
        elif kind == "c_call":
            calls[-1] = 1
        elif kind in roundtrip.C_CALLS:
            if not calls[-1]:
                continue
            calls[-1] = 0
        else:
            calls[-1] = 0
            if kind in roundtrip.LEAVE:
                calls = calls[:-1] or [0]
        kept.append(event)
    return kept


def check_start(directory, python, program, preset, line):
    """From a function's first call, or a line's first time, on, in one thread."""
    env = harness.environment()
    whole = os.path.join(directory, "whole.ptr")
    part = os.path.join(directory, "part.ptr")
    harness.ptrec(python, whole, program, options=preset, env=env)
    events = threads_of(whole, "--as-recorded")[0]
    kind = "line" if line else "call"
    own = [event for event in events if event["ev"] == kind and event["file"] == program]
    chosen = own[len(own) // 2]
    rule = "%s.%s" % (name_of(program), chosen["func"])
    if line:
        rule = "%s.py:%d" % (name_of(program), chosen["line"])
    begin = next(i for i, event in enumerate(events) if event["ev"] == kind
                 and event["file"] == program and event["line" if line else "func"] ==
                 chosen["line" if line else "func"])
    begun, = threads_of(whole, "--as-recorded", "--start-at=" + rule)
    forget_lines(begun, events[begin:])
    roundtrip.same(events[begin:], begun, "ptana dump from %s on" % rule)
    if line:
        check_start_in_flow(directory, python, program, rule, chosen)
    harness.ptrec(python, part, program, options=preset + ["--start-at=" + rule], env=env)
    expected = [simple(event, event.get("depth")) for event in without_open_ends(events[begin:])]
    got = [simple(event, event.get("depth"))
           for event in without_open_ends(threads_of(part, "--as-recorded")[0])]
    roundtrip.same(expected, got, "from %s on" % rule)


def check_start_in_flow(directory, python, program, rule, chosen):
    """The line is not logged there: it follows from the flow."""
    trace = os.path.join(directory, "flow.ptr")
    harness.ptrec(python, trace, program, env=harness.environment())
    events, = threads_of(trace)
    begin = next(i for i, event in enumerate(events) if event["ev"] == "line"
                 and event["file"] == program and event["line"] == chosen["line"])
    begun, = threads_of(trace, "--start-at=" + rule)
    roundtrip.same(events[begin:], begun, "the flow from %s on" % rule)


STACK = """
import sys, threading
def walk():
    frame = sys._getframe()
    while frame:
        print(frame.f_code.co_qualname)
        frame = frame.f_back
class Deep:
    def method(self, n):
        return self.method(n - 1) if n else sum(map(self.begin, [1, 2]))
    def begin(self, n):
        walk()
        return next(suspended) + n
def generator():
    yield 1
    yield from inner()
def inner():
    yield 2
    yield 3
def elsewhere(ready, go):
    ready.set()
    go.wait()
suspended = generator()
next(suspended)
ready, go = threading.Event(), threading.Event()
thread = threading.Thread(target=elsewhere, args=(ready, go))
thread.start()
ready.wait()
print(Deep().method(3))
go.set()
thread.join()
"""


def check_stack(directory, python, preset, rule):
    """The stack of each thread at the start: who returns without having begun."""
    program = os.path.join(directory, "stack.py")
    trace = os.path.join(directory, "stack.ptr")
    with open(program, "w") as file:
        file.write(STACK)
    options = preset + ["--start-at=" + rule]
    printed = harness.ptrec(python, trace, program, options=options).stdout.decode()
    walked = printed.split("\n")[:printed.split("\n").index("<module>") + 1]
    equal(walked[:2], ["walk", "Deep.begin"], "the program's own walk")
    stacks = []
    for events in threads_of(trace, "--as-recorded"):
        depth, missing = 0, []
        for event in events:
            depth += event["ev"] in roundtrip.ENTER
            if event["ev"] in roundtrip.LEAVE:
                if depth == 0:
                    missing.append(event["func"])
                depth = max(depth - 1, 0)
        stacks.append(missing)
    # begin() itself has been entered by a call, but for its line.
    equal(stacks[0], walked[1 if ":" in rule else 2:], "the stack of the main thread")
    equal(len(stacks), 2, "threads")
    require("elsewhere" in stacks[1], "the other thread's stack:", stacks[1])
    found = json.loads(harness.ptana("verify", trace, "--format=json"))
    equal(found.get("flow", {}).get("desyncs", 0), 0, "desyncs")


TREE = """
import os, subprocess, sys
def begin(): return step()
def step(): return 1
def child(begins):
    step()
    if begins:
        begin()
    step()
    os._exit(0)
def fork(begins):
    pid = os.fork()
    if pid == 0:
        child(begins)
    os.waitpid(pid, 0)
step()
fork(True)
fork(False)
begin()
fork(False)
for code in "def step(): pass\\nstep()", "def begin(): pass\\nbegin()\\nbegin()":
    subprocess.run([sys.executable, "-c", code])
step()
"""


def calls_of(trace, program, *options):
    """Per process, in the order they began, what happens in the program's frames."""
    found = {}
    for event in harness.dump(trace, *options):
        if event["file"] in (program, "<string>") and event["ev"] in roundtrip.FRAMES:
            found.setdefault(event["pid"], []).append((event["ev"], event["func"], event["depth"]))
    return list(found.values())


def check_tree(directory, python, preset):
    """Each process waits for itself, but for one that is forked from one that began."""
    program = os.path.join(directory, "tree.py")
    with open(program, "w") as file:
        file.write(TREE)
    whole, part = (os.path.join(directory, name) for name in ("whole.ptr", "part.ptr"))
    harness.ptrec(python, whole, program, options=preset)
    harness.ptrec(python, part, program, options=preset + ["--start-at=begin"])
    expected = calls_of(part, program)
    equal([events[0][1] for events in expected], ["begin", "begin", "child", "begin"],
          "where processes begin")
    equal(calls_of(whole, program, "--start-at=begin"), expected, "what ptana shows of them")


def some(items, number):
    """Another one each day and by number."""
    if harness.ALL or sys.argv[1:]:
        return items
    return [items[(int(time.time()) // 86400 + number) % len(items)]]


def main():
    suite = harness.Suite("filters")
    pythons = harness.chosen()
    number = 0
    for python in pythons:
        python.library = harness.output(
            [python.path, "-I", "-c", "import sys; print(sys._stdlib_dir)"]).strip()
        for program in sorted(glob.glob(os.path.join(PROGRAMS, "*.py"))):
            for rule in some(FILTERS, number):
                preset = PRESETS[number % len(PRESETS)]
                number += 1
                name = "%s %s %s %s" % (python, name_of(program), preset[0],
                                        " ".join(rule.options))
                suite.case(name, check, python, program, preset, rule)
            if name_of(program) not in roundtrip.LOCAL:
                for line in some([False, True], number):
                    preset = PRESETS[1 if line else number % len(PRESETS)]
                    name = "%s %s %s start at a %s" % (python, name_of(program), preset[0],
                                                       "line" if line else "function")
                    suite.case(name, check_start, python, program, preset, line)
            number += 1
        for preset in PRESETS:
            suite.case("%s tree %s" % (python, preset[0]), check_tree, python, preset)
            for rule in "Deep.begin", "stack.py:12":
                suite.case("%s stack %s %s" % (python, preset[0], rule), check_stack, python,
                           preset, rule)
    suite.finish()


if __name__ == "__main__":
    main()
