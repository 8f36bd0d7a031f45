import gc; gc.disable()
import argparse
import dataclasses
import enum
import functools
import typing


class Colour(enum.Enum):
    RED = 1
    BLUE = enum.auto()


class Bits(enum.Flag):
    A = 1
    B = 2


@dataclasses.dataclass(order=True, frozen=True)
class Item:
    name: str
    size: int = 0
    tags: list = dataclasses.field(default_factory=list, compare=False)


@functools.singledispatch
def show(value):
    return "object"


@show.register
def _(value: int):
    return "int"


class Pair(typing.NamedTuple):
    a: int
    b: str = "b"


parser = argparse.ArgumentParser(prog="prog", exit_on_error=False)
parser.add_argument("files", nargs="*")
parser.add_argument("-v", "--verbose", action="count", default=0)
parser.add_argument("--level", type=int, choices=range(4), default=1)
commands = parser.add_argument_group("more")
commands.add_argument("--name", metavar="N", help="the name %(default)s")
print(parser.parse_args(["-vv", "--level=2", "a", "b", "--name", "x"]))
print(parser.format_help())
try:
    parser.parse_args(["--level", "9"])
except argparse.ArgumentError as error:
    print(error)
items = sorted([Item("b", 1), Item("a", 2), Item("a", 1)])
print(items, dataclasses.replace(items[0], size=9), dataclasses.asdict(items[1]))
try:
    items[0].size = 3
except dataclasses.FrozenInstanceError as error:
    print(error)
print(Colour.RED, Colour["BLUE"].value, Bits.A | Bits.B, Colour(1), list(Colour))
print(show(1), show("x"), Pair(1), Pair(2, "c")._asdict())
