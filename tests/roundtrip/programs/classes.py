import gc; gc.disable()


class Meta(type):
    def __new__(mcls, name, bases, namespace, **kwargs):
        cls = super().__new__(mcls, name, bases, namespace)
        cls.tag = kwargs.get("tag")
        return cls

    def __call__(cls, *args, **kwargs):
        return super().__call__(*args, **kwargs)


class Base(metaclass=Meta, tag="base"):
    registry = []

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__()
        Base.registry.append(cls.__name__)

    def __init__(self, value):
        self._value = value

    @property
    def value(self):
        return self._value

    @value.setter
    def value(self, value):
        self._value = value * 2

    @classmethod
    def make(cls, value):
        return cls(value)

    @staticmethod
    def twice(x):
        return 2 * x

    def __repr__(self):
        return f"{type(self).__name__}({self._value!r})"

    def __eq__(self, other):
        return self.value == other.value

    def __hash__(self):
        return hash(self._value)

    def __lt__(self, other):
        return self._value < other._value

    def __add__(self, other):
        return type(self)(self._value + other._value)

    def __getattr__(self, name):
        if name.startswith("x_"):
            return name[2:]
        raise AttributeError(name)

    def __getitem__(self, index):
        if index >= 3:
            raise IndexError
        return self._value + index

    def __len__(self):
        return 3

    def __bool__(self):
        return True

    def __contains__(self, item):
        return item == self._value

    def __call__(self, *args):
        return args

    def __del__(self):
        print("gone", self._value)


class Derived(Base, tag="derived"):
    def __init__(self, value):
        super().__init__(value + 1)

    def __iter__(self):
        return iter([self._value])


class Descriptor:
    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner):
        return self if instance is None else instance.__dict__[self.name]

    def __set__(self, instance, value):
        instance.__dict__[self.name] = value


class Holder:
    field = Descriptor()
    __slots__ = ("__dict__",)


a, b = Base(1), Derived.make(2)
a.value = 5
print(a, b, a + b, a == b, a < b, sorted([a, b], reverse=True), hash(a))
print(list(a), list(b), len(a), 10 in a, a(1, 2), bool(b), a.x_name)
print(Base.registry, Derived.tag, Base.twice(4), hasattr(a, "nothing"))
holder = Holder()
holder.field = 3
print(holder.field, isinstance(b, Base), issubclass(Derived, Base))
print(max([a, b]), min((a, b), key=lambda item: -item.value))
del a, b
print(bytes.maketrans(b"a", b"b")[97], str.maketrans("a", "b"), dict.fromkeys("ab"),
      int.from_bytes(b"\1\0", "big"))
Local = type("Local", (Derived,), {"__init__": lambda self: None})
local = Local()
local._value = "local"
del local
