"""Generators that delegate: binary trees built and walked in order."""
import sys


class Node:
    __slots__ = ("left", "key", "right")

    def __init__(self, left, key, right):
        self.left = left
        self.key = key
        self.right = right

    def __iter__(self):
        if self.left is not None:
            yield from self.left
        yield self.key
        if self.right is not None:
            yield from self.right


def build(low, high):
    if low >= high:
        return None
    middle = (low + high) // 2
    return Node(build(low, middle), middle, build(middle + 1, high))


def main(n):
    return sum(sum(build(0, 500)) for _ in range(n))


if __name__ == "__main__":
    print(main(int(sys.argv[1])))
