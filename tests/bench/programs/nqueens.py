"""Places queens by backtracking through recursive generators."""
import sys


def place(size, row, columns, rising, falling):
    if row == size:
        yield ()
        return
    for column in range(size):
        up, down = row + column, row - column
        if column in columns or up in rising or down in falling:
            continue
        rest = place(size, row + 1, columns | {column}, rising | {up},
                     falling | {down})
        for tail in rest:
            yield (column, *tail)


def main(n):
    return sum(1 for _ in range(n)
               for _ in place(7, 0, frozenset(), frozenset(), frozenset()))


if __name__ == "__main__":
    print(main(int(sys.argv[1])))
