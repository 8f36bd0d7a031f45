"""Loops that only their backward jump tells of, and code too long for short
records of branches."""


def counted(limits):
    i = 0
    try:
        while True:
            limits[i] = i
            i += 1
    except IndexError:
        return i


def makes_generators(results):
    """A call that tells nothing: the generator function does not run."""
    def numbers(n):
        yield n
    it = iter(results)
    made = []
    try:
        while True:
            made.append(numbers(it.__next__()))
    except StopIteration:
        return [next(g) for g in made]


def nested(rows):
    seen = 0
    i = 0
    try:
        while True:
            row = rows[i]
            i += 1
            j = 0
            try:
                while True:
                    seen += row[j]
                    j += 1
            except IndexError:
                pass
    except IndexError:
        return seen


class Ready:
    """Awaited, it is done at once: SEND ends without a word."""

    def __await__(self):
        return iter(())


async def awaits(left):
    try:
        while True:
            await Ready()
            left.pop()
    except IndexError:
        return "empty"


def drive(coroutine):
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value


def long_function():
    lines = ["def long(x):", "    n = 0"]
    for i in range(1500):
        lines.append("    if x != %d and x: n += %d" % (i, i))
    lines += ["    for i in range(3):", "        n += i", "    return n"]
    space = {}
    exec("\n".join(lines), space)
    return space["long"]


print(counted([0] * 20), makes_generators([1, 2, 3]))
print(nested([[1, 2], [], [3]]), drive(awaits([1, 2])))
long = long_function()
print(long(7), long(0), len(long.__code__.co_code) > 16384)
