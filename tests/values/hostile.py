"""What a recorder of values must not stumble over: code that raises, loops or
exits where it is asked about itself, structures without end, objects that
others change, stacks of every shape.  Prints what a run without it prints."""
import collections
import functools
import gc
import random
import sys
import threading
import weakref

ran, compared = [], []


def run(*args):
    ran.append(sys._getframe(1).f_code.co_name)
    raise SystemExit("the program's own code ran")


class Hostile:
    __repr__ = __str__ = __len__ = __iter__ = __hash__ = __bool__ = run
    __getattr__ = __getattribute__ = __eq__ = __index__ = __getitem__ = run
    __class__ = property(run)


class Noisy:
    def __del__(self):
        ran.append("del")


class Slots:
    __slots__ = ("a", "b", "__weakref__")


class Name(str):
    def __eq__(self, other):
        compared.append(str(other))
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def takes(*args, **kwargs):
    return args


def spread():
    numbers = [3, 1, 2]
    out = [max(*numbers), max(*tuple(numbers)), max(*iter(numbers)), max(*(i for i in numbers))]
    out += [dict(**{"a": 1}, b=2), dict(*[[("x", 1)]], **{"y": 2}), print(*[], end="")]
    out += [sorted(numbers, key=lambda n: -n, reverse=True), int("12", base=16)]
    out += [functools.partial(max, 5)(4), (lambda *a: sum(a))(*numbers), str.join(",", ["a", "b"])]
    out += [",".join(map(str, numbers)), isinstance(3, (int, str)), type("T", (), {})().__class__.__name__]
    takes(*numbers, **dict.fromkeys("abc"))
    many = max(*range(300))
    wide = dict(**{"k%d" % i: i for i in range(300)})
    return [str(o) for o in out], many, len(wide)


def cycles():
    loop = []
    loop.append(loop)
    table = {}
    table["self"] = table
    table["token"] = loop
    loop.append(table)
    a, b = Slots(), Slots()
    a.a, a.b, b.a, b.b = b, a, a, b
    both = takes(loop, table, a, b)
    web = [[] for _ in range(40)]
    for node in web:
        node.extend(web)
    return len(both), len(takes(web))


def huge():
    numbers = list(range(1000000))
    table = dict.fromkeys(numbers)
    text = "x" * 5000000
    chain = None
    for _ in range(20000):
        chain = (chain,)
    total = len(numbers) + len(table) + len(text) + len(takes(chain, numbers, table, text))
    power = 7 ** 20000
    queue = collections.deque(numbers, 1000)
    del numbers[10:]
    table.clear()
    while chain:
        chain = chain[0]
    return total, power % 10, len(queue)


def counted():
    """References and finalizers are where they are without us."""
    o = Noisy()
    seen = [sys.getrefcount(o)]
    takes(o)
    seen.append(sys.getrefcount(o))
    r = weakref.ref(o)
    del o
    seen.append(r() is None)
    temporary = len(takes(Noisy()))
    return seen, temporary, ran.count("del")


def unbound():
    x = 1
    del x
    try:
        print(x)
    except UnboundLocalError as e:
        kept = str(e)[:10]
    try:
        del e
    except UnboundLocalError:
        pass
    return kept


def cells():
    n = 0

    def bump(by):
        nonlocal n
        n += by
        return n

    values = [bump(i) for i in range(4)]
    names = {k: v for k, v in zip("abc", values) if k}
    later = [lambda: values, lambda: n]
    del values
    return names, later[1]()


def generators():
    def inner():
        try:
            got = yield 1
            while got is not None:
                got = yield got * 2
        finally:
            ran.append("closed")

    def outer():
        result = yield from inner()
        return result

    g = outer()
    out = [next(g), g.send(5), g.send([6])]
    h = outer()
    next(h)
    try:
        h.throw(ValueError("x"))
    except ValueError:
        out.append("thrown")
    g.close()
    many = [outer() for _ in range(500)]
    for one in many:
        next(one)
    del many, one
    return out, ran.count("closed")


def threads():
    shared = {"list": [], "dict": {}}
    stop = threading.Event()

    def change(seed):
        r = random.Random(seed)
        while not stop.is_set():
            key = r.randrange(50)
            shared["dict"][key] = [key] * r.randrange(60)
            shared["list"][:] = range(r.randrange(60))
            if r.random() < 0.2:
                shared["dict"].clear()

    old = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    workers = [threading.Thread(target=change, args=(i,)) for i in range(3)]
    for w in workers:
        w.start()
    for i in range(3000):
        takes(shared, shared["list"], shared["dict"])
    stop.set()
    for w in workers:
        w.join()
    sys.setswitchinterval(old)
    return i


def exceptions():
    class Problem(Exception):
        __str__ = __repr__ = run

    out = []
    for kind in (Problem, KeyError, lambda: OSError(2, "no", "f"), lambda: UnicodeDecodeError("a", b"", 0, 1, "b")):
        try:
            raise kind()
        except Exception as e:
            e.self = e
            out.append(type(e).__name__)
    try:
        try:
            int("x")
        finally:
            takes(1)
    except ValueError:
        out.append("again")
    return out


def classes():
    class Space(dict):
        def __getitem__(self, key):
            if key == "magic":
                return 42
            return dict.__getitem__(self, key)

    class Meta(type):
        @classmethod
        def __prepare__(cls, name, bases):
            return Space()

        __getattribute__ = type.__getattribute__

    class Body(metaclass=Meta):
        seen = magic
        for i in range(3):
            seen += i
        del i
    exec("x = 1\nx += 1\ny = [x for x in range(3)]\ndel x", {Name("x"): 5})
    namespace = {}
    exec("a = b = 1\nglobal g\ng = [a]\ng.append(b)", namespace)
    return Body.seen, namespace["g"]


def hostile():
    h = Hostile()
    takes(h, [h], {1: h}, named=h)
    k = h
    takes({Name("secret"): 1}, k)
    del h, k
    return ran.count("__getattribute__")


if __name__ == "__main__":
    for check in (spread, cycles, huge, counted, unbound, cells, generators, threads, exceptions, classes, hostile):
        print(check.__name__, check())
    gc.collect()
    print("compared", compared)
    print("ran", sorted(set(ran)), sys.exc_info())
    print("done 1")
