"""Predicted events (spec/format.md section 6.6)."""
from ptr_chunks import COLUMNS, M64, Damaged

CALL, YIELD, RESUME, THROW, BRANCH = 1, 3, 4, 5, 9
BEGINS, ENDS = (CALL, RESUME, THROW), (2, YIELD, 6)
M32 = (1 << 32) - 1


class Step:
    def __init__(self, fields, context, columns):
        self.fields, self.context = fields, context
        self.columns = columns  # without a key
        self.entry, self.next = 0, []


class Keys:
    def __init__(self):
        self.suspended, self.at, self.last, self.stride = [0] * 8, 0, 0, 0


class Prediction:
    def __init__(self, stack):
        self.steps = [Step(None, 0, None)]
        self.frames = [(0, 0, 0)] * 1024  # key, last step, code
        self.top = 0
        self.keys = [Keys() for _ in range(64)]
        self.slots = [0] * 4096
        self.begun, self.branches, self.period = 0, 0, 32
        for is_callable, ident, key in (f[:3] for f in stack):
            if not is_callable:
                self.push(key, 0, ident)

    def push(self, key, last, code):
        self.top = (self.top + 1) % 1024
        self.frames[self.top] = key, last, code

    def events(self, runs, marks, literals, n):
        out, run, used = [], 0, 0
        for mark in marks:
            while True:
                if run == len(runs):
                    raise Damaged("a run is missing")
                self.add_run(out, runs[run], n)
                run += 1
                if runs[run - 1] != 255:
                    break
            if len(out) == n or mark > 16:
                raise Damaged("a mark")
            if mark < 16:
                out.append(self.ranked(mark % 8, mark // 8))
            elif used < len(literals):
                out.append(self.literal(*literals[used]))
                used += 1
            else:
                raise Damaged("a literal is missing")
        if run != len(runs) or used != len(literals):
            raise Damaged("too many runs or literals")
        self.add_run(out, n - len(out), n)
        return out

    def add_run(self, out, count, n):
        if count > n - len(out):
            raise Damaged("a run beyond the last event")
        for _ in range(count):
            out.append(self.ranked(0, 0))

    def ranked(self, rank, rule):
        ways = self.steps[self.frames[self.top][1]].next
        if rank >= len(ways):
            raise Damaged("a rank")
        number = ways.pop(rank)
        ways.insert(0, number)
        step = self.steps[number]
        kind, mask, ident = step.fields[:3]
        columns, key = dict(step.columns), None
        if kind == BRANCH:
            mask |= self.branches + 1 == self.period
        if kind in BEGINS and mask & 0x80:
            own = self.keys[ident % 64]
            if kind == CALL:
                key = self.begun + 1 & M64
            elif rule == 0:
                key = own.suspended[own.at]
            else:
                key = own.last + own.stride & M64
            columns["arg"] = key
        self.follow(number, key, mask & 1)
        return kind, mask, columns

    def literal(self, kind, mask, columns):
        known = dict(columns)
        keyed = kind in BEGINS and mask & 0x80
        key = known.pop("arg") if keyed else None
        ident = next((known[c] for c in COLUMNS[1:4] if c in known), 0)
        pos = known.get("line", known.get("off", 0))
        fields = (kind, mask & ~1 if kind == BRANCH else mask, ident, pos,
                  known.get("dst", 0), known.get("arg", 0))
        _, last, code = self.frames[self.top]
        count = len(self.steps)
        number = self.find(fields, code if mask & 0x30 else last, known)
        if number == count and kind in BEGINS:
            entry = 0, 0, ident, 0, known.get("dst", 0), 0
            self.steps[number].entry = self.find(entry, 0, None)
        ways = self.steps[last].next
        if number in ways:
            ways.remove(number)
        ways.insert(0, number)
        del ways[8:]
        self.follow(number, key, mask & 1)
        return kind, mask, columns

    def find(self, fields, context, columns):
        kind, _, ident, pos, dst, _ = fields
        h = kind
        for part in (ident, pos, dst, context):
            h = (h ^ part) * 0x9E3779B1 & M32
        number = self.slots[h >> 20]
        step = self.steps[number]
        if number == 0 or (step.fields, step.context) != (fields, context):
            number = self.slots[h >> 20] = len(self.steps)
            self.steps.append(Step(fields, context, columns))
        return number

    def follow(self, number, key, timed):
        kind, _, ident = self.steps[number].fields[:3]
        own_key, _, code = self.frames[self.top]
        if kind in ENDS:
            if kind == YIELD:
                own = self.keys[code % 64]
                own.at = (own.at + 1) % 8
                own.suspended[own.at] = own_key
            self.top = (self.top - 1) % 1024
            return
        self.frames[self.top] = own_key, number, code
        if kind in BEGINS:
            if key is not None:
                self.note_key(kind, self.keys[ident % 64], key)
            self.push(key or 0, self.steps[number].entry, ident)
        elif kind == BRANCH:
            self.branches += 1
            if timed:
                self.period, self.branches = self.branches, 0

    def note_key(self, kind, own, key):
        if kind == CALL:
            self.begun = key
            return
        if own.suspended[own.at] == key:
            own.at = (own.at - 1) % 8
        own.stride, own.last = key - own.last & M64, key
