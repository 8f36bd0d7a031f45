"""The ways in which Python programs get children: ways.py WAY LOG [WORD...].

A process's label is its parent's and a name of its own: "main/one/two"."""
import atexit
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
import warnings

from witness import counting, step, work

WITNESS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "witness.py")
WAYS = {}


def way(function):
    WAYS[function.__name__] = function
    return function


def child(log, label, n, status=0):
    """Runs in a forked child; does not come back."""
    work(log, label, n)
    sys.stdout.flush()
    os._exit(status)


@way
def fork(log):
    for i in range(3):
        pid = os.fork()
        if pid == 0:
            child(log, "main/%d" % i, 100 + i, i)
        os.waitpid(pid, 0)


@way
def fork_deep(log):
    """Children of children, each from a frame further in."""
    def descend(label, depth):
        if depth == 0:
            return
        pid = os.fork()
        if pid == 0:
            descend(label + "/c", depth - 1)
            child(log, label + "/c", 50 + depth)
        os.waitpid(pid, 0)
        step(depth)  # not in a witness's line: see NOT_TOLD in run.py
    descend("main", 4)


@way
def fork_places(log):
    """From a generator, a comprehension, a handler, a finalizer, a sort key."""
    def forked(name):
        pid = os.fork()
        if pid == 0:
            child(log, "main/" + name, 60)
        os.waitpid(pid, 0)
        return name

    def generator():
        yield 1
        yield forked("generator")
        yield 2

    class Finalized:
        def __del__(self):
            forked("finalizer")

    list(generator())
    [forked(name) for name in ("comprehension",)]
    try:
        raise KeyError
    except KeyError:
        forked("handler")
    finally:
        forked("finally")
    Finalized()
    sorted([1], key=lambda _: forked("key"))
    with_hook()
    forked("hooks")


def with_hook():
    os.register_at_fork(before=lambda: len("b"), after_in_parent=lambda: len("p"),
                        after_in_child=lambda: len("c"))


@way
def fork_suspended(log):
    """A generator that both go on with, and code that is new to both."""
    generator = counting(10)
    next(generator)
    pid = os.fork()
    exec("def own(i):\n    return i + %d\nown(1)" % (pid != 0))
    rest = len(list(generator))  # 9 calls
    if pid == 0:
        child(log, "main/c", 40)
    os.waitpid(pid, 0)
    assert rest == 9


@way
def fork_thread(log):
    def forked(i):
        pid = os.fork()
        if pid == 0:
            other = threading.Thread(target=lambda: [step(i) for i in range(5)])
            other.start()
            other.join()
            child(log, "main/t%d" % i, 70 + i)
        os.waitpid(pid, 0)

    def busy():
        while not over:
            len("busy")

    over = []
    busies = [threading.Thread(target=busy) for _ in range(2)]
    threads = [threading.Thread(target=forked, args=(i,)) for i in range(4)]
    for thread in busies + threads:
        thread.start()
    for thread in threads:
        thread.join()
    over.append(1)
    for thread in busies:
        thread.join()


@way
def fork_libc(log):
    """Without os.fork(): nobody tells the interpreter."""
    pid = ctypes.PyDLL(None).fork()
    if pid == 0:
        child(log, "main/c", 80)
    os.waitpid(pid, 0)


@way
def fork_exec(log):
    """A child that runs Python before it becomes another."""
    pid = os.fork()
    if pid == 0:
        work(log, "main/c", 90)
        os.execv(sys.executable, [sys.executable, WITNESS, log, "main/c/x", "91"])
    os.waitpid(pid, 0)
    subprocess.run([sys.executable, WITNESS, log, "main/p/x", "92"],
                   preexec_fn=lambda: work(log, "main/p", 93), check=True)


@way
def exec_(log):
    """The program itself becomes another, twice."""
    work(log, "main", 30)
    sys.argv[1:2] = ["exec_again"]
    os.execv(sys.executable, [sys.executable, *sys.argv])


@way
def exec_again(log):
    work(log, "main/x", 31)
    os.execve(sys.executable, [sys.executable, WITNESS, log, "main/x/x", "32"], {})


@way
def exec_fails(log):
    """It did not become another, and goes on."""
    try:
        os.execv("/nonexistent/program", ["program"])
    except OSError:
        pass


@way
def run(log):
    for i, (options, kwargs) in enumerate([
            ([], {}), ([], {"env": {}}), (["-I", "-S", "-E"], {}), (["-X", "dev"], {}),
            ([], {"close_fds": False}), ([], {"start_new_session": True}),
            ([], {"cwd": "/"}), ([], {"env": {"LD_PRELOAD": ""}})]):
        subprocess.run([sys.executable, *options, WITNESS, log, "main/%d" % i, str(20 + i)],
                       check=True, **kwargs)
    subprocess.run([sys.executable, "-c", "import sys; sys.path.insert(0, %r)\n"
                    "from witness import work; work(%r, 'main/c', 28)"
                    % (os.path.dirname(WITNESS), log)], check=True)


@way
def shells(log):
    command = "%s %s %s" % (sys.executable, WITNESS, log)
    subprocess.run(["sh", "-c", command + " main/sh 41; true"], check=True)
    subprocess.run(["sh", "-c", "exec " + command + " main/exec 42"], check=True)
    subprocess.run("env -i nice sh -c '%s main/env 43'" % command, shell=True, check=True)
    assert os.system(command + " main/system 44") == 0
    assert os.popen(command + " main/popen 45").read() == ""
    subprocess.run("echo x | xargs -n 1 sh -c '%s main/xargs 46'" % command, shell=True,
                   check=True)


@way
def spawns(log):
    words = [sys.executable, WITNESS, log]
    for name, function, env in (("s", os.posix_spawn, os.environ), ("e", os.posix_spawn, {}),
                                ("p", os.posix_spawnp, os.environ)):
        pid = function(sys.executable, words + ["main/" + name, "51"], env)
        assert os.waitpid(pid, 0)[1] == 0
    assert os.spawnv(os.P_WAIT, sys.executable, words + ["main/v", "52"]) == 0


@way
def interpreters(log):
    """Other interpreters than our own: the words after LOG."""
    for i, python in enumerate(sys.argv[3:]):
        subprocess.run([python, WITNESS, log, "main/%d" % i, str(35 + i)], check=True)


def task(arguments):
    log, n = arguments
    work(log, "main/*", n)
    time.sleep(0.01)
    return os.getpid()


def pool(method, log):
    import multiprocessing
    with multiprocessing.get_context(method).Pool(3) as workers:
        assert os.getpid() not in workers.map(task, [(log, 10 + i) for i in range(12)], 1)
        workers.close()
        workers.join()


@way
def pool_fork(log):
    pool("fork", log)


@way
def pool_spawn(log):
    pool("spawn", log)


@way
def pool_forkserver(log):
    pool("forkserver", log)


@way
def executor(log):
    import concurrent.futures
    with concurrent.futures.ProcessPoolExecutor(3) as workers:
        list(workers.map(task, [(log, 10 + i) for i in range(12)]))


@way
def daemon(log):
    """Forked twice, in a session of its own; everybody else ends at once."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.chdir("/")
            os.closerange(0, 4096)
            time.sleep(0.4)
            child(log, "main/c/d", 500)
        child(log, "main/c", 11)
    child(log, "main", 12)


@way
def left_behind(log):
    """A daemon by exec, whose interpreter starts when we are gone."""
    subprocess.Popen([sys.executable, WITNESS, log, "main/d", "501"], start_new_session=True)
    child(log, "main", 13)


@way
def prefork(log):
    """A server: the master forks workers that share its socket."""
    import socket
    listener = socket.create_server(("127.0.0.1", 0))
    workers = []
    ready, is_ready = os.pipe()
    for i in range(4):
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGTERM, lambda *_: child(log, "main/w%d" % i, 200 + i))
            os.write(is_ready, b"x")
            while True:
                connection, _ = listener.accept()
                connection.sendall(b"%d" % os.getpid())
                connection.close()
        workers.append(pid)
    for _ in workers:
        os.read(ready, 1)
    served = set()
    while len(served) < 2:
        with socket.create_connection(listener.getsockname()) as client:
            served.add(int(client.recv(100)))
    assert served <= set(workers)
    for pid in workers:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)


@way
def terminal(log):
    import pty
    pid, fd = pty.fork()
    if pid == 0:
        child(log, "main/c", 65)
    while True:
        try:
            if not os.read(fd, 100):
                break
        except OSError:
            break
    os.waitpid(pid, 0)


@way
def endings(log):
    """Each child ends in another way, that its label names."""
    def end(how):
        if how == "exit":
            os._exit(3)
        elif how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif how == "abort":
            os.abort()
        elif how == "segv":
            signal.signal(signal.SIGSEGV, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGSEGV)
        elif how == "sysexit":
            atexit._clear()
            sys.exit(5)
        elif how == "exec":
            os.execv("/bin/true", ["true"])

    for how in "exit", "kill", "abort", "segv", "sysexit", "exec":
        pid = os.fork()
        if pid == 0:
            work(log, "main/" + how, 25)
            end(how)
        os.waitpid(pid, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for this one
    pid = os.fork()
    if pid == 0:
        child(log, "main/ignored", 26, 9)
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            break
        time.sleep(0.01)


@way
def many(log):
    """200 short ones, eight at a time."""
    live = set()
    for i in range(200):
        pid = os.fork()
        if pid == 0:
            child(log, "main/%d" % i, 20)
        live.add(pid)
        if len(live) == 8:
            live.discard(os.wait()[0])
    while live:
        live.discard(os.wait()[0])


@way
def crowd(log):
    """500 processes that are all alive at once, each with another thread."""
    ready, is_ready = os.pipe()
    gate, opener = os.pipe()

    def wait():
        os.write(is_ready, b"x")
        os.read(gate, 1)  # until it is closed

    def other():
        wait()
        [step(i) for i in range(5)]

    pids = []
    for i in range(500):
        pid = os.fork()
        if pid == 0:
            os.close(opener)
            thread = threading.Thread(target=other)
            thread.start()
            wait()
            thread.join()
            child(log, "main/%d" % i, 20)
        pids.append(pid)
    for _ in range(2 * len(pids)):
        os.read(ready, 1)
    os.close(opener)
    for pid in pids:
        os.waitpid(pid, 0)


if __name__ == "__main__":
    warnings.simplefilter("ignore", DeprecationWarning)  # fork() among threads
    WAYS[sys.argv[1]](sys.argv[2])
    work(sys.argv[2], "main", 33)
