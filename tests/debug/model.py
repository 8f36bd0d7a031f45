"""What the debugger's motions are, over the list of all items that ptana dump
prints: gone through one by one, without chunks, index or search."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "foreign"))
import ptr_reader  # noqa: E402

ENTERS = {"call", "resume", "throw"}
LEAVES = {"return", "yield", "unwind"}
CLOSES = ENTERS | LEAVES | {"c_call", "line", "instruction", "branch", "jump", "exception",
                            "handled"}


def keys_of(trace):
    """The frame keys of calls, resumes and throws, by the event's number."""
    with open(trace, "rb") as file:
        reader = ptr_reader.Reader(file.read())
    keys = {}
    for thread in reader.threads():
        for chunk in thread.chunks:
            events = ptr_reader.events_of(chunk, chunk.item(), reader.header["clock"])
            for i, (_, ev, values) in enumerate(events):
                if ev in ENTERS:
                    key = values.get("arg", 0)
                    keys[chunk.seq + i] = key if key < 2 ** 64 - 1 else 0
    return keys


class Item:
    """An event, a line or an instruction, and the thread's stack behind it, as
    the numbers of the events that entered its frames; C calls are negative."""

    def __init__(self, row, stack):
        self.seq, self.k, self.ev, self.line = row["seq"], row["k"], row["ev"], row["line"]
        self.file, self.func = row["file"], row["func"]
        self.stack = stack

    @property
    def place(self):
        return self.seq, self.k

    def top(self):
        return next((frame for frame in reversed(self.stack) if frame >= 0), None)


class Thread:
    def __init__(self, keys):
        self.keys = keys
        self.items = []
        self.stack = ()

    def add(self, row):
        ev, stack = row["ev"], self.stack
        if ev in CLOSES:
            while stack and stack[-1] < 0:
                stack = stack[:-1]
        if ev in ENTERS:
            stack += (row["seq"],)
        elif ev == "c_call":
            stack += (-row["seq"],)
        elif ev in LEAVES or (ev in ("c_return", "c_exception") and stack and stack[-1] < 0):
            stack = stack[:-1]
        self.stack = stack
        self.items.append(Item(row, stack))

    # Each motion takes the index of an item and returns that of another.

    def settle(self, i):
        """The line that an instruction starts stands for it."""
        items = self.items
        if i and items[i].ev == "instruction" and items[i - 1].ev == "line" \
                and items[i].place == items[i - 1].place:
            return i - 1
        return i

    def last(self):
        return self.settle(len(self.items) - 1)

    def step(self, i, by=1, ev="line"):
        if ev == "instruction" and by > 0 and self.items[i].ev == "line":
            i += 1
        i += by
        while 0 <= i < len(self.items):
            if self.items[i].ev == ev:
                return self.settle(i)
            i += by
        return 0 if i < 0 else self.last()

    def key(self, frame):
        return self.keys.get(frame, 0)

    def caller(self, frame, stack):
        below = stack[:stack.index(frame)]
        return next((f for f in reversed(below) if f >= 0), None)

    def end(self, frame, i):
        """The item behind which a frame is no more on the stack."""
        while i < len(self.items) and frame in self.items[i].stack:
            i += 1
        return i

    def begin(self, frame, i):
        while i >= 0 and self.items[i].place != (frame, 0):
            i -= 1
        return i

    def resumed(self, frame, end):
        """Where a frame goes on that was suspended at an item; None: nowhere."""
        if self.items[end].ev != "yield" or not self.key(frame):
            return None
        for i in range(end + 1, len(self.items)):
            item = self.items[i]
            if item.ev in ("resume", "throw") and self.key(item.seq) == self.key(frame):
                return i
        return None

    def suspended(self, frame, begin):
        """Where a frame that goes on at an item had been suspended."""
        if self.items[begin].ev == "call" or not self.key(frame):
            return None
        for i in range(begin - 1, -1, -1):
            item = self.items[i]
            if item.ev in ENTERS and self.key(item.seq) == self.key(frame):
                return item.seq, self.end(item.seq, i)
        return None

    def next(self, i, ev="line"):
        frame = self.items[i].top()
        if frame is None:
            return self.step(i, 1, ev)
        if ev == "instruction" and self.items[i].ev == "line":
            i += 1
        while frame is not None:
            i += 1
            if i == len(self.items):
                return self.last()
            item = self.items[i]
            if frame in item.stack:
                if item.ev == ev and item.top() == frame:
                    return self.settle(i)
                continue
            on = self.resumed(frame, i)
            frame = self.items[on].seq if on is not None \
                else self.caller(frame, self.items[i - 1].stack)
            i = i if on is None else on
        return self.step(i, 1, ev)

    def reverse_next(self, i, ev="line"):
        frame = self.items[i].top()
        if frame is None:
            return self.step(i, -1, ev)
        while frame is not None:
            i -= 1
            if i < 0:
                return 0
            item = self.items[i]
            if frame in item.stack:
                if item.ev == ev and item.top() == frame:
                    return self.settle(i)
                continue
            was = self.suspended(frame, i + 1)
            if was:
                frame, i = was
            else:
                frame = self.caller(frame, self.items[i + 1].stack)
                i += 1
        return self.step(i, -1, ev)

    def finish(self, i):
        frame = self.items[i].top()
        if frame is None:
            return i
        while True:
            i = self.end(frame, i)
            if i == len(self.items):
                return self.last()
            on = self.resumed(frame, i)
            if on is None:
                return i
            frame, i = self.items[on].seq, on

    def reverse_finish(self, i):
        frame = self.items[i].top()
        if frame is None:
            return i
        begin = first = self.begin(frame, i)
        if self.key(frame):
            while begin >= 0 and not (self.items[begin].ev == "call"
                                      and self.key(self.items[begin].seq) == self.key(frame)):
                begin -= 1
        begin = first if begin < 0 else begin
        return self.settle(begin - 1) if begin else 0

    def until(self, i, motion, sign):
        frame, line = self.items[i].top(), self.items[i].line
        if frame is None:
            return i
        while True:
            was, i = i, motion(i)
            top = self.items[i].top()
            same = top == frame or (top is not None and self.key(top)
                                    and self.key(top) == self.key(frame))
            if i == was or not same or (self.items[i].line - line) * sign > 0:
                return i


class Model:
    def __init__(self, rows, trace):
        keys = keys_of(trace)
        self.threads = {}
        self.merged = []   # (thread, index)
        for row in rows:
            thread = self.threads.setdefault(row["tid"], Thread(keys))
            thread.add(row)
            self.merged.append((row["tid"], len(thread.items) - 1))
        self.order = {at: n for n, at in enumerate(self.merged)}
