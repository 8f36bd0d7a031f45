"""The depth that recursion reaches, in Python and through C."""
import sys


def deeper(n):
    try:
        return deeper(n + 1)
    except RecursionError:
        return n


class Through:
    def __repr__(self):
        global reached
        reached += 1
        return repr(self)


reached = 0
print(deeper(0))
sys.setrecursionlimit(400)
print(deeper(0))
try:
    repr(Through())
except RecursionError as error:
    print(reached, error)
