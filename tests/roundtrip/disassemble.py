"""ptana dump --disassemble against each interpreter's own dis module, and ranges
against the whole: every instruction's opcode, argument, meaning and place in the
source, the way from one to the next, and --from=SEQ+K."""
import bisect
import json
import os
import random
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import harness  # noqa: E402
from harness import equal, require  # noqa: E402

PROGRAMS = ("arguments", "classes", "comprehensions", "coroutines", "exceptions",
            "generators", "loops", "matches", "withs")
OPERANDS = os.path.join(HERE, "oracle", "operands.py")
ORACLE = os.path.join(HERE, "oracle", "dis_all.py")

# What spec/format.md section 8 says otherwise than dis does.
KEYWORDS = "KW_NAMES"  # dis of 3.11 does not look its constant up
WORDS = {"IS_OP": ("is", "is not"), "CONTAINS_OP": ("in", "not in")}


def record(directory, python, program, preset):
    trace = os.path.join(directory, "t.ptr")
    harness.ptrec(python, trace, program, options=["--preset=" + preset])
    return trace


def instructions_of(python, path):
    """{(qualname, offset): what dis says} of a file's code objects."""
    text = harness.run([python.path, "-S", ORACLE, path]).stdout
    found = {}
    for line in text.splitlines():
        item = json.loads(line)
        found.setdefault((item["func"], item["off"]), []).append(item)
    return found


def meaning(item):
    """dis's argrepr as the schema has it."""
    if item["target"] is not None:
        way = "from" if item["op"] == "END_ASYNC_FOR" else "to"
        return "%s +%d" % (way, item["target"])
    if item["op"] in WORDS:
        return WORDS[item["op"]][item["arg"]]
    return re.sub(r"<code object (\S+) at 0x[0-9a-f]+,", r"<code object \1,", item["argrepr"])


def expected(item):
    line, end_line, col, end_col = item["positions"]
    return {"op": item["op"], "arg": item["arg"], "argrepr": meaning(item),
            "end_line": end_line, "col": col, "end_col": end_col}, line


def told(event, python):
    """The same of an event."""
    got = {name: event[name] for name in
           ("op", "arg", "argrepr", "end_line", "col", "end_col")}
    if event["op"] == KEYWORDS and python.version < (3, 12):
        require(got["argrepr"].startswith("('"), got)
        got["argrepr"] = ""
    return got


def compare(python, events, oracle):
    """Each instruction is one that dis shows; returns the opcodes seen."""
    seen = set()
    for event in events:
        known = oracle.get((event["func"], event["off"]))
        require(known, "dis has no instruction there:", event)
        got = told(event, python)
        candidates = [expected(item) for item in known]
        # Functions of one name are told apart by what they hold.
        if not any(got == wanted and (line is None or line == event["line"])
                   for wanted, line in candidates):
            raise harness.Failure("%s +%d line %s: got %r\n    dis: %r" % (
                event["func"], event["off"], event["line"], got, candidates))
        seen.add(event["op"])
    return seen


def against_dis(directory, python, program, preset):
    path = os.path.join(HERE, "programs", program + ".py") if program else OPERANDS
    trace = record(directory, python, path, preset)
    events = harness.dump(trace, "--disassemble", "--kinds=instruction",
                          "--include=" + path)
    require(len(events) > 50, "there is something to compare:", len(events))
    require(all("op" in event for event in events), "each is disassembled")
    seen = compare(python, events, instructions_of(python, path))
    require(len(seen) > 15, "many opcodes are compared:", sorted(seen))
    if not program:
        wanted = {"LOAD_CONST", "COMPARE_OP", "BINARY_OP", "LOAD_GLOBAL", "LOAD_ATTR",
                  "IS_OP", "CONTAINS_OP", "MAKE_FUNCTION", "FOR_ITER", "LOAD_DEREF",
                  "EXTENDED_ARG"}
        if python.version >= (3, 12):
            wanted |= {"CALL_INTRINSIC_1", "CALL_INTRINSIC_2", "LOAD_SUPER_ATTR"}
        if python.version >= (3, 13):
            wanted |= {"LOAD_FAST_LOAD_FAST", "SET_FUNCTION_ATTRIBUTE", "CONVERT_VALUE"}
        else:
            wanted |= {"FORMAT_VALUE"}
        equal(wanted - seen, set(), "opcodes that did not run")


def ways(directory, python, preset):
    """An instruction comes from the one before it in its frame."""
    path = os.path.join(HERE, "programs", "exceptions.py")
    trace = record(directory, python, path, preset)
    stack, checked, raised = [], 0, 0
    for event in harness.dump(trace, "--disassemble"):
        kind = event["ev"]
        if kind in ("call", "resume", "throw"):
            stack.append(None)
        elif kind in ("return", "yield", "unwind") and stack:
            stack.pop()
        elif kind == "instruction" and stack:
            if stack[-1] is not None:
                equal(event["from"], stack[-1], "the way to", event)
                checked += 1
            stack[-1] = event["off"]
        elif kind in ("line", "branch", "jump"):
            raise harness.Failure("left out: %r" % event)
        elif kind == "exception":
            raised += 1
    require(checked > 500 and raised > 5, "ways and exceptions:", checked, raised)


def ranges(directory, python):
    """--from and --to cut exactly there, wherever it is."""
    trace = record(directory, python, os.path.join(HERE, "programs", "generators.py"), "flow")
    whole = harness.ptana("dump", trace, "--format=jsonl").splitlines()
    places = [(event["seq"], event["k"]) for event in map(json.loads, whole)]
    equal(places, sorted(places), "one thread is in the order of its places")
    dice = random.Random(5)
    walked = [i for i, (_, k) in enumerate(places) if k]
    require(len(walked) > 1000, "instructions were walked")
    for _ in range(30):
        first, last = sorted(dice.sample(range(len(places)), 2))
        if dice.random() < 0.7:
            first, last = sorted(dice.sample(walked, 2))
        # A line and the instruction that starts it are one place.
        while first and places[first - 1] == places[first]:
            first -= 1
        while last + 1 < len(places) and places[last + 1] == places[last]:
            last += 1
        options = ["--from=%d+%d" % places[first], "--to=%d+%d" % places[last]]
        part = harness.ptana("dump", trace, "--format=jsonl", *options).splitlines()
        equal(len(part), last - first + 1, "events in", options)
        equal(part, whole[first:last + 1], "what lies in", options)


MANY = """
def inner(i):
    return i + 1 if i % 3 else 2
def outer(n):
    s = 0
    for i in range(n):
        s += inner(i)
    return s
outer(18000)
"""


def chunks(directory, python):
    """A range that begins or ends beside a chunk's end, and one by times."""
    program = os.path.join(directory, "many.py")
    with open(program, "w") as file:
        file.write(MANY)
    trace = record(directory, python, program, "flow")
    whole = harness.ptana("dump", trace).splitlines()[1:]
    places = [tuple(map(int, (line.split()[0] + b"+0").split(b"+")[:2])) for line in whole]
    require(harness.info(trace)["events"] > 70000, "more than one chunk")
    near = [i for i, (seq, _) in enumerate(places) if abs(seq - 65536) < 4]
    dice = random.Random(7)
    for _ in range(8):
        first, last = sorted(dice.sample(near, 2))
        first = bisect.bisect_left(places, places[first])
        last = bisect.bisect_right(places, places[last])
        options = ["--from=%d+%d" % places[first], "--to=%d+%d" % places[last - 1]]
        part = harness.ptana("dump", trace, *options).splitlines()[1:]
        equal(part, whole[first:last], "what lies in", options)
    times = [round(float(line.split()[1].lstrip(b"~")) * 1e9) for line in whole]
    middle = len(whole) // 2
    low, high = times[middle], times[middle + 500]
    part = harness.ptana("dump", trace, "--from=%dns" % low, "--to=%dns" % high)
    equal(part.splitlines()[1:], [line for line, time in zip(whole, times)
                                  if low <= time <= high], "what lies between times")


def functions(directory, python):
    """--only takes the functions of that name and no other."""
    trace = record(directory, python, os.path.join(HERE, "programs", "classes.py"), "flow")
    whole = harness.dump(trace)
    names = {e["func"] for e in whole if e["func"]}
    name = sorted(n for n in names if "." in n and "<" not in n)[0]
    short = name.rpartition(".")[2]
    equal(places(harness.dump(trace, "--only=" + name)),
          places(e for e in whole if e["func"] == name), name)
    equal(places(harness.dump(trace, "--only=" + short, "--only=<module>")),
          places(e for e in whole if e["func"] and
                 (e["func"].rpartition(".")[2] == short or e["func"] == "<module>")), short)
    harness.run([harness.PTANA, "dump", "--only=no_such", trace], expect=2)


def places(events):
    """Of events in a function, which they are; filters change who called it."""
    return [(e["seq"], e["k"], e["ev"], e["line"]) for e in events if e["func"]]


def lacking(directory, python):
    """A trace without instructions says so and names the preset."""
    path = os.path.join(HERE, "programs", "loops.py")
    trace = record(directory, python, path, "calls")
    said = harness.run([harness.PTANA, "dump", "--disassemble", trace]).stderr.decode()
    require("no instructions" in said and "--preset=flow" in said, said)
    trace = record(directory, python, path, "flow")
    done = harness.run([harness.PTANA, "dump", "--kinds=line,instruction", "-n", "5", trace])
    equal(done.stderr, b"", "nothing lacks")
    harness.run([harness.PTANA, "dump", "-d", "--as-recorded", trace], expect=2)


def terminal(directory, python):
    """Lines fit the width that is asked for, and are whole where none is."""
    trace = record(directory, python, OPERANDS, "flow")
    for width in (60, 80, 100, 140):
        text = harness.ptana("dump", trace, "-d", "--width=%d" % width).decode()
        for line in text.splitlines():
            require(len(line) <= width, "wider than %d: %s" % (width, line))
    text = harness.ptana("dump", trace, "-d").decode()
    require("x" * 300 in text, "a constant is whole in a pipe")


def main():
    suite = harness.Suite("disassemble")
    for python in harness.chosen():
        presets = ("flow", "instructions")
        for preset in presets:
            suite.case("%s operands %s" % (python, preset), against_dis, python, None, preset)
            suite.case("%s ways %s" % (python, preset), ways, python, preset)
        for program in PROGRAMS:
            suite.case("%s %s" % (python, program), against_dis, python, program, "flow")
        suite.case("%s ranges" % python, ranges, python)
    last = harness.interpreters()[-1]
    for case in chunks, functions, lacking, terminal:
        suite.case(case.__name__, case, last)
    suite.finish()


if __name__ == "__main__":
    main()
