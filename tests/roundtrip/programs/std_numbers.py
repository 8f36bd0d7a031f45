import gc; gc.disable()
import _pydecimal
import datetime
import fractions
import heapq
import random
import statistics

print(fractions.Fraction(3, 7) + fractions.Fraction("1.25"), statistics.mean([1, 2, 4]))
context = _pydecimal.Context(prec=20)
a = _pydecimal.Decimal("1.5")
print(context.divide(a, _pydecimal.Decimal(7)), context.sqrt(a), a.quantize(_pydecimal.Decimal("1")))
print(statistics.stdev([1.5, 2.5, 4.0]), statistics.median([3, 1, 2]))
numbers = random.Random(7)
print([numbers.randint(1, 6) for _ in range(5)], numbers.sample(range(20), 4))
numbers.shuffle(values := list(range(10)))
print(values, heapq.nsmallest(3, values), list(heapq.merge([1, 4], [2, 3])))
day = datetime.date(2024, 2, 29)
print(day.isoformat(), day + datetime.timedelta(days=366), f"{day:%A}")
print(datetime.datetime(2024, 1, 2, 3).replace(tzinfo=datetime.timezone.utc).isoformat())
