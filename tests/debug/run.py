"""The debugger: every motion from any point, against a model that goes through
all items (model.py); what a plain sys.settrace logs; transcripts; a terminal.

    run.py              every case
    run.py WORD...      those whose name holds the words"""
import json
import os
import random
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import harness  # noqa: E402
import terminal  # noqa: E402
import model  # noqa: E402
from harness import equal, require  # noqa: E402

TINY = os.path.join(harness.BUILD, "tests", "tiny", "bin", "ptrec")  # 53 events a chunk
PROGRAMS = [name[:-3] for name in sorted(os.listdir(os.path.join(HERE, "programs")))
            if name.endswith(".py")]
VALUES = (3, 12), (3, 13)  # that values are recorded of
WALKS = 600 if harness.ALL else 50  # of eight motions each
WHEN = re.compile(r"^(\d+)(?:\+(\d+))?  ~?[\d.]+ s  thread #", re.M)
MOVES = ["step", "next", "finish", "until", "stepi", "nexti", "reverse-step", "reverse-next",
         "reverse-finish", "reverse-until", "reverse-stepi", "reverse-nexti"]


def program(name):
    return os.path.join(HERE, "programs", name + ".py")


def record(python, directory, name, options=(), tool=harness.PTREC):
    # What asyncio itself runs is a lot.
    options = ["--exclude-stdlib"] if name == "tasks" and not options else options
    trace = os.path.join(directory, name + ".ptr")
    harness.run([tool, "run", "--quiet", "--python=" + python.path, "-o", trace, *options,
                 program(name)], expect=None)
    return trace


def debug(trace, directory, commands, expect=0):
    """What the commands of a script print."""
    script = os.path.join(directory, "script")
    with open(script, "w") as file:
        file.write("\n".join(commands) + "\n")
    return harness.ptana("debug", trace, "-x", script, expect=expect).decode()


def places(text):
    return [(int(seq), int(k or 0)) for seq, k in WHEN.findall(text)]


# --- walks ---------------------------------------------------------------------

def moved(thread, i, move):
    """What the model makes of a motion."""
    return {"step": lambda: thread.step(i),
            "next": lambda: thread.next(i),
            "finish": lambda: thread.finish(i),
            "until": lambda: thread.until(i, thread.next, 1),
            "stepi": lambda: thread.step(i, 1, "instruction"),
            "nexti": lambda: thread.next(i, "instruction"),
            "reverse-step": lambda: thread.step(i, -1),
            "reverse-next": lambda: thread.reverse_next(i),
            "reverse-finish": lambda: thread.reverse_finish(i),
            "reverse-until": lambda: thread.until(i, thread.reverse_next, -1),
            "reverse-stepi": lambda: thread.step(i, -1, "instruction"),
            "reverse-nexti": lambda: thread.reverse_next(i, "instruction")}[move]()


def walk(directory, python, name, tool):
    valued = name == "variables" and python.version[:2] in VALUES
    trace = record(python, directory, name, ["--values=locals"] if valued else [], tool)
    m = model.Model(harness.dump(trace), trace)
    rng = random.Random(name)
    # Most walks begin in the program itself, not in what starts and ends it.
    own = [at for at in m.merged if m.threads[at[0]].items[at[1]].file == program(name)]
    script, expected, said = [], [], []
    for turn in range(WALKS):
        tid, i = rng.choice(own if rng.random() < 0.8 else m.merged)
        thread = m.threads[tid]
        i = thread.settle(i)
        script.append("goto %d+%d" % thread.items[i].place)
        for move in rng.choices(MOVES, k=8):
            if move in ("finish", "reverse-finish", "until", "reverse-until") \
                    and thread.items[i].top() is None:
                continue
            before, i = i, moved(thread, i, move)
            script += [move, "when"]
            expected.append(thread.items[i].place)
            said.append("%s from %d+%d" % (move, *thread.items[before].place))
    got = places(debug(trace, directory, script))
    equal(len(got), len(expected), "answers")
    for is_at, to_be, what in zip(got, expected, said):
        equal("%d+%d" % is_at, "%d+%d" % to_be, what)


# --- breakpoints ---------------------------------------------------------------

def breakpoints(directory, python, name):
    """continue and reverse-continue stop at each of some lines, and nowhere else."""
    trace = record(python, directory, name, tool=TINY)
    m = model.Model(harness.dump(trace), trace)
    items = [m.threads[tid].items[i] for tid, i in m.merged]
    lines = sorted({item.line for item in items if item.ev == "line"
                    and item.file == program(name)})
    rng = random.Random(name)
    for count in 1, 3:
        chosen = rng.sample(lines, count)
        hits = [item.place for item in items if item.ev == "line" and item.line in chosen
                and item.file == program(name)]
        script = ["break programs/%s.py:%d" % (name, line) for line in chosen]
        script += ["goto begin"] + ["continue", "when"] * len(hits)
        script += ["continue"] + ["reverse-continue", "when"] * len(hits)
        got = places(debug(trace, directory, script))
        equal(got, hits + hits[::-1], "lines", chosen)


def functions(directory, python):
    """A function's breakpoint stops at the first line of each call."""
    trace = record(python, directory, "recursion")
    m = model.Model(harness.dump(trace), trace)
    thread, = m.threads.values()
    hits = [thread.items[thread.step(i)].place for i, item in enumerate(thread.items)
            if item.ev == "call" and item.func == "fib"]
    script = ["break fib", "goto begin"] + ["continue", "when"] * len(hits)
    script += ["continue"] + ["rc", "when"] * len(hits) + ["rc"]
    text = debug(trace, directory, script + ["info breakpoints"])
    equal(places(text), hits + hits[::-1], "calls of fib")
    require("hit %d times" % (2 * len(hits)) in text, "hits are not counted:", text[-500:])
    # Ignored hits are passed over, and a temporary one stops once.
    text = debug(trace, directory, ["goto begin", "break fib", "ignore 1 3", "continue", "when",
                                    "delete", "tbreak odd", "continue", "when", "continue",
                                    "when"])
    odd = next(thread.items[thread.step(i)].place for i, item in enumerate(thread.items)
               if item.ev == "call" and item.func == "odd")
    equal(places(text), [hits[3], odd, thread.items[thread.last()].place], "ignore, tbreak")


def over_calls(directory, python):
    """next stops at a breakpoint in what it passes over, step at each event caught."""
    trace = record(python, directory, "recursion")
    text = debug(trace, directory, [
        "goto recursion.py:37 1", "break recursion.py:7", "next", "bt 1", "delete",
        "catch exception KeyError", "goto recursion.py:39 1", "next", "reverse-next",
        "goto recursion.py:20 1", "step", "finish", "reverse-continue", "delete", "until 22",
        "advance fib", "bt"])
    require("Breakpoint 1, fib at" in text, "next passed a breakpoint:", text)
    equal(text.count("Catchpoint 2, [KeyError is raised]"), 3, "what was caught in\n" + text)
    require(re.search(r"22\t +fib\(2\)\nfib at \S*:5\n.*\n\* #0 +fib at \S*\n +#1 +fails at \S*:22\n",
                      text), "until, advance in\n" + text)


# --- lines, as the program's own trace function has them -------------------------

TRACER = """
import sys
own, log = sys.argv[1], []
def local(frame, event, arg):
    if event == "line":
        log.append(frame.f_lineno)
    return local
def trace(frame, event, arg):
    return local if frame.f_code.co_filename == own else None
code = compile(open(own).read(), own, "exec")
sys.settrace(trace)
try:
    exec(code, {"__name__": "__main__"})
except KeyError:
    pass
sys.settrace(None)
print(*log)
"""


def without_repeats(lines):
    """A trace function is told of a line again where a loop jumps back to it."""
    return [line for i, line in enumerate(lines) if i == 0 or line != lines[i - 1]]


def shown(text):
    """The numbers of the source lines that were shown, from where it was sent."""
    return [int(line) for line in re.findall(r"^(\d+)\t", text[text.index("sent\n"):], re.M)]


def settrace(directory, python, name):
    done = harness.run([python.path, "-c", TRACER, program(name)])
    want = without_repeats(list(map(int, done.stdout.split())))
    trace = record(python, directory, name, options=["--include=*/" + name + ".py"])
    many = len(want) * 2 + 10
    text = debug(trace, directory, ["goto begin", "echo sent"] + ["step"] * many)
    equal(without_repeats(shown(text))[:len(want)], want, "lines by step")
    text = debug(trace, directory, ["goto end", "echo sent"] + ["reverse-step"] * many)
    equal(without_repeats(shown(text))[:len(want)], want[::-1], "lines by reverse-step")


# --- values ---------------------------------------------------------------------

VARIABLES = """
import json, sys
own, log = sys.argv[1], []
def local(frame, event, arg):
    if event == "line":
        log.append((frame.f_lineno, {name: repr(value) for name, value in
                                     frame.f_locals.items() if not callable(value)}))
    return local
def trace(frame, event, arg):
    return local if frame.f_code.co_filename == own and frame.f_code.co_name[0] != "<" else None
code = compile(open(own).read(), own, "exec")
sys.settrace(trace)
exec(code, {"__name__": "__main__"})
sys.settrace(None)
print(json.dumps(log))
"""
VARIABLE = re.compile(r"^(\w+) = (.*)$", re.M)


def variables(directory, python):
    """At each line the variables are those that the program's own trace function
    sees, forwards and backwards."""
    done = harness.run([python.path, "-c", VARIABLES, program("variables")])
    want = json.loads(done.stdout)
    trace = record(python, directory, "variables",
                   ["--values=locals", "--include=*/variables.py"])
    for script in (["goto main 1"] + ["step", "echo stop", "info locals"] * len(want),
                   ["goto end"] + ["reverse-step", "echo stop", "info locals"] * len(want)):
        stops = debug(trace, directory, script).split("\nstop\n")
        numbers = [int(re.findall(r"^(\d+)\t", stop, re.M)[-1]) for stop in stops[:-1]]
        shown = [dict(VARIABLE.findall(re.split(r"^\d+\t|^\S+ at ", stop, flags=re.M)[0]))
                 for stop in stops[1:]]
        got = list(zip(numbers, shown))
        if script[0] == "goto end":
            got = [stop for stop in got if stop[0] in {line for line, _ in want}][::-1]
            got = got[-len(want):]
        equal([line for line, _ in got], [line for line, _ in want], "lines")
        for (line, values), (_, expected) in zip(got, want):
            values = {name: value for name, value in values.items()
                      if value != "<unbound>" and not value.startswith("<function")}
            # A free variable is told by the line that uses it, not at the beginning.
            if "x" not in values and line in (22, 23):
                expected = {**expected}
                expected.pop("x", None)
            # What a callee does to a cell is told in the callee.
            if line in (26, 27):
                values["x"] = expected["x"]
            equal(values, expected, script[1], "line", line)


def expressions(directory, python):
    """Conditions, watches, and where a value came from."""
    trace = record(python, directory, "variables", ["--values=locals"])
    text = debug(trace, directory, [
        "break variables.py:9 if i == 3 and len(names) == 3", "goto begin", "continue",
        "print total + 1, names[::-1]", "print table[9]", "watch total", "delete 1",
        "continue", "continue", "reverse-continue", "reverse-continue", "last names",
        "history total", "logpoint variables.py:10,i={i}", "info args"])
    for what in ("Breakpoint 1, work at ", "(-0.5, ['2', '1', '0'])", "KeyError: 9",
                 "Watchpoint 2, total was -1.5 and is 7.5", "total was 7.5 and is 23.5",
                 "total was <NameError: 'total' has no value here> and is -1.5",
                 "variables.py:10  names = ['0', '1', '2']  (at ",
                 "variables.py:5  total = 0  (at ", "variables.py:9  total = 1  (at ", "n = 5"):
        require(what in text, "not", repr(what), "in\n" + text)
    plain = record(python, directory, "recursion")
    text = debug(plain, directory, ["print key", "info locals", "watch key"], expect=2)
    equal(text.count("--values=locals"), 4, "what was not recorded in\n" + text)


# --- where it opens ---------------------------------------------------------------

def failure(directory, python, options=()):
    trace = record(python, directory, "recursion", options)
    text = debug(trace, directory, ["bt"])
    require("ended with KeyError, raised here:" in text, text)
    require(re.search(r"\* #0 +fails at \S*recursion.py:20\n +#1 +main at \S*:42\n", text), text)
    trace = record(python, directory, "generators")
    require("no exception was left uncaught" in debug(trace, directory, []), "an orderly end")


def tasks(directory, python):
    """What each task does, where one raises."""
    trace = record(python, directory, "tasks")
    text = debug(trace, directory, ["goto programs/tasks.py:19 1", "info tasks", "goto end", "info tasks",
                                    "goto begin", "info tasks"])
    states = re.findall(r"^#\d+ Task-(\d+) \((\w+)\) (?:of #1 )?(.*)$", text, re.M)
    equal([state for state in states if state[0] == "1"],
          [("1", "main", "waits"), ("1", "main", "has returned"),
           ("1", "main", "is not there yet")], "Task-1 in\n" + text)
    equal([state for state in states if state[1] == "broken"][:2],
          [("4", "broken", "runs"), ("4", "broken", "has raised")], "Task-4 in\n" + text)


def on_terminal(directory, python):
    terminal.session(directory, record(python, directory, "recursion"))


def main():
    suite = harness.Suite("debug")
    versions = harness.interpreters() if harness.ALL else harness.chosen()
    for python in versions:
        for name in PROGRAMS:
            suite.case("%s: walk through %s" % (python, name), walk, python, name,
                       harness.PTREC)
            suite.case("%s: walk through %s in tiny chunks" % (python, name), walk, python,
                       name, TINY)
            suite.case("%s: breakpoints in %s" % (python, name), breakpoints, python, name)
        for name in "recursion", "generators":
            suite.case("%s: lines of %s by sys.settrace" % (python, name), settrace, python,
                       name)
        suite.case("%s: breakpoints of functions" % python, functions, python)
        suite.case("%s: tasks" % python, tasks, python)
        suite.case("%s: breakpoints on the way" % python, over_calls, python)
        if python.version[:2] in VALUES:
            suite.case("%s: variables at each line" % python, variables, python)
            suite.case("%s: expressions" % python, expressions, python)
            suite.case("%s: the point of failure, with values" % python, failure, python,
                       ["--values=locals"])
        suite.case("%s: the point of failure" % python, failure, python)
    suite.case("a session on a terminal", on_terminal, versions[-1])
    suite.finish()


if __name__ == "__main__":
    main()
