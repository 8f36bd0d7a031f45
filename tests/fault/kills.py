"""kill -9 at random moments over programs of threads and processes: not one
completed event is missing, and every trace can be read.

  kills.py [--kills N] [--seed N] [--only N] [--jobs N] [WORD...]

Each kill is a recording of its own, all of whose choices come from its number
and the seed, which are printed: program and preset, who is killed, and when.
WORDs choose by what is printed of a kill ("3.13 forks").  What the program
completed is known from files that its threads map (programs/marked.py); the
trace must hold as many calls and returns of each thread, and at most one more.
Where ptrec itself is killed, the program must come to its end unharmed, and
what is in FILE.part must be readable, repairable, and true."""
import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import harness  # noqa: E402
from harness import PTANA, PTREC, equal, require  # noqa: E402

MARKED = os.path.join(HERE, "programs", "marked.py")
SECONDS = 0.4  # that a program works; its processes can take longer to start
LONGER = 1.4   # ... of which ptrec writes something before it is killed
SHAPES = ("alone", "threads", "short_threads", "forks", "short_forks", "programs", "pool_fork",
          "pool_spawn", "pool_forkserver")
PRESETS = "flow", "calls", "lines", "instructions"
TARGETS = "program", "child", "group", "one by one", "collector"
# What ptrec may say where processes are killed as they start.
SAYS = re.compile(
    rb"ptrec: (waiting for process \d+ .*|a forked process that ran no Python was not waited for"
    rb"|nothing was recorded.*)\n")
EVENT = re.compile(rb'.*"pid":(\d+),"tid":(\d+),"ev":"(call|return)",.*"func":"([^"]*)"')


class Totals:
    """What the kills of a run met, so that none of them passes for want of it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.killed = self.threads = self.cut = self.calls = 0

    def add(self, killed, marks):
        with self.lock:
            self.killed += len(killed)
            self.threads += len(marks)
            self.cut += sum(not ended for _, ended in marks.values())
            self.calls += sum(completed for completed, _ in marks.values())

    def check(self, directory):
        print("%d processes killed; %d threads, %d of them cut off; %d calls completed"
              % (self.killed, self.threads, self.cut, self.calls))
        require(self.killed and self.cut and self.calls, "nobody was killed at work")


class Kill:
    """One recording and whom it loses."""

    totals = Totals()

    def __init__(self, python, number, seed):
        self.random = random.Random("%d %d" % (seed, number))
        self.python = python
        self.shape = self.random.choice(SHAPES)
        self.preset = self.random.choice(PRESETS)
        self.target = self.random.choice(TARGETS)
        # From the first instruction of ptrec on, or once there is work done.
        self.early = self.random.random() < 0.4
        self.seconds = LONGER if self.target == "collector" else SECONDS
        self.moment = self.random.random() * (2 if self.early else 1.2) * self.seconds
        self.name = "%d of seed %d: %s, %s, %s: %s %s %.3f s" % (
            number, seed, python, self.shape, self.preset, self.target,
            "after" if self.early else "at work for", self.moment)

    def __call__(self, directory):
        self.trace = os.path.join(directory, "t.ptr")
        self.folder = os.path.join(directory, "marks")
        elsewhere = os.path.join(directory, "tmp")
        os.mkdir(self.folder)
        os.mkdir(elsewhere)
        process = subprocess.Popen(
            [PTREC, "run", "--quiet", "--preset=" + self.preset, "--python=" + self.python.path,
             "-o", self.trace, "-W", "ignore", MARKED, self.shape, self.folder, str(self.seconds)]
            + ["group"] * (self.target == "group"), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=harness.environment(TMPDIR=elsewhere, XDG_RUNTIME_DIR=elsewhere))
        try:
            if not self.early:
                self.wait_for_work(process)
            time.sleep(self.moment)
            killed = self.kill(process)
            out, err = process.communicate(timeout=150)
        finally:
            process.kill()
        self.totals.add(killed, self.marks())
        equal(out, b"", "output")
        if self.target == "collector":
            self.check_program(err, elsewhere)
        else:
            self.check_said(err)
            self.check_status(process, killed)
            self.check_trace(process, killed)

    def wait_for_work(self, process):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            over = process.poll() is not None
            if any(count for count, _ in self.marks().values()):
                return
            if over:
                break
            time.sleep(0.002)
        process.kill()
        raise harness.Failure("the program did not begin: %r" % (process.communicate(),))

    def marks(self):
        """{(pid, tid): (completed calls, whether it came to its end)}"""
        found = {}
        for name in os.listdir(self.folder):
            pid, dot, tid = name.partition(".")
            if not dot:
                continue
            with open(os.path.join(self.folder, name), "rb") as file:
                data = file.read()
            found[int(pid), int(tid)] = (int.from_bytes(data[:8], "little"), any(data[8:]))
        return found

    def kill(self, process):
        """Whom it killed: pids, none where everything was over by then."""
        process.main = None
        while process.main is None and process.poll() is None:
            process.main = next(iter(children(process.pid)), None)
        if process.main is None or self.target == "collector":
            process.kill()
            return {process.pid} if process.poll() is None else set()
        others = descendants(process.main)
        if self.target == "group" and os.path.exists(os.path.join(self.folder, "group")):
            return kill_all([-process.main]) and {process.main, *others}
        if self.target == "child" and others:
            return kill_all([self.random.choice(others)])
        if self.target == "one by one":
            chosen = [process.main, *others]
            self.random.shuffle(chosen)
            return kill_all(chosen, lambda: time.sleep(self.random.random() * 0.01))
        return kill_all([process.main])

    # --- what must hold -----------------------------------------------------

    def check_status(self, process, killed):
        if process.main not in killed:
            equal(process.returncode, 0, "status")
        elif process.returncode == 0:  # it had just ended by itself
            require(os.path.exists(os.path.join(self.folder, "end")), "status 0 of the killed")
        else:
            equal(process.returncode, -signal.SIGKILL, "status")

    def check_trace(self, process, killed):
        marks = self.marks()
        require(not os.path.exists(self.trace + ".part"), "a .part is left")
        if not os.path.exists(self.trace):
            equal([mark for mark in marks.items() if mark[1][0]], [], "no trace, but calls")
            require(process.main in killed, "nothing was recorded")
            return
        told = harness.info(self.trace)
        equal((told["torn"], told["gaps"]), (False, 0), "torn, gaps")
        for p in told["processes"]:
            how = p["ended"]["how"], p["ended"]["value"]
            if p["pid"] == process.main:
                equal(how, ("signal", 9) if process.returncode else ("exit", 0), "ending")
        self.check_flow(self.trace)
        self.check_calls(self.trace, marks)

    def check_program(self, err, elsewhere):
        """ptrec was killed: the program went on to its end, and nothing is left
        but what was written."""
        self.check_said(err)
        equal([name for name in os.listdir(elsewhere) if not name.startswith("pymp-")], [],
              "files for the time of the recording")
        end = os.path.join(self.folder, "end")
        require(os.path.exists(end), "the program did not come to its end", err)
        marks = self.marks()
        if not self.shape.startswith("pool"):  # which kills its workers
            equal([mark for mark in marks.items() if not mark[1][1]], [], "did not end")
        part = self.trace + ".part"
        if not os.path.exists(part):
            return
        told = harness.run([PTANA, "info", "--format=json", part], expect=None)
        if os.path.getsize(part) == 0:
            equal(told.returncode, 3, "status of info")
            return
        equal(told.returncode, 0, "status of info")
        repaired = os.path.join(os.path.dirname(self.trace), "repaired.ptr")
        harness.run([PTANA, "repair", part, "-o", repaired], expect=None)
        self.check_flow(repaired)
        self.check_calls(repaired, marks, least=False)

    def check_said(self, err):
        """What multiprocessing says of what was killed is its own."""
        lines = [line for line in SAYS.sub(b"", err).splitlines()
                 if not self.shape.startswith("pool") or line.startswith(b"ptrec")]
        equal(lines, [], "standard error")

    def check_flow(self, trace):
        verdict = json.loads(harness.ptana("verify", trace, "--format=json"))
        equal(verdict["desyncs"], 0, "desyncs of stacks")
        equal(verdict.get("flow", {}).get("desyncs", 0), 0, "desyncs of flow")

    def calls(self, trace):
        """{(pid, tid): {b"call": n, b"return": n}} of the marked calls in a trace."""
        found = {}
        done = harness.run([PTANA, "dump", trace, "--format=jsonl", "--kinds=call,return",
                            "--include=step_*"], expect=None, timeout=600)
        if done.returncode == 2 and b'no code that matches "step_*"' in done.stderr:
            return found
        equal(done.returncode, 0, "status of dump", done.stderr)
        for line in done.stdout.splitlines():
            event = EVENT.match(line)
            if event:
                pid, tid, kind, name = event.groups()
                require(name == b"step_%b_%b" % (pid, tid), "whose event:", line)
                counts = found.setdefault((int(pid), int(tid)), {b"call": 0, b"return": 0})
                counts[kind] += 1
        return found

    def check_calls(self, trace, marks, least=True):
        """What each thread completed is there, and the one call it may have been in."""
        found = self.calls(trace)
        require(marks.keys() >= found.keys(), "threads that there were not", found.keys())
        for thread, (completed, ended) in marks.items():
            counts = found.get(thread, {b"call": 0, b"return": 0})
            calls, returns = counts[b"call"], counts[b"return"]
            require(not least or completed <= returns, thread, "completed", completed, "calls:",
                    calls, "recorded, and returns:", returns)
            require(returns <= calls <= returns + 1 and calls <= completed + (not ended), thread,
                    "completed", completed, "calls:", calls, "recorded, and returns:", returns)


def kill_all(pids, pause=None):
    """kill -9; those of them that were there."""
    killed = set()
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
        except ProcessLookupError:
            pass
        if pause:
            pause()
    return killed


def children(pid):
    found = []
    try:
        for task in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/children" % (pid, task)) as file:
                found += map(int, file.read().split())
    except OSError:
        pass
    return found


def descendants(pid):
    return [p for child in children(pid) for p in (child, *descendants(child))]


def arguments():
    parser = argparse.ArgumentParser(description="kill -9 at random moments")
    parser.add_argument("--kills", type=int, default=300 if harness.ALL else 24)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--only", type=int, help="this one kill of the seed")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("words", nargs="*", metavar="WORD")
    return parser.parse_args()


def main():
    options = arguments()
    suite = harness.Suite("kills")
    suite.wanted = options.words
    pythons = harness.chosen()
    numbers = range(options.kills) if options.only is None else [options.only]
    for number in numbers:
        kill = Kill(pythons[number % len(pythons)], number, options.seed)
        suite.case(kill.name, kill)
    # of so many, some must have met a thread at work
    worth = "somebody was killed at work", Kill.totals.check
    suite.finish(options.jobs, worth if len(suite.cases) >= 20 else None)


main()
