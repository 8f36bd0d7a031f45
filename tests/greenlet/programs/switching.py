"""Greenlets that switch from all kinds of places, and die in all ways."""
import gc
import sys

from greenlet import GreenletExit, getcurrent, greenlet

main = getcurrent()
log = []


def work(n):
    total = 0
    for i in range(n):
        if i % 3:
            total += i
    return total


def ping(first):
    value = first
    while value < 40:
        work(value)
        value = pong_greenlet.switch(value + 1)
    return value


def pong(value):
    while True:
        work(3)
        value = ping_greenlet.switch(value + 2)


ping_greenlet = greenlet(ping)
pong_greenlet = greenlet(pong)
log.append(ping_greenlet.switch(0))


# Deep in a recursion, on both sides.
def deep(n):
    if n:
        return deep(n - 1) + 1
    return main.switch("down")


diver = greenlet(deep)


def switch_deep(n, value=None):
    if n:
        return switch_deep(n - 1, value)
    return diver.switch(*([12] if value is None else [value]))


log.append(switch_deep(5))
log.append(switch_deep(9, 100))


# Out of a generator, and into one that another greenlet has begun.
def numbers():
    for i in range(5):
        yield main.switch(i)


def consume():
    return [x for x in numbers()]


consumer = greenlet(consume)
got = consumer.switch()
while not consumer.dead:
    got = consumer.switch(got)
log.append(got)


def shared():
    yield from range(10)


common = shared()


def take(n):
    return [next(common) for _ in range(n)]


takers = [greenlet(take) for _ in range(3)]
log.append([t.switch(3) for t in takers])


# Out of a C callback: a sort's key, a finalizer, __getattr__, map().
def key(x):
    main.switch(("key", x))
    return -x


def sorting():
    return sorted([3, 1, 2], key=key)


sorter = greenlet(sorting)
got = sorter.switch()
while not sorter.dead:
    got = sorter.switch()
log.append(got)


class Final:
    def __del__(self):
        log.append(("final", main.switch("del")))


def finalize():
    Final()
    try:
        thing = Final()
        raise KeyError(1)
    except KeyError:
        del thing
    return "finalized"


final = greenlet(finalize)
got = final.switch()
while not final.dead:
    got = final.switch(7)
log.append(got)


class Dynamic:
    def __getattr__(self, name):
        return main.switch(name)


mapper = greenlet(lambda: list(map(lambda n: getattr(Dynamic(), n), "ab")))
got = mapper.switch()
while not mapper.dead:
    got = mapper.switch(got * 2)
log.append(got)


# Exceptions: raised, thrown in, GreenletExit, before the start.
def raises():
    try:
        main.switch("ready")
    finally:
        work(4)


def catches():
    while True:
        try:
            main.switch("ready")
        except ValueError as e:
            log.append(repr(e))
        except GreenletExit:
            log.append("exit")
            raise


g = greenlet(raises)
g.switch()
try:
    g.throw(KeyError, "thrown")
except KeyError as e:
    log.append(repr(e))
g = greenlet(catches)
g.switch()
g.throw(ValueError("one"))
g.throw(ValueError("two"))
log.append(repr(g.throw()))
g = greenlet(raises)
log.append(repr(g.throw(GreenletExit("early"))))
try:
    greenlet(raises).throw(OSError("never started"))
except OSError as e:
    log.append(repr(e))


# Killed because nobody holds it any more.
def held():
    try:
        main.switch()
    except GreenletExit:
        log.append("collected")
        work(2)
        raise


g = greenlet(held)
g.switch()
del g
gc.collect()
log.append("after")


# Parents: a child's end and a child's exception go to its parent.
def parent():
    child = greenlet(lambda: work(5))
    log.append(child.switch())
    failing = greenlet(lambda: 1 // 0)
    try:
        failing.switch()
    except ZeroDivisionError:
        log.append("child failed")
    orphan = greenlet(lambda: work(6), main)
    log.append(orphan.switch())
    return "parent's end"


outer = greenlet(parent)
log.append(outer.switch())  # what the orphan gave its parent, which is this
log.append(outer.switch("back"))

# A C function as what runs, and many that live for a moment.
log.append(greenlet(sorted).switch([2, 1]))
relay = greenlet(main.switch)
log.append(relay.switch("relayed"))
for i in range(300):
    log.append(greenlet(work).switch(i % 7))
alive = [greenlet(deep) for _ in range(40)]
for g in alive:
    g.switch(3)
log.append([g.switch(5) for g in reversed(alive)])


# Class bodies, eval and exec, a tracer of the program, an unhandled end.
class Custom(greenlet):
    def run(self, n):
        return eval("main.switch(n) + 1", globals(), {"n": n})


custom = Custom()
log.append(custom.switch(4))
log.append(custom.switch(5))


def running():
    exec("for i in range(3): main.switch(i)")


executor = greenlet(running)
while not executor.dead:
    log.append(executor.switch())
left = greenlet(catches)
left.switch()
print(len(log), log[:12], log[-6:], sys.getrecursionlimit())
