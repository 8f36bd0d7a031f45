"""Process trees that things happen to: killed children and parents, children
that cannot join, a collector that is stopped or dies."""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import harness  # noqa: E402
from harness import PTREC, equal, require  # noqa: E402

PROGRAMS = os.path.join(HERE, "programs")
COUNTERS = os.path.join(PROGRAMS, "counters.py")
WITNESS = os.path.join(PROGRAMS, "witness.py")


def start(python, trace, *words, options=(), **kwargs):
    return subprocess.Popen([PTREC, "run", "--quiet", "--preset=calls", "--python=" + python.path,
                             "-o", trace, *options, *words], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env=harness.environment(), **kwargs)


def finish(process, status=0, timeout=60):
    out, err = process.communicate(timeout=timeout)
    if status is not None:
        equal(process.returncode, status, "status", err.decode())
    return out, err


def steps(trace, process):
    table = json.loads(harness.ptana("profile", trace, "--format=json", "--process=#%d" % process))
    return sum(f["calls"] for f in table["functions"] if f["name"] == "step")


class Counters:
    """The cells of programs/counters.py: a pid and a count for each process."""

    def __init__(self, directory, n):
        self.path = os.path.join(directory, "counters")
        self.n = n
        with open(self.path, "wb") as file:
            file.write(bytes(16 * n))

    def read(self):
        with open(self.path, "rb") as file:
            data = file.read()
        cells = [int.from_bytes(data[i:i + 8], "little") for i in range(0, len(data), 8)]
        return list(zip(cells[::2], cells[1::2]))  # (pid, count)

    def wait(self, least=100, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            cells = self.read()
            if all(pid and count >= least for pid, count in cells):
                return cells
            time.sleep(0.005)
        raise harness.Failure("the processes did not begin: %r" % self.read())


def exact(trace, counters, killed):
    """Each process's calls are those it counted, and at most the one in flight."""
    processes = {p["pid"]: p for p in harness.info(trace)["processes"]}
    for pid, count in counters.read():
        require(pid in processes, "pid", pid, "is in the trace")
        got = steps(trace, processes[pid]["id"])
        require(count <= got <= count + (pid in killed), "pid", pid, "counted", count, "recorded", got)
    harness.ptana("verify", trace)
    return processes


def children_killed(directory, python):
    """kill -9 of children at random moments, one after the other."""
    trace = os.path.join(directory, "t.ptr")
    counters = Counters(directory, 6)
    process = start(python, trace, COUNTERS, counters.path, "6", "forever")
    killed = [pid for pid, _ in counters.wait()[1:]]
    for pid in killed:
        time.sleep(random.random() * 0.1)
        os.kill(pid, signal.SIGKILL)
    finish(process)
    processes = exact(trace, counters, killed)
    for pid in killed:
        ended = processes[pid]["ended"]
        equal((ended["how"], ended["value"]), ("signal", 9), "how", pid, "ended")


def parent_killed(directory, python):
    """The program dies, its children go on: ptrec waits for them, and ends as it did."""
    trace = os.path.join(directory, "t.ptr")
    counters = Counters(directory, 3)
    process = start(python, trace, COUNTERS, counters.path, "3", "3.0")
    main = counters.wait()[0][0]
    os.kill(main, signal.SIGKILL)
    _, err = finish(process, -signal.SIGKILL)
    require(err.count(b"waiting for process ") == 2, "whom it waits for", err)
    processes = exact(trace, counters, [main])
    equal([p["ended"]["how"] for pid, p in processes.items() if pid != main], ["exit", "exit"])


def not_waited_for(directory, python):
    trace = os.path.join(directory, "t.ptr")
    counters = Counters(directory, 3)
    process = start(python, trace, COUNTERS, counters.path, "3", "2.0", options=["--no-wait"])
    main = counters.wait()[0][0]
    begun = time.monotonic()
    os.kill(main, signal.SIGKILL)
    equal(process.wait(60), -signal.SIGKILL, "status")
    require(time.monotonic() - begun < 1.5, "it did not wait")
    for p in harness.info(trace)["processes"]:
        equal(p["ended"]["how"], "signal" if p["pid"] == main else "unknown", p["pid"])
        require(steps(trace, p["id"]) >= 100, "calls until then")
    process.communicate(timeout=60)  # until the others have ended too


def collector_killed(directory, python):
    """All go on unharmed, also those that are forked afterwards."""
    trace = os.path.join(directory, "t.ptr")
    counters = Counters(directory, 4)
    process = start(python, trace, COUNTERS, counters.path, "4", "1.0", "again")
    counters.wait()
    process.kill()
    out, err = process.communicate(timeout=60)  # until all have closed it
    equal(err, b"", "standard error")
    equal(sorted(out.split()), [b"0", b"1", b"2", b"3", b"again"], "who came to its end")
    require(harness.info(trace)["torn"], "the trace is torn")


def collector_stopped(directory, python):
    """Children that are forked meanwhile wait, and lose nothing."""
    trace = os.path.join(directory, "t.ptr")
    log = os.path.join(directory, "log")
    process = start(python, trace, os.path.join(PROGRAMS, "ways.py"), "many", log)
    end = time.monotonic() + 30
    while not os.path.exists(log) and time.monotonic() < end:
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(0.5)
    os.kill(process.pid, signal.SIGCONT)
    finish(process)
    table = json.loads(harness.ptana("profile", trace, "--format=json"))
    equal(sum(f["calls"] for f in table["functions"] if f["name"] == "step"), 200 * 20 + 33)


def without_descriptors(directory, python):
    """A child that can open nothing runs unrecorded, and is told of."""
    trace = os.path.join(directory, "t.ptr")
    text = ("import os, resource\n"
            "def step(i): return i\n"
            "for i in range(50): step(i)\n"
            "if os.fork() == 0:\n"
            "    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n"
            "    if os.fork() == 0:\n"
            "        print(sum(map(step, range(10))), flush=True)\n"
            "        os._exit(7)\n"
            "    os._exit(os.wait()[1] >> 8)\n"
            "print(os.wait()[1] >> 8)\n")
    done = harness.ptrec(python, trace, "-c", text, options=["--preset=calls"])
    equal(done.stdout, b"45\n7\n", "what the child did")
    require(b"ptrec: 1 forked process could not join the recording: Too many open files (process "
            in done.stderr, "what is said", done.stderr)
    equal(len(harness.info(trace)["processes"]), 2, "processes")


def another_user(directory, python):
    """Forked before it drops its rights it is recorded, by exec after that not."""
    trace = os.path.join(directory, "t.ptr")
    os.chmod(directory, 0o755)
    text = ("import os, sys\n"
            "def step(i): return i\n"
            "pid = os.fork()\n"
            "if pid == 0:\n"
            "    os.setuid(65534)\n"
            "    for i in range(60): step(i)\n"
            "    if os.fork() == 0: [step(i) for i in range(70)]; os._exit(0)\n"
            "    os.wait()\n"
            "    os.execv(sys.executable, ['python', '-c', 'print(1)'])\n"
            "print(os.waitpid(pid, 0)[1])\n")
    done = harness.ptrec(python, trace, "-c", text, options=["--preset=calls"], cwd="/")
    return trace, done


def strangers(directory, python):
    if os.geteuid() != 0:
        print("skipped: only root can become another user")
        return
    trace, done = another_user(directory, python)
    processes = harness.info(trace)["processes"]
    equal([steps(trace, p["id"]) for p in processes], [0, 60], "calls", done.stderr)
    require(b"it runs as another user than ptrec" in done.stderr, done.stderr)
    require(b"could not join the recording: Permission denied" in done.stderr, done.stderr)


def elsewhere(directory, python):
    """In a chroot the shim is not there: nobody complains."""
    if os.geteuid() != 0:
        print("skipped: only root can chroot")
        return
    root = os.path.join(directory, "root")
    needed = ["/bin/true"] + [word for line in harness.output(["ldd", "/bin/true"]).splitlines()
                              for word in line.split() if word.startswith("/")]
    for path in needed:
        os.makedirs(root + os.path.dirname(path), exist_ok=True)
        shutil.copy(path, root + path)
    trace = os.path.join(directory, "t.ptr")
    text = ("import os\n"
            "pid = os.fork()\n"
            "if pid == 0:\n"
            "    os.chroot(%r)\n"
            "    os.execv('/bin/true', ['true'])\n"
            "raise SystemExit(os.waitpid(pid, 0)[1])\n" % root)
    done = harness.ptrec(python, trace, "-c", text, options=["--preset=calls"])
    require(b"ld.so" not in done.stderr, done.stderr)


def unknown_interpreter(directory, python):
    """A child of a version that this ptrec has no recorder for runs, and is named."""
    others = [p for p in harness.interpreters() if p.version[:2] != python.version[:2]]
    if not others:
        print("note: there is only one version to test with")
        return
    other = others[0]
    copy = os.path.join(directory, "ptrec")
    shutil.copytree(os.path.join(harness.BUILD, "bin"), os.path.join(copy, "bin"))
    shutil.copytree(os.path.join(harness.BUILD, "lib"), os.path.join(copy, "lib"),
                    ignore=lambda _, names: [n for n in names if "-%d%d-" % other.version[:2] in n])
    trace = os.path.join(directory, "t.ptr")
    log = os.path.join(directory, "log")
    text = ("import subprocess, sys\n"
            "code = 'import subprocess, sys; subprocess.run(sys.argv[1:])'\n"
            "subprocess.run([%r, '-c', code, sys.executable, %r, %r, 'x', '77'], check=True)\n"
            % (other.path, WITNESS, log))
    done = harness.run([os.path.join(copy, "bin", "ptrec"), "run", "--quiet", "--preset=calls",
                        "--python=" + python.path, "-o", trace, "-c", text])
    require(b"was not recorded: this ptrec has no recorder for CPython %d.%d"
            % other.version[:2] in done.stderr, done.stderr)
    processes = harness.info(trace)["processes"]
    equal(len(processes), 2, "the program, and what the unrecorded one started")
    equal(steps(trace, processes[1]["id"]), 77, "calls")
    equal(processes[1]["parent"], processes[0]["id"], "the nearest that was recorded")


def crowded_door(directory, python):
    """600 connections that say nothing or nonsense: who really comes gets in."""
    trace = os.path.join(directory, "t.ptr")
    flood = ("import os, random, socket, struct, sys, time\n"
             "held = []\n"
             "block = open('/proc/self/environ').read()\n"
             "at = block.partition('PTREC_RECORDING=')[2].partition(',')[0]\n"
             "for i in range(600):\n"
             "    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
             "    s.setblocking(False)\n"
             "    try: s.connect(chr(0) + at)\n"
             "    except BlockingIOError: break\n"
             "    if i < 60:\n"
             "        s.send(random.randbytes(random.choice((1, 40, 244, 248, 256, 4000))))\n"
             "    elif i < 80:\n"
             "        s.send(struct.pack('<6IQ', 0x52545003, i % 5, 0, *[2**32 - 1] * 3,\n"
             "                           random.choice((0, 1, 2, 2**64 - 1))) + bytes(208))\n"
             "    else: held.append(s)\n"
             "print(len(held) > 400, flush=True)\n"
             "sys.stdin.read()\n")
    text = ("import os, subprocess, sys\n"
            "def step(i): return i\n"
            "p = subprocess.Popen([sys.executable, '-c', %r], stdin=subprocess.PIPE,\n"
            "                     stdout=subprocess.PIPE, text=True)\n"
            "print(p.stdout.readline(), end='')\n"
            "subprocess.run([sys.executable, %r, %r, 'x', '44'])\n"
            "if os.fork() == 0:\n"
            "    for i in range(55): step(i)\n"
            "    os._exit(0)\n"
            "os.wait()\n"
            "for i in range(66): step(i)\n"
            "p.communicate()\n" % (flood, WITNESS, os.path.join(directory, "log")))
    done = harness.ptrec(python, trace, "-c", text, options=["--preset=calls"])
    require(b"True" in done.stdout, "connections were made", done.stdout, done.stderr)
    harness.ptana("verify", trace)
    found = [steps(trace, p["id"]) for p in harness.info(trace)["processes"]]
    require({44, 55, 66} <= set(found), "calls by process", found, done.stderr)


CASES = {
    "crowded door": crowded_door,
    "children killed": children_killed,
    "parent killed": parent_killed,
    "not waited for": not_waited_for,
    "collector killed": collector_killed,
    "collector stopped": collector_stopped,
    "without descriptors": without_descriptors,
    "another user": strangers,
    "chroot": elsewhere,
    "unknown interpreter": unknown_interpreter,
}
