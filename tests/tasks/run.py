"""Tasks of asyncio: what the trace tells of them against what programs log of
themselves, step by step, and the program cannot tell that it is recorded.

  run.py [WORD...]   only the cases whose names have one of the words"""
import glob
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import harness  # noqa: E402
from harness import equal, require  # noqa: E402

PRESETS = ["flow", "calls", "lines"]
ENDS = {"waits", "returned", "raised", "cancelled"}


def program(name):
    return os.path.join(HERE, "programs", name)


def task_events(trace):
    """Of the many events of a program the few that are of tasks."""
    lines = harness.ptana("dump", trace, "--format=jsonl").splitlines()
    return [json.loads(line) for line in lines if b'"ev":"task"' in line]


def told(events):
    """The trace's events as the program logs them: runs, awaits with all of
    them at once, and how a step ends; by thread.  What is awaited has the name
    that it had then, and the task that runs is the innermost one."""
    threads = {}
    for e in events:
        log, running = threads.setdefault((e["pid"], e["tid"]), ([], []))
        if e["act"] == "runs":
            running.append(e["task"])
            log.append(["runs", e["name"]])
        elif e["act"] == "awaits":
            if log[-1][0] != "awaits":
                log.append(["awaits", None])
            log[-1].append(e["name"])
        elif e["act"] in ENDS:
            require(running and running[-1] == e["task"], "ends what does not run", e)
            running.pop()
            if log[-1][0] == "awaits":
                log[-1][1:] = [e["name"], *sorted(log[-1][2:])]
            log.append([e["act"], e["name"]])
    require(not any(running for _, running in threads.values()), "a step without an end")
    return {thread: log for thread, (log, _) in threads.items()}


def logged(path):
    """What the processes of a run logged: {(pid, tid): [...]}"""
    found = {}
    for name in glob.glob(path + ".*"):
        with open(name) as file:
            for tid, log in json.load(file).items():
                found[int(name.rpartition(".")[2]), int(tid)] = log
    return found


def final(log, names):
    """Names as they were in the end."""
    return [[act, *(names.get(name, name) for name in about)] for act, *about in log]


def summed(events):
    """Steps, running and waiting ns by task, added up from its events; waiting is
    None of one that waited to the end."""
    sums, threads, stopped = {}, {}, {}
    for e in events:
        running = threads.setdefault((e["pid"], e["tid"]), [])
        steps, ran, waited = sums.setdefault(e["task"], [0, 0, 0])
        if e["act"] == "runs":
            waited += e["t"] - stopped.pop(e["task"], e["t"])
            if running:
                sums[running[-1][0]][1] += e["t"] - running[-1][1]
            running.append([e["task"], e["t"]])
            steps += 1
        elif e["act"] in ENDS:
            _, since = running.pop()
            ran += e["t"] - since
            if running:
                running[-1][1] = e["t"]
            if e["act"] == "waits":
                stopped[e["task"]] = e["t"]
        sums[e["task"]] = [steps, ran, waited]
    for task in stopped:
        sums[task][2] = None
    return sums


def by_task(trace, events):
    """What ptana profile --by-task adds up."""
    found = json.loads(harness.ptana("profile", trace, "--by-task", "--format=json"))["tasks"]
    want = summed(events)
    equal({row["id"] for row in found}, set(want), "tasks")
    names = {e["task"]: e["name"] for e in events}
    for row in found:
        steps, ran, waited = want[row["id"]]
        equal((row["steps"], row["running"]), (steps, ran), "steps and running of", row)
        require(waited is None or row["waiting"] == waited, row, "waited", waited)
        require(row["awaited"] is None or row["awaited"] in names, "awaited nobody", row)


def steps(directory, python, name, preset):
    """Step by step what the program logs is what the trace has."""
    trace, path = os.path.join(directory, "t.ptr"), os.path.join(directory, "log")
    harness.ptrec(python, trace, program(name), options=["--preset=" + preset],
                  env=harness.environment(PT_TASKS=path))
    want = logged(path)
    events = task_events(trace)
    got = told(events)
    by_task(trace, events)
    require(want, "the program logged nothing")
    for thread, log in want.items():
        require(thread in got, "nothing is told of thread", thread)
        names = {name for _, name, *_ in log}
        renamed = {"before": "after"} if "after" in names else {}
        mine = [e for e in got[thread] if e[1] in names]
        # A task may have to wait again for what it waits for: only what the
        # program announces is compared.
        announced = [e for e in final(log, renamed) if e[0] == "awaits"]
        of_trace = [e for e in mine if e[0] == "awaits"]
        for entry in announced:
            require(entry in of_trace, "does not await", entry, "but", of_trace)
        stepped = [e for e in final(log, renamed) if e[0] != "awaits"]
        if stepped:
            equal([e for e in mine if e[0] != "awaits"], stepped, thread)


def unnoticed(directory, python, name):
    plain = harness.run([python.path, program(name)])
    for preset in PRESETS:
        trace = os.path.join(directory, preset + ".ptr")
        traced = harness.ptrec(python, trace, program(name), options=["--preset=" + preset])
        equal(traced.stdout, plain.stdout, preset, "output")
        equal(traced.stderr, plain.stderr, preset, "standard error")
        found = json.loads(harness.run([harness.PTANA, "verify", "--format=json",
                                        trace]).stdout)
        require(found["well"] and found["gaps"] == found["desyncs"] == 0, preset, found)


def exact(directory, python, name):
    """Flow gives back what was recorded beside it, instruction by instruction."""
    trace = os.path.join(directory, "t.ptr")
    harness.ptrec(python, trace, program(name),
                  options=["--preset=flow", "--events=+instruction,+line"])
    flow = json.loads(harness.run([harness.PTANA, "verify", "--format=json", trace],
                                  timeout=600).stdout)["flow"]
    require(flow["compared"] > 1000, "hardly anything was compared:", flow)
    require(flow["differing"] == flow["skipped"] == flow["desyncs"] == 0, flow)


def switched_off(directory, python):
    """Without the kind nothing is told; and with it alone, only that."""
    trace = os.path.join(directory, "t.ptr")
    for events, some in ("-task", False), ("task", True):
        harness.ptrec(python, trace, program("waiting.py"),
                      options=["--preset=calls", "--events=" + events, "--force"])
        counts = harness.info(trace)["kinds"]
        equal(bool(task_events(trace)), some, events)
        if python.version >= (3, 12):  # 3.11's hook tells of calls in any case
            equal(bool(counts.get("call")), not some, events)


FORGETS = """
import asyncio
async def main():
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    return asyncio.create_task(asyncio.sleep(0)).get_name()
print(asyncio.run(main()))
"""


def forgets_names(python):
    """3.13.0 calls eager tasks without a name None, all of them, once they have
    had their first step: a log of names cannot tell them apart."""
    return harness.run([python.path, "-c", FORGETS]).stdout == b"None\n"


suite = harness.Suite("tasks")
for python in harness.chosen():
    for path in sorted(glob.glob(program("*.py"))):
        name = os.path.basename(path)
        if name == "logged.py" or name == "eager.py" and python.version < (3, 12) \
                or name == "python.py" and python.version >= (3, 14):
            continue
        if name == "eager.py" and forgets_names(python):
            print("tasks: skipped: %s steps eager.py: it forgets their names" % python)
        else:
            for preset in PRESETS:
                suite.case("%s steps %s %s" % (python, name, preset), steps, python, name,
                           preset)
        suite.case("%s unnoticed %s" % (python, name), unnoticed, python, name)
        suite.case("%s exact %s" % (python, name), exact, python, name)
    suite.case("%s switched off" % python, switched_off, python)
suite.finish()
