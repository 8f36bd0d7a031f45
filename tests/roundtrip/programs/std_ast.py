import gc; gc.disable()
import ast
import dis
import io
import tokenize

source = '''
def f(a, *b, c=1, **d):
    """Doc."""
    for i in range(a):
        if i and not b or c:
            yield [x async for x in i]
    return {**d, 'k': f"{a!r:>{c}}"}
class C(object, metaclass=type):
    x: int = 3
'''
tree = ast.parse(source)
print(ast.unparse(tree))
print(ast.dump(tree)[:300], len(list(ast.walk(tree))))
print([node.name for node in ast.iter_child_nodes(tree)], ast.get_docstring(tree.body[0]))
print(ast.literal_eval("{'a': [1, -2, (3,)]}"))
print([(t.type, t.string) for t in tokenize.generate_tokens(io.StringIO(source).readline)][:40])
out = io.StringIO()
dis.dis(compile("x = [a for a in b if a]", "<s>", "exec"), file=out)
print(len(out.getvalue()) > 100)


class Double(ast.NodeTransformer):
    def visit_Constant(self, node):
        return ast.Constant(node.value * 2)


print(ast.unparse(Double().visit(ast.parse("a = 1 + 2 * b"))))
