#!/usr/bin/env python
"""Every statement, and most places where one can stand."""
from __future__ import annotations

import os, sys; import re  # two on a line
from os import (
    path,
)

x: int
y: int = 1; y += 1
"a constant"; 12; ...
del y
type_ = x if False else (
    1 and
    2  # a comment inside
)


@staticmethod
@(lambda f: f)
def decorated(a, *args, b=1 or 2, **kw) -> (1 if x else 2):
    'doc'
    global x
    def inner():
        nonlocal a
        return a
    return not (a and b) or [inner for inner in args if inner and b if not b]


@decorated
class C(object, metaclass=type): "doc"; attribute = 1


class D:
    """Doc
    of D."""
    async def coroutine(self):
        async with self as a, self as b:
            pass
        async for i in self:
            continue
        else:
            await i
        return [i async for i in self if i]


def loops():
    for i in range(3):
        if i: continue
        break
    else: print(1)
    while i and not i:
        i = (j := i and 1)
    else:
        pass
    for a, b in [(1, 2)]: print(a); print(b)
    if 0: pass
    elif i: pass
    elif not i:
        pass
    else:
        if i:
            pass
        elif __debug__ and not 0:
            pass
    if i:
        pass
    else:
        if i: pass


def errors():
    try:
        raise ValueError from None
    except (KeyError if x else ValueError) as e:
        raise
    except TypeError: pass
    except: pass
    else:
        pass
    finally:
        pass
    try: pass
    finally: pass
    with open(os.devnull) as f, \
            open(os.devnull) as g:
        assert f < g < f and not (f == g), f"{f and g!r:>{1 or 2}}"


def matches(v):
    match v:
        case 1 | 2: return 1
        case [a, *_] if a and not v: return 2
        case (
            {"k": b}
        ): return 3
        case str() as s: return 4
        case c if c: return 5
        case (_): return 6
    match = case = 1
    match v:
        case other:
            return lambda: 1 < v < 3 if v else not match
