"""Each call that can fail does, once: the n-th allocation, mapping, open, read,
write, for every n that a small run has.  Nothing crashes, hangs or lies: what
cannot be done is said in a sentence and by the exit status, and a program that
is being recorded does not notice."""
import os
import shlex
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import harness  # noqa: E402
from harness import PTANA, PTREC, equal, require  # noqa: E402

LIBRARY = os.path.join(harness.BUILD, "tests", "inject.so")
SMALL = ("def step(i):\n"
         "    return [j for j in range(i) if j % 2]\n"
         "def main():\n"
         "    for i in range(30):\n"
         "        try: step(i); {}[i]\n"
         "        except KeyError: pass\n"
         "main(); print('ran')\n")
MOST = 100000  # calls of a kind that a small run may have


def build():
    os.makedirs(os.path.dirname(LIBRARY), exist_ok=True)
    source = os.path.join(HERE, "inject.c")
    if not os.path.exists(LIBRARY) or os.path.getmtime(LIBRARY) < os.path.getmtime(source):
        subprocess.run([*shlex.split(os.environ.get("CC", "gcc")), "-D_GNU_SOURCE", "-O1", "-fPIC",
                        "-shared", source, "-o", LIBRARY, "-ldl"], check=True)


def run(argv, name, kind, n, count=None):
    env = harness.environment(LD_PRELOAD=LIBRARY, INJECT="%s:%s:%d" % (name, kind, n),
                              INJECT_COUNT=count)
    return harness.run(argv, expect=None, timeout=60, env=env)


def calls(directory, argv, name, kind):
    """How many calls of a kind there are when none fails."""
    count = os.path.join(directory, "count")
    run(argv, name, kind, 0, count)
    with open(count) as file:
        number = int(file.read())
    require(number <= MOST, kind, "calls:", number)
    return number


def numbers(last):
    """Every one of the first, and, but in the long run, some of the others."""
    step = 1 if harness.ALL or last < 150 else last // 150 + 1
    return [*range(1, min(last, 60) + 1), *range(61, last + 1, step)]


def analyzer(directory, python, name, kind):
    trace = os.path.join(directory, "t.ptr")
    harness.ptrec(python, trace, "-c", SMALL)
    argv = [PTANA, *shlex.split(name), trace]
    good = harness.run(argv).stdout
    for n in numbers(calls(directory, argv, "ptana", kind)):
        done = run(argv, "ptana", kind, n)
        where = "%s, %s %d:" % (name, kind, n)
        require(done.returncode in (0, 3, 4), where, "status", done.returncode, done.stderr)
        if done.returncode == 0:
            equal(done.stdout, good, where + " output")
        else:
            lines = done.stderr.decode().splitlines()
            require(1 <= len(lines) <= 3 and lines[-1].startswith("ptana: "), where, lines)


def repair(directory, python, kind):
    """The damaged trace stays as it is, and a half-made one is not left."""
    trace, out = os.path.join(directory, "t.ptr"), os.path.join(directory, "out.ptr")
    harness.ptrec(python, trace, "-c", SMALL)
    with open(trace, "r+b") as file:
        file.truncate(os.path.getsize(trace) - 300)
        file.seek(0)
        before = file.read()
    argv = [PTANA, "repair", trace, "-o", out]
    last = calls(directory, argv, "ptana", kind)
    for n in numbers(last):
        for name in set(os.listdir(directory)) - {"t.ptr", "count"}:
            os.unlink(os.path.join(directory, name))
        done = run(argv, "ptana", kind, n)
        where = "%s %d:" % (kind, n)
        require(done.returncode in (0, 3, 4), where, "status", done.returncode, done.stderr)
        with open(trace, "rb") as file:
            require(file.read() == before, where, "the damaged trace has changed")
        if os.path.exists(out):
            harness.ptana("verify", out)
        else:
            require(done.returncode != 0, where, "says well, and made nothing")
            require(done.stderr, where, "says nothing")


def recording(directory, python, kind):
    trace = os.path.join(directory, "t.ptr")
    argv = [PTREC, "run", "-f", "--python=" + python.path, "-o", trace, "-c", SMALL]
    last = calls(directory, argv, "ptrec", kind)
    require(last > 0, "no", kind)
    for n in numbers(last):
        for name in set(os.listdir(directory)) - {"count"}:
            os.unlink(os.path.join(directory, name))
        done = run(argv, "ptrec", kind, n)
        where = "%s %d:" % (kind, n)
        if done.returncode == 0:
            equal(done.stdout, b"ran\n", where + " output")
        else:
            equal((done.returncode, done.stdout), (4, b""), where + " " + repr(done.stderr))
        require(done.stderr, where, "says nothing")
        for name in (trace, trace + ".part"):
            if os.path.exists(name) and os.path.getsize(name) > 0:
                read = harness.run([PTANA, "info", name], expect=None)
                require(read.returncode in (0, 3), where, "info:", read.returncode, read.stderr)


def quota(directory, python):
    """The user's quota is used up at some moment: as a full disk, the program
    does not notice, and what was written until then is a trace."""
    trace = os.path.join(directory, "t.ptr")
    argv = [PTREC, "run", "-f", "--python=" + python.path, "-o", trace, "-c", SMALL]
    recorded = 0
    for n in numbers(calls(directory, argv, "ptrec", "quota")):
        for name in set(os.listdir(directory)) - {"count"}:
            os.unlink(os.path.join(directory, name))
        done = run(argv, "ptrec", "quota", n)
        where = "quota %d:" % n
        require(b"quota exceeded" in done.stderr and b"make room" in done.stderr, where, done.stderr)
        if done.returncode == 4:  # before the program began
            equal(done.stdout, b"", where)
            continue
        equal((done.returncode, done.stdout), (0, b"ran\n"), where)
        recorded += 1
        name = trace if os.path.exists(trace) else trace + ".part"
        harness.run([PTANA, "info", name])
    require(recorded, "no write failed while the program ran")


def main():
    build()
    suite = harness.Suite("inject")
    python = [p for p in harness.interpreters() if p.path != harness.DEBIAN
              or len(harness.interpreters()) == 1][-1]
    for kind in "memory", "map", "open", "read", "write", "short":
        for name in ("info", "verify", "dump", "profile", "profile --format=json"):
            suite.case("ptana %s, %s" % (name, kind), analyzer, python, name, kind)
        suite.case("ptana repair, %s" % kind, repair, python, kind)
    for kind in "memory", "map", "open", "read", "write", "short", "thread":
        suite.case("ptrec, %s" % kind, recording, python, kind)
    suite.case("ptrec, quota", quota, python)
    suite.finish()


main()
