import gc; gc.disable()


def count(n):
    for i in range(n):
        got = yield i
        if got:
            yield -got


def careful():
    try:
        while True:
            try:
                yield "waiting"
            except ValueError as error:
                yield str(error)
    finally:
        print("closed")


def outer():
    result = yield from inner(3)
    yield result
    yield from [1, 2]


def inner(n):
    try:
        for i in range(n):
            yield i
    except KeyError:
        yield "key"
    return "done"


def never_started():
    yield 1


def raising():
    yield 1
    raise OSError("from a generator")


g = count(4)
print(next(g), g.send(7), next(g), list(g))

g = careful()
print(next(g), g.throw(ValueError("thrown")), next(g))
g.close()

print(list(outer()))
g = outer()
next(g)
print(g.throw(KeyError("k")), list(g))

g = never_started()
g.close()
g = never_started()
try:
    g.throw(RuntimeError("not started"))
except RuntimeError as error:
    print(error)

try:
    for x in raising():
        print(x)
except OSError as error:
    print(error)

print(sum(i * i for i in range(20) if i % 3), any(i > 3 for i in range(9)))
print(max((len(str(i)), i) for i in (5, 50, 500)))
g = count(3)
print(next(g, None))
del g
