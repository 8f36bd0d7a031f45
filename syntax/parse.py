"""What only a parser knows of source texts, for ptrec and ptana.

Started as `PYTHON -I -S -E parse.py` by syntax/parser.c, of the minor version
that ran the program.  Greets, then reads texts from standard input and answers
each on standard output, until the input ends; nothing of a text is imported or
run.

    greeting u32 0x5450_0001, u32 major * 256 + minor
    request  u32 length, that many bytes: the file as it is
    answer   u32 length of what follows, then
             u32 0, u32 lines of the text, for each of TABLES: u32 rows, the
             table's columns one after another, a u32 for each row; then the
             names, in UTF-8, each with a newline behind it
         or  u32 1, why it could not be parsed, in UTF-8

Numbers have the machine's byte order.  The tables, and what is in them, are
those of the syntax chunk in spec/format.md, section 9.

A text can be of any depth that Python's own parser takes, so nothing here
recurses.
"""
import ast
import bisect
import functools
import io
import sys
import tokenize
import warnings
from array import array

GREETING = 0x54500001
TABLES = {
    "statements": ("kind", "flags", "suite", "line", "column", "end_line",
                   "end_column", "first", "name"),
    "suites": ("kind", "flags", "owner", "line", "column", "colon_line",
               "colon_column", "end_line"),
    "expressions": ("op", "context", "flags", "parent", "statement", "line",
                    "column", "end_line", "end_column"),
    "logical": ("first", "last"),
    "comments": ("line", "column"),
    "code": ("line",),
}

KINDS = ("", "Expr", "docstring", "constant", "Assign", "annotation", "Delete",
         "Pass", "Return", "Raise", "Break", "Continue", "Assert", "Import",
         "Global", "TypeAlias", "FunctionDef", "ClassDef", "If", "For",
         "While", "With", "Try", "Match")
SAME_KIND = {"AugAssign": "Assign", "AnnAssign": "Assign", "Nonlocal": "Global",
             "ImportFrom": "Import", "AsyncFunctionDef": "FunctionDef",
             "AsyncFor": "For", "AsyncWith": "With", "TryStar": "Try"}
ASYNC, ELIF, STAR = 1, 2, 4
MODULE, BODY, ELSE, EXCEPT, FINALLY, CASE = range(6)
IMPLICIT, IRREFUTABLE, BARE = 1, 2, 4
ATOM, AND, OR, NOT, CHAIN, TERNARY = range(1, 7)
(INNER, VALUE, IF, ELIF_TEST, WHILE, ASSERT, TERNARY_TEST, COMPREHENSION,
 GUARD) = range(9)
TRUE, FALSE = 1, 2
SKIPPED = {tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def decoded(data):
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    text = data.decode(encoding)
    return text.replace("\r\n", "\n").replace("\r", "\n")


class Tokens:
    """Where tokens begin, with the columns that ast counts in: bytes of
    UTF-8."""

    def __init__(self, text, rows):
        self.lines = text.split("\n")
        self.places = []  # of each token
        self.strings = []
        self.begins = []  # indices of those that begin a logical line
        self.rows = rows
        self.read(text)

    def column(self, line, column):
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        if text.isascii():
            return column
        return len(text[:column].encode("utf-8", "surrogatepass"))

    def read(self, text):
        first = 0
        ascii = text.isascii()
        readline = io.StringIO(text).readline
        for kind, string, (line, column), (end, _), _ in \
                tokenize.generate_tokens(readline):
            if kind == tokenize.COMMENT:
                self.rows["comments"].append((line, self.column(line, column)))
            elif kind == tokenize.NEWLINE:
                if first and end > first:
                    self.rows["logical"].append((first, end))
                first = 0
            elif kind not in SKIPPED:
                if not first:
                    first = line
                    self.begins.append(len(self.places))
                self.places.append(
                    (line, column if ascii else self.column(line, column)))
                self.strings.append(string)

    def find(self, place):
        """The index of the token at `place`, or of the next one."""
        return bisect.bisect_left(self.places, place)

    def begin(self, index):
        """The index of the first token of a token's logical line."""
        at = bisect.bisect_right(self.begins, index) - 1
        return self.begins[max(at, 0)]

    def __getitem__(self, index):
        return self.strings[index] if 0 <= index < len(self.strings) else ""

    def place(self, index):
        return self.places[index] if 0 <= index < len(self.places) else (0, 0)


def span(node, end=None):
    end = end or node
    return node.lineno, node.col_offset, end.end_lineno, end.end_col_offset


def start(statement):
    """Where a statement begins, its decorators counted."""
    decorators = getattr(statement, "decorator_list", None)
    node = decorators[0] if decorators else statement
    return node.lineno, node.col_offset


def constant(expression):
    """TRUE or FALSE where a test does not depend on what runs, else 0: of
    constants, `__debug__`, and their not, and, or."""
    if not isinstance(expression, (ast.Constant, ast.Name, ast.UnaryOp, ast.BoolOp)):
        return 0
    known = {}  # by id
    todo = [(expression, False)]
    while todo:
        node, done = todo.pop()
        value = 0
        if isinstance(node, ast.Constant):
            value = TRUE if node.value else FALSE
        elif isinstance(node, ast.Name) and node.id == "__debug__":
            value = TRUE if __debug__ else FALSE
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            if not done:
                todo += [(node, True), (node.operand, False)]
                continue
            value = {0: 0, TRUE: FALSE, FALSE: TRUE}[known[id(node.operand)]]
        elif isinstance(node, ast.BoolOp):
            if not done:
                todo.append((node, True))
                todo += [(child, False) for child in node.values]
                continue
            decides = FALSE if isinstance(node.op, ast.And) else TRUE
            for child in node.values:
                value = known[id(child)]
                if value in (0, decides):
                    break
        known[id(node)] = value
    return known[id(expression)]


@functools.lru_cache(None)
def fields_of(node_type):
    """The fields of a node that can hold expressions, the last one first."""
    if issubclass(node_type, (ast.Name, ast.Constant)):
        return ()
    return tuple(field for field in reversed(node_type._fields)
                 if field not in ("ctx", "op", "ops", "type_comment"))


class Parser:
    def __init__(self, text):
        self.rows = {name: [] for name in TABLES}
        self.names = []
        self.todo = []  # calls to make, the next one last
        tree = ast.parse(text)
        self.rows["code"] = [(line,) for line in code_lines(text, tree)]
        self.tokens = Tokens(text, self.rows)
        end = max(1, len(self.tokens.lines) - (self.tokens.lines[-1] == ""))
        self.rows["suites"].append((MODULE, 0, 0, 1, 0, 0, 0, end))
        self.push_statements(tree.body, 0, docstring=True)
        while self.todo:
            function, *arguments = self.todo.pop()
            function(*arguments)
        self.lines = end

    def push(self, calls):
        self.todo.extend(reversed(calls))

    # --- statements ---------------------------------------------------------

    def push_statements(self, body, suite, docstring=False):
        calls = [(self.statement, node, suite, False) for node in body]
        if docstring and body and isinstance(body[0], ast.Expr) and \
                isinstance(body[0].value, ast.Constant) and \
                isinstance(body[0].value.value, str):
            calls[0] = self.statement, body[0], suite, True
        self.push(calls)

    def kind(self, node, docstring):
        name = type(node).__name__
        if docstring:
            name = "docstring"
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            name = "constant"
        elif isinstance(node, ast.AnnAssign) and node.value is None:
            name = "annotation"
        return KINDS.index(SAME_KIND.get(name, name))

    def statement(self, node, suite, docstring):
        name, flags = 0, 0
        type_name = type(node).__name__
        if hasattr(node, "name") and isinstance(node.name, str):
            self.names.append(node.name)
            name = len(self.names)
        if type_name.startswith("Async"):
            flags |= ASYNC
        if type_name.endswith("Star"):
            flags |= STAR
        place = node.lineno, node.col_offset
        if isinstance(node, ast.If) and \
                self.tokens[self.tokens.find(place)] == "elif":
            flags |= ELIF
        self.rows["statements"].append((
            self.kind(node, docstring), flags, suite, *span(node),
            start(node)[0], name))
        number = len(self.rows["statements"])
        self.push(self.parts(node, number, flags))

    def parts(self, node, number, flags):
        """What a statement consists of, in the order of the text."""
        calls = []
        for field, value in ast.iter_fields(node):
            if field == "test":
                context = WHILE if isinstance(node, ast.While) else \
                    ASSERT if isinstance(node, ast.Assert) else \
                    ELIF_TEST if flags & ELIF else IF
                calls.append((self.decision, value, context, 0, number))
            elif field in ("body", "orelse", "finalbody"):
                if value:
                    calls.append((self.suite, node, field, value, number))
            elif field == "handlers":
                calls += [(self.handler, child, number) for child in value]
            elif field == "cases":
                calls += [(self.case, child, number) for child in value]
            else:
                calls += [(self.expression, child, number)
                          for child in (value if isinstance(value, list) else [value])
                          if isinstance(child, ast.AST)]
        return calls

    # --- suites -------------------------------------------------------------

    def add_suite(self, kind, flags, number, place, body):
        """`place` is where the header begins, None for that of the keyword
        that is all of it.  Gives the suite's index."""
        tokens = self.tokens
        index = tokens.find(start(body[0]))
        if getattr(body[0], "decorator_list", None):
            index = tokens.begin(index)
        colon = (0, 0)
        if not flags & IMPLICIT and tokens[index - 1] == ":":
            colon = tokens.place(index - 1)
            place = place or tokens.place(index - 2)
        self.rows["suites"].append((
            kind, flags, number, *(place or start(body[0])), *colon,
            body[-1].end_lineno))
        return len(self.rows["suites"]) - 1

    def suite(self, node, field, body, number):
        kind, flags, place = BODY, 0, (node.lineno, node.col_offset)
        if field != "body":
            kind = ELSE if field == "orelse" else FINALLY
            place = None
        if field == "orelse" and isinstance(node, ast.If) and len(body) == 1 \
                and isinstance(body[0], ast.If) \
                and self.tokens[self.tokens.find(start(body[0]))] == "elif":
            flags = IMPLICIT
        suite = self.add_suite(kind, flags, number, place, body)
        defines = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef,
                                    ast.ClassDef))
        self.push_statements(body, suite, docstring=defines)

    def handler(self, node, number):
        flags = 0 if node.type else BARE
        suite = self.add_suite(EXCEPT, flags, number,
                               (node.lineno, node.col_offset), node.body)
        self.push_statements(node.body, suite)
        if node.type:
            self.push([(self.expression, node.type, number)])

    def case(self, node, number):
        tokens, pattern = self.tokens, node.pattern
        while isinstance(pattern, (ast.MatchOr, ast.MatchAs)):
            if isinstance(pattern, ast.MatchOr):
                pattern = pattern.patterns[-1]
            elif pattern.pattern is None:
                break
            else:
                pattern = pattern.pattern
        anything = isinstance(pattern, ast.MatchAs) and node.guard is None
        place = tokens.place(tokens.begin(tokens.find(start(node.pattern))))
        suite = self.add_suite(CASE, IRREFUTABLE if anything else 0, number,
                               place, node.body)
        calls = [(self.expression, node.pattern, number)]
        if node.guard:
            calls.append((self.decision, node.guard, GUARD, 0, number))
        self.push_statements(node.body, suite)
        self.push(calls)

    # --- expressions --------------------------------------------------------

    def expression(self, node, number):
        """Looks for the decisions in an expression whose own truth is not
        asked for."""
        self.walk([node], number)

    def walk(self, stack, number):
        """... in expressions, of which the next is last."""
        while stack:
            node = stack.pop()
            fields = fields_of(type(node))
            if isinstance(node, ast.BoolOp) or \
                    isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not) or \
                    isinstance(node, ast.Compare) and len(node.ops) > 1:
                self.push([(self.decision, node, VALUE, 0, number),
                           (self.walk, stack, number)])
                return
            if isinstance(node, (ast.IfExp, ast.comprehension)):
                self.push([*self.inside(node, number), (self.walk, stack, number)])
                return
            for field in fields:
                value = getattr(node, field, None)
                if isinstance(value, list):
                    stack += [child for child in reversed(value)
                              if isinstance(child, ast.AST)]
                elif isinstance(value, ast.AST):
                    stack.append(value)

    def inside(self, node, number):
        """The decisions that a condition, or what walk() does not look into,
        consists of."""
        if isinstance(node, ast.IfExp):
            return [(self.decision, node.test, TERNARY_TEST, 0, number),
                    (self.walk, [node.orelse, node.body], number)]
        if isinstance(node, ast.comprehension):
            return [(self.walk, [node.iter, node.target], number),
                    *((self.decision, test, COMPREHENSION, 0, number)
                      for test in node.ifs)]
        return [(self.walk, [node], number)]

    def add_expression(self, op, context, parent, number, node, place):
        self.rows["expressions"].append(
            (op, context, constant(node) if node else 0, parent, number, *place))
        return len(self.rows["expressions"])

    def decision(self, node, context, parent, number):
        """An expression whose truth is asked for, or a part of one."""
        op = ATOM
        if isinstance(node, ast.BoolOp):
            op = AND if isinstance(node.op, ast.And) else OR
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            op = NOT
        elif isinstance(node, ast.Compare) and len(node.ops) > 1:
            op = CHAIN
        elif isinstance(node, ast.IfExp):
            op = TERNARY
        own = self.add_expression(op, context, parent, number, node, span(node))
        if op == ATOM:
            calls = self.inside(node, number)
        elif op in (AND, OR):
            calls = [(self.decision, child, INNER, own, number)
                     for child in node.values]
        elif op == NOT:
            calls = [(self.decision, node.operand, INNER, own, number)]
        elif op == TERNARY:
            calls = [(self.decision, node.test, TERNARY_TEST, 0, number),
                     (self.decision, node.body, INNER, own, number),
                     (self.decision, node.orelse, INNER, own, number)]
        else:
            terms = [node.left, *node.comparators]
            calls = [(self.expression, terms[0], number)]
            for left, right in zip(terms, terms[1:]):
                calls += [(self.add_expression, ATOM, INNER, own, number, None,
                           span(left, right)),
                          (self.expression, right, number)]
        self.push(calls)


def code_lines(text, tree):
    """The lines that the compiler has instructions for, but for annotations
    that only who asks for them evaluates (3.14)."""
    written = {min([node.lineno, *(d.lineno for d in node.decorator_list)])
               for node in ast.walk(tree)
               if isinstance(node, ast.FunctionDef) and node.name == "__annotate__"}
    todo = [compile(text, "<source>", "exec", dont_inherit=True)]
    lines = set()
    while todo:
        code = todo.pop()
        lines.update(line for _, _, line in code.co_lines() if line)
        todo += [const for const in code.co_consts if isinstance(const, type(code))
                 and (const.co_name != "__annotate__" or
                      const.co_firstlineno in written)]
    return sorted(lines)


def words(*numbers):
    return array("I", numbers).tobytes()


def answer(data):
    try:
        parser = Parser(decoded(data))
    except (Exception, RecursionError, MemoryError) as e:
        why = "%s: %s" % (type(e).__name__, e)
        return words(1) + why.encode("utf-8", "replace")[:200]
    parts = [words(0, parser.lines)]
    for name, columns in TABLES.items():
        rows = parser.rows[name]
        parts.append(words(len(rows)))
        parts += [words(*column) for column in zip(*rows)]
        assert not rows or len(rows[0]) == len(columns)
    parts += [name.encode("utf-8", "surrogatepass") + b"\n" for name in parser.names]
    return b"".join(parts)


def main():
    warnings.simplefilter("ignore")
    # Deeper than a program's own, whose compiled texts we get; the parser of
    # 3.12 and later has a limit of its own.
    sys.setrecursionlimit(10000)
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    answers.write(words(GREETING, sys.version_info[0] << 8 | sys.version_info[1]))
    answers.flush()
    while head := requests.read(4):
        data = requests.read(int.from_bytes(head, sys.byteorder))
        reply = answer(data)
        answers.write(words(len(reply)) + reply)
        answers.flush()


if __name__ == "__main__":
    main()
