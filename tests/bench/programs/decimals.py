"""Arithmetic with the decimal module written in Python."""
import sys

import _pydecimal
from _pydecimal import Decimal


def main(n):
    context = _pydecimal.getcontext()
    context.prec = 28
    total = Decimal(0)
    for i in range(1, n + 1):
        value = Decimal(i) / Decimal(7)
        total += value.sqrt() * Decimal("1.0000001") - value
        if i % 16 == 0:
            total = total.quantize(Decimal("1e-9"))
    return total


if __name__ == "__main__":
    print(main(int(sys.argv[1])))
