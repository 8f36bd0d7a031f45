"""Runs for SECONDS at a moderate pace, and does a bit of everything again and
again: calls, generators, exceptions, short threads, code compiled anew."""
import sys
import threading
import time


def step(i):
    return i


def numbers(n):
    for i in range(n):
        yield step(i)


def fail(i):
    raise KeyError(i)


def round_():
    for i in numbers(300):
        try:
            if i % 100 == 0:
                fail(i)
        except KeyError:
            pass
    space = {}
    exec(compile("def made(i):\n    return i + 1\nmade(1)\n", "<made>", "exec"), space)


def main(seconds):
    end = time.monotonic() + seconds
    rounds = 0
    while time.monotonic() < end:
        round_()
        rounds += 1
        if rounds % 50 == 0:
            thread = threading.Thread(target=round_)
            thread.start()
            thread.join()
        time.sleep(0.01)
    print(rounds)


main(float(sys.argv[1]))
