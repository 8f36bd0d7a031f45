"""Recursion, a loop, and an exception that passes through finally."""


def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


def even(n):
    return n == 0 or odd(n - 1)


def odd(n):
    return n != 0 and even(n - 1)


def fails(table, key):
    try:
        return table[key]
    finally:
        fib(2)


def loop(n):
    total = 0
    for i in range(n):
        total += fib(i % 4)
        while total > 10:
            total -= 7
    return total


def main():
    fib(6)
    even(9)
    loop(6)
    try:
        fails({}, "a")
    except KeyError:
        fib(1)
    return fails({"b": 1}, "c")


if __name__ == "__main__":
    main()
