"""Variables that are bound, changed in place, deleted and shared by closures."""


def work(n):
    total = 0
    names = []
    table = {}
    for i in range(n):
        total += i * i
        names.append(str(i))
        table[i] = names[-1] * 2
        if i == 2:
            del total
            total = -1.5
    pair = (total, names, None, b"\x00")
    return pair


def outer(x, *args, key=None, **rest):
    def inner(y):
        nonlocal x
        x += y
        return x

    z = inner(3)
    z = inner(z) + len(args)
    return z


def walk(tree, depth):
    here = [depth]
    for child in tree:
        below = walk(child, depth + 1)
        here += below
    return here


def main():
    work(5)
    outer(1, "a", "b", key={"k": True}, other=2 ** 70)
    walk([[[], []], []], 0)


if __name__ == "__main__":
    main()
