import gc; gc.disable()


def nested(n):
    return [[(i, j) for j in range(i) if j % 2] for i in range(n)]


class Table:
    rows = [i * i for i in range(5)]
    names = {str(i): i for i in range(4)}


print(nested(6), Table.rows, Table.names)
print({i % 3 for i in range(10)}, {k: v for k, v in zip("abc", range(3))})
print([f(3) for f in [lambda x, i=i: x + i for i in range(3)]])
print(sorted({y for x in [[1, 2], [3]] for y in x}, reverse=True))
