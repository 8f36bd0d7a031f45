import gc; gc.disable()
import dataclasses


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


def describe(value):
    match value:
        case None | True | False:
            return "constant"
        case int(n) if n > 10:
            return "large"
        case int() | float():
            return "number"
        case [first, *rest] if rest:
            return f"list of {first} and {len(rest)} more"
        case [] | [_]:
            return "short"
        case {"kind": "point", "at": Point(x=0, y=y)}:
            return f"on the axis at {y}"
        case {"kind": kind, **others}:
            return f"{kind} {sorted(others)}"
        case Point(x, y):
            return f"point {x} {y}"
        case str() as text:
            return text.upper()
    return "other"


for value in (None, 3, 30, 2.5, [1, 2, 3], [], [1], {"kind": "point",
              "at": Point(0, 5)}, {"kind": "box", "w": 1}, Point(1), "text",
              b"bytes", {1, 2}):
    print(describe(value))
print(Point(1, 2) == Point(1, 2), dataclasses.astuple(Point(3)))
