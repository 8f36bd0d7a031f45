"""Deterministic work for the standard library's modules, each in a function;
counts.py compares how often each function in it is called with cProfile."""
import gc
gc.disable()
import argparse
import ast
import calendar
import collections
import configparser
import copy
import csv
import difflib
import fractions
import html.parser
import io
import json
import pickle
import pprint
import re
import shlex
import statistics
import string
import textwrap
import tokenize
import _pydecimal
import _pyio

SOURCE = open(textwrap.__file__, encoding="utf-8").read()


def do_ast():
    tree = ast.parse(SOURCE)
    return len(ast.unparse(tree)), len(list(ast.walk(tree)))


def do_tokenize():
    return sum(1 for _ in tokenize.generate_tokens(io.StringIO(SOURCE).readline))


def do_difflib():
    old = SOURCE.splitlines()[:120]
    new = [line.replace("text", "word") for line in old[:40]] + old[45:]
    return len(list(difflib.ndiff(old, new))), difflib.SequenceMatcher(None, "abcd", "bcde").ratio()


def do_textwrap():
    return textwrap.fill(SOURCE[:3000], 50), textwrap.dedent("  a\n   b")


def do_json():
    data = {"a": [1, 2.5, None], "b": {"c": "d" * 5}, "list": list(range(20))}
    return json.loads(json.dumps(data, indent=2, sort_keys=True)) == data


def do_re():
    re.purge()
    return [re.compile(p).groups for p in (r"(a|b)*c", r"(?P<x>\w+)\s(?=y)", r"[^a-z]{2,3}?")]


def do_pickle():
    out = io.BytesIO()
    pickle._Pickler(out, 4).dump([{"a": (i, str(i))} for i in range(20)])
    return pickle._Unpickler(io.BytesIO(out.getvalue())).load()[3]


def do_decimal():
    total = _pydecimal.Decimal(0)
    for i in range(1, 20):
        total += _pydecimal.Decimal(i).sqrt() / 3
    return total


def do_fractions():
    return sum(fractions.Fraction(1, n) for n in range(1, 30)), statistics.variance([1, 2, 4, 8])


def do_argparse():
    parser = argparse.ArgumentParser("x")
    parser.add_argument("--a", type=int, default=3)
    parser.add_argument("rest", nargs="*")
    return parser.parse_args(["--a", "4", "b", "c"]), parser.format_help()


def do_configparser():
    config = configparser.ConfigParser()
    config.read_string("[a]\nx = 1\ny = %(x)s\n[b]\nz: yes\n")
    return config["a"]["y"], config.getboolean("b", "z")


class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = collections.Counter()

    def handle_starttag(self, tag, attrs):
        self.seen[tag] += len(attrs)


def do_html():
    tags = Tags()
    tags.feed("<html><p class='a' id=b>text &amp; more<br/></p><!-- no --></html>" * 4)
    return tags.seen


def do_copy():
    data = {"a": [1, (2, [3])], "b": {4, 5}}
    data["self"] = data
    return copy.deepcopy(data)["a"], pprint.pformat({i: list(range(i)) for i in range(9)}, width=20)


def do_calendar():
    return calendar.TextCalendar().formatmonth(2024, 2), calendar.HTMLCalendar().formatmonth(2024, 2)


def do_shlex():
    return shlex.split("a 'b c' --d=\"e f\" \\g # h"), list(csv.reader(["a,'b c',\"d,e\""]))


def do_string():
    text = string.Formatter().format("{0:>5} {name!r} {1[0]}", 1, [2], name="x")
    return text, string.Template("$a ${b}").substitute(a=1, b=2)


def do_pyio():
    raw = _pyio.BytesIO(b"line one\nline two\n")
    return _pyio.TextIOWrapper(_pyio.BufferedReader(raw), "ascii").readlines()


def recursive(n):
    return 1 if n < 2 else recursive(n - 1) + recursive(n - 2)


def do_recursion():
    return recursive(12), sorted(range(9), key=lambda i: recursive(i % 4))


def broken():
    yield 1
    raise KeyError("x")


def do_generators():
    total = sum(i for i in range(9) if i)
    try:
        total += sum(broken())
    except KeyError:
        pass
    g = broken()
    next(g)
    g.close()
    return total


ALL = {name[3:]: function for name, function in list(globals().items())
       if name.startswith("do_")}
