import gc; gc.disable()
code = compile("a = 1\nfor i in range(4):\n    a += f(i)\nprint(a)\n", "<made>", "exec")


def f(x):
    return eval("x * 2")


exec(code, {"f": f})
print(eval("[f(i) for i in range(3)]", {"f": f}))
exec("def g(n):\n  return n if n < 2 else g(n-1) + g(n-2)\nprint(g(7))")
namespace = {}
exec("class C:\n  def m(self): return 7", namespace)
print(namespace["C"]().m(), eval(compile("1 + 2", "<expr>", "eval")))
try:
    exec("raise KeyError('inside')")
except KeyError as error:
    print(error)
try:
    eval("1 +")
except SyntaxError as error:
    print(error.msg)
print((lambda *a, **k: (a, k))(1, b=2), globals()["f"](21))
