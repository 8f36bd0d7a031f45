"""Generators that are interleaved, delegated to, closed and left behind."""


def count(n):
    for i in range(n):
        sent = yield i
        if sent:
            i += sent
    return n


def both(n):
    first = yield from count(n)
    second = yield from count(first - 1)
    return first + second


def nested(depth):
    if depth:
        yield depth
        yield from nested(depth - 1)


def guarded():
    try:
        yield 1
        yield 2
    except ValueError:
        yield 3
    finally:
        len("closed")


def main():
    a, b = count(4), count(3)
    for x, y in zip(a, b):
        len(str(x + y))
    list(both(3))
    for depth in nested(4):
        str(depth)
    g = guarded()
    next(g)
    g.throw(ValueError)
    g.close()
    left = count(5)
    next(left)
    left.send(2)
    total = sum(i * i for i in range(5))
    return sorted(range(5), key=lambda v: -v)[0] + total


if __name__ == "__main__":
    main()
