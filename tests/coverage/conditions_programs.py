"""Programs made of decisions: up to eight operands, in every place where Python
asks for a truth, called with what makes their operands true, false, or raise.
The same seed gives the same program."""
import random

HEAD = '''\
import asyncio

class Odd:
    def __bool__(self):
        raise ValueError("neither")

class Box:
    def __init__(self, item):
        self.item = item

class Context:
    def __enter__(self):
        return self
    def __exit__(self, *exc):
        return exc[0] is TypeError

def same(x):
    return x

def fails(x):
    if x == 2:
        raise KeyError(x)
    return x

def pick(*args, **kwargs):
    return args[-1] if args else kwargs

async def later(x):
    await asyncio.sleep(0)
    return x

def gives(x):
    yield x
    return x
'''

CALLS = '''
INPUTS = %r

def drain(result):
    if hasattr(result, "send") and hasattr(result, "throw"):
        try:
            if hasattr(result, "cr_frame"):
                return asyncio.run(wait(result))
            return list(zip(range(50), result))
        finally:
            result.close()
    return result

async def wait(result):
    return await result

for function in FUNCTIONS:
    for values in INPUTS:
        try:
            drain(function(*values))
        except (TypeError, ValueError, KeyError, AssertionError,
                StopIteration, RuntimeError):
            continue
'''

PLACES = '''\
def if_(P):
    if DECISION:
        same(1)
---
def if_else(P):
    if DECISION:
        same(1)
    else:
        same(2)
    return 3
---
def one_line(P):
    if DECISION: pass
---
def elif_(P):
    if DECISION:
        return 1
    elif DECISION:
        return 2
    elif DECISION:
        return 3
    return 4
---
def not_if(P):
    if not (DECISION):
        return 1
---
def while_(P):
    n = 0
    while (n := n + 1) < 4 and (DECISION):
        a = n % 2
---
def while_break(P):
    n = 3
    while DECISION:
        n -= 1
        if n < 0:
            break
        b = same(n)
---
def while_else(P):
    n = 3
    while n:
        n -= 1
        if DECISION:
            continue
        c = n
    else:
        same(a)
---
def for_continue(P):
    for a in (0, 1, None, "x"):
        if DECISION:
            continue
        same(a)
---
def for_none(P):
    for b in (0, 1, None):
        if b is not None:
            same(b)
    for b in (0, 1, None):
        if b is None or DECISION:
            continue
        d = b
---
def for_break(P):
    for a in (0, 1, None):
        if DECISION:
            break
    else:
        return 1
---
def assert_(P):
    assert DECISION
---
def assert_message(P):
    assert DECISION, same(a) or "no"
---
def return_(P):
    return DECISION
---
def assign(P):
    x = 1; y = DECISION
    z = y
    return z
---
def assign_twice(P):
    x = DECISION
    y = DECISION
    x = y
    return x
---
def statement(P):
    DECISION
---
def ternary(P):
    return same(1) if DECISION else same(2)
---
def ternary_value(P):
    x = (DECISION) if DECISION else (DECISION)
    return x
---
def ternary_nested(P):
    return 1 if DECISION else (2 if DECISION else 3)
---
def call(P):
    return pick(a, DECISION, k=DECISION)
---
def call_if(P):
    if pick(DECISION) or DECISION:
        return 1
---
def subscript(P):
    if [0, 1, 2][bool(DECISION)] and (DECISION):
        return 1
---
def listcomp(P):
    return [x for x in (0, 1, None, 2) if DECISION]
---
def listcomp_none(P):
    return [x for x in (0, 1, None, 2) if x is not None and DECISION]
---
def listcomp_only_none(P):
    return [x for x in (0, 1, None, 2) if x is None]
---
def listcomp_two(P):
    return [x for x in (0, 1) if DECISION if DECISION]
---
def listcomp_nested(P):
    return [(x, y) for x in (0, 1) if DECISION for y in (1, None) if DECISION]
---
def listcomp_value(P):
    return [DECISION for x in (0, 1, None) if DECISION]
---
def setcomp(P):
    return {x for x in (0, 1) if DECISION}
---
def dictcomp(P):
    return {x: DECISION for x in (0, 1) if DECISION}
---
def genexp(P):
    return list(x for x in (0, 1, None) if DECISION)
---
def any_(P):
    return any(DECISION for x in (0, 1, None) if DECISION)
---
def all_in_if(P):
    if all(DECISION for x in (0, 1)) and DECISION:
        return 1
---
def comp_in_condition(P):
    if [x for x in (0, 1) if DECISION] and (DECISION):
        return 1
---
def match_guard(P):
    match a:
        case 0 if DECISION:
            return 1
        case int() | None if DECISION:
            return 2
        case x if DECISION:
            return 3
---
def match_subject(P):
    match (DECISION):
        case True:
            return 1
        case [1, _]:
            return 3
        case None | 0:
            return 2
---
def lambda_(P):
    return (lambda x: DECISION)(1)
---
def lambda_default(P):
    return (lambda x=DECISION: x if DECISION else 0)()
---
def try_finally(P):
    try:
        if DECISION:
            return 1
    finally:
        if DECISION:
            same(1)
---
def finally_value(P):
    try:
        fails(a)
        for x in (0, 1):
            if x:
                break
    finally:
        y = DECISION
    return y
---
def try_except(P):
    try:
        if DECISION:
            return 1
    except (TypeError, ValueError, KeyError):
        if DECISION:
            return 2
    return 3
---
def try_loop(P):
    for x in (0, 1, 2):
        try:
            if DECISION:
                same(1)
        except Exception:
            continue
---
def with_(P):
    for x in (0, 1):
        with Context() as y:
            if DECISION:
                same(y)
---
def nested_function(P):
    def inner(x):
        return DECISION
    if inner(a) and DECISION:
        return inner(b)
---
def recursive(P):
    def down(n):
        return n > 0 and (down(n - 1) or DECISION)
    if down(3) or DECISION:
        return 1
---
def class_body(P):
    class Inner:
        x = DECISION
        if DECISION:
            y = 1
    return Inner
---
def generator(P):
    for x in (0, 1):
        if DECISION:
            yield x
---
def generator_operand(P):
    if (yield a) or DECISION:
        yield 1
    x = DECISION and (yield b)
---
def generator_from(P):
    if (yield from gives(a)) and (DECISION):
        yield 1
---
async def coroutine(P):
    if await later(a) or (DECISION):
        return 1
    x = DECISION and await later(b)
    if DECISION and await later(x):
        return 2
---
async def coroutine_raises(P):
    while DECISION and await later(a):
        a = fails(2)
---
def walrus(P):
    if (x := DECISION) and (y := same(b)) or (z := c):
        return x
---
def walrus_value(P):
    x = (y := a) and (z := DECISION)
    return x
---
def condition_of_condition(P):
    if (DECISION) == (DECISION) or (DECISION) is None:
        return 1
---
def constant(P):
    x = DECISION and 1
    y = 0 or DECISION
    if True and (DECISION):
        same(x)
    if (DECISION) or False:
        same(y)
    while 1 and DECISION:
        break
---
def constant_dead(P):
    if 0 and (DECISION):
        same(x)
    if __debug__ and (DECISION):
        return 1
    return 1 or DECISION
---
def fstring(P):
    x = "y"
    return x + str(DECISION)
---
def augmented(P):
    x = 0
    x += bool(DECISION)
    x = y = DECISION
    del x
---
def raise_(P):
    if DECISION:
        raise TypeError(a if DECISION else b)
---
def multiline(P):
    if (DECISION
            and same(b)  # not here
            or not c):
        return (
            a
            or DECISION
        )
---
def starred(P):
    return pick(*([a] if DECISION else []), **{"k": DECISION})
---
def decorator(P):
    @(same if DECISION else pick)
    def inner(x=DECISION):
        return x
    return inner
---
def annotated(P):
    x: (a or b) = DECISION
    return x
'''

NAMES = "abcdefgh"
ATOMS = ["%s"] * 8 + [
    "same(%s)", "fails(%s)", "%s is None", "%s is not None", "%s == 1",
    "%s < 2", "%s in (1, None)", "%s not in (0, 1)", "%s is same", "bool(%s)",
    "%s + 1", "Box(%s).item", "[%s][0]", "(%s)", "pick(%s, k=1)", "-%s",
    "(%s, 1)[0]", "1 == %s", "same(%s) is None", "'%s'.isdigit()"]


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def atom(self):
        r = self.random
        name = r.choice(NAMES)
        roll = r.random()
        if roll < 0.03:
            return "pick(%s)" % self.decision(r.randint(2, 3))
        if roll < 0.05:
            return "(v := %s)" % name
        if roll < 0.06:
            return r.choice(["1", "0", "None", "'x'", "True"])
        return r.choice(ATOMS) % name

    def chain(self, n):
        r = self.random
        terms = [r.choice(["%s", "%s", "same(%s)", "1", "(%s)"]) for _ in range(n + 1)]
        text = terms[0]
        for term in terms[1:]:
            text += r.choice([" < ", " <= ", " == ", " is ", " != ", " is not "]) + term
        return "".join(r.choice(NAMES) if c == "%" else c
                       for c in text.replace("%s", "%"))

    def decision(self, n):
        """An expression of n operands."""
        r = self.random
        roll = r.random()
        if roll < 0.15:
            return "not " + self.inner(n)
        if n == 1:
            return self.atom()
        if roll < 0.28 and n <= 3:
            return self.chain(n)
        if roll < 0.36:
            left = r.randint(1, n - 1)
            return "%s if %s else %s" % (self.inner(left), self.inner(r.randint(1, 2)),
                                         self.inner(n - left))
        cut = sorted(r.sample(range(1, n), min(n - 1, r.choice([1, 1, 1, 2, 3]))))
        sizes = [b - a for a, b in zip([0, *cut], [*cut, n])]
        return r.choice([" and ", " or "]).join(self.inner(size) for size in sizes)

    def inner(self, n):
        text = self.decision(n)
        return text if text.isidentifier() else "(%s)" % text

    def size(self):
        return self.random.choice([1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 6, 8])


def program(seed, functions):
    """The text of a program of so many functions, of every kind in turn."""
    maker = Maker(seed)
    kinds = PLACES.split("---\n")
    text, names = [HEAD], []
    for i in range(functions):
        body = kinds[(seed * functions + i) % len(kinds)]
        while "DECISION" in body:
            size = maker.size()
            body = body.replace("DECISION", "(%s)" % maker.decision(size)
                                if maker.random.random() < 0.7 or size > 1
                                else maker.inner(size), 1)
        name = body.split("(", 1)[0].split()[-1]
        names.append("%s_%d" % (name, i))
        body = body.replace(name + "(P)", names[-1] + "(%s)" % ", ".join(NAMES), 1)
        text.append(body)
    r = maker.random
    inputs = [tuple(r.choice([0, 1, 0, 1, None, 2, "", "s"]) for _ in NAMES)
              for _ in range(14)]
    text.append("FUNCTIONS = [%s]" % ", ".join(names))
    return "\n".join(text) + CALLS % (inputs,)
