"""A debugger that jumps.  Prints the lines that ran, as its tracer saw them."""
import json
import sys

ran = []


class Jump:
    """Jumps once from one line of a function to another, counted from its first."""

    def __init__(self, function, start, to):
        self.code = function.__code__
        self.start = self.code.co_firstlineno + start
        self.to = self.code.co_firstlineno + to
        self.done = False

    def __call__(self, frame, event, arg):
        if frame.f_code is not self.code:
            return None
        if event == "line":
            if frame.f_lineno == self.start and not self.done:
                frame.f_lineno = self.to
                self.done = True
            # where it goes on after a jump, no line is told
            ran.append((self.code.co_name, frame.f_lineno))
        return self


def forward(out):
    out.append(1)
    out.append(2)
    i = None
    for i in range(3):
        out.append(i)
    out.append(5)
    return out


def backward(out):
    out.append(1)
    out.append(2)
    out.append(3)
    if out:
        out.append(4)
    while len(out) < 9:
        out.append(5)
    return out


def generates(out):
    out.append(1)
    yield from out
    out.append(2)
    yield 3
    out.append(4)


for function, start, to in ((forward, 2, 6), (forward, 6, 1), (backward, 3, 1), (forward, 5, 6),
                            (backward, 4, 6), (backward, 7, 1), (generates, 3, 5)):
    sys.settrace(Jump(function, start, to))
    result = list(function([]))
    sys.settrace(None)
    print(function.__name__, start, to, result)
print(json.dumps(ran))
