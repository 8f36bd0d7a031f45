import gc; gc.disable()


def everything(a, b=2, /, c=3, *args, d, e=5, **kwargs):
    return a, b, c, args, d, e, kwargs


def forward(*args, **kwargs):
    return everything(*args, **kwargs)


class Callable:
    def __call__(self, *args, **kwargs):
        return len(args), sorted(kwargs)

    def method(self, *args):
        return args


numbers = [1, 2, 3]
options = {"d": 4, "x": 1}
print(forward(*numbers, 9, **options), forward(1, d=2))
print(everything(*iter(numbers), d=0), Callable()(*numbers, **options))
print(Callable().method(*numbers), max(*numbers), dict(**options, y=2))
print("{} {x}".format(*numbers, **options), print(*numbers, sep="-"))
for args, kwargs in (((), {}), ((1,), {"d": 1, "a": 2}), ((1,), {})):
    try:
        forward(*args, **kwargs)
    except TypeError as error:
        print(error)
bound = Callable().method
print(bound(1), list.append(numbers, 4), numbers, str.join(",", ["a", "b"]))
print([*numbers, *range(2)], {**options, "z": 0}, f"{numbers!r:>20}")
a, *b = numbers
print(a, b, sum(x for x in b), divmod(17, 5), pow(2, 10, 7))
