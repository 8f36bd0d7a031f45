"""The process tree in one trace: every process that a program starts, in
whatever way, is there, under its parent, with exactly the calls it made.

Each process says what it did in a file of its own (programs/witness.py), and
that is what its part of the trace must say."""
import json
import os
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import harness  # noqa: E402
import faults  # noqa: E402
from harness import equal, require  # noqa: E402

PROGRAMS = os.path.join(HERE, "programs")
WAYS = os.path.join(PROGRAMS, "ways.py")
FLOW = ["--preset=flow", "--events=+instruction,+line"]

# Calls of step() that are in no witness's line, by label.
NOT_TOLD = {
    "fork_deep": {"main": 1, "main/c": 1, "main/c/c": 1, "main/c/c/c": 1},
    "fork_suspended": {"main": 10, "main/c": 9},
    "fork_thread": {"main/t%d" % i: 5 for i in range(4)},
}
# Processes that multiprocessing starts for itself, and workers without work.
HELPERS = "resource_tracker", "forkserver", "spawn_main"


class Tree:
    """A trace's processes, by what they told of themselves."""

    def __init__(self, trace, log):
        self.trace = trace
        self.processes = {p["id"]: p for p in harness.info(trace)["processes"]}
        self.calls = {}   # id: calls of step() in the trace
        self.told = []    # (label, pid, calls)
        if os.path.exists(log):
            with open(log) as file:
                for line in file:
                    pid, label, n = line.split()
                    self.told.append((label, int(pid), int(n)))

    def of_pid(self, pid):
        return [p for p in self.processes.values() if p["pid"] == pid]

    def parent(self, process):
        """Who started a process, not who it was before it called exec."""
        above = self.processes.get(process["parent"])
        while above and above["pid"] == process["pid"] and self.steps(above) == 0:
            above = self.processes.get(above["parent"])
        return above["id"] if above else 0

    def steps(self, process):
        """Calls of step() in a process, as ptana profile has it."""
        if process["id"] not in self.calls:
            table = json.loads(harness.ptana("profile", self.trace, "--format=json",
                                             "--process=#%d" % process["id"]))
            self.calls[process["id"]] = sum(f["calls"] for f in table["functions"]
                                            if f["name"].rpartition(".")[2] == "step")
        return self.calls[process["id"]]


def record(directory, python, way, *words, options=("--preset=calls",), says=b"", **kwargs):
    log = os.path.join(directory, "log")
    trace = os.path.join(directory, "t.ptr")
    done = harness.ptrec(python, trace, WAYS, way, log, *words, options=options, **kwargs)
    equal(re.sub(rb"process \d+", b"process N", done.stderr), says, way, "standard error")
    return Tree(trace, log)


def check(tree, way):
    """Every witness is in the trace, once, under its parent, and exact."""
    require(tree.told, way, "nobody said anything")
    expected = {}
    for label, pid, n in tree.told:
        expected.setdefault((label, pid), 0)
        expected[label, pid] += n
    found = {}  # label: ids
    for (label, pid), n in expected.items():
        n += NOT_TOLD.get(way, {}).get(label, 0)
        here = [p for p in tree.of_pid(pid) if tree.steps(p) == n]
        require(len(here) == 1, way, label, "pid", pid, "called step", n, "times; in the trace:",
                [(p["id"], tree.steps(p)) for p in tree.of_pid(pid)])
        found.setdefault(label, []).append(here[0])
    for label, processes in found.items():
        above = label.rpartition("/")[0]
        for process in processes:
            parents = {p["id"] for p in found.get(above, [])} if above else {0}
            if label == "main/*":  # a pool's worker: its parent can be a helper
                require(process["parent"] in tree.processes, way, label, "has a parent")
            elif parents:
                require(tree.parent(process) in parents, way, label, "parent",
                        tree.parent(process), "expected", parents)
            require(process["ended"]["time"] >= process["time"], way, label, "ends later")
    ids = {p["id"] for processes in found.values() for p in processes}
    pids = {p["pid"] for processes in found.values() for p in processes}
    others = [p["argv"] for id, p in tree.processes.items()
              if id not in ids and not (p["ended"]["how"] == "exec" and p["pid"] in pids)]
    for argv in others:
        require(any(name in " ".join(argv) for name in HELPERS), way, "who is", argv)
    equal(verdict(tree)["gaps"], 0, way, "gaps")
    return found


def verdict(tree):
    return json.loads(harness.ptana("verify", tree.trace, "--format=json", expect=None))


def way_is_whole(directory, python, way, options):
    tree = record(directory, python, way, options=options)
    found = check(tree, way)
    if "--preset=flow" in options:
        flow = verdict(tree)["flow"]
        # 3.11: without os.fork(), the child's first event is of an instruction or line that
        # its keyframe has already begun, so only the flow itself can be exact
        begun = way == "fork_libc" and python.version < (3, 12)
        require(flow["compared"] > 0, way, "nothing was compared")
        require(flow["desyncs"] == 0 and
                (flow["differing"] == flow["skipped"] == 0 or begun), way, flow)
    return tree, found


def ways_of(*names, options=("--preset=calls",)):
    def case(directory, python):
        for name in names:
            folder = os.path.join(directory, name)
            os.mkdir(folder)
            way_is_whole(folder, python, name, list(options))
    return case


def dialects(directory, python):
    """Several versions in one trace, each with its own instructions."""
    others = [p.path for p in harness.interpreters()]
    tree = record(directory, python, "interpreters", *others, options=FLOW)
    check(tree, "interpreters")
    flow = verdict(tree)["flow"]
    equal((flow["differing"], flow["skipped"], flow["desyncs"]), (0, 0, 0), flow)
    told = harness.info(tree.trace)
    versions = {i["version"].split()[0] for i in told["interpreters"]}
    equal(versions, {p.name for p in harness.interpreters()}, "versions")


def virtual_environment(directory, python):
    folder = os.path.join(directory, "venv")
    harness.run([python.path, "-m", "venv", "--without-pip", folder])
    inside = os.path.join(folder, "bin", "python")
    tree = record(directory, python, "interpreters", inside)
    check(tree, "interpreters")
    require(any(p["executable"] == inside for p in tree.processes.values()), "venv's python",
            [p["executable"] for p in tree.processes.values()])


def endings(directory, python):
    tree = record(directory, python, "endings", says=b"ptrec: process N became another program "
                  b"(exec), which was not recorded\n")
    found = check(tree, "endings")
    ends = {label: (p[0]["ended"]["how"], p[0]["ended"]["value"]) for label, p in found.items()}
    equal(ends, {"main": ("exit", 0), "main/exit": ("exit", 3), "main/kill": ("signal", 9),
                 "main/abort": ("signal", 6), "main/segv": ("signal", 11),
                 "main/sysexit": ("exit", 5), "main/exec": ("exec", None),
                 "main/ignored": ("exit", 9)}, "endings")


def shared_definitions(directory, python):
    """200 forked children: no code object is stored again, no id given twice."""
    tree = record(directory, python, "many", timeout=240)
    check_many(tree)


def check_many(tree):
    equal(len(tree.processes), 201, "processes")
    table = json.loads(harness.ptana("profile", tree.trace, "--format=json"))
    equal(sum(f["calls"] for f in table["functions"] if f["name"] == "step"), 200 * 20 + 33,
          "calls of all together")
    main = min(tree.processes)
    equal({p["parent"] for id, p in tree.processes.items() if id != main}, {main}, "parents")
    codes = [f for f in table["functions"] if f["name"] == "step"]
    equal(len(codes), 1, "definitions of step")
    harness.ptana("verify", tree.trace)


def most_memory(pid):
    """What a process had resident at the most, shared memory and all, in kB."""
    with open("/proc/%d/status" % pid) as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("VmHWM"))


def crowd(directory, python):
    """500 processes with 1,000 threads at once: less than 1 GB in ptrec, the
    rings that it shares with them included, and nothing defined twice."""
    log = os.path.join(directory, "log")
    trace = os.path.join(directory, "t.ptr")
    process = faults.start(python, trace, WAYS, "crowd", log)
    most = 0
    while process.poll() is None:
        try:
            most = max(most, most_memory(process.pid))
        except OSError:
            pass
        time.sleep(0.02)
    faults.finish(process)
    tree = Tree(trace, log)
    equal(len(tree.processes), 501, "processes")
    require(0 < most < 1000000, "most memory of ptrec:", most, "kB")
    told = harness.info(trace)
    equal((len(told["threads"]), told["gaps"]), (1001, 0), "threads, gaps")
    table = json.loads(harness.ptana("profile", trace, "--format=json"))
    own = [(f["name"], f["file"], f["line"]) for f in table["functions"]
           if f["file"].startswith(PROGRAMS) and f["kind"] == "python"]
    equal(len(own), len(set(own)), "definitions of the program's functions")
    equal(sum(f["calls"] for f in table["functions"] if f["name"] == "step"),
          500 * (20 + 5) + 33, "calls of all together")
    harness.ptana("verify", trace)
    print("note: 500 processes with 1,000 threads: %d MB in ptrec" % (most // 1000))


def alone(directory, python):
    """--no-children: the program's own events, and nobody else's."""
    for way, steps in (("fork", 33), ("run", 33), ("shells", 33), ("pool_spawn", 33)):
        folder = os.path.join(directory, way)
        os.mkdir(folder)
        tree = record(folder, python, way, options=["--preset=calls", "--no-children"])
        equal(len(tree.processes), 1, way, "processes")
        equal(tree.steps(tree.processes[1]), steps, way, "calls")


def filtered(directory, python):
    """A child whose first event is not the end of os.fork(): its caller is left out."""
    for rule in "--exclude=fork", "--only=work", "--only=step", "--function=child":
        tree = record(directory, python, "fork", options=["--preset=flow", rule, "-f"])
        equal(verdict(tree)["flow"]["desyncs"], 0, rule, "desyncs")
        expected = [33] if rule != "--function=child" else [0]
        if rule != "--only=work":
            equal([tree.steps(p) for p in tree.processes.values()], expected + [100, 101, 102],
                  rule, "calls")
        os.remove(os.path.join(directory, "log"))


def one_sum(directory, python):
    """Without --process, analyzers take all processes together."""
    tree = record(directory, python, "fork")
    table = json.loads(harness.ptana("profile", tree.trace, "--format=json"))
    equal(sum(f["calls"] for f in table["functions"] if f["name"] == "step"),
          sum(n for _, _, n in tree.told), "calls")
    pids = {event["pid"] for event in harness.dump(tree.trace)}
    equal(pids, {pid for _, pid, _ in tree.told}, "pids in the dump")
    for _, pid, _ in tree.told:
        equal({event["pid"] for event in harness.dump(tree.trace, "--process=%d" % pid)}, {pid},
              "pids of one")


def main():
    suite = harness.Suite("processes")
    for python in harness.chosen():
        for way in ("fork", "fork_deep", "fork_places", "fork_suspended", "fork_thread",
                    "fork_libc", "fork_exec", "terminal"):
            suite.case("%s %s" % (python, way), ways_of(way), python)
            suite.case("%s %s exact" % (python, way), ways_of(way, options=FLOW), python)
        for way in ("exec_", "exec_fails", "run", "shells", "spawns", "pool_fork", "pool_spawn",
                    "pool_forkserver", "executor", "daemon", "left_behind", "prefork"):
            suite.case("%s %s" % (python, way), ways_of(way), python)
        suite.case("%s dialects" % python, dialects, python)
        suite.case("%s venv" % python, virtual_environment, python)
        suite.case("%s endings" % python, endings, python)
        suite.case("%s many" % python, shared_definitions, python)
        if harness.ALL:
            suite.case("%s crowd" % python, crowd, python)
        suite.case("%s alone" % python, alone, python)
        suite.case("%s sum" % python, one_sum, python)
        suite.case("%s filtered" % python, filtered, python)
        for name, case in faults.CASES.items():
            suite.case("%s %s" % (python, name), case, python)
    suite.finish()


if __name__ == "__main__":
    main()
