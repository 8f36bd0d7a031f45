"""pickle's Python pickler and unpickler."""
import io
import pickle
import sys


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def __reduce__(self):
        # A class of __main__ cannot be found under tools that take its place.
        return complex, (self.x, self.y)


def main(n):
    total = 0
    data = [{"point": Point(i, -i), "text": "s%d" % i, "list": [i, i * 1.5, None, True],
             "tuple": (i, (i, (i,)))} for i in range(20)]
    for _ in range(n):
        out = io.BytesIO()
        pickle._Pickler(out, 4).dump(data)
        total += len(out.getvalue())
        back = pickle._Unpickler(io.BytesIO(out.getvalue())).load()
        total += int(back[3]["point"].real)
    return total


if __name__ == "__main__":
    print(main(int(sys.argv[1])))
