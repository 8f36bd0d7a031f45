"""Exercises every kind of event and every path of the recorder once or more."""
import asyncio
import sys
import threading


def generator(n):
    for i in range(n):
        try:
            yield i
        except ValueError:
            pass


def recurse(n):
    return n and recurse(n - 1)


class Thing(list):
    def __del__(self):
        recurse(2)

    @property
    def size(self):
        return len(self)


async def wait():
    await asyncio.sleep(0)
    return [x async for x in agen()]


async def agen():
    yield 1
    yield 2


def classes():
    for i in range(50):
        kind = type("Made%d" % i, (Thing,), {})
        kind().append(i)
        try:
            raise type("Error%d" % i, (Exception,), {})()
        except Exception:
            pass


def code_objects():
    for i in range(200):
        exec(compile("x = %d\ndef f(): return (1, 2.5, 1j, b'\\0', 'h\\xe9', %d, None, ...)\nf()"
                     % (i, 2 ** 100 + i), "<made %d>" % i, "exec"), {})


def threads():
    many = [threading.Thread(target=recurse, args=(20,)) for _ in range(100)]
    for t in many:
        t.start()
    for t in many:
        t.join()


def tracers():
    seen = []
    sys.settrace(lambda *a: seen.append(a[1]))
    recurse(3)
    sys.settrace(None)
    sys.setprofile(lambda *a: seen.append(a[1]))
    recurse(3)
    sys.setprofile(None)
    return seen


def main():
    g = generator(5)
    next(g)
    g.throw(ValueError)
    g.close()
    list(generator(300))
    asyncio.run(wait())
    try:
        recurse(10 ** 6)
    except RecursionError:
        pass
    classes()
    code_objects()
    threads()
    tracers()
    sorted(range(50), key=lambda x: -x)
    print("done", Thing([1]).size)


main()
