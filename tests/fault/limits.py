"""A recording where something is missing that it could want: rights, memory,
descriptors, file systems, system calls, a clock.  It works without, or says in
one sentence what it lacks before the program begins; the program is never
harmed."""
import ctypes
import json
import os
import re
import resource
import signal
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import harness  # noqa: E402
from harness import PTREC, equal, require  # noqa: E402

STEPS = ("import os, sys\n"
         "def step(i): return i\n"
         "for i in range(4321): step(i)\n")
ROOT = os.geteuid() == 0


def namespaces():
    """Whether this user may have a mount namespace of its own."""
    return ROOT and subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL
                                   ).returncode == 0


def command(python, trace, code, options=()):
    return [PTREC, "run", "--preset=calls", "--python=" + python.path, "-o", trace, *options,
            "-c", code]


def apart(mounts, argv):
    """argv in a mount namespace where these commands ran before."""
    script = "set -e; %s; exec \"$@\"" % "; ".join(mounts)
    return ["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh", *argv]


def check_steps(trace, count=4321):
    table = json.loads(harness.ptana("profile", trace, "--format=json"))
    equal(sum(f["calls"] for f in table["functions"] if f["name"] == "step"), count, "calls")
    harness.ptana("verify", trace)


def recorded(argv, trace, output=b"", **kwargs):
    done = harness.run(argv, **kwargs)
    equal(done.stdout, output, "output")
    check_steps(trace)
    return done


def refused(argv, *words, **kwargs):
    """One sentence that has these words, and the program did not begin."""
    done = harness.run(argv, expect=4, **kwargs)
    equal(done.stdout, b"", "output")
    lines = done.stderr.decode().splitlines()
    require(len(lines) == 1 and all(word in lines[0] for word in words), words, "in", lines)


# --- file systems -----------------------------------------------------------


def read_only_folder(directory, python):
    target = os.path.join(directory, "target")
    os.mkdir(target)
    argv = command(python, os.path.join(target, "t.ptr"), "print('ran')")
    if ROOT:
        argv = apart(["mount -t tmpfs -o ro tmpfs " + target], argv)
    else:
        os.chmod(target, 0o555)
    refused(argv, target, "-o")


def without_shared_memory_folder(directory, python):
    trace = os.path.join(directory, "t.ptr")
    recorded(apart(["mount -t tmpfs -o ro,size=4k tmpfs /dev/shm"],
                   command(python, trace, STEPS)), trace)


def without_proc(directory, python):
    trace = os.path.join(directory, "t.ptr")
    refused(apart(["mount -t tmpfs tmpfs /proc"], command(python, trace, "print('ran')")), "/proc")


def without_counter(directory, python):
    """A machine whose TSC cannot be trusted: the system's clock is read."""
    trace = os.path.join(directory, "t.ptr")
    cpuinfo = os.path.join(directory, "cpuinfo")
    with open("/proc/cpuinfo") as file, open(cpuinfo, "w") as out:
        out.write(file.read().replace("constant_tsc", "").replace("nonstop_tsc", ""))
    mounts = ["mount --bind %s /proc/cpuinfo" % cpuinfo]
    for preset in "calls", "flow":
        recorded(apart(mounts, command(python, trace, STEPS, ["--preset=" + preset, "-f"])), trace)
        equal(harness.info(trace)["header"]["clock"]["source"], "monotonic", "clock")


# --- limits -----------------------------------------------------------------


def limited(which, value):
    return lambda: resource.setrlimit(which, (value, value))


def few_descriptors(directory, python):
    """What the interpreter itself can live with is enough, or it is said."""
    trace = os.path.join(directory, "t.ptr")
    recorded(command(python, trace, STEPS), trace,
             preexec_fn=limited(resource.RLIMIT_NOFILE, 20))
    refused(command(python, os.path.join(directory, "u.ptr"), "print('ran')"), "ulimit -n",
            preexec_fn=limited(resource.RLIMIT_NOFILE, 6))
    require(not os.path.exists(os.path.join(directory, "u.ptr")), "no trace of nothing")


def little_memory(directory, python):
    """The arena is address space, of which little is used."""
    trace = os.path.join(directory, "t.ptr")
    recorded(command(python, trace, STEPS), trace,
             preexec_fn=limited(resource.RLIMIT_AS, 1 << 30))
    refused(command(python, os.path.join(directory, "u.ptr"), "print('ran')"), "ulimit -v",
            preexec_fn=limited(resource.RLIMIT_AS, 200 << 20))


def memory_gone(directory, python):
    """The program runs out of memory, and handles it."""
    trace = os.path.join(directory, "t.ptr")
    code = STEPS + (
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_AS, (200 << 20, 200 << 20))\n"
        "kept = []\n"
        "try:\n"
        "    while True: kept.append(bytearray(1 << 20))\n"
        "except MemoryError:\n"
        "    del kept\n"
        "def late(i): return i\n"
        "for i in range(1000): late(i)\n"
        "print('survived')\n")
    recorded(command(python, trace, code), trace, b"survived\n")


# --- system calls -----------------------------------------------------------

MEMFD_CREATE = {"x86_64": 319, "aarch64": 279}
PIDFD_OPEN = 434
EPERM = 1


def without_calls(*numbers):
    """Makes this process, and what it starts, be denied system calls."""
    program = [(0x20, 0, 0, 0)]  # load the number
    for number in numbers:
        program += [(0x15, 0, 1, number), (0x06, 0, 0, 0x00050000 | EPERM)]
    program.append((0x06, 0, 0, 0x7fff0000))  # allow

    class Program(ctypes.Structure):
        _fields_ = [("count", ctypes.c_ushort), ("at", ctypes.c_void_p)]

    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *i) for i in program))
    filter_ = Program(len(program), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, ctypes.byref(filter_)) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")


def without_memfd(directory, python):
    trace = os.path.join(directory, "t.ptr")
    number = MEMFD_CREATE[os.uname().machine]
    refused(command(python, trace, "print('ran')"), "shared memory",
            preexec_fn=lambda: without_calls(number))
    require(not os.path.exists(trace), "no trace of nothing")


def without_pidfd(directory, python):
    """Without a handle on it, how a process ends could not be told."""
    trace = os.path.join(directory, "t.ptr")
    refused(command(python, trace, "print('ran')"), "watched",
            preexec_fn=lambda: without_calls(PIDFD_OPEN))


# --- programs that keep no order --------------------------------------------

PROGRAMS = {
    "a daemon": (0, (
        "import resource, signal\n"
        "for n in range(1, 32):\n"
        "    if n not in (signal.SIGKILL, signal.SIGSTOP): signal.signal(n, signal.SIG_DFL)\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))\n"
        "os.closerange(0, 4096)\n"
        "if os.getpid() != os.getpgid(0): os.setsid()\n"
        "os.chdir('/'); os.umask(0o777)\n"), b""),
    "an exit handler that raises": (0, (
        "import atexit\n"
        "atexit.register(lambda: 1 // 0)\n"), b""),
    "an exit handler that crashes": (-signal.SIGSEGV, (
        "import atexit, ctypes, resource\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
        "atexit.register(ctypes.string_at, 0)\n"), b""),
    "a finalizer at the very end": (0, (
        "class Late:\n"
        "    def __del__(self): print('late')\n"
        "late = Late()\n"), b"late\n"),
    "forks in threads": (0, (
        "import threading\n"
        "def fork():\n"
        "    pid = os.fork()\n"
        "    if pid == 0: os._exit(0)\n"
        "    os.waitpid(pid, 0)\n"
        "threads = [threading.Thread(target=fork) for i in range(20)]\n"
        "for t in threads: t.start()\n"
        "for t in threads: t.join()\n"), b""),
}


def keeps_no_order(directory, python, name):
    trace = os.path.join(directory, "t.ptr")
    status, code, output = PROGRAMS[name]
    plain = harness.run([python.path, "-W", "ignore", "-c", STEPS + code], expect=status)
    equal(plain.stdout, output, "output without a recorder")
    done = recorded([PTREC, "run", "--quiet", "--preset=flow", "--python=" + python.path,
                     "-o", trace, "-W", "ignore", "-c", STEPS + code], trace, output,
                    expect=status)
    address = re.compile(rb"0x[0-9a-f]+")
    equal(address.sub(b"", done.stderr), address.sub(b"", plain.stderr), "standard error")


def closed_standard_descriptors(directory, python):
    trace = os.path.join(directory, "t.ptr")
    done = subprocess.run(["sh", "-c", "exec \"$@\" <&- >&- 2>&-", "sh",
                           *command(python, trace, STEPS)], env=harness.environment())
    equal(done.returncode, 0, "status")
    check_steps(trace)


def main():
    suite = harness.Suite("limits")
    alone = namespaces()
    if not alone:
        print("limits: without root, or mount namespaces, four cases are left out")
    for python in harness.chosen():
        suite.case("%s read-only folder" % python, read_only_folder, python)
        suite.case("%s few descriptors" % python, few_descriptors, python)
        suite.case("%s little memory" % python, little_memory, python)
        suite.case("%s memory gone" % python, memory_gone, python)
        suite.case("%s no memfd_create" % python, without_memfd, python)
        suite.case("%s no pidfd_open" % python, without_pidfd, python)
        suite.case("%s closed descriptors" % python, closed_standard_descriptors, python)
        for name in PROGRAMS:
            suite.case("%s %s" % (python, name), keeps_no_order, python, name)
        if alone:
            suite.case("%s no /dev/shm" % python, without_shared_memory_folder, python)
            suite.case("%s no /proc" % python, without_proc, python)
            if os.uname().machine == "x86_64":
                suite.case("%s no TSC" % python, without_counter, python)
    suite.finish()


main()
