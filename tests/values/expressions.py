#!/usr/bin/env python3
"""Expressions as ptana evaluates them, against Python's own eval().

Generated expressions over values of every builtin type, thousands at a time:
the same value, written the same, or the same exception with the same message.
What ptana says it does not know is no answer, and is counted: a case fails
where it is more than a small part.  Words choose cases, --seed=N repeats one.
"""
import os
import random
import subprocess
import sys
import time
import warnings

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
import harness  # noqa: E402

EVALUATE = os.path.join(harness.BUILD, "tests", "evaluate")

VARIABLES = {
    "i": "7", "n": "-3", "z": "0", "big": "2**100 + 1", "huge": "-(10**60)",
    "t": "True", "f": "False", "no": "None", "x": "2.5", "y": "-0.0",
    "inf": "float('inf')", "tiny": "5e-324", "large": "1.5e300",
    "s": "'hello world'", "u": "'\\u00e9t\\u00e9 \\U0001f600!'", "e": "''",
    "q": "\"it's\"", "b": "b'by\\x00tes'", "l": "[3, 1, 2]", "le": "[]",
    "m": "[1, 'a', None, [2.5, (1,)]]", "ls": "['b', 'a', 'c']",
    "tu": "(1, 2, 3)", "te": "()", "d": "{'a': 1, 'b': [1, 2], 3: 'c'}",
    "de": "{}", "st": "{1, 2, 3}", "so": "{2, 'x'}", "fl": "[0.1, 0.2, 0.3]",
}
GROUPS = {
    "number": ["i", "n", "z", "big", "huge", "t", "f", "x", "y", "inf", "tiny",
               "large", "0", "1", "-1", "2", "3", "64", "0.5", "1e308", "10",
               "(2**63)", "(2**53 + 1)", "9007199254740993.0", "True", "0x1F"],
    "string": ["s", "u", "e", "q", "'a'", "'lo'", "'%d'", "'%s!'", "'\\n'",
               "'ab' 'cd'", "r'\\d'"],
    "bytes": ["b", "b''", "b'es'"],
    "list": ["l", "le", "m", "ls", "fl", "[i, x]", "[1] * 3"],
    "tuple": ["tu", "te", "(i,)", "(1, 'a')"],
    "dict": ["d", "de", "{1: 2}", "{'a': 1, True: 'x', 1: 'y'}"],
    "set": ["st", "so", "{2}", "set()", "frozenset(tu)"],
    "other": ["None", "no", "int", "str", "..."],
}
BINARY = ["+", "-", "*", "/", "//", "%", "**", "<<", ">>", "&", "|", "^"]
SAFE = [op for op in BINARY if op not in ("**", "<<")]  # of anything
COMPARE = ["==", "!=", "<", "<=", ">", ">=", "in", "not in", "is", "is not"]
FORMATS = ["%d", "%5d|", "%-5d|", "%05d", "%+d", "% d", "%x", "%#x", "%X",
           "%o", "%.3d", "%08.3d", "%f", "%.2f", "%e", "%g", "%10.3g|", "%+.1E",
           "%s", "%r", "%5s|", "%-5s|", "%.2s|", "%c", "%%", "%#o", "%i",
           "%*d", "%.*f", "%(a)s", "%(b)r", "%(zz)s", "%s %s", "%", "%5", "%y",
           "%G", "%#.3g", "%010.2f|", "%-010.2f|", "%u"]


class Generator:
    """Expressions at random: mostly ones that mean something."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def one(self, *of):
        return self.random.choice(of)

    def atom(self, group=None):
        group = group or self.one(*GROUPS)
        return self.random.choice(GROUPS[group])

    def number(self, depth):
        if depth <= 0 or self.random.random() < 0.3:
            return self.atom("number")
        kind = self.random.randrange(7)
        a, b = self.number(depth - 1), self.number(depth - 1)
        if kind < 3:
            op = self.one(*BINARY)
            if op in ("**", "<<"):
                b = self.one("0", "1", "2", "3", "-1", "0.5", "i")
            return f"({a} {op} {b})"
        if kind == 3:
            return f"{self.one('-', '+', '~')}{a}"
        if kind == 4:
            return f"{self.one('abs', 'int', 'float', 'bool')}({a})"
        if kind == 5:
            return f"{self.one('min', 'max')}({a}, {b})"
        return f"len({self.sequence(depth - 1)})"

    def sequence(self, depth):
        group = self.one("string", "bytes", "list", "tuple", "string", "list")
        if depth <= 0 or self.random.random() < 0.3:
            return self.atom(group)
        kind = self.random.randrange(7)
        a = self.sequence(depth - 1)
        if kind == 0:
            return f"({self.atom(group)} + {self.atom(group)})"
        if kind == 1:
            return f"({a} * {self.one('0', '1', '2', 'n', 't', 'x')})"
        if kind in (2, 3):
            return f"{a}[{self.slice()}]"
        if kind == 4:
            return f"{self.one('sorted', 'list', 'tuple', 'str', 'repr')}({a})"
        if kind == 5:
            return f"{self.one('list', 'sorted')}({self.atom('dict')})"
        return self.text(depth)

    def slice(self):
        def bound():
            return self.one("", "", "0", "1", "2", "-1", "-2", "5", "-9", "99",
                            "i", "None", "10**30", "-10**30")
        step = self.one("", "", "", ":1", ":2", ":-1", ":-2", ":0", ":n")
        return f"{bound()}:{bound()}{step}"

    def text(self, depth):
        args = self.one(self.value(depth - 1), f"({self.value(depth - 1)},)",
                        f"({self.number(0)}, {self.number(0)})", "d")
        return f"({self.one(*FORMATS)!r} % {args})"

    def value(self, depth):
        if depth <= 0:
            return self.atom()
        kind = self.random.randrange(16)
        a, b = self.value(depth - 1), self.value(depth - 1)
        if kind < 3:
            return self.number(depth)
        if kind < 5:
            return self.sequence(depth)
        if kind == 5:
            return f"({a} {self.one(*SAFE)} {b})"
        if kind < 8:
            return f"({a} {self.one(*COMPARE)} {b})"
        if kind == 8:
            ops = [self.one(*COMPARE[:6]) for _ in range(2)]
            return f"({self.number(1)} {ops[0]} {self.number(1)} {ops[1]} {a})"
        if kind == 9:
            return f"({a} {self.one('and', 'or')} {b})"
        if kind == 10:
            return f"(not {a})"
        if kind == 11:
            return f"({a} if {self.value(depth - 1)} else {b})"
        if kind == 12:
            return f"{self.sequence(depth - 1)}[{self.one('0', '-1', '1', '9', 'i', b)}]"
        if kind == 13:
            return self.one(f"d[{b}]", f"[{a}, {b}]", f"({a}, {b})",
                            f"{{{b}: {a}}}", f"{{{a}}} == {{{b}}}",
                            f"{self.atom('set')} {self.one('|', '&', '-', '^', '<=', '<', '==')} {self.atom('set')} == st",
                            f"{self.atom('dict')} | {self.atom('dict')}")
        if kind == 14:
            function = self.one("any", "all", "sum", "min", "max", "sorted",
                                "bool", "str", "repr", "len", "int", "float",
                                "type", "list", "tuple")
            return f"{function}({self.one(a, self.sequence(depth - 1))})"
        return self.one(f"isinstance({a}, {self.one('int', 'str', '(list, dict)', 'bool', 'object', 'float')})",
                        f"type({a}) is {self.one('int', 'str', 'list')}",
                        f"type({a}).__name__", f"ord({a})",
                        f"int({self.one(repr('12'), repr(' -7_0 '), repr('x'), repr('0x1f') + ', 16', repr('z') + ', 36', repr(''))})",
                        f"float({self.one(repr('1.5'), repr('-inf'), repr('1e400'), repr('1_0.5'), repr('.'), repr(' nan '))})",
                        f"sorted({self.atom('list')}, reverse={self.one('True', 'False', 'i')})")


def python(text, names):
    """What Python makes of it, in the words of the program."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = eval(text, {}, names)
    except SyntaxError:
        return "syntax"
    except Exception as error:  # noqa: BLE001: whatever it is, is the answer
        said = str(error)
        return f"raises {type(error).__name__}: {said}"
    return value


def written(value):
    return "value " + repr(value).replace("\n", "\\n")


def ask(lines):
    text = f"{sys.hexversion:#x}\n" + "".join(line + "\n" for line in lines)
    got = subprocess.run([EVALUATE], input=text.encode(), timeout=300,
                         env=harness.environment(),
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    answers = got.stdout.decode().split("\n")[:-1]
    if got.returncode != 0 or len(answers) != len(lines):
        raise harness.Failure(
            f"evaluate ended with {got.returncode} after {len(answers)} of "
            f"{len(lines)} lines: {got.stderr.decode()[-300:]}")
    return answers


def alike(wanted, got, names):
    """Equal, but for the order of a set, and for which of two items that do
    not compare a sort comes upon first."""
    if wanted == got:
        return True
    mixed = "' not supported between instances of "
    if mixed in wanted and mixed in got:
        return True
    # The messages of a version that is not out yet are not settled.
    if sys.version_info >= (3, 15) and wanted.startswith("raises "):
        return got.split(":")[0] == wanted.split(":")[0]
    if wanted.startswith("value ") and got.startswith("value ") and "{" in got:
        try:
            return eval(wanted[6:], {}, names) == eval(got[6:], {}, names)
        except Exception:  # noqa: BLE001: then they differ
            return False
    return False


def variables():
    names = {}
    for name, text in VARIABLES.items():
        names[name] = eval(text, {}, names)
    return names, [f"{name} = {text}" for name, text in VARIABLES.items()]


def compared(texts, most_unknown):
    """Asks for all of them, and compares each."""
    names, lines = variables()
    answers = ask(lines + [f"= {text}" for text in texts])[len(lines):]
    unknown = 0
    for text, got in zip(texts, answers):
        wanted = python(text, names)
        if not isinstance(wanted, str) or \
                not wanted.startswith(("raises ", "syntax")):
            try:
                wanted = written(wanted)
            except ValueError:  # it has more digits than Python writes
                continue
        if got.startswith("unknown "):
            unknown += 1
        elif wanted == "syntax":
            harness.require(got.startswith("syntax "), text, got)
        else:
            harness.require(alike(wanted, got, names), text, "Python:", wanted,
                            "ptana:", got)
    harness.require(unknown <= most_unknown * len(texts), "unknown:", unknown,
                    "of", len(texts))


def generated(seed, n):
    def run(_):
        generator = Generator(seed)
        compared([generator.value(3) for _ in range(n)], 0.02)
    return run


def rows(_):
    """What the generator does not come to."""
    compared([
        "1 if True else 2 if False else 3", "not not 1", "-2 ** 2", "2 ** -1",
        "-2 ** -2", "2 ** 3 ** 2", "1 < 2 < 3 < 4", "1 < 2 > 3", "1, 2", "1,",
        "()", "(1)", "[1, 2,]", "{}", "{1: 2,}", "''", "'a' 'b'", "b'a' b'b'",
        "'a' b'b'", "'''a'b'''", r"'\x41\u00e9\101\\\'\"\n'", r"b'\xff\0'",
        r"r'\n\''", "u'x'", "0x_ff", "0b101", "0o17", "1_000", "1__0", "01",
        "00", "1e3", "1.e3", ".5", "1e", "1_0.0_1e1_0", "...",
        "a b", "1 +", "(1", "[1", "1)", "x = 1", "not", "1 not 2", "is 1",
        "l[1", "l[]", "f(", "1 if 2", "d['a']", "d['zz']", "d[[]]", "l[1.0]",
        "l['a']", "s[0.5]", "None[0]", "1[0]", "(1).x", "None.x", "undefined",
        "i.__class__", "type(i)", "type(None)", "type(l).__name__",
        "True + True", "True == 1 == 1.0", "{1, True, 1.0}", "{1: 'a', True: 'b'}",
        "1 in {1.0: 2}", "float('nan') == float('nan')", "inf - inf", "1 // 0",
        "1 % 0", "1 / 0", "1.0 // 0", "1.0 % 0", "0.0 ** -1", "1 << -1",
        "big / 3", "big / huge", "huge // 7", "huge % -7", "big & -1", "~big",
        "10 ** 400 / 10 ** 399", "10 ** 400 / 3", "10 ** 400 * 1.0",
        "(2**1074 + 1) / 2**2148", "(2**53 + 1) / 1", "(2**54 + 3) / 2",
        "2**53 + 1 == 2.0**53", "2**1024 > 1e308", "2**1024 < inf",
        "1.5e300 * 1e300", "1e300 ** 2", "(-8) ** 2", "-7 // 2", "-7 % 2",
        "7 // -2", "7 % -2", "-7.5 // 2", "-7.5 % 2", "5e-324 / 2", "-0.0 + 0",
        "'%s' % (l,)", "'%s %s' % (1,)", "'%d' % 'a'", "'%(a)s' % d",
        "'%(a)s' % 1", "'%c' % 'ab'", "'a' * -1", "'ab'[::-1]", "u[::-1]",
        "u[7]", "u[-2:]", "l[::-1]", "l[5:1:-2]", "tu[-2:]", "'' in ''",
        "'\\u00e9' in u", "1 in 'a'", "97 in b", "300 in b", "sum(fl)",
        "sum([0.1] * 10)", "sum([1, 0.5, True])", "sum([l, l], [])",
        "sum(['a'])", "sum([], 5)", "min(l)", "min([])", "max('a', 1)",
        "max([], default=3)", "sorted(d)", "any([])", "all([])", "int('12')",
        "int(-2.7)", "int(inf)", "int('a')", "int('ff', 16)", "int('0b11', 0)",
        "float('x')", "str(d)", "repr(q)", "len(u)", "len(1)", "abs('a')",
        "abs(-big)", "bool([])", "list(u)", "tuple(b)", "list(1)", "set(l) == st",
        "frozenset(tu) == st", "st <= {1, 2, 3, 4}", "st < st", "st ^ {1} == {2, 3}",
        "isinstance(True, int)", "isinstance(1, (str, int))", "isinstance(1, 2)",
        "len(1, 2)", "ord('ab')", "ord(1)", "[1, [2]] == [1, [2.0]]",
        "[1] < [1, 2]", "(1, 'a') < (1, 2)", "[1] == (1,)", "'a' < 'b' < 'c'",
        "'\\U0001f600' > '\\uffff'", "l is l", "l is not None", "1 is None",
        "(" * 60 + "1" + ")" * 60, "[" * 50 + "]" * 50,
    ], 0.02)


def hostile(_):
    """Whatever is written, there is an answer."""
    source = random.Random(7)
    signs = ["(", ")", "[", "]", "{", "}", ",", ":", ".", "'", '"', "\\", "%",
             "**", "//", "<<", "not", "in", "is", "if", "else", "and", "or",
             "lambda", "f", "b'", "0x", "1e", "1_", "i", "l", "d", "u", "*",
             "\u00e9", "\u2028", "=", "-", "~", "..."]
    lines = ["= " + " ".join(source.choice(signs) for _ in range(n % 40))
             for n in range(4000)]
    lines += ["= " + "(" * 7000, "= " + "-" * 7000 + "1", "= " + "not " * 2000,
              "= " + "1+" * 3000 + "1", "= " + "a." * 4000, "= " + "l" + "[0]" * 2500,
              "= 'a' * 10**9", "= [1] * 10**9", "= 2 ** (2 ** 40)", "= 1 << 10**12",
              "= '%1000000000d' % 1", "= '%.1000000000f' % 1.0",
              "= [[[[l] * 900] * 900] * 900] == [[[[l] * 900] * 900] * 900]",
              "= " + "1," * 4090, "= 10 ** 5000", "= str(10 ** 5000)",
              "= sorted([1, 2] * 500000)", "= 'a' 'b' " * 800]
    _, before = variables()
    for answer in ask(before + lines)[len(before):]:
        kind = answer.split(" ")[0]
        harness.require(kind in ("value", "raises", "unknown", "syntax"), answer)


def elsewhere(_, python):
    """The same under another version, whose messages and sums differ."""
    done = harness.run([python.path, __file__, "--here"], expect=None,
                       env=harness.environment(BUILD=os.environ.get("BUILD"),
                                               PYTHONDONTWRITEBYTECODE="1",
                                               **python.settings))
    harness.require(done.returncode == 0, done.stdout.decode()[-1500:],
                    done.stderr.decode()[-500:])


def main():
    here = "--here" in sys.argv
    if here:
        sys.argv.remove("--here")
    suite = harness.Suite("expressions")
    seeds = range(20) if harness.ALL else [int(time.time() // 86400), 1]
    for word in list(sys.argv):
        if word.startswith("--seed="):
            seeds = [int(word[7:])]
            sys.argv.remove(word)
    suite.case("rows", rows)
    suite.case("hostile", hostile)
    for seed in seeds:
        suite.case(f"seed {seed}", generated(seed, 3000))
    for python in [] if here else harness.interpreters():
        suite.case(f"{python}: the same", elsewhere, python)
    suite.finish()


if __name__ == "__main__":
    main()
