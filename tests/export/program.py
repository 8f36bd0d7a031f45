"""What the exports are tried on: recursion, generators, threads, a child, C
calls that raise, names that no format likes."""
import os
import sys
import threading


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def squares(n):
    for i in range(n):
        yield i * i


def down(n):
    return n and down(n - 1)


def fails():
    try:
        int("x")
    except ValueError:
        return len("caught")


def work(n):
    down(50)
    fails()
    return fib(n) + sum(squares(40)) + len(sorted([3, 1, 2], key=lambda x: -x))


hostile = type("</script>\"';\n", (), {})
namespace = {}
exec(compile("def odd(): return 1", "</script><b>\";,\n\u2028.py", "exec"), namespace)
odd = namespace["odd"]
odd.__code__ = odd.__code__.replace(co_name="a;b \"c\"\\ </script>\n",
                                    **({"co_qualname": "a;b \"c\"\\ </script>\n"}
                                       if sys.version_info >= (3, 11) else {}))

threads = [threading.Thread(target=work, args=(n,), name="worker %d" % n) for n in (5, 8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
child = os.fork()
if child == 0:
    work(6)
    os._exit(0)
os.waitpid(child, 0)
odd()
work(10)
