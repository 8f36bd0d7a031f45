"""What the programs beside it watch: generators, exceptions, callbacks from C."""
import json
import re


def gen(n):
    for i in range(n):
        if i % 2:
            yield i


def deco(f):
    def w(*a):
        try:
            return f(*a)
        except ValueError as e:
            return str(e)
        finally:
            pass
    return w


@deco
def fails(x):
    if x > 2:
        raise ValueError(x)
    return x


def main():
    s = sum(gen(20))
    r = [fails(i) for i in range(5)]
    t = json.dumps({"a": r, "b": sorted([3, 1, 2], key=lambda v: -v)})
    m = re.sub(r"\d", lambda m: "x", t)
    return s, m
