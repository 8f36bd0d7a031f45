"""Nothing is lost, and the program is unharmed, whatever dies: the program, at
any moment and in any way; the collector; the disk."""
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import harness  # noqa: E402
from harness import PTREC, equal, require  # noqa: E402

WITNESS = os.path.join(HERE, "programs", "witness.py")
THREADS = os.path.join(HERE, "programs", "threads.py")


def command(python, trace, *args, options=("--preset=calls",)):
    return [PTREC, "run", "--quiet", "--python=" + python.path, "-o", trace, *options, *args]


def start(argv, changes={}, **kwargs):
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            stdin=subprocess.DEVNULL, env=harness.environment(**changes),
                            **kwargs)


def functions(trace, **kwargs):
    """{name: calls} of the Python functions in a trace."""
    table = json.loads(harness.ptana("profile", trace, "--format=json", **kwargs))
    result = {}
    for entry in table["functions"]:
        result[entry["name"]] = result.get(entry["name"], 0) + entry["calls"]
    return result


class Witness:
    def __init__(self, directory):
        self.path = os.path.join(directory, "witness")
        with open(self.path, "wb") as file:
            file.write(bytes(16))

    def read(self):
        with open(self.path, "rb") as file:
            data = file.read()
        return int.from_bytes(data[:8], "little"), int.from_bytes(data[8:], "little")

    def wait(self, least=1, seconds=30):
        """The program's pid, once it has made `least` calls."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            count, pid = self.read()
            if pid and count >= least:
                return pid
            time.sleep(0.005)
        raise harness.Failure("the program did not begin")


def process_end(trace, **kwargs):
    """What ptana info says of the end of the trace's first process."""
    return harness.info(trace, **kwargs)["processes"][0]["ended"]


def killed(directory, python, times):
    """kill -9 at random moments: all the calls that the program knew to have
    returned are there, and at most one more."""
    for preset in ("calls", "lines", "instructions")[:3 if times > 3 else 1] * times:
        witness = Witness(directory)
        trace = os.path.join(directory, "t.ptr")
        process = start(command(python, trace, WITNESS, witness.path,
                                options=["--preset=" + preset, "-f"]))
        pid = witness.wait()
        time.sleep(random.random() * 0.3)
        os.kill(pid, signal.SIGKILL)
        equal(process.wait(60), -signal.SIGKILL, "ptrec's own end")
        process.communicate()
        seen = witness.read()[0]
        calls = functions(trace)["step"]
        require(seen <= calls <= seen + 1, "witnessed", seen, "recorded", calls)
        ended = process_end(trace)
        equal((ended["how"], ended["value"]), ("signal", 9), "ending")
        harness.ptana("verify", trace)


ENDINGS = {
    # code: (status as subprocess tells it, how, value)
    "os._exit(7)": (7, "exit", 7),
    "os.abort()": (-6, "signal", 6),
    "ctypes.string_at(0)": (-11, "signal", 11),
    "sys.exit(3)": (3, "exit", 3),
    "sys.exit('text')": (1, "exit", 1),
    "pass": (0, "exit", 0),
    "raise KeyError": (1, "exit", 1),
    "signal.raise_signal(2)": (-2, "signal", 2),
    "os.kill(os.getpid(), 15)": (-15, "signal", 15),
    "(signal.signal(10, lambda *a: sys.exit(4)), os.kill(os.getpid(), 10), time.sleep(9))":
        (4, "exit", 4),
}


def endings(directory, python):
    """However it ends, the trace is closed, whole, and says so."""
    for code, (status, how, value) in ENDINGS.items():
        trace = os.path.join(directory, "t.ptr")
        text = ("import ctypes, os, signal, sys, time\n"
                "def step(i): return i\n"
                "for i in range(1234): step(i)\n" + code)
        done = harness.run(command(python, trace, "-c", text), expect=None,
                           preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)))
        equal(done.returncode, status, "status of", code)
        equal(functions(trace)["step"], 1234, "calls before", code)
        ended = process_end(trace)
        equal((ended["how"], ended["value"]), (how, value), "ending of", code)
        harness.ptana("verify", trace)


def exec_(directory, python):
    """A program that becomes another: what came before is there."""
    trace = os.path.join(directory, "t.ptr")
    text = ("import os, sys\n"
            "def step(i): return i\n"
            "for i in range(77): step(i)\n"
            "os.execv(%r, [%r])\n")
    for path, status in (("/bin/true", 0), ("/bin/false", 1), (python.path, 0)):
        done = harness.run(command(python, trace, "-c", text % (path, path)), expect=None)
        equal(done.returncode, status, path)
        equal(functions(trace)["step"], 77, "calls before", path)


def closed_descriptors(directory, python):
    """A daemon closes all descriptors, and opens its own in their place."""
    trace = os.path.join(directory, "t.ptr")
    mine = os.path.join(directory, "mine")
    text = ("import os\n"
            "def step(i): return i\n"
            "for i in range(100): step(i)\n"
            "os.closerange(3, 4096)\n"
            "files = [os.open(%r, os.O_RDWR | os.O_CREAT) for i in range(60)]\n"
            "for i in range(300000): step(i)\n"
            "print(sum(os.fstat(f).st_size for f in files), len(files))\n")
    done = harness.run(command(python, trace, "-c", text % mine))
    equal(done.stdout, b"0 60\n", "its own files stay empty")
    equal(functions(trace)["step"], 300100, "calls")


def threads(directory, python):
    trace = os.path.join(directory, "t.ptr")
    done = harness.run(command(python, trace, THREADS), timeout=240)
    equal(done.stdout, b"end\n", "output")
    calls = functions(trace)
    for name, count in (("step", 10000), ("short", 1000), ("parallel", 300), ("other", 15000),
                        ("raw", 20), ("third", 100), ("forever", 5), ("before", 1)):
        equal(calls[name], count, "calls of", name)
    told = harness.info(trace)
    require(len(told["threads"]) >= 1325, "threads", len(told["threads"]))
    equal(told["gaps"], 0, "gaps")


LONG = 3000000  # steps: seconds, so that what is done meanwhile comes in time


def collector_killed(directory, python, stop):
    """The program goes on unharmed; what was written can be read, and nothing
    else is left."""
    witness = Witness(directory)
    trace = os.path.join(directory, "t.ptr")
    elsewhere = os.path.join(directory, "tmp")
    os.mkdir(elsewhere)
    process = start(command(python, trace, WITNESS, witness.path, str(LONG)),
                    {"TMPDIR": elsewhere, "XDG_RUNTIME_DIR": elsewhere})
    pid = witness.wait(1000)
    if stop:
        os.kill(process.pid, signal.SIGSTOP)
        if stop == "full":
            time.sleep(1.0)
    os.kill(process.pid, signal.SIGKILL)
    out, err = process.communicate(timeout=120)
    equal(out, b"done %d\n" % LONG, "output")
    equal(err, b"", "standard error")
    equal(witness.read()[0], LONG, "witness")
    require(not os.path.exists("/proc/%d" % pid) or wait_gone(pid), "the program ended")
    told = harness.info(trace)
    require(told["torn"], "info calls the trace torn")
    equal(os.listdir(elsewhere), [], "files for the time of the recording")
    equal(sorted(os.listdir(directory)), ["t.ptr.part", "tmp", "witness"], "files")


def collector_killed_first(directory, python):
    """ptrec dies while the interpreter starts: the program runs all the same."""
    wrapper = os.path.join(directory, "python")
    with open(wrapper, "w") as file:
        file.write("#!/bin/sh\nkill -9 $PPID\nexec %s \"$@\"\n" % python.path)
    os.chmod(wrapper, 0o755)
    trace = os.path.join(directory, "t.ptr")
    done = harness.run([PTREC, "run", "--python=" + wrapper, "-o", trace, "-c",
                        "import os; print('ran', flush=True); os.system('echo so did this')"],
                       expect=-signal.SIGKILL)
    equal((done.stdout, done.stderr), (b"ran\nso did this\n", b""), "output")


def wait_gone(pid, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with open("/proc/%d/stat" % pid) as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except OSError:
            return True
        time.sleep(0.01)
    return False


def stopped_and_continued(directory, python):
    """A stopped collector makes the program wait, not lose."""
    witness = Witness(directory)
    trace = os.path.join(directory, "t.ptr")
    process = start(command(python, trace, WITNESS, witness.path, "900000"))
    witness.wait(1000)
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(1.0)
    before = witness.read()[0]
    time.sleep(0.3)
    require(witness.read()[0] == before or before == 900000, "the program waits")
    os.kill(process.pid, signal.SIGCONT)
    out, _ = process.communicate(timeout=120)
    equal(out, b"done 900000\n", "output")
    equal(functions(trace)["step"], 900000, "calls")


def dropped(directory, python):
    """--on-full=drop: the program does not wait, and the gap is told."""
    witness = Witness(directory)
    trace = os.path.join(directory, "t.ptr")
    process = start(command(python, trace, WITNESS, witness.path, str(LONG),
                            options=["--preset=lines", "--on-full=drop"]))
    witness.wait(1000)
    os.kill(process.pid, signal.SIGSTOP)
    end = time.monotonic() + 60
    while witness.read()[0] < LONG - 200000 and time.monotonic() < end:
        time.sleep(0.01)
    require(witness.read()[0] >= LONG - 200000, "the program went on while the collector stood still")
    os.kill(process.pid, signal.SIGCONT)
    out, _ = process.communicate(timeout=120)
    equal(out, b"done %d\n" % LONG, "output")
    told = harness.info(trace)
    require(told["gaps"] >= 1, "info tells of gaps")
    require(told["lost"] >= 100000, "info tells how many events:", told["lost"])
    table = json.loads(harness.ptana("profile", trace, "--format=json"))
    equal(table["gaps"], told["gaps"], "profile's gaps")
    events = harness.dump(trace)
    gaps = [e for e in events if e["ev"] == "gap"]
    equal(len(gaps), told["gaps"], "dump's gaps")
    for analyzer in ("profile", "info", "verify"):
        done = harness.run([harness.PTANA, analyzer, trace], expect=None)
        require(b"gap" in done.stdout + done.stderr, analyzer, "says nothing of the gap")
    harness.run([harness.PTANA, "profile", "--strict", trace], expect=3)


def signals(directory, python):
    """TERM, HUP, USR1 sent to ptrec reach the program; INT comes by the terminal."""
    text = ("import os, signal, sys, time\n"
            "for n in (1, 10, 15):\n"
            "    signal.signal(n, lambda n, f: (print('got', n, flush=True), n == 15 and sys.exit(5)))\n"
            "print('ready', flush=True)\n"
            "while True: time.sleep(0.01)\n")
    trace = os.path.join(directory, "t.ptr")
    process = start(command(python, trace, "-u", "-c", text))
    equal(process.stdout.readline(), b"ready\n", "start")
    for number in (1, 10, 15):
        process.send_signal(number)
        equal(process.stdout.readline(), b"got %d\n" % number, "signal")
    equal(process.wait(30), 5, "status")
    process.communicate()
    process = start(command(python, trace, "-c", "print('ready', flush=True)\nwhile True: pass"),
                    start_new_session=True)
    equal(process.stdout.readline(), b"ready\n", "start")
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    equal(process.returncode, -signal.SIGINT, "ends by the signal")
    require(b"KeyboardInterrupt" in err, "traceback:", err)
    ended = process_end(trace)
    equal((ended["how"], ended["value"]), ("signal", 2), "ending")


def names(directory, python):
    """Where the trace goes, and what ptrec says when it cannot."""
    trace = os.path.join(directory, "a.ptr")
    hello = ["-c", "print(1)"]
    harness.run(command(python, trace, *hello))
    with open(trace, "rb") as file:
        first = file.read()
    harness.run(command(python, trace, *hello))
    with open(trace + ".old", "rb") as file:
        require(file.read() == first, "the old trace is kept as .old")
    require(not os.path.exists(trace + ".part"), "no .part is left")
    other = os.path.join(directory, "text")
    with open(other, "w") as file:
        file.write("not a trace")
    done = harness.run(command(python, other, *hello), expect=None)
    require(done.returncode in (2, 4) and other.encode() in done.stderr, "refuses:", done)
    equal(done.stdout, b"", "the program was not started")
    with open(other) as file:
        equal(file.read(), "not a trace", "and leaves it alone")
    harness.run(command(python, other, *hello, options=["-f"]))
    harness.info(other)
    missing = os.path.join(directory, "no", "where.ptr")
    done = harness.run(command(python, missing, *hello), expect=4)
    require(missing.encode() in done.stderr or b"no/where" in done.stderr, done.stderr)
    done = harness.run([PTREC, "run", "--python=/no/python3", "-o", trace, *hello], expect=127)
    require(b"/no/python3" in done.stderr, done.stderr)
    nothing = os.path.join(directory, "nothing.ptr")
    done = harness.run([PTREC, "run", "--python=/bin/echo", "-o", nothing, "-c", "hi"])
    equal(done.stdout, b"-c hi\n", "what is no Python runs as it would")
    require(b"nothing was recorded" in done.stderr and done.stderr.count(b"\n") == 1, done.stderr)
    require(not os.path.exists(nothing), "a trace of nothing")
    for page in (["--help"], ["help", "run"]):
        text = harness.run([PTREC, *page]).stdout.decode()
        require(max(map(len, text.splitlines())) <= 80, "help fits 80 columns:", text)
    for wrong in (["run", "--no-such-option", "x.py"], ["run"], ["fly"], [],
                  ["run", "--preset=all", "x.py"], ["run", "--events=bogus", "x.py"]):
        done = harness.run([PTREC, *wrong], expect=2)
        require(done.stderr.strip(), "says why")
    work = os.path.join(directory, "work")
    os.mkdir(work)
    harness.run([PTREC, "run", "--quiet", "--python=" + python.path, *hello], cwd=work)
    equal(os.listdir(work), ["trace.ptr"], "the default name")
    done = harness.run([PTREC, "run", "--preset=lines", "--python=" + python.path, *hello],
                       cwd=work)
    require(done.stderr.count(b"\n") == 1 and b"trace.ptr" in done.stderr,
            "a summary of one line:", done.stderr)
    summary_of_failure = harness.run(command(python, trace, os.path.join(directory, "no.py")),
                                     expect=2)
    require(b"no.py" in summary_of_failure.stderr, "Python's own message")


def two_at_once(directory, python):
    """A second ptrec beside a running one takes another name."""
    argv = [PTREC, "run", "--python=" + python.path]
    first = subprocess.Popen([*argv, "-c", "print('up', flush=True); input()"], cwd=directory,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, env=harness.environment())
    equal(first.stdout.readline(), b"up\n", "start")
    second = harness.run([*argv, "-c", "print(2)"], cwd=directory)
    first.communicate(b"\n", timeout=30)
    traces = [name for name in os.listdir(directory) if name.endswith(".ptr")]
    require(len(traces) == 2 and "trace.ptr" in traces, "two traces:", os.listdir(directory),
            second.stderr)
    for name in traces:
        harness.ptana("verify", os.path.join(directory, name))


def disk_full(directory, python):
    """The program never waits for a disk; what fits is a trace."""
    witness = Witness(directory)
    target = os.path.join(directory, "small")
    os.mkdir(target)
    mounted = os.geteuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", target],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    trace = os.path.join(target, "t.ptr")

    def limit():
        if not mounted:
            resource.setrlimit(resource.RLIMIT_FSIZE, (512 << 10, 512 << 10))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        done = harness.run([PTREC, "run", "--python=" + python.path, "--preset=instructions",
                            "-o", trace, WITNESS, witness.path, "300000"], preexec_fn=limit)
        equal(done.stdout, b"done 300000\n", "output")
        require(b"full" in done.stderr.lower() or b"space" in done.stderr.lower()
                or b"large" in done.stderr.lower(), "the summary says so:", done.stderr)
        told = harness.info(trace)
        require(told["events"] > 10000, "events", told["events"])
        require(0 < functions(trace)["step"] < 300000, "a part of the calls")
    finally:
        if mounted:
            subprocess.run(["umount", target], check=True)


def refused(directory, version, sentence):
    """An interpreter that cannot be recorded does not run, and one sentence says why."""
    python = os.path.join(directory, "python")
    trace = os.path.join(directory, "t.ptr")
    harness.run([os.environ.get("CC", "cc"), "-rdynamic", '-DVERSION="%s"' % version, "-o", python,
                 os.path.join(HERE, "programs", "claims.c")])
    equal(harness.run([python]).stdout, b"ran\n", "it runs without ptrec")
    done = harness.run([PTREC, "run", "-o", trace, "--python=" + python, "-c", "pass"], expect=2)
    equal((done.stdout, done.stderr.decode()), (b"", "ptrec: %s\n" % sentence), "output")
    require(not os.path.exists(trace), "no trace is left")


REFUSED = {
    "3.13.5 experimental free-threading build (main)":
        "free-threaded CPython cannot be recorded yet: use the build with the GIL",
    "3.14.10 free-threading build (main)":
        "free-threaded CPython cannot be recorded yet: use the build with the GIL",
    "3.10.2 (main)": "CPython 3.10 cannot be recorded: use one of 3.11 to 3.15",
    "3.16.0 (main)": "CPython 3.16 cannot be recorded: use one of 3.11 to 3.15",
}


def main():
    suite = harness.Suite("fault")
    times = 10 if harness.ALL else 3
    pythons = harness.chosen()
    for python in pythons:
        suite.case("%s kill -9" % python, killed, python, times)
        suite.case("%s endings" % python, endings, python)
        suite.case("%s exec" % python, exec_, python)
        suite.case("%s closed descriptors" % python, closed_descriptors, python)
        suite.case("%s threads" % python, threads, python)
        suite.case("%s collector killed" % python, collector_killed, python, "")
        suite.case("%s collector killed first" % python, collector_killed_first, python)
        suite.case("%s collector stopped and killed" % python, collector_killed, python, "stop")
        suite.case("%s collector killed, ring full" % python, collector_killed, python, "full")
        suite.case("%s collector stopped and continued" % python, stopped_and_continued, python)
        suite.case("%s drop" % python, dropped, python)
        suite.case("%s signals" % python, signals, python)
        suite.case("%s disk full" % python, disk_full, python)
    for version, sentence in REFUSED.items():
        suite.case("refused: " + version, refused, version, sentence)
    suite.case("names", names, pythons[0])
    suite.case("two at once", two_at_once, pythons[0])
    suite.finish()


main()
