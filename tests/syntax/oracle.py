"""What a text's syntax chunk must hold, worked out by the interpreter that runs
this: oracle.py FILE... prints one JSON object a file.  Other ways are taken
than in syntax/parse.py where there are any: recursion, the text itself, and
`dis`."""
import ast
import dis
import io
import json
import re
import sys
import tokenize
import warnings

CONTEXTS = {"value": 1, "if": 2, "elif": 3, "while": 4, "assert": 5, "ternary": 6,
            "comprehension": 7, "guard": 8}


class Oracle(ast.NodeVisitor):
    def __init__(self, text):
        self.lines = text.split("\n")
        self.statements, self.decisions = [], []
        self.statement = None
        self.visit(ast.parse(text))

    def text_at(self, line, column):
        return self.lines[line - 1].encode()[column:].decode()

    def generic_visit(self, node):
        if isinstance(node, ast.stmt):
            outer, self.statement = self.statement, span(node)
            decorators = getattr(node, "decorator_list", [])
            self.statements.append([
                span(node), decorators[0].lineno if decorators else node.lineno,
                getattr(node, "name", None) if not isinstance(getattr(node, "name", None), ast.AST)
                else None])
            super().generic_visit(node)
            self.statement = outer
        else:
            super().generic_visit(node)

    def root(self, context, node):
        """The tree, then the decisions within it."""
        self.decisions.append([CONTEXTS[context], self.statement, self.tree(node)])

    def tree(self, node):
        where = span(node)
        if isinstance(node, ast.BoolOp):
            op = "and" if isinstance(node.op, ast.And) else "or"
            return [op, where, *(self.tree(value) for value in node.values)]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return ["not", where, self.tree(node.operand)]
        if isinstance(node, ast.IfExp):
            self.root("ternary", node.test)
            return ["ternary", where, self.tree(node.body), self.tree(node.orelse)]
        if isinstance(node, ast.Compare) and len(node.ops) > 1:
            terms = [node.left, *node.comparators]
            for term in terms:
                self.visit(term)
            return ["chain", where,
                    *(["atom", span(a)[:2] + span(b)[2:]] for a, b in zip(terms, terms[1:]))]
        super().visit(node)
        return ["atom", where]

    def visit_If(self, node):
        written = self.text_at(node.lineno, node.col_offset)
        self.tested("elif" if written.startswith("elif") else "if", node)

    def visit_While(self, node):
        self.tested("while", node)

    def visit_Assert(self, node):
        self.tested("assert", node)

    def tested(self, context, node):
        outer, self.statement = self.statement, span(node)
        self.statements.append([span(node), node.lineno, None])
        self.root(context, node.test)
        for field, value in ast.iter_fields(node):
            if field != "test":
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, ast.AST):
                        self.visit(child)
        self.statement = outer

    def visit_match_case(self, node):
        self.visit(node.pattern)
        if node.guard:
            self.root("guard", node.guard)
        for child in node.body:
            self.visit(child)

    def visit_IfExp(self, node):
        self.root("ternary", node.test)
        self.visit(node.body)
        self.visit(node.orelse)

    def visit_comprehension(self, node):
        self.visit(node.target)
        self.visit(node.iter)
        for test in node.ifs:
            self.root("comprehension", test)

    def valued(self, node):
        self.root("value", node)

    visit_BoolOp = valued

    def visit_UnaryOp(self, node):
        if isinstance(node.op, ast.Not):
            self.root("value", node)
        else:
            self.generic_visit(node)

    def visit_Compare(self, node):
        if len(node.ops) > 1:
            self.root("value", node)
        else:
            self.generic_visit(node)


def span(node):
    return [node.lineno, node.col_offset, node.end_lineno, node.end_col_offset]


def suites(text):
    """Begin of the first statement and end line of the last, of each list of
    statements below the module, with the keyword that its header must have."""
    keyword = {"orelse": "else", "finalbody": "finally"}
    found = []
    for node in ast.walk(ast.parse(text)):
        for field, value in ast.iter_fields(node):
            if isinstance(node, ast.Module) or not isinstance(value, list) \
                    or not value or not isinstance(value[0], ast.stmt):
                continue
            word = keyword.get(field, type(node).__name__)
            found.append([value[0].lineno, value[-1].end_lineno, word])
    return sorted(found)


def code_lines(text):
    todo = [compile(text, "x", "exec", dont_inherit=True)]
    lines = set()
    for code in todo:
        lines.update(line for _, line in dis.findlinestarts(code) if line)
        todo += [c for c in code.co_consts if isinstance(c, type(code))]
    return sorted(lines)


def tokens(text):
    comments, logical, first = [], [], None
    for t in tokenize.generate_tokens(io.StringIO(text).readline):
        if t.type == tokenize.COMMENT:
            before = t.line.encode()[:0] if not t.line else \
                text.split("\n")[t.start[0] - 1][:t.start[1]].encode()
            comments.append([t.start[0], len(before)])
        elif t.type == tokenize.NEWLINE:
            if first is not None and first != t.end[0]:
                logical.append([first, t.end[0]])
            first = None
        elif t.type not in (tokenize.NL, tokenize.INDENT, tokenize.DEDENT,
                            tokenize.ENDMARKER) and first is None:
            first = t.start[0]
    return comments, logical


def answer(path):
    with open(path, "rb") as file:
        data = file.read()
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(data).readline)[0]
        text = re.sub("\r\n?", "\n", data.decode(encoding))
        oracle = Oracle(text)
        comments, logical = tokens(text)
        return {"statements": oracle.statements, "decisions": oracle.decisions,
                "suites": suites(text), "code": code_lines(text), "comments": comments,
                "logical": logical}
    except (SyntaxError, ValueError, RecursionError) as e:
        return {"failure": type(e).__name__}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.setrecursionlimit(10000)
    for name in sys.argv[1:]:
        print(json.dumps(answer(name)))
