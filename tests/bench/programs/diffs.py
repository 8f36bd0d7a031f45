"""difflib compares two versions of a text, line by line and within lines."""
import difflib
import sys
import textwrap


def main(n):
    with open(textwrap.__file__, encoding="utf-8") as file:
        old = file.read().splitlines()[:160]
    new = [line.replace("self", "this") if i % 7 == 0 else line
           for i, line in enumerate(old) if i % 11]
    total = 0
    for _ in range(n):
        total += sum(len(line) for line in difflib.ndiff(old, new))
        total += sum(1 for _ in difflib.unified_diff(old, new))
    return total


if __name__ == "__main__":
    print(main(int(sys.argv[1])))
