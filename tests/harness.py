"""What the end-to-end suites share: interpreters, running, cases, the sum.

A suite is a script that makes a Suite, adds cases to it (functions that raise
on failure) and leaves with suite.finish(), which runs them two at a time and
prints "NAME: N passed, N failed" last."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
PTREC = os.path.join(BUILD, "bin", "ptrec")
PTANA = os.path.join(BUILD, "bin", "ptana")
ALL = os.environ.get("PT_TEST_ALL") == "1"
DEBIAN = "/usr/bin/python3"
# Other patch releases, which the recorder of the same ABI has to do for.
OTHERS = [DEBIAN, os.path.join(ROOT, "build", "sid", "usr", "bin", "python3.13")]


class Interpreter:
    """A CPython to record with: its path and version, whether the recorder was
    built for another release of it, and what goes into its environment."""

    def __init__(self, path):
        self.path = path
        self.beside = False
        self.settings = {}
        text = output([path, "-I", "-S", "-c", "import sys; print(*sys.version_info[:3])"])
        self.version = tuple(map(int, text.split()))
        self.name = "%d.%d.%d" % self.version

    def __repr__(self):
        return self.name


def output(argv, **kwargs):
    return subprocess.run(argv, check=True, capture_output=True, text=True,
                          **kwargs).stdout


def interpreters():
    """Those that a recorder was built for, and other releases beside them."""
    paths = os.environ.get("PYTHONS", "").split()
    if not paths:
        paths = output(["sh", os.path.join(ROOT, "record", "pythons.sh")]).split()
    found = [Interpreter(path) for path in paths]
    minors = {python.version[:2] for python in found}
    for path in OTHERS:
        other = Interpreter(path) if os.path.exists(path) else None
        names = {python.name for python in found}
        if other and other.version[:2] in minors and other.name not in names:
            other.beside = True
            found.append(other)
    if not found:
        sys.exit("no interpreter to record with: sh record/pythons.sh finds none")
    return found


def chosen():
    """For what hardly depends on the version: all of them in check-all; else
    the oldest, the newest, and of those between another one each day."""
    found = [python for python in interpreters() if not python.beside]
    if ALL:
        return interpreters()
    between = found[1:-1]
    day = int(time.time() // 86400)
    return [*found[:1], *between[day % max(1, len(between)):][:1], *found[1:][-1:]]


def with_jit(pythons):
    """Those of `pythons`, and those with a JIT compiler once more, with it on."""
    for python in pythons:
        yield python
        if python.version >= (3, 15):
            jit = Interpreter(python.path)
            jit.name += " with JIT"
            jit.settings = {"PYTHON_JIT": "1"}
            yield jit


def environment(**changes):
    """A plain environment, the same for every run."""
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": os.environ.get("HOME", "/"),
           "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0"}
    env.update((k, v) for k, v in changes.items() if v is not None)
    return env


class Failure(Exception):
    pass


def require(condition, *what):
    if not condition:
        raise Failure(" ".join(str(part) for part in what))


def equal(got, expected, *what):
    if got != expected:
        raise Failure("%s: got %r, expected %r" % (" ".join(map(str, what)), got, expected))


def run(argv, expect=0, timeout=120, **kwargs):
    """subprocess.run with output captured; `expect` None takes any status."""
    kwargs.setdefault("env", environment())
    kwargs.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run(argv, capture_output=True, timeout=timeout, **kwargs)
    if expect is not None and done.returncode != expect:
        raise Failure("status %d, expected %d: %s\n%s" % (
            done.returncode, expect, " ".join(argv),
            done.stderr.decode(errors="replace")[-2000:]))
    return done


def ptrec(python, trace, *args, options=(), **kwargs):
    """Records `python args...` into `trace`."""
    return run([PTREC, "run", "--quiet", "--python=" + python.path, "-o", trace,
                *options, *args], **kwargs)


def ptana(command, trace, *args, expect=0, **kwargs):
    """Standard output of `ptana command args... trace`, as bytes."""
    return run([PTANA, command, *args, trace], expect=expect, **kwargs).stdout


def info(trace, **kwargs):
    return json.loads(ptana("info", trace, "--format=json", **kwargs))


def dump(trace, *args):
    """The trace's events, as ptana dump prints them."""
    text = ptana("dump", trace, "--format=jsonl", *args)
    return [json.loads(line) for line in text.splitlines()]


class Suite:
    def __init__(self, name):
        self.name = name
        self.cases = []
        self.passed = 0
        self.failed = 0
        self.lock = threading.Lock()
        self.wanted = sys.argv[1:]

    def case(self, name, function, *args):
        """Adds a case: function(directory, *args) in a directory of its own."""
        if not self.wanted or any(word in name for word in self.wanted):
            self.cases.append((name, function, args))

    def _one(self, case):
        name, function, args = case
        directory = tempfile.mkdtemp(prefix="pt-")
        text = ""
        try:
            function(directory, *args)
            verdict = "ok"
        except Failure as failure:
            verdict = "FAILED"
            text = str(failure)
        except Exception:
            verdict = "FAILED"
            text = traceback.format_exc()
        shutil.rmtree(directory, ignore_errors=True)
        with self.lock:
            if verdict == "ok":
                self.passed += 1
            else:
                self.failed += 1
            print("%s: %s %s" % (self.name, name, verdict))
            for line in text.splitlines()[:40]:
                print("    " + line)
            sys.stdout.flush()

    def finish(self, workers=2, last=None):
        """Runs the cases, then `last`, a case's (name, function), by itself."""
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(self._one, self.cases))
        if last:
            self._one((*last, ()))
        print("%s: %d passed, %d failed" % (self.name, self.passed, self.failed))
        sys.exit(self.failed != 0 or self.passed == 0)
