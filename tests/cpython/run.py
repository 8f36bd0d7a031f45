"""CPython's own tests have the same outcomes recorded as not.

  run.py [WORD...]          only the cases whose names have one of the words
  run.py --results [...]    ... one at a time; then spec/cpython-suites.md anew

Each case runs a module by `python -m unittest` without and with a recording,
and compares what became of each test (outcomes.py), and the exit status; the
trace must be well.  What differs is run again: a test that is not the same
twice without a recording, or that comes out right the second time, is told as
varying.  What may differ is in known.py, with its cause.

make check takes three modules of the interpreter's own matters on each of some
interpreters, other ones each day; make check-all takes all modules on all of
them; both with the preset flow.  --results, and words, take all presets."""
import collections
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import harness  # noqa: E402
import known  # noqa: E402
import results  # noqa: E402
import stdlib  # noqa: E402
from harness import equal, require  # noqa: E402

PRESETS = ["flow", "calls", "lines", "instructions"]
DAILY = stdlib.INTERPRETER + stdlib.CONCURRENT
ALL = stdlib.LANGUAGE + DAILY + stdlib.SLOW
MULTIPROCESSING = [name for name in ALL if name.startswith("test_multiprocessing")]
LIMIT = 600  # seconds that a module has without a recording
TIMES = 5    # ... so many times that with one, and at least LIMIT
THREE = 3

# What Debian and pyenv may leave out, as CPython has it up to 3.12.
STARTS_WITH = """\
import test._test_multiprocessing
test._test_multiprocessing.install_tests_in_module_dict(globals(), %r)
"""


class Ran:
    """A module's run: its tests' outcomes by id, its exit status."""
    def __init__(self, folder, status, seconds):
        self.status = status
        self.seconds = seconds
        self.tests = collections.defaultdict(list)
        try:
            with open(os.path.join(folder, "outcomes.jsonl"), encoding="utf-8") as file:
                for line in file:
                    test, outcome = json.loads(line)
                    self.tests[test].append(outcome)
        except FileNotFoundError:
            pass

    def differs(self, other):
        """Ids of tests with other outcomes in the other run."""
        return {test for test in self.tests.keys() | other.tests.keys()
                if self.tests.get(test) != other.tests.get(test)}


def unittest_of(python, module, folder):
    """Words behind the interpreter that run a module's tests in a folder."""
    shutil.copy(os.path.join(HERE, "outcomes.py"), folder)
    name = "test." + module
    if module in MULTIPROCESSING and not stdlib.installed(python, [module]):
        name = module
        with open(os.path.join(folder, module + ".py"), "w", encoding="utf-8") as file:
            file.write(STARTS_WITH % module.rpartition("_")[2])
    return ["-m", "unittest", "-v", "outcomes", name]


sessions = set()  # of the modules that run now


def stop(_signal, _frame):
    """A suite that takes too long is terminated, with what it started."""
    for session in list(sessions):
        try:
            os.killpg(session, signal.SIGKILL)
        except ProcessLookupError:
            pass
    os._exit(128 + signal.SIGTERM)


def run_module(folder, limit, python, module, before):
    """Runs it in a new folder and a session of its own, which ends with it."""
    os.makedirs(os.path.join(folder, "tmp"))
    argv = before + unittest_of(python, module, folder)
    env = harness.environment(HOME=folder, TMPDIR=os.path.join(folder, "tmp"), **python.settings)
    begun = time.monotonic()
    with open(os.path.join(folder, "log"), "wb") as log:
        process = subprocess.Popen(argv, cwd=folder, env=env, stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=log, start_new_session=True)
        sessions.add(process.pid)
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired:
            status = "none after %d s" % limit
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        sessions.discard(process.pid)
    return Ran(folder, status, time.monotonic() - begun)


class Plain:
    """Runs without a recording: one each, whatever the preset."""
    def __init__(self):
        self.lock = threading.Lock()
        self.runs = {}

    def of(self, directory, python, module):
        with self.lock:
            lock, ran = self.runs.setdefault((python.name, module), (threading.Lock(), []))
        with lock:
            if not ran:
                ran.append(self.again(os.path.join(directory, "p"), python, module))
            return ran[0]

    @staticmethod
    def again(folder, python, module):
        ran = run_module(folder, LIMIT, python, module, [python.path])
        require(ran.tests, "no test was run without a recording:", tail(folder))
        require(isinstance(ran.status, int), "not over without a recording:", ran.status)
        return ran


plain = Plain()


def tail(folder):
    with open(os.path.join(folder, "log"), encoding="utf-8", errors="replace") as file:
        return file.read()[-1500:]


def record(folder, python, preset, module, expected):
    trace = folder + ".ptr"
    before = [harness.PTREC, "run", "--quiet", "--preset=" + preset,
              "--python=" + python.path, "-o", trace]
    ran = run_module(folder, max(LIMIT, TIMES * expected.seconds), python, module, before)
    return ran, trace


def verify(trace, python, preset, module):
    """The trace is well, and its desyncs are known."""
    told = json.loads(harness.run([harness.PTANA, "verify", "--format=json", trace],
                                  expect=None, timeout=1800).stdout)
    entry = known.desyncs_in(python.name, preset, module)
    most = entry.most if entry else 0
    found = max(told["desyncs"], told.get("flow", {}).get("desyncs", 0))
    require(told["well"] and not told["torn"] or found, "the trace is not well:", told)
    for what in "bad_chunks", "unresolved", "disorder", "lost":
        equal(told[what], 0, what, "in the trace")
    require(found <= most, "%d desyncs, %d are known" % (found, most))
    return told["events"], found


def sort_out(python, preset, expected, ran, differ, causes):
    """Sorts what differs into `causes`; returns what has none, a line each."""
    bad = []
    for test in sorted(differ):
        entry = known.cause_of(python.name, preset, test)
        if entry:
            causes.setdefault(entry.cause, []).append(test)
        else:
            bad.append("%s: %s, recorded %s" % (
                test, expected.tests.get(test), ran.tests.get(test)))
    return bad


def unknown(python, preset, differ):
    return {test for test in differ if not known.cause_of(python.name, preset, test)}


def compare(directory, python, preset, module):
    expected = plain.of(directory, python, module)
    ran, trace = record(os.path.join(directory, "r"), python, preset, module, expected)
    differ = expected.differs(ran)
    varying = set()
    if unknown(python, preset, differ) or not differ and ran.status != expected.status:
        again = plain.again(os.path.join(directory, "p2"), python, module)
        second, _ = record(os.path.join(directory, "r2"), python, preset, module, expected)
        varying = unknown(python, preset, differ) & (
            expected.differs(again) | (differ - expected.differs(second)))
        differ -= varying
        if ran.status != expected.status and expected.status in (second.status, again.status):
            ran.status = expected.status
    causes = {}
    bad = sort_out(python, preset, expected, ran, differ, causes)
    for test in sorted(varying):
        print("note: %s %s: %s varies: %s, %s" % (
            python, preset, test, expected.tests.get(test), ran.tests.get(test)))
    gone = [entry for entry in known.DIFFERENCES
            if entry.always
            and any(entry.covers(python.name, preset, test) for test in expected.tests)
            and not any(entry.covers(python.name, preset, test) for test in differ)]
    for entry in gone:
        print("note: %s %s: %s does not differ any more" % (python, preset, entry.test))
    if bad:
        bad.append(tail(os.path.join(directory, "r")))
    require(not bad, "%d tests have other outcomes:\n" % len(bad) + "\n".join(bad))
    if not differ and not varying:
        equal(ran.status, expected.status, "exit status")
    events, desyncs = verify(trace, python, preset, module)
    results.add(python, preset, module, expected, causes, sorted(varying), events, desyncs)


def cases(whole):
    """(interpreter, preset, module) of this run."""
    everything = whole or sys.argv[1:]
    pythons = harness.interpreters() if everything else harness.chosen()
    for number, python in enumerate(pythons):
        modules = stdlib.installed(python, ALL)
        if not modules:
            print("note: %s has no tests of its own" % python)
            continue
        modules += [name for name in MULTIPROCESSING if name not in modules]
        if not harness.ALL and not everything:
            modules = stdlib.some([name for name in modules if name in DAILY], THREE, number)
        for module in modules:
            for preset in PRESETS if everything else PRESETS[:1]:
                yield python, preset, module


def main():
    whole = sys.argv[1:2] == ["--results"]
    if whole:
        del sys.argv[1]
    signal.signal(signal.SIGTERM, stop)
    suite = harness.Suite("cpython")
    for python, preset, module in cases(whole):
        suite.case("%s %s %s" % (python, preset, module), compare, python, preset, module)
    suite.finish(workers=1 if whole or harness.ALL else 2,
                 last=("spec/cpython-suites.md", results.write) if whole else None)


main()
