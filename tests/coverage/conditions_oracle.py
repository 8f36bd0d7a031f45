"""What becomes of every condition of a program, by brute force: each operand
is wrapped in calls that note it.  python conditions_oracle.py PROGRAM OUT

Decisions, and what they consist of, are found from the syntax tree alone; the
program runs as it would, with these calls; and MC/DC is told by trying all
assignments.  Writes JSON: for each decision its place, its conditions with
their places and counts, its vectors with counts, what is shown to decide
alone, and what can be."""
import ast
import collections
import itertools
import json
import sys

LEAF, AND, OR, NOT, TERNARY = range(5)


class Node:
    """A part of a decision: `kind`, `parts`, and of a leaf its number."""

    def __init__(self, kind, parts=(), number=None):
        self.kind, self.parts, self.number = kind, list(parts), number


class Decision:
    def __init__(self, node, asked):
        self.place = place(node)
        self.leaves = []  # places
        self.constant = []  # True, False, or None
        self.asked = []
        self.value = not asked
        self.choices = 0
        self.fixed = {}  # choices whose test is constant
        self.counts = []
        self.vectors = collections.Counter()


def place(first, last=None):
    last = last or first
    return (first.lineno, first.col_offset, last.end_lineno, last.end_col_offset)


def is_chain(node):
    return isinstance(node, ast.Compare) and len(node.ops) > 1


def is_operation(node):
    return isinstance(node, ast.BoolOp) or is_chain(node) or \
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)


def call(name, *arguments):
    return ast.Call(ast.Name(name, ast.Load()),
                    [a if isinstance(a, ast.AST) else ast.Constant(a)
                     for a in arguments], [])


def behind(first, second):
    """An expression that evaluates both and is the second."""
    return ast.Subscript(ast.Tuple([first, second], ast.Load()), ast.Constant(1),
                         ast.Load())


class Wrap(ast.NodeTransformer):
    """Finds decisions and wraps them."""

    def __init__(self):
        self.decisions = []

    def decide(self, node, asked):
        number = len(self.decisions)
        self.decisions.append(Decision(node, asked))
        wrapped, tree = self.part(node, number, not asked)
        self.decisions[number].tree = tree
        return call("__end__", number, behind(call("__begin__", number), wrapped))

    def leaf(self, number, span, build, last, constant=None):
        d = self.decisions[number]
        leaf = len(d.leaves)
        d.leaves.append(span)
        d.constant.append(constant)
        d.asked.append(not last or constant is not None)
        d.counts.append([0, 0, 0])
        node = call("__done__", number, leaf,
                    behind(call("__ask__", number, leaf), build()))
        return node, Node(LEAF, number=leaf)

    def part(self, node, number, last):
        """The wrapped node, and it as a tree.  `last`: its value is that of the
        decision, and nobody asks for its truth."""
        if isinstance(node, ast.BoolOp):
            kind = AND if isinstance(node.op, ast.And) else OR
            parts = [self.part(value, number, last and value is node.values[-1])
                     for value in node.values]
            return ast.BoolOp(node.op, [p[0] for p in parts]), \
                Node(kind, [p[1] for p in parts])
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner, tree = self.part(node.operand, number, last)
            return ast.UnaryOp(node.op, inner), Node(NOT, [tree])
        if isinstance(node, ast.IfExp):
            d = self.decisions[number]
            choice = d.choices
            d.choices += 1
            number_of_test = len(self.decisions)
            test = self.decide(node.test, True)
            test_of = self.decisions[number_of_test]
            way = constant_of(test_of, test_of.tree)
            if way is not None:
                d.fixed[choice] = way
            body, then = self.part(node.body, number, last)
            orelse, other = self.part(node.orelse, number, last)
            return ast.IfExp(test, body, orelse), \
                Node(TERNARY, [then, other], choice)
        if is_chain(node):
            return self.chain(node, number, last)
        constant = bool(node.value) if isinstance(node, ast.Constant) else None
        if isinstance(node, ast.Name) and node.id == "__debug__":
            constant = True
        return self.leaf(number, place(node), lambda: self.visit(node), last,
                         constant)

    def chain(self, node, number, last):
        terms = [node.left, *node.comparators]
        wrapped, trees = [], []
        for i, op in enumerate(node.ops):
            def build(i=i, op=op):
                left = call("__again__") if i else \
                    call("__hold__", self.visit(terms[0]))
                return ast.Compare(left, [op],
                                   [call("__hold__", self.visit(terms[i + 1]))])
            one, tree = self.leaf(number, place(terms[i], terms[i + 1]), build,
                                  last and i == len(node.ops) - 1)
            wrapped.append(one)
            trees.append(tree)
        return ast.BoolOp(ast.And(), wrapped), Node(AND, trees)

    def visit(self, node):
        if is_operation(node):
            return self.decide(node, False)
        if isinstance(node, (ast.If, ast.While, ast.Assert, ast.IfExp)):
            node.test = self.decide(node.test, True)
            for field, value in ast.iter_fields(node):
                if field != "test":
                    setattr(node, field, self.visit_all(value))
            return node
        if isinstance(node, ast.comprehension):
            node.target, node.iter = self.visit(node.target), self.visit(node.iter)
            node.ifs = [self.decide(test, True) for test in node.ifs]
            return node
        if isinstance(node, ast.match_case):
            if node.guard:
                node.guard = self.decide(node.guard, True)
            node.body = self.visit_all(node.body)
            return node
        return self.generic_visit(node)

    def visit_all(self, value):
        if isinstance(value, list):
            return [self.visit(item) for item in value]
        return self.visit(value) if isinstance(value, ast.AST) else value


class Recorder:
    """The calls: evaluations under way, of each frame a list."""

    def __init__(self, decisions):
        self.decisions = decisions
        self.under_way = {}  # by frame

    def frame(self):
        return self.under_way.setdefault(sys._getframe(2), [])

    def close(self, evaluation):
        number, seen, result = evaluation
        self.decisions[number].vectors["".join(seen), result] += 1

    def begin(self, number):
        mine = self.frame()
        for evaluation in [e for e in mine if e[0] == number]:
            self.close(evaluation)
            mine.remove(evaluation)
        mine.append([number, ["-"] * len(self.decisions[number].leaves), "?"])

    def current(self, mine, number):
        return next(e for e in reversed(mine) if e[0] == number)

    def ask(self, number, leaf):
        self.current(self.frame(), number)[1][leaf] = "?"

    def done(self, number, leaf, value):
        d = self.decisions[number]
        if not d.asked[leaf]:
            d.counts[leaf][2] += 1
            return value
        truth = bool(value)
        self.current(self.frame(), number)[1][leaf] = "FT"[truth]
        d.counts[leaf][truth] += d.constant[leaf] is None
        return value

    def end(self, number, value):
        mine = self.frame()
        evaluation = self.current(mine, number)
        if "?" not in evaluation[1]:
            evaluation[2] = "FT"[bool(value)]
        mine.remove(evaluation)
        self.close(evaluation)
        return value

    def hold(self, value):
        self.frame().append(["held", value])
        return value

    def again(self):
        mine = self.frame()
        return next(e for e in reversed(mine) if e[0] == "held")[1]

    def finish(self):
        for mine in self.under_way.values():
            for evaluation in mine:
                if evaluation[0] != "held":
                    self.close(evaluation)


# --- MC/DC, by trying everything ----------------------------------------------


def path(d, node, values, choices, seen):
    """Evaluates a tree; notes in `seen` which leaves were asked for."""
    if node.kind == LEAF:
        truth = values[node.number]
        seen[node.number] = "FT"[truth] if d.asked[node.number] else "?"
        return truth
    if node.kind == NOT:
        return not path(d, node.parts[0], values, choices, seen)
    if node.kind == TERNARY:
        return path(d, node.parts[not choices[node.number]], values, choices, seen)
    for part in node.parts:
        if path(d, part, values, choices, seen) == (node.kind == OR):
            return node.kind == OR
    return node.kind == AND


def assignments(d, fixed):
    """All values of the leaves and choices of the ternaries that agree with
    `fixed`."""
    options = [[d.constant[i]] if d.constant[i] is not None else
               ["FT".index(fixed[i])] if fixed[i] in "TF" else [False, True]
               for i in range(len(d.leaves))]
    for values in itertools.product(*options):
        for choices in itertools.product([True, False], repeat=d.choices):
            if all(choices[i] == way for i, way in d.fixed.items()):
                yield values, choices


def constant_of(d, node):
    """What a part is whatever runs, or None: found from left to right, as the
    compiler does."""
    if node.kind == LEAF:
        return d.constant[node.number]
    if node.kind == TERNARY:
        return None
    for part in node.parts:
        value = constant_of(d, part)
        if node.kind == NOT:
            return None if value is None else not value
        if value is None or value == (node.kind == OR):
            break
    return value


def agrees(d, seen, values, choices):
    other = ["-"] * len(d.leaves)
    path(d, d.tree, values, choices, other)
    return "".join(other) == seen


def shows(d, seen, leaf, known={}):
    """Whether a vector shows an outcome of a leaf: the decision could have gone
    the other way with it."""
    key = id(d), seen, leaf
    if key in known:
        return known[key]
    known[key] = False
    if "?" in seen or seen[leaf] not in "TF" or d.constant[leaf] is not None:
        return False
    for values, choices in assignments(d, seen):
        if not agrees(d, seen, values, choices):
            continue
        other = list(values)
        other[leaf] = not other[leaf]
        scratch = ["-"] * len(d.leaves)
        if path(d, d.tree, values, choices, scratch) != \
                path(d, d.tree, other, choices, scratch):
            known[key] = True
    return known[key]


def possible(d):
    """Every vector that can be."""
    found = set()
    for values, choices in assignments(d, "-" * len(d.leaves)):
        seen = ["-"] * len(d.leaves)
        path(d, d.tree, values, choices, seen)
        found.add("".join(seen))
    return found


def mcdc(d):
    """Of each leaf: the outcomes shown, those that can be, and the vectors that
    show one."""
    every = possible(d)
    result = []
    for leaf in range(len(d.leaves)):
        shown = {seen[leaf] for seen, _ in d.vectors if shows(d, seen, leaf)}
        can = {seen: seen[leaf] for seen in every if shows(d, seen, leaf)}
        result.append({"shown": "".join(sorted(shown)), "can": can})
    return result


def main(program, out):
    with open(program, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    wrap = Wrap()
    tree = ast.fix_missing_locations(wrap.visit(tree))
    recorder = Recorder(wrap.decisions)
    scope = {"__name__": "__main__", "__begin__": recorder.begin,
             "__end__": recorder.end, "__ask__": recorder.ask,
             "__done__": recorder.done, "__hold__": recorder.hold,
             "__again__": recorder.again}
    exec(compile(tree, program, "exec", dont_inherit=True), scope)
    recorder.finish()
    with open(out, "w") as file:
        json.dump([{"span": d.place, "leaves": d.leaves, "counts": d.counts,
                    "constant": d.constant, "asked": d.asked,
                    "vectors": [[seen, result, n]
                                for (seen, result), n in d.vectors.items()],
                    "mcdc": mcdc(d)} for d in wrap.decisions], file)


if __name__ == "__main__":
    main(*sys.argv[1:])
