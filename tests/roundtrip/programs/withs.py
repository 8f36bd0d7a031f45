import gc; gc.disable()
import contextlib


class Lock:
    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        return kind is not None and issubclass(kind, KeyError)


@contextlib.contextmanager
def section(name):
    print("enter", name)
    try:
        yield name
    except IndexError:
        print("swallowed")
    finally:
        print("leave", name)


def early():
    for i in range(3):
        with Lock(), section("loop") as name:
            if i == 1:
                return name


with Lock() as lock:
    {}["missing"]
with section("a"), section("b"):
    [][0]
print(early())
with contextlib.ExitStack() as stack:
    for i in range(3):
        stack.enter_context(section(i))
    stack.callback(print, "callback")
try:
    with Lock():
        raise ValueError
except ValueError:
    print("not swallowed")
with contextlib.suppress(OSError):
    open("/nonexistent/file")
