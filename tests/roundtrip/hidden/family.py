"""What children of every kind see: environment, descriptors, signals, limits,
their parent, their end.  The output is the same with and without a recorder."""
import ctypes
import os
import resource
import signal
import subprocess
import sys
import threading
import traceback

LIBC = ctypes.CDLL(None)
LIBC.getenv.restype = ctypes.c_char_p


def look(name, parent):
    """All that a process can easily see of itself."""
    print(name, "parent", os.getppid() == parent, "argv", sys.argv[1:], sys.orig_argv[1:])
    print(" environment", list(os.environ.items()))
    print(" of libc", LIBC.getenv(b"LD_PRELOAD"), LIBC.getenv(b"PTREC_RECORDING"))
    print(" descriptors", sorted(map(int, os.listdir("/proc/self/fd"))))
    print(" signals", [(int(s), str(signal.getsignal(s))) for s in signal.valid_signals()
                       if not str(signal.getsignal(s)).startswith("<function")])
    print(" mask", signal.pthread_sigmask(signal.SIG_BLOCK, []), "threads", threading.active_count())
    print(" kernel's", [line for line in open("/proc/self/status").read().split("\n")
                        if line.split(":")[0] in ("SigIgn", "SigBlk", "SigPnd", "Threads", "NoNewPrivs")])
    print(" limits", [resource.getrlimit(i) for i in range(10)])
    try:
        [][1]
    except IndexError:
        print(" stack", [f.name for f in traceback.extract_stack()],
              traceback.format_exc().splitlines()[-3:])
    sys.stdout.flush()


def forked(name, how):
    me = os.getpid()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        look(name, me)
        how()
        os._exit(0)
    print(name, "ended", os.waitpid(pid, 0)[1])


def main():
    me = str(os.getpid())
    words = [sys.executable, __file__, me]
    forked("forked", lambda: forked("twice", lambda: os._exit(300)))
    forked("exit", lambda: sys.exit(4) if False else os._exit(4))
    forked("killed", lambda: os.kill(os.getpid(), 9))
    forked("aborts", lambda: signal.signal(signal.SIGABRT, signal.SIG_DFL) or
           resource.setrlimit(resource.RLIMIT_CORE, (0, 0)) or os.abort())
    forked("exec", lambda: os.execve(sys.executable, words, {"A": "b", "LD_PRELOAD": ""}))
    forked("execl", lambda: LIBC.execl(b"/bin/sh", b"sh", b"-c", b"env; exit $1", b"x", b"7", None))
    forked("not there", lambda: missing())
    for name, kwargs in (("plain", {}), ("empty", {"env": {}}), ("open", {"close_fds": False}),
                         ("session", {"start_new_session": True}), ("hook", {"preexec_fn": int})):
        print(name, flush=True)
        print(subprocess.run([*words, name], **kwargs).returncode)
        print(subprocess.run(["env"], **kwargs).returncode, flush=True)
    print(subprocess.run(["env", "-i", "sh", "-c", "env"], capture_output=True).stdout)
    print(subprocess.run("echo $LD_PRELOAD$PTREC_RECORDING; env", shell=True).returncode)
    for command in ("exit 3", "kill -9 $$", "kill -2 $$", "/nonexistent", "env"):
        print(command, os.system(command), flush=True)
    print(LIBC.system(None), signal.getsignal(signal.SIGINT), flush=True)
    for function in os.posix_spawn, os.posix_spawnp:
        print(os.waitpid(function(sys.executable, [*words, "spawned"], {}), 0)[1], flush=True)
    try:
        os.posix_spawn("/nonexistent", ["x"], {})
    except OSError as error:
        print(error)
    for command in ["/nonexistent"], [__file__]:
        try:
            subprocess.run(command)
        except OSError as error:
            print(error)
    look("main", os.getppid())


def missing():
    for call in (lambda: os.execv("/nonexistent", ["x"]), lambda: os.execvp("no-such-thing", ["x"]),
                 lambda: os.execve(b"/", ["x"], {})):
        try:
            call()
        except OSError as error:
            print(error, flush=True)


if len(sys.argv) > 1:
    look(" ".join(sys.argv[2:]), int(sys.argv[1]))
    raise SystemExit(6)
main()
