import gc; gc.disable()
import collections
import copy
import io
import pickle
import pprint
import types


class Node:
    def __init__(self, value, *children):
        self.value = value
        self.children = list(children)

    def __getstate__(self):
        return {"value": self.value, "children": self.children}


tree = Node(1, Node(2), Node(3, Node(4)))
clone = copy.deepcopy(tree)
print(clone.children[1].children[0].value, copy.copy([1, [2]]))
out = io.BytesIO()
pickle._Pickler(out, 2).dump({"a": [1, 2.5, "x", None], "b": (1, {2, 3})})
print(pickle._Unpickler(io.BytesIO(out.getvalue())).load())
print(pickle.loads(pickle.dumps(collections.OrderedDict(a=1))))
pprint.pprint({"key%d" % i: list(range(i)) for i in range(6)}, width=30)
counter = collections.Counter("abracadabra")
print(counter.most_common(2), counter + collections.Counter(a=1))
chain = collections.ChainMap({"a": 1}, {"a": 2, "b": 3})
print(chain["b"], dict(chain), collections.namedtuple("P", "x y")(1, y=2))


class Words(collections.UserDict):
    def __missing__(self, key):
        return key * 2


print(Words(a=1)["b"], types.SimpleNamespace(a=1))
default = collections.defaultdict(lambda: len(default))
print([default[c] for c in "abca"], collections.deque(range(5), 3))
