"""A child that is forked within a greenlet goes on with all of them."""
import os

from greenlet import getcurrent, greenlet

main = getcurrent()


def count(n):
    for i in range(n):
        main.switch(i)
    return "counted"


def fork():
    main.switch("ready")
    pid = os.fork()
    got = main.switch(pid)
    return [got, other.switch()]


other, forker = greenlet(count), greenlet(fork)
log = [other.switch(4), forker.switch()]
pid = forker.switch()
log.append(other.switch())
if pid == 0:
    while not other.dead:
        log.append(other.switch())
    os._exit(len(log) if log == [0, "ready", 1, 2, 3, "counted"] else 99)
log.append(forker.switch("from main"))
log.append(forker.dead)
print(log, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
