"""Within an interpreter: what the encoder makes of objects, decoded again.

Each check compares with what Python says of the object; the decoder knows
nothing but RFC 8949 and record/proto.h."""
import array
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import gc
import math
import pathlib
import struct
import sys

import encoder

OPAQUE, SEQUENCE, SET, MAPPING, RECORD, TEXT, NUMBERS, BUFFER, WRAPPED = range(9)
NAMES = ("password|token|secret")


class Mark(tuple):
    """An array that stands for something CBOR has no item for."""


class Decoder:
    def __init__(self, data):
        self.data, self.at = data, 0

    def head(self):
        lead = self.data[self.at]
        self.at += 1
        major, n = lead >> 5, lead & 31
        if n < 24 or major == 7:
            return major, n
        size = {24: 1, 25: 2, 26: 4, 27: 8}[n]
        n = int.from_bytes(self.data[self.at:self.at + size], "big")
        self.at += size
        least = {1: 24, 2: 1 << 8, 4: 1 << 16, 8: 1 << 32}[size]
        assert n >= least, "a head that could be shorter"
        return major, n

    def take(self, n):
        assert self.at + n <= len(self.data), "torn"
        self.at += n
        return self.data[self.at - n:self.at]

    def item(self):
        major, n = self.head()
        if major == 0:
            return n
        if major == 1:
            return -1 - n
        if major == 2:
            return self.take(n)
        if major == 3:
            return self.take(n).decode("utf-8", "surrogatepass")
        if major == 4:
            return Mark(self.item() for _ in range(n))
        if major == 6:
            size = int.from_bytes(self.item(), "big")
            return size if n == 2 else -1 - size
        if n == 27:
            return struct.unpack(">d", self.take(8))[0]
        return {20: False, 21: True, 22: None, 23: "unbound"}[n]


def decoded(o):
    data = encoder.encode(o)[1]
    decoder = Decoder(data)
    item = decoder.item()
    assert decoder.at == len(data), "bytes behind the value"
    return item


class Object:
    def __init__(self, mark):
        assert isinstance(mark, Mark) and mark[0] == 7, mark
        self.type = encoder.types()[mark[1] - 1]
        self.number, self.form, self.length = mark[2:5]
        self.items = mark[5:]

    def pairs(self):
        return dict(zip(self.items[::2], self.items[1::2]))


def of(o):
    return Object(decoded(o))


def equal(got, expected):
    assert got == expected and type(got) is type(expected), "%r is not %r" % (got, expected)


def plain_values():
    for v in (None, True, False, 0, 1, -1, 23, 24, -24, -25, 255, 256, 65535, 65536,
              2**32 - 1, 2**32, 0.0, -0.0, 1.5, math.inf, "", "a", "é", "\u20ac",
              "\U0001f600", "\udc80", "a" * 256, b"", b"\0\xff", "x\0y"):
        equal(decoded(v), v)
    assert math.isnan(decoded(math.nan))
    for bits in (30, 31, 59, 60, 61, 62, 63, 64, 65, 90, 91, 120, 127, 128, 1000, 2000):
        for v in (2**bits, 2**bits - 1, 2**bits + 1, 2**bits * 3 // 2):
            equal(decoded(v), v)
            equal(decoded(-v), -v)
    equal(decoded(...), Mark((9,)))
    equal(decoded(NotImplemented), Mark((10,)))


def cut_values():
    equal(decoded("a" * 257), Mark((3, 257, "a" * 256)))
    equal(decoded("é" * 200), Mark((3, 200, "é" * 128)))
    equal(decoded("a" + "\u20ac" * 200), Mark((3, 201, "a" + "\u20ac" * 85)))
    equal(decoded(b"x" * 1000000), Mark((4, 1000000, b"x" * 256)))
    equal(decoded(2**4096), Mark((5, 4097, 0)))
    equal(decoded(-2**4096), Mark((5, 4097, 1)))


def containers():
    for o, form, type_ in (([1, "a"], SEQUENCE, "list"), ((1, "a"), SEQUENCE, "tuple"),
                           ({1, 2}, SET, "set"), (frozenset((1, 2)), SET, "frozenset"),
                           (collections.deque((1, 2)), SEQUENCE, "collections.deque")):
        v = of(o)
        assert (v.form, v.type, v.length, v.number) == (form, type_, 2, 0), vars(v)
        assert sorted(v.items, key=str) == sorted(o, key=str)
    v = of({"a": 1, (1,): None})
    assert (v.form, v.length, v.items[0], v.items[1]) == (MAPPING, 2, "a", 1)
    v = of(list(range(1000)))
    assert (v.length, len(v.items)) == (1000, 32)
    v = of({i: i for i in range(1000)})
    assert (v.length, len(v.items)) == (1000, 64)
    d = collections.deque(range(300))
    for i in range(70):
        d.popleft()
        d.append(i)
    d.appendleft("x")
    assert list(of(d).items) == list(d)[:32]
    s = set(range(100000))
    for i in range(99999):
        s.discard(i)
    assert of(s).length == 1
    deep = [[[[[1]]]]]
    v = of(deep)
    third = Object(Object(v.items[0]).items[0])
    fourth = Object(third.items[0])
    assert (fourth.length, fourth.items) == (1, ())
    assert of([]).items == () and of(()).items == ()


def sharing():
    a = [1]
    v = of([a, a])
    first, second = Object(v.items[0]), v.items[1]
    assert first.number > 0 and second == (1, first.number), v.items
    again = Object(of([a, a]).items[0])
    assert again.number > first.number
    loop = []
    loop.append(loop)
    v = of(loop)
    assert v.number > 0 and v.items == ((1, v.number),)
    d = {}
    d["self"] = d
    v = of(d)
    assert v.number > 0 and v.items == ("self", (1, v.number))
    hash_ = encoder.encode([a, a])[0]
    assert encoder.encode([a, a])[0] == hash_ != encoder.encode([a, [1]])[0]
    a.append(2)
    assert encoder.encode([a, a])[0] != hash_


class Plain:
    def __init__(self):
        self.x = 1
        self.y = "two"


class Slotted:
    __slots__ = ("a", "b", "__dict__")


class Below(Slotted):
    __slots__ = ("c",)


@dataclasses.dataclass
class Point:
    x: int
    y: int = 2


@dataclasses.dataclass(slots=True)
class SlotPoint:
    x: int
    token: str


Pair = collections.namedtuple("Pair", "left password")


class Words(list):
    pass


class Text(str):
    __slots__ = ()


class Colour(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    LOW = 7


def instances():
    v = of(Plain())
    assert (v.form, v.length, v.pairs()) == (RECORD, 2, {"x": 1, "y": "two"}), vars(v)
    p = Plain()
    p.__dict__["z"] = 3
    assert of(p).pairs() == {"x": 1, "y": "two", "z": 3}
    del p.x
    assert of(p).pairs() == {"y": "two", "z": 3}
    p = Plain()
    del p.x
    p.w = 4
    assert of(p).pairs() == {"y": "two", "w": 4}
    many = Plain()
    for i in range(60):
        setattr(many, "a%d" % i, i)
    assert of(many).length == 62
    s = Below()
    s.a, s.c, s.other = 1, 3, 4
    assert of(s).pairs() == {"a": 1, "c": 3, "other": 4}, vars(of(s))
    assert of(Point(1)).pairs() == {"x": 1, "y": 2}
    assert of(SlotPoint(1, "t")).pairs() == {"x": 1, "token": (6,)}
    v = of(Pair(1, "p"))
    assert v.form == RECORD and v.pairs() == {"left": 1, "password": (6,)}
    w = Words("ab")
    w.lang = "en"
    v = of(w)
    assert v.form == WRAPPED and Object(v.items[0]).items == ("a", "b")
    assert v.items[1:] == ("lang", "en"), v.items
    v = of(Text("abc"))
    assert v.form == WRAPPED and v.items == ("abc",)
    assert of(Colour.RED).pairs()["_value_"] == 1
    v = of(Level.LOW)
    assert v.form == WRAPPED and v.items[0] == 7
    v = of([[[Level.LOW]]])
    inner = Object(Object(Object(v.items[0]).items[0]).items[0])
    assert inner.items == (7,)
    v = of(collections.OrderedDict(a=1))
    assert Object(v.items[0]).pairs() == {"a": 1}
    v = of(collections.Counter("aab"))
    assert Object(v.items[0]).pairs() == {"a": 2, "b": 1}
    v = of(bytearray(b"xy"))
    assert v.form == WRAPPED and v.items == (b"xy",)
    o = object()
    v = of(o)
    assert (v.form, v.number) == (OPAQUE, 0)
    assert of([o, o]).items[1][0] == 1
    e = KeyError("k", 2)
    e.extra = [1]
    v = of(e)
    assert v.items[0] == "args" and Object(v.items[1]).items == ("k", 2)
    assert v.items[2] == "extra"
    e = OSError(2, "gone", "file")
    assert of(e).pairs()["errno"] == 2
    assert of({"token": 1, "x": 2}).pairs() == {"token": (6,), "x": 2}
    assert of(fractions.Fraction(1, 3)).pairs() == {"_numerator": 1, "_denominator": 3}


def texts():
    def text(o):
        v = of(o)
        assert (v.form, v.length) == (TEXT, 1)
        return v.items[0]

    equal(text(int), "int")
    equal(text(Plain), "__main__.Plain")
    equal(text(instances), "instances")
    equal(text(Plain().__init__), "Plain.__init__")
    equal(text(len), "len")
    equal(text([].append), "list.append")
    equal(text(list.append), "list.append")
    equal(text(sys), "sys")
    equal(text(instances.__code__), "instances")
    equal(text(i for i in ()), "texts.<locals>.<genexpr>")
    moment = datetime.datetime(2026, 11, 21, 1, 2, 3, 45)
    for o in (moment.date(), moment, moment.replace(microsecond=0), moment.time(),
              datetime.timedelta(5, 6, 7), datetime.timedelta(-1), datetime.timedelta(0, 61),
              moment.replace(tzinfo=datetime.timezone.utc),
              moment.replace(tzinfo=datetime.timezone(datetime.timedelta(0, -9000)))):
        equal(text(o), str(o))
    for number in ("0", "1", "-1.5", "1E+30", "1E-30", "0.001", "0.0000001", "123456789012345678901234567890",
                   "-9999999999999999999", "1.00", "NaN", "-Infinity", "1.5E+3", "0E-8", "0.000001",
                   "12345678901234567890.12345678901234567890123456789012345678901234567890"):
        equal(text(decimal.Decimal(number)), str(decimal.Decimal(number)))
    for path in ("a/b", "/a/b", ".", "/", "x"):
        equal(text(pathlib.PurePosixPath(path)), path)
        known = pathlib.Path(path)
        str(known)
        equal(text(known), path)
    equal(text(pathlib.Path("a", "b", "/c", "d")), "/c/d")
    equal(text(pathlib.Path("/a") / "b"), "/a/b")


def numbers():
    v = of(1 + 2j)
    assert (v.form, v.items) == (NUMBERS, (1.0, 2.0))
    assert of(range(1, 9, 2)).items == (1, 9, 2)
    assert of(slice(None, 2)).items == (None, 2, None)
    v = of(array.array("i", [1, 2, 3]))
    assert (v.form, v.items) == (BUFFER, ("i", 3))
    assert of(array.array("d")).items == ("d", 0)
    v = of(memoryview(b"abcd").cast("B", (2, 2)))
    assert v.items == ("B", 2, 2)
    m = memoryview(b"abcd")
    m.release()
    assert decoded(m) == (8,)
    try:
        import numpy
    except ImportError:
        return
    assert of(numpy.zeros((2, 3))).items == ("d", 2, 3)


class Hostile:
    """All that could run, and must not."""

    def fail(self, *args):
        raise SystemExit("the program's code ran")

    __repr__ = __str__ = __len__ = __iter__ = __getattr__ = __hash__ = fail
    __eq__ = __del__ = __bool__ = __index__ = __int__ = __getitem__ = fail
    __class__ = property(fail)
    __dict__ = property(fail)

    def __getattribute__(self, name):
        raise SystemExit("the program's code ran")


class HostileKey(str):
    def __eq__(self, other):
        raise SystemExit("the program's code ran")

    def __hash__(self):
        return str.__hash__(self)


class HostileList(list):
    __len__ = __iter__ = __getitem__ = Hostile.fail


class Meta(type):
    __getattribute__ = __instancecheck__ = __subclasscheck__ = Hostile.fail


class OfMeta(metaclass=Meta):
    pass


def hostile():
    keep = []
    h = Hostile()
    keep.append(h)
    before = sys.getrefcount(h)
    decoded(h)
    decoded([h, {1: h}, (h,)])
    assert sys.getrefcount(h) == before
    decoded(HostileList([1, 2]))
    decoded({HostileKey("token"): 1})
    o = type("Dyn", (), {})()
    object.__getattribute__(o, "__dict__")[HostileKey("a")] = 1
    decoded(o)
    decoded(OfMeta)
    decoded(object.__new__(OfMeta))
    for fake in ("collections.deque", "datetime.datetime", "decimal.Decimal", "numpy.ndarray",
                 "array.array", "datetime.timezone"):
        cls = type(fake, (), {"__slots__": tuple("abcdefghijklmnopq")})
        decoded(cls())
        decoded(type(fake, (int,), {})(5))
    for name in ("PurePath", "PosixPath"):
        decoded(type(name, (), {"_str": 1, "_raw_paths": [1]})())
        decoded(type(name, (), {"__slots__": ("_str", "_raw_paths", "_parts")})())
    path = pathlib.PurePosixPath.__new__(pathlib.PurePosixPath)
    decoded(path)
    wide = [list(range(1000)) for _ in range(1000)]
    wide += wide
    assert len(encoder.encode(wide)[1]) <= 4096 + 4096
    chain = []
    for _ in range(100000):
        chain = [chain]
    decoded(chain)
    while chain:
        chain = chain[0]
    web = [[] for _ in range(30)]
    for node in web:
        node.extend(web)
    decoded(web)
    class Fields(tuple):
        _fields = ("a", 5)
    decoded(Fields((1, 2)))
    for e in (BaseException.__new__(KeyError), UnicodeDecodeError.__new__(UnicodeDecodeError)):
        decoded(e)
    decoded(memoryview(memoryview(b"abc")))
    decoded(type(sys)("m"))
    module = type(sys).__new__(type(sys))
    decoded(module)
    assert gc.get_count()[0] >= 0
    keep.clear()
    Hostile.__del__ = lambda self: None


def everything():
    """Every object that the interpreter knows of."""
    import ast, asyncio, ctypes, email, http.client, json, logging, sqlite3, typing, unittest, xml.dom  # noqa
    for o in gc.get_objects():
        data = encoder.encode(o)[1]
        d = Decoder(data)
        d.item()
        assert d.at == len(data) and len(data) <= 8192, type(o)


def bounds():
    for depth, length, size, record in ((16, 61440, 61440, 61440), (1, 1, 1, 512), (3, 32, 256, 100)):
        encoder.limits(depth, length, size, record, NAMES)
        objects = [list(range(100000)), "x" * 200000, ["x" * 300] * 1000, {("k%d" % i): [i] * 50 for i in range(5000)},
                   2**1000000, [Plain() for _ in range(20000)], "é" * 100000]
        deep = []
        for _ in range(50):
            deep = [deep, {1: deep}, Words([deep])]
        for o in [*objects, objects, deep, Point(deep)]:
            data = encoder.encode(o)[1]
            assert len(data) <= record + 4096, (len(data), record, type(o))
            d = Decoder(data)
            d.item()
            assert d.at == len(data)
    encoder.limits(3, 32, 256, 4096, NAMES)


encoder.limits(3, 32, 256, 4096, NAMES)
for check in (plain_values, cut_values, containers, sharing, instances, texts, numbers, hostile, everything, bounds):
    if len(sys.argv) < 2 or check.__name__ in sys.argv:
        check()
        print(check.__name__, "ok")
