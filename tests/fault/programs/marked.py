"""Programs of threads and processes that know what they have done, however
they end: marked.py SHAPE FOLDER SECONDS [group].

Each thread has a file of its own, FOLDER/PID.TID, mapped: how many calls of
step_PID_TID it has completed, and 1 once it came to its end.  The program says
last how it went in FOLDER/end.  "group": in a process group of its own."""
import faulthandler
import mmap
import os
import random
import signal
import subprocess
import sys
import threading
import time

PATIENCE = 60  # s; who still waits then ends by SIGALRM, and says where
IDLE = 5       # s; a pool's worker that nobody feeds ends by it, too
SHAPES = {}
KEPT = []


def shape(function):
    SHAPES[function.__name__] = function
    return function


def work(folder, end, most=1 << 62, pause=True):
    """Marked calls until `end` (of the monotonic clock), or `most` of them."""
    marks = os.getpid(), threading.get_native_id()
    fd = os.open(os.path.join(folder, "%d.%d" % marks), os.O_RDWR | os.O_CREAT)
    os.ftruncate(fd, 16)
    cells = memoryview(mmap.mmap(fd, 16)).cast("Q")
    os.close(fd)
    space = {}
    exec("def step_%d_%d(i):\n    return i + 1\n" % marks, space)
    step, = (f for name, f in space.items() if name.startswith("step_"))
    done = cells[0]  # more than once in a pool's worker
    cells[1] = 0
    while not done or (done < most and time.monotonic() < end):
        for _ in range(30):
            done = step(done)
            cells[0] = done
        if pause:
            time.sleep(random.random() * 0.002)
    cells[1] = 1


def forked(function, *arguments):
    """The pid of a child that runs the function and no more."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(PATIENCE)
        function(*arguments)
        os._exit(0)
    return pid


def reap(pids):
    for pid in pids:
        os.waitpid(pid, 0)


def in_threads(n, folder, end):
    threads = [threading.Thread(target=work, args=(folder, end)) for _ in range(n)]
    for thread in threads:
        thread.start()
    work(folder, end)
    for thread in threads:
        thread.join()


@shape
def alone(folder, end):
    """As fast as it can, and more than its ring holds."""
    work(folder, end, 200000, pause=False)


@shape
def threads(folder, end):
    in_threads(5, folder, end)


@shape
def short_threads(folder, end):
    """Slots that are taken over by one thread after the other."""
    def one_after_the_other():
        while time.monotonic() < end:
            thread = threading.Thread(target=work, args=(folder, end, 60))
            thread.start()
            thread.join()

    others = [threading.Thread(target=one_after_the_other) for _ in range(2)]
    for thread in others:
        thread.start()
    work(folder, end)
    for thread in others:
        thread.join()


@shape
def forks(folder, end):
    """Children with threads, and with children."""
    def child():
        pid = forked(in_threads, 1, folder, end)
        in_threads(1, folder, end)
        reap([pid])

    pids = [forked(child), forked(child)]
    in_threads(1, folder, end)
    reap(pids)


@shape
def short_forks(folder, end):
    """Children that come and go, and fork among threads."""
    other = threading.Thread(target=work, args=(folder, end))
    other.start()
    while time.monotonic() < end:
        reap([forked(work, folder, end, 90) for _ in range(3)])
    other.join()


@shape
def programs(folder, end):
    """Interpreters that start interpreters."""
    def start(name):
        return subprocess.Popen([sys.executable, __file__, name, folder,
                                 str(max(0.0, end - time.monotonic()))])

    children = [start("threads"), start("programs" if random.random() < 0.3 else "forks")]
    in_threads(1, folder, end)
    for child in children:
        child.wait()


def idle():
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(IDLE)


def work_in_pool(folder, end):
    signal.alarm(PATIENCE)
    work(folder, end)
    signal.alarm(IDLE)


def in_pool(method, folder, end):
    """Where a worker was killed the pool itself may hang, so nobody leaves it
    in order, and workers that nobody feeds any more end by the alarm."""
    import multiprocessing
    seconds = end - time.monotonic()
    pool = multiprocessing.get_context(method).Pool(3, idle)
    KEPT.append(pool)  # its finalizer would wait for the killed
    end = time.monotonic() + seconds
    results = [pool.apply_async(work_in_pool, (folder, end)) for _ in range(3)]
    in_threads(1, folder, end)
    for result in results:
        result.wait(max(0.1, end + IDLE - time.monotonic()))
    for child in multiprocessing.active_children():
        child.kill()


@shape
def pool_fork(folder, end):
    in_pool("fork", folder, end)


@shape
def pool_spawn(folder, end):
    in_pool("spawn", folder, end)


@shape
def pool_forkserver(folder, end):
    in_pool("forkserver", folder, end)


def main():
    name, folder, seconds, *group = sys.argv[1:]
    faulthandler.register(signal.SIGALRM, chain=True)
    signal.alarm(PATIENCE)
    if group:
        os.setpgid(0, 0)
        with open(os.path.join(folder, "group"), "w"):
            pass
    SHAPES[name](folder, time.monotonic() + float(seconds))
    with open(os.path.join(folder, "end"), "w") as file:
        file.write("well")
    os._exit(0)


if __name__ == "__main__":
    main()
