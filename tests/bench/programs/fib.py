"""Recursion and nothing else: the dearest program for a call hook."""
import sys


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def main(n):
    return sum(fib(24) for _ in range(n))


if __name__ == "__main__":
    print(main(int(sys.argv[1])))
