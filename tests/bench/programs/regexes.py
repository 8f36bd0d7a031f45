"""Compiles regular expressions: the library's own parser and compiler."""
import re
import sys

PATTERNS = [
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)",
    r"^\s*(?:def|class)\s+([A-Za-z_]\w*)\s*[(:]",
    r"(?i)\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b",
    r"(?:[a-z0-9!#$%&'*+/=?^_`{|}~-]+\.)*[a-z0-9]+@(?:[a-z0-9-]+\.)+[a-z]{2,}",
    r"(?x) [-+]? (?: \d+ (?:\.\d*)? | \.\d+ ) (?:[eE][-+]?\d+)?",
    r"(a(b(c(d(e(f)?)?)?)?)?)+|[^\W\d_]{2,5}?(?=x)(?<!y)z",
    r"<(?P<tag>\w+)(?:\s+\w+=\"[^\"]*\")*\s*/?>.*?</(?P=tag)>",
]


def main(n):
    total = 0
    for _ in range(n):
        for pattern in PATTERNS:
            re.purge()
            total += re.compile(pattern).groups
    return total


if __name__ == "__main__":
    print(main(int(sys.argv[1])))
