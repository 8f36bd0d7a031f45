#!/usr/bin/python3
"""An independent reader of ptrec's logs, written from spec/format.md and
spec/format.cddl alone.  It proves that they suffice, and is the second opinion
on `ptana dump`.

    ptr_reader.py TRACE --jsonl   one JSON object per event (spec section 8)
    ptr_reader.py TRACE --check   verifies everything that can be verified
    ptr_reader.py TRACE --defs    the definitions, one JSON array per line

Needs python3-cbor2, python3-zstandard and, for --check and for damaged files,
XXH64, which is in here.  Slow and simple; no part of ptrec's code is used.
Exit: 0 well, 2 usage, 3 not a trace, damaged or torn."""

import argparse
import heapq
import io
import json
import math
import struct
import sys

import cbor2
import zstandard

MAGIC = 0x184D2A57
SEEK_MAGIC = 0x184D2A5E
SEEK_FOOTER = 0x8F92EAB1
HEADER = struct.Struct("<IIBBBBIIIQIIqqQQ32IQQ")
HEADER_SIZE = 216
PREDICTED = 1  # the bit of `required` for section 6.6
assert HEADER.size == HEADER_SIZE

TYPES = {1: "header", 2: "definitions", 0x83: "syntax", 4: "events",
         0x85: "values", 0x86: "output", 0x87: "index", 8: "end",
         0x89: "variables"}
KINDS = [None, "call", "return", "yield", "resume", "throw", "unwind", "line",
         "instruction", "branch", "jump", "exception", "handled", "c_call",
         "c_return", "c_exception", "thread", "process", "task", "switch",
         "mark", "output", "gap", "value"] + [None] * 8
COLUMNS = ["time", "code", "callee", "type", "line", "off", "dst", "arg"]
WIDEST = [8, 4, 4, 4, 4, 4, 4, 8]
ENTERS = {"call", "resume", "throw"}
LEAVES = {"return", "yield", "unwind"}
PLACED = {"line", "instruction", "branch", "jump", "exception", "handled"}
M64 = (1 << 64) - 1


class Damaged(Exception):
    pass


class Refused(Exception):
    pass


# --- XXH64 ------------------------------------------------------------------

P1, P2, P3, P4, P5 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F,
                      0x165667B19E3779F9, 0x85EBCA77C2B2AE63,
                      0x27D4EB2F165667C5)


def rotl(x, r):
    return (x << r | x >> (64 - r)) & M64


def xxh64(data):
    def round_(acc, lane):
        return rotl((acc + lane * P2) & M64, 31) * P1 & M64

    n, at = len(data), 0
    if n >= 32:
        acc = [(P1 + P2) & M64, P2, 0, -P1 & M64]
        whole = n - n % 32
        for lanes in struct.iter_unpack("<4Q", data[:whole]):
            acc = [round_(a, lane) for a, lane in zip(acc, lanes)]
        at = whole
        h = sum(rotl(a, r) for a, r in zip(acc, (1, 7, 12, 18))) & M64
        for a in acc:
            h = ((h ^ round_(0, a)) * P1 + P4) & M64
    else:
        h = P5
    h = (h + n) & M64
    while n - at >= 8:
        lane, = struct.unpack_from("<Q", data, at)
        h = (rotl(h ^ round_(0, lane), 27) * P1 + P4) & M64
        at += 8
    if n - at >= 4:
        lane, = struct.unpack_from("<I", data, at)
        h = (rotl(h ^ lane * P1 & M64, 23) * P2 + P3) & M64
        at += 4
    for byte in data[at:]:
        h = rotl(h ^ byte * P5 & M64, 11) * P1 & M64
    h = (h ^ h >> 33) * P2 & M64
    h = (h ^ h >> 29) * P3 & M64
    return h ^ h >> 32


# --- chunks -----------------------------------------------------------------

class Chunk:
    """A chunk header, decoded; None of it is trusted before `verify`."""

    def __init__(self, data, offset):
        if len(data) - offset < HEADER_SIZE:
            raise Damaged(f"no whole chunk header at byte {offset}")
        f = HEADER.unpack_from(data, offset)
        (magic, size, self.version, self.type, self.must_zero, _ignore,
         self.process, self.thread, self.events, self.seq, self.gaps, _zero,
         self.time_first, self.time_last, self.raw_size,
         self.packed_size) = f[:16]
        self.counts = f[16:48]
        self.hash, own = f[48:]
        self.offset = offset
        if magic != MAGIC or size != HEADER_SIZE - 8:
            raise Damaged(f"no chunk header at byte {offset}")
        if xxh64(data[offset:offset + HEADER_SIZE - 8]) != own:
            raise Damaged(f"checksum of the chunk header at byte {offset}")
        if self.version != 1:
            raise Refused(f"chunk header version {self.version}")
        self.end = offset + HEADER_SIZE + self.packed_size
        if self.end > len(data):
            raise Damaged(f"the file ends inside the chunk at byte {offset}")
        limit = 64 << 20 if self.type == 4 else 256 << 20
        if self.raw_size > limit:
            raise Damaged(f"raw size of the chunk at byte {offset}")
        self.packed = data[offset + HEADER_SIZE:self.end]

    def item(self):
        """The CBOR item, checked."""
        where = f"the chunk at byte {self.offset}"
        if xxh64(self.packed) != self.hash:
            raise Damaged(f"checksum of {where}")
        if self.must_zero:
            raise Damaged(f"{where} has flags of a later version")
        try:
            params = zstandard.get_frame_parameters(self.packed)
            if params.content_size != self.raw_size or params.dict_id:
                raise Damaged(f"zstd frame of {where}")
            dec = zstandard.ZstdDecompressor().decompressobj()
            raw = dec.decompress(self.packed)
            if len(raw) != self.raw_size or not dec.eof or dec.unused_data:
                raise Damaged(f"zstd frame of {where}")
            stream = io.BytesIO(raw)
            item = cbor2.CBORDecoder(stream).decode()
        except (zstandard.ZstdError, cbor2.CBORDecodeError, EOFError,
                RecursionError) as e:
            raise Damaged(f"{where}: {e}") from e
        if not isinstance(item, dict) or stream.read(1):
            raise Damaged(f"the item of {where}")
        return item


def scan(data, problems):
    """All chunks, by walking, and by searching behind damage."""
    at, chunks = 0, []
    magic = struct.pack("<I", MAGIC)
    while at < len(data):
        if data[at:at + 4] == struct.pack("<I", SEEK_MAGIC) and chunks \
                and chunks[-1].type == 8:
            check_seek_table(data[at:], chunks, problems)
            return chunks
        try:
            chunk = Chunk(data, at)
        except Damaged as e:
            problems.append(str(e))
            at = data.find(magic, at + 1)
            if at < 0:
                break
            continue
        if chunk.type not in TYPES and not chunk.type & 0x80:
            raise Refused(f"chunk type {chunk.type}")
        chunks.append(chunk)
        at = chunk.end
    if not chunks or chunks[-1].type != 8:
        problems.append("torn: no end chunk")
    return chunks


def check_seek_table(table, chunks, problems):
    frames = 2 * len(chunks)
    want = struct.pack("<II", SEEK_MAGIC, 8 * frames + 9)
    for c in chunks:
        want += struct.pack("<IIII", HEADER_SIZE, 0, c.packed_size, c.raw_size)
    want += struct.pack("<IBI", frames, 0, SEEK_FOOTER)
    if bytes(table) != want:
        problems.append("the seek table does not list the chunks")


# --- definitions ------------------------------------------------------------

FIELDS = {
    "string": "text",
    "interpreter": "hexversion version soabi executable opcodes",
    "source": "file path text hash",
    "code": "interpreter source file name qualname firstline argcount posonly "
            "kwonly flags stacksize nlocals bytecode linetable exctable names "
            "locals localkinds consts",
    "callable": "kind module owner name label",
    "type": "module name",
    "process": "parent interpreter pid time executable cwd argv",
    "thread": "process tid time name",
    "process_end": "ending value time lost",
    "thread_name": "name",
}
FIELDS = {kind: names.split() for kind, names in FIELDS.items()}
OPTIONAL = {"thread": ["carrier"]}


def surrogates(error):
    """Lone surrogates stay what they are, other bytes become U+FFFD."""
    b = error.object[error.start:error.start + 3]
    if len(b) == 3 and b[0] == 0xED and 0xA0 <= b[1] <= 0xBF \
            and 0x80 <= b[2] <= 0xBF:
        return chr(0xD000 | (b[1] & 0x3F) << 6 | b[2] & 0x3F), error.start + 3
    return "\ufffd", error.start + 1


import codecs  # noqa: E402
codecs.register_error("wtf8", surrogates)


def text(s):
    return s.decode("utf-8", "wtf8") if isinstance(s, bytes) else s


class Lines:
    """A code object's line table."""

    def __init__(self, code):
        self.units = []
        line, data, i = code["firstline"], code["linetable"], 0

        def varint():
            nonlocal i
            value = shift = 0
            while True:
                b = data[i]
                i += 1
                value |= (b & 63) << shift
                shift += 6
                if not b & 64:
                    return value

        def signed():
            v = varint()
            return -(v >> 1) if v & 1 else v >> 1

        try:
            while i < len(data):
                first = data[i]
                i += 1
                kind, units = first >> 3 & 15, (first & 7) + 1
                here = True
                if kind == 15:
                    here = False
                elif kind == 14:
                    line += signed()
                    varint(), varint(), varint()
                elif kind == 13:
                    line += signed()
                elif kind >= 10:
                    line += kind - 10
                    i += 2
                else:
                    i += 1
                self.units += [line if here else None] * units
        except IndexError:
            pass  # a table that breaks off

    def at(self, off):
        unit = off // 2
        return self.units[unit] if unit < len(self.units) else None


class Definitions:
    def __init__(self):
        self.by_kind = {kind: {} for kind in FIELDS}
        self.lines = {}

    def add(self, item):
        for d in item["defs"]:
            kind = d[0]
            if kind not in FIELDS:
                continue
            names = FIELDS[kind]
            more = OPTIONAL.get(kind, [])
            if len(d) < 2 + len(names):
                raise Damaged(f"a definition of kind {kind} is too short")
            ids, content = self.by_kind[kind], dict(zip(names + more, d[2:]))
            if kind != "thread_name" and d[1] in ids or d[1] < 1:
                raise Damaged(f"id {d[1]} of kind {kind} twice")
            ids[d[1]] = content

    def get(self, kind, ident):
        return self.by_kind[kind].get(ident)

    def line(self, code_id, off):
        code = self.get("code", code_id)
        if code is None:
            return None
        if code_id not in self.lines:
            self.lines[code_id] = Lines(code)
        return self.lines[code_id].at(off)

    def callable_name(self, ident):
        c = self.get("callable", ident)
        if c is None:
            return None
        before = text(c["owner"]) or text(c["module"])
        return f"{before}.{text(c['name'])}" if before else text(c["name"])

    def type_name(self, ident):
        t = self.get("type", ident)
        if t is None:
            return None
        module, name = text(t["module"]), text(t["name"])
        return name if module in ("", "builtins") else f"{module}.{name}"

    def taken(self, code_id, off, dst):
        code = self.get("code", code_id)
        inter = code and self.get("interpreter", code["interpreter"])
        if not inter or off >= len(code["bytecode"]):
            return None
        opcode = code["bytecode"][off]
        return dst != off + 2 + 2 * inter["opcodes"][opcode][2]


# --- events -----------------------------------------------------------------

def planes(data, n, width):
    if len(data) != n * width:
        raise Damaged("a column's size")
    out = list(data[:n])
    for k in range(1, width):
        plane = data[k * n:(k + 1) * n]
        out = [v | b << 8 * k for v, b in zip(out, plane)]
    return out


def packed_as(col, *transforms):
    """The column's transform, which has to be one of these."""
    if col["transform"] not in ("plain", "delta", "time", "predict"):
        raise Refused(f"transform {col['transform']!r} of a later version")
    if col["transform"] not in transforms:
        raise Damaged("a column's transform")
    return col["transform"]


def column(col, n, number):
    """The values of a column that is not `time`."""
    if col is None:
        if n:
            raise Damaged("a column is missing")
        return []
    transform = packed_as(col, "plain", "delta")
    width, widest = col["width"], WIDEST[number]
    if width not in (1, 2, 3, 4, 8) or width > widest:
        raise Damaged("a column's width")
    values = planes(col["bytes"], n, width)
    if transform == "plain":
        return values
    out, now, mask = [], col["base"], (1 << 8 * widest) - 1
    for u in values:
        now = (now + ((u >> 1) ^ -(u & 1))) & mask
        out.append(now)
    return out


def signed64(v):
    v &= M64
    return v - (1 << 64) if v >> 63 else v


def times(col, n, clock):
    """The values of the column time, in ns."""
    if col is None:
        if n:
            raise Damaged("a column is missing")
        return []
    packed_as(col, "time")
    if not 1 <= col["width"] <= 4:
        raise Damaged("the time's width")
    quantum = col.get("quantum", clock["quantum"])
    mark = (1 << 8 * col["width"]) - 1
    escapes, at = col.get("escapes", b""), 0
    out, now = [], col["base"]
    for u in planes(col["bytes"], n, col["width"]):
        if u == mark:
            if at + 8 > len(escapes):
                raise Damaged("escapes are missing")
            u, = struct.unpack_from("<q", escapes, at)
            at += 8
        now = (now + u) & M64
        ticks = signed64(now * quantum)
        out.append(signed64(ticks * clock["mult"] >> clock["shift"]))
    if at != len(escapes):
        raise Damaged("too many escapes")
    return out


def stored_events(item):
    """[kind, mask, columns] of each event that the columns have, but for its
    time."""
    shapes, cols = item["shapes"], item["columns"]
    if len(shapes) > 256 or cols["shape"]["width"] != 1:
        raise Damaged("the shapes")
    for kind, mask in shapes:
        if not 1 <= kind <= 31 or bin(mask & 0b1110).count("1") > 1 \
                or mask & 0b110000 == 0b110000:
            raise Damaged("a shape")
    shape = cols["shape"]["bytes"]
    if shape and max(shape) >= len(shapes):
        raise Damaged("a shape")
    values = [None]
    for c in range(1, 8):
        n = sum(shapes[s][1] >> c & 1 for s in shape)
        values.append(iter(column(cols.get(COLUMNS[c]), n, c)))
    return [[*shapes[s], {COLUMNS[c]: next(values[c]) for c in range(1, 8)
                          if shapes[s][1] >> c & 1}] for s in shape]


def events_of(chunk, item, clock):
    """(time, kind, columns) of each event."""
    n, col = item["n"], item["columns"]["shape"]
    transform, events = packed_as(col, "plain", "predict"), stored_events(item)
    if transform == "predict":
        events = Prediction(item["stack"]).events(
            col["runs"], col["marks"], events, n)
    if not n == len(events) == chunk.events or n > 65536:
        raise Damaged("the number of events")
    counts, timed = [0] * 32, 0
    for kind, mask, _ in events:
        counts[kind] += 1
        timed += mask & 1
    if tuple(counts) != chunk.counts or chunk.gaps != counts[22]:
        raise Damaged("the counts")
    time = iter(times(item["columns"].get("time"), timed, clock))
    now = item["since"]
    for kind, mask, v in events:
        if mask & 1:
            now = next(time)
        yield now, KINDS[kind], v


# --- prediction (spec section 6.6) ------------------------------------------

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


# --- the dump ---------------------------------------------------------------

class Frame:
    __slots__ = ("callable", "ident", "line")

    def __init__(self, is_callable, ident, line):
        self.callable, self.ident, self.line = is_callable, ident, line


class Thread:
    """Shows a thread's events, chunk after chunk."""

    def __init__(self, reader, chunks):
        self.reader, self.defs, self.chunks = reader, reader.defs, chunks

    def events(self):
        for chunk in self.chunks:
            try:
                item = chunk.item()
                self.stack = [self.keyframe(f) for f in item["stack"]]
                listed = list(events_of(chunk, item,
                                        self.reader.header["clock"]))
            except (Damaged, Refused, KeyError, TypeError, ValueError,
                    AttributeError) as e:
                self.reader.problems.append(
                    f"the events chunk at byte {chunk.offset}: {e!r}")
                continue
            for i, (t, ev, v) in enumerate(listed):
                seq = chunk.seq + i
                yield t, seq, self.show(chunk, t, seq, ev, v)

    def keyframe(self, f):
        is_callable, ident, _key, _seq, line, off = f[:6]
        if line == 0:
            line = None
            if not is_callable and off is not None:
                line = self.defs.line(ident, off)
        return Frame(bool(is_callable), ident, line)

    def close(self):
        while self.stack and self.stack[-1].callable:
            self.stack.pop()

    def innermost(self):
        return next((f for f in reversed(self.stack) if not f.callable), None)

    def place(self, frame, off):
        if frame and off is not None:
            frame.line = self.defs.line(frame.ident, off) or frame.line

    def show(self, chunk, t, seq, ev, v):
        defs, stack, after = self.defs, self.stack, 0
        if ev in ENTERS:
            code = defs.get("code", v.get("code"))
            line = code["firstline"] if code and ev == "call" else None
            self.place(self.innermost(), v.get("off"))
            stack.append(Frame(False, v.get("code", 0), line))
            self.place(stack[-1], v.get("dst"))
        elif ev in LEAVES:
            self.close()
            after = 1 if stack else 0
        elif ev == "c_call":
            self.close()
            stack.append(Frame(True, v.get("callee", 0), None))
        elif ev in ("c_return", "c_exception"):
            after = 1 if stack and stack[-1].callable else 0
        elif ev in PLACED:
            self.close()
        frame = self.innermost()
        if frame and ev == "line" and "line" in v:
            frame.line = v["line"] or None
        elif ev not in ENTERS:
            self.place(frame, v.get("off"))
        out = self.describe(chunk, t, seq, ev, v, frame)
        if after:
            stack.pop()
        return out

    def describe(self, chunk, t, seq, ev, v, frame):
        defs, stack = self.defs, self.stack
        process = defs.get("process", chunk.process) or {}
        thread = defs.get("thread", chunk.thread) or {}
        code = defs.get("code", frame.ident) if frame else None
        out = {"seq": seq, "k": 0, "t": t, "pid": process.get("pid"),
               "tid": thread.get("tid"),
               **({"stack": chunk.thread} if thread.get("carrier") else {}),
               "ev": ev,
               "file": text(code["file"]) if code else None,
               "func": text(code["qualname"]) if code else None,
               "line": frame.line if frame else None, "off": v.get("off")}
        if ev in ("c_call", "c_return", "c_exception"):
            top = stack[-1] if stack and stack[-1].callable else None
            out["callee"] = defs.callable_name(top.ident) if top else None
        if ev in ("branch", "jump"):
            out["dst"] = v.get("dst")
        if ev == "branch":
            known = frame and "off" in v and "dst" in v
            out["taken"] = (defs.taken(frame.ident, v["off"], v["dst"])
                            if known else None)
        if ev == "exception":
            out["type"] = defs.type_name(v.get("type"))
            out["re"] = v.get("arg") == 1
        if ev == "switch":
            out["greenlet"], out["after"] = v.get("arg"), v.get("dst")
        if ev in ENTERS or ev in LEAVES:
            depth = sum(not f.callable for f in stack)
            out["depth"] = depth or None
        return out


class Reader:
    def __init__(self, data):
        self.problems = []
        self.header = self.end = None
        self.defs = Definitions()
        self.chunks = scan(data, self.problems)
        for chunk in self.chunks:
            self.open(chunk)
        if self.header is None:
            raise Damaged("; ".join(["no header chunk", *self.problems]))

    def open(self, chunk):
        kind = TYPES.get(chunk.type)
        if kind not in ("header", "definitions", "end"):
            return
        try:
            item = chunk.item()
            if kind == "definitions":
                self.defs.add(item)
            elif kind == "end":
                self.end = item
            elif self.header is None:
                if item["magic"] != "ptrec":
                    raise Damaged("the header's magic")
                if item["version"][0] > 1 or item["required"] & ~PREDICTED:
                    raise Refused(f"format version {item['version']}, "
                                  f"required {item['required']:#x}")
                self.header = item
        except (Damaged, KeyError, TypeError, IndexError) as e:
            self.problems.append(f"chunk at byte {chunk.offset}: {e!r}")

    def threads(self):
        by_thread = {}
        for chunk in self.chunks:
            if chunk.type == 4:
                by_thread.setdefault(chunk.thread, []).append(chunk)
        return [Thread(self, sorted(chunks, key=lambda c: c.seq))
                for chunks in by_thread.values()]

    def merged(self):
        streams = [t.events() for t in self.threads()]
        for _, _, out in heapq.merge(*streams, key=lambda e: e[:2]):
            yield out

    def check(self):
        """Everything that says something about something else."""
        names = self.defs.by_kind["thread_name"]
        for ident in names:
            if ident not in self.defs.by_kind["thread"]:
                self.problems.append(f"thread {ident} has only a name")
        events = gaps = 0
        last = {}
        for chunk in self.chunks:
            try:
                item = chunk.item()
                if chunk.type == 4:
                    self.check_events(chunk, item, last)
                    events += chunk.events
                    gaps += chunk.gaps
                elif chunk.type == 0x87:
                    self.check_index(chunk, item)
            except (Damaged, Refused, KeyError, TypeError,
                    ValueError) as e:
                self.problems.append(f"chunk at byte {chunk.offset}: {e!r}")
        if self.end is not None and (self.end["events"] != events
                                     or self.end["gaps"] != gaps):
            self.problems.append("the end chunk counts other events")
        headers = [c for c in self.chunks if c.type == 1]
        if any(c.item() != self.header for c in headers):
            self.problems.append("the header chunks differ")
        return events

    def check_events(self, chunk, item, last):
        listed = [t for t, _, _ in events_of(chunk, item,
                                             self.header["clock"])]
        if listed and (min(listed), max(listed)) != (chunk.time_first,
                                                     chunk.time_last):
            raise Damaged("the times of the chunk header")
        if chunk.seq < last.get(chunk.thread, 0):
            raise Damaged("seq goes back")
        last[chunk.thread] = chunk.seq + chunk.events

    def codes_of(self, chunk):
        item = chunk.item()
        codes = {f[1] for f in item["stack"] if not f[0]}
        for _, _, v in events_of(chunk, item, self.header["clock"]):
            codes.add(v.get("code", 0))
        return sorted(codes - {0})

    def check_index(self, index, item):
        before = [c for c in self.chunks if c.offset < index.offset]
        if len(item["chunks"]) != len(before):
            raise Damaged("the index lists other chunks")
        for entry, c in zip(item["chunks"], before):
            counts = [x for k, n in enumerate(c.counts) if n for x in (k, n)]
            want = [c.offset, c.type, c.process, c.thread, c.seq, c.events,
                    c.gaps, c.time_first, c.time_last, c.raw_size,
                    c.packed_size, counts]
            codes, now = [], 0
            for d in entry[12]:
                now += d
                codes.append(now)
            known = self.codes_of(c) if c.type == 4 else []
            if entry[:12] != want or codes != known:
                raise Damaged(f"the index's entry for byte {c.offset}")


def plain(value):
    """A definition's value as JSON can show it."""
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, cbor2.CBORTag):
        return {"tag": value.tag, "value": plain(value.value)}
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    return repr(value)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("trace")
    what = ap.add_mutually_exclusive_group(required=True)
    what.add_argument("--jsonl", action="store_true")
    what.add_argument("--check", action="store_true")
    what.add_argument("--defs", action="store_true")
    args = ap.parse_args()
    with open(args.trace, "rb") as f:
        data = f.read()
    try:
        reader = Reader(data)
    except (Damaged, Refused) as e:
        print(f"{args.trace}: {e}", file=sys.stderr)
        return 3
    if args.check:
        events = reader.check()
        if not reader.problems:
            print(f"{args.trace}: {len(reader.chunks)} chunks, "
                  f"{events} events, all well")
    elif args.defs:
        for kind, ids in reader.defs.by_kind.items():
            for ident, content in ids.items():
                print(json.dumps([kind, ident,
                                  {k: plain(v) for k, v in content.items()}]))
    else:
        for event in reader.merged():
            print(json.dumps(event))
    for problem in reader.problems:
        print(f"{args.trace}: {problem}", file=sys.stderr)
    return 3 if reader.problems else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
