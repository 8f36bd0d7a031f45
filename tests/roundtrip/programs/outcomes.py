"""Branches that go one way long before they go the other, in every form."""
import sys

N = 300


def loops(n):
    total = 0
    for i in range(n):
        total += i
    for i in range(n):
        if i == n - 5:
            break
    else:
        total = -1
    while n:
        n -= 1
        if n == 3:
            continue
        total += 1
    return total


def ways(x):
    if x < N - 7:
        y = 1
    elif x == N - 7:
        y = 2
    elif x == N - 6 or x == N - 5 and y_of(x):
        y = 3
    else:
        y = 4
    y += 10 if x > N - 3 else 20
    assert x < N, "never"
    return y if not x % 2 else -y


def y_of(x):
    if x: return True


def joined(x):
    if x >= 0:
        x += 1
    if x != 250 and x != 251:
        x += 1
    return x


def guarded(x):
    try:
        try:
            if x == N - 2:
                raise KeyError(x)
            if x == N - 1:
                return "early"
        finally:
            x = -x if x > 200 else x
    except KeyError:
        x = 0
    with open("/dev/null", "w") as out:
        if x == -220:
            print(x, file=out)
    return x


def matched(x):
    match x:
        case 299:
            return "last"
        case int() if x < 290:
            return "many"
        case [_, *rest] if rest:
            return "list"
        case _:
            return "few"


def generated(n):
    for i in range(n):
        if i < n - 1:
            yield i
        else:
            yield from (k for k in range(n) if k > n - 3)


def comprehended(n):
    return [i for i in range(n) if i > 250 and i % 2], {i: 0 for i in range(n) if i != 280}


def late(x):
    return x is None or x > 5


# The ways lie further apart than one code unit's argument can say.
far = "def far(x):\n    n = 0\n    for i in range(x):\n        if i > 290:\n" + "".join(
    "            n += i * %d\n" % i for i in range(200)) + "    return n\n"
space = {}
exec(far, space)

results = [loops(N), [ways(i) for i in range(N)], [joined(i) for i in range(N)],
           [guarded(i) for i in range(N)], [matched(i) for i in range(N)], matched([1, 2]),
           list(generated(N)), comprehended(N), [late(3) for i in range(N)], late(7), late(None),
           space["far"](N), joined(-5)]
for i in range(N):
    if i > 250 and "-v" in sys.argv:
        print(i)
print(hash(repr(results)))
