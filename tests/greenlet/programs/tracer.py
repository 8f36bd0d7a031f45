"""A program that traces its greenlets itself: it sees what it would alone."""
import threading

import greenlet
from greenlet import getcurrent, gettrace, settrace

names = {}
seen = []


def name(g):
    return names.setdefault(id(g), len(names))


def trace(event, args):
    origin, target = args
    seen.append((event, name(origin), name(target)))


def step(n):
    for i in range(n):
        getcurrent().parent.switch(i)


def run(n):
    g = greenlet.greenlet(step)
    keep.append(g)
    values = []
    while not g.dead:
        values.append(g.switch(n) if not g else g.switch())
    return values


keep = []
print(gettrace(), run(2), seen)
print(settrace(trace), gettrace() is trace, run(3))
print(seen)
previous = settrace(None)
print(previous is trace, gettrace(), run(2), len(seen))


def failing(event, args):
    seen.append(event)
    raise RuntimeError("no more")


settrace(failing)
try:
    run(2)
except RuntimeError as e:
    print(repr(e), gettrace())
print(run(3), len(seen))
settrace(trace)


def other():
    print(gettrace(), run(1))
    settrace(failing)


t = threading.Thread(target=other)
t.start()
t.join()
print(gettrace() is trace, run(1), len(seen))
try:
    settrace()
except TypeError as e:
    print(e)
