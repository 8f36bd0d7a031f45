"""json.dumps by the library's Python encoder: nested generators."""
import json.encoder
import sys

json.encoder.c_make_encoder = None


def document(i):
    return {"id": i, "name": "item %d" % i, "price": i / 4, "tags": ["a", "b", None],
            "nested": [{"deep": [True, False, {"x": j}]} for j in range(8)]}


def main(n):
    encoder = json.encoder.JSONEncoder(indent=1, sort_keys=True)
    return sum(len(encoder.encode(document(i))) for i in range(n))


if __name__ == "__main__":
    print(main(int(sys.argv[1])))
