"""The program cannot tell that it is recorded (DESIGN 7): its output, standard
error and exit status are the same bytes with and without ptrec, however it is
started.  The programs in hidden/ print all that might differ."""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import harness  # noqa: E402
from harness import equal, require  # noqa: E402

LOOK = os.path.join(HERE, "hidden", "look.py")
PRESETS = "flow", "calls", "lines", "instructions"
# name: (arguments for the interpreter, standard input)
STARTS = {
    "file": ([LOOK, "a", "-b", "--preset=x"], b"in"),
    "isolated": (["-I", "-S", LOOK], b""),
    "no environment": (["-E", "-s", "-O", LOOK, "--", "x"], b""),
    "options": (["-W", "error", "-X", "dev", "-B", "-u", LOOK], b""),
    "module": (["-m", "look", "x"], b"1"),
    "command": (["-c", "import sys; __file__ = 'look'\n" + open(LOOK).read().replace(
        "main.__file__", "'-c'"), "1", "2"], b"x"),
    "quiet command": (["-c", "raise SystemExit(9)"], b""),
    "directory": (["{directory}/app", "1"], b""),
    "missing file": (["{directory}/nothing.py"], b""),
    "syntax error": (["-c", "1 +"], b""),
    "module missing": (["-m", "no.such.module"], b""),
}
STATUS = {"exit(3)": 3, "exit('text')": 1, "exit(None)": 0, "exit(256)": 0,
          "exit(-1)": 255, "exit(2**40)": None}


def alike(a, b):
    """Whether two lines are the same, but for the collector's young count: for
    each audit event CPython makes a tuple of its arguments where there is any
    hook, and whether that counts depends on its free lists (spec/cpython.md)."""
    if a.startswith("about ") and b.startswith("about "):
        return abs(int(a[6:]) - int(b[6:])) <= 2
    return a == b


def both(python, arguments, preset, directory, options=(), numbers=False, **kwargs):
    """Runs without and with ptrec, and compares; with `numbers` but for pids."""
    trace = os.path.join(directory, "t.ptr")
    kwargs.setdefault("cwd", os.path.join(HERE, "hidden"))
    harness.run([python.path, *arguments], expect=None, **kwargs)  # caches bytecode
    plain = harness.run([python.path, *arguments], expect=None, **kwargs)
    traced = harness.ptrec(python, trace, *arguments, expect=None,
                           options=["--preset=" + preset, *options], **kwargs)
    for what in "stdout", "stderr":
        # Addresses of objects vary from run to run without any recorder.
        pattern = "0x[0-9a-f]{6,}|'[0-9]{3,}'" if numbers else "0x[0-9a-f]{6,}"
        a, b = (re.sub(pattern, "0x", getattr(done, what).decode(
                errors="backslashreplace")).split("\n") for done in (plain, traced))
        if len(a) != len(b) or not all(map(alike, a, b)):
            different = ["-%s\n    +%s" % pair for pair in zip(a, b) if not alike(*pair)]
            raise harness.Failure("%s differs with %s:\n    %s" % (
                what, preset, "\n    ".join(different) or "%r, %r" % (a[-2:], b[-2:])))
    equal(traced.returncode, plain.returncode, "exit status with", preset)
    return trace


def started(directory, python, arguments, stdin, preset):
    app = os.path.join(directory, "app")
    os.mkdir(app)
    with open(os.path.join(app, "__main__.py"), "w") as file:
        file.write("import sys\nprint(sys.argv, sys.path[0], __name__, __spec__)\n")
    arguments = [argument.replace("{directory}", directory) for argument in arguments]
    path = os.path.join(directory, "stdin")
    with open(path, "wb") as file:
        file.write(stdin)
    with open(path, "rb") as one:
        # Two runs share the descriptor: each begins at the start.
        def rewind():
            os.lseek(0, 0, os.SEEK_SET)
        both(python, arguments, preset, directory, stdin=one, preexec_fn=rewind,
             env=harness.environment(PYTHONPATH="/nonexistent", LD_PRELOAD=None, MARK="x=y"))


def from_stdin(directory, python, preset):
    path = os.path.join(directory, "stdin")
    with open(path, "wb") as file:
        file.write(b"import sys\nprint(sys.argv, __name__, __file__ if '__file__' in globals() "
                   b"else None)\nsys.exit(5)\n")
    with open(path, "rb") as one:
        def rewind():
            os.lseek(0, 0, os.SEEK_SET)
        both(python, ["-", "a"], preset, directory, stdin=one, preexec_fn=rewind)


def program(directory, python, name, preset):
    both(python, [os.path.join(HERE, "hidden", name + ".py")], preset, directory)


def streams(directory, python, preset):
    path = os.path.join(directory, "stdin")
    with open(path, "w") as file:
        file.write("first\nsecond\nthird")
    for unbuffered in [], ["-u"]:
        with open(path, "rb") as one:
            def rewind():
                os.lseek(0, 0, os.SEEK_SET)
            both(python, [*unbuffered, os.path.join(HERE, "hidden", "streams.py")], preset,
                 directory, stdin=one, preexec_fn=rewind)


def statuses(directory, python):
    for what in STATUS:
        both(python, ["-c", "import sys; sys." + what], "lines", directory)
    for what in ("os.kill(os.getpid(), 15)", "os._exit(7)", "os.abort()",
                 "os.kill(os.getpid(), 9)", "signal.raise_signal(signal.SIGINT)",
                 "(signal.signal(15, lambda *a: sys.exit(3)), os.kill(os.getpid(), 15))"):
        both(python, ["-c", "import os, signal, sys; " + what], "calls", directory)


def environment_kept(directory, python):
    """A user's own LD_PRELOAD, and an empty environment."""
    library = os.path.join(directory, "user.so")  # does nothing, under any C library
    harness.run([os.environ.get("CC", "cc"), "-shared", "-nostdlib", "-x", "c", "/dev/null",
                 "-o", library])
    code = "import os; print(sorted(os.environ.items())); print(os.popen('env|sort').read())"
    for changes in ({"LD_PRELOAD": library}, {}, {"LD_PRELOAD": ""}):
        env = harness.environment(**changes)
        both(python, ["-c", code], "calls", directory, env=env)
    both(python, ["-I", "-c", "import os; print(os.environ)"], "calls", directory, env={})


def children(directory, python):
    """Programs it starts see nothing either."""
    code = ("import os, subprocess, sys\n"
            "code = 'import os, sys; print(sorted(os.environ), os.listdir(\"/proc/self/fd\"))'\n"
            "print(subprocess.run([sys.executable, '-c', code], capture_output=True).stdout)\n"
            "print(subprocess.run([sys.executable, '-c', code], env={}, capture_output=True).stdout)\n"
            "pid = os.fork()\n"
            "if pid == 0:\n"
            "    print('child', sum(len(str(i)) for i in range(100)), flush=True)\n"
            "    os._exit(4)\n"
            "print(os.waitpid(pid, 0)[1])\n"
            "print(os.spawnv(os.P_WAIT, sys.executable, [sys.executable, '-c', 'raise SystemExit(6)']))\n"
            "print(os.system('exit 3') >> 8, flush=True)\n")
    trace = both(python, ["-u", "-c", code], "lines", directory)
    require(len(harness.info(trace)["processes"]) == 6, "they are recorded")


def family(directory, python, options):
    """Pids differ from run to run, and show as words of the command line."""
    program = os.path.join(HERE, "hidden", "family.py")
    for env in harness.environment(LAST="x"), harness.environment(LD_PRELOAD="", LAST="x"):
        trace = both(python, [program], "calls", directory, options, env=env, numbers=True)
    found = len(harness.info(trace)["processes"])
    require(found == (1 if options else 19), "processes", found)


def main():
    suite = harness.Suite("hidden")
    for python in harness.interpreters():
        for name, (arguments, stdin) in STARTS.items():
            suite.case("%s start: %s" % (python, name), started, python, arguments, stdin, "lines")
        for preset in PRESETS:
            for name in "look", "recursion", "finalizers", "uncaught", "tracers":
                suite.case("%s %s %s" % (python, name, preset), program, python, name, preset)
        suite.case("%s stdin program" % python, from_stdin, python, "calls")
        suite.case("%s streams" % python, streams, python, "lines")
        suite.case("%s statuses" % python, statuses, python)
        suite.case("%s environment" % python, environment_kept, python)
        suite.case("%s children" % python, children, python)
        suite.case("%s family" % python, family, python, [])
        suite.case("%s family alone" % python, family, python, ["--no-children"])
    suite.finish()


if __name__ == "__main__":
    main()
