"""N processes that count their calls in a file they share, for SECONDS, or,
"forever", children until they are killed: counters.py FILE N SECONDS [again].
"again" forks once more at the end."""
import mmap
import os
import sys
import time


def step(i):
    return i


def count(cells, index, end):
    """Counts each call once it has returned."""
    cells[2 * index] = os.getpid()
    n = 0
    while time.monotonic() < end:
        for _ in range(100):
            step(n)
            n += 1
            cells[2 * index + 1] = n


def main():
    path, number, seconds = sys.argv[1:4]
    with open(path, "r+b") as file:
        cells = memoryview(mmap.mmap(file.fileno(), 0)).cast("Q")
    forever = seconds == "forever"
    end = time.monotonic() + (3600 if forever else float(seconds))
    children = []
    for index in range(1, int(number)):
        pid = os.fork()
        if pid == 0:
            count(cells, index, end)
            print(index, flush=True)
            os._exit(0)
        children.append(pid)
    count(cells, 0, time.monotonic() + 0.3 if forever else end)
    for pid in children:
        os.waitpid(pid, 0)
    print(0, flush=True)
    if sys.argv[4:] == ["again"]:
        pid = os.fork()
        if pid == 0:
            print("again", flush=True)
            os._exit(0)
        os.waitpid(pid, 0)


main()
