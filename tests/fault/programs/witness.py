"""witness.py FILE [N]: counts in a shared file the calls it has completed, so
that what it did is known however it dies; then prints the sum."""
import mmap
import os
import sys

with open(sys.argv[1], "r+b") as file:
    shared = mmap.mmap(file.fileno(), 16)
limit = int(sys.argv[2]) if len(sys.argv) > 2 else 1 << 62
shared[8:16] = os.getpid().to_bytes(8, "little")


def step(i):
    return i + 1


def main():
    i = 0
    while i < limit:
        i = step(i)
        shared[:8] = i.to_bytes(8, "little")
    print("done", i)


main()
