"""ast.unparse and a visitor over modules of the standard library."""
import ast
import sys
import textwrap
import queue


class Names(ast.NodeVisitor):
    def __init__(self):
        self.count = 0

    def visit_Name(self, node):
        self.count += 1
        self.generic_visit(node)


def main(n):
    total = 0
    for _ in range(n):
        for module in (textwrap, queue):
            with open(module.__file__, encoding="utf-8") as file:
                tree = ast.parse(file.read())
            names = Names()
            names.visit(tree)
            total += names.count + len(ast.unparse(tree))
    return total


if __name__ == "__main__":
    print(main(int(sys.argv[1])))
