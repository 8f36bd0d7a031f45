"""What every process of these programs does: a known number of calls, and a
line about it in a file that all share."""
import os
import sys


def step(i):
    return i


def counting(n):
    for i in range(n):
        yield step(i)


def work(log, label, n):
    """n calls of step(), half of them from a generator; says so."""
    for i in range(n - n // 2):
        step(i)
    list(counting(n // 2))
    fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(fd, b"%d %s %d\n" % (os.getpid(), label.encode(), n))
    os.close(fd)


if __name__ == "__main__":
    work(sys.argv[1], sys.argv[2], int(sys.argv[3]))
