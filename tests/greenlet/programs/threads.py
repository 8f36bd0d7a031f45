"""Greenlets in two threads, each with its own, and a program that switches
like a scheduler."""
import threading
from collections import deque

from greenlet import getcurrent, greenlet


def task(name, rounds, hub, out):
    for i in range(rounds):
        out.append((name, sum(range(i))))
        hub.switch()
    return name


def schedule(label, out):
    hub = getcurrent()
    ready = deque(greenlet(task) for _ in range(5))
    for n, g in enumerate(ready):
        g.switch("%s%d" % (label, n), n + 3, hub, out)
    while ready:
        g = ready.popleft()
        g.switch()
        if not g.dead:
            ready.append(g)


results = [[], [], []]
threads = [threading.Thread(target=schedule, args=("t%d-" % i, results[i])) for i in range(2)]
for t in threads:
    t.start()
schedule("m-", results[2])
for t in threads:
    t.join()
print([len(r) for r in results], results[2][-3:])
