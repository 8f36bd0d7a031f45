#!/usr/bin/python3
"""An independent reader of ptrec's logs, written from spec/format.md and
spec/format.cddl alone.  It proves that they suffice, and is the second opinion
on `ptana dump`.

    ptr_reader.py TRACE --jsonl   one JSON object per event (spec section 8)
    ptr_reader.py TRACE --check   verifies everything that can be verified
    ptr_reader.py TRACE --defs    the definitions, one JSON array per line
    ptr_reader.py TRACE --syntax  the syntaxes, one JSON object per line

Chunks are read by ptr_chunks.py, events by ptr_events.py and ptr_predict.py,
syntax by ptr_syntax.py.
Needs python3-cbor2 and python3-zstandard; XXH64 is in here.  Slow and simple; no
part of ptrec's code is used.
Exit: 0 well, 2 usage, 3 not a trace, damaged or torn."""

import argparse
import heapq
import json
import math
import sys

import cbor2

from ptr_chunks import TYPES, Damaged, Refused, scan
from ptr_events import events_of
from ptr_syntax import syntax_of
from ptr_values import Values

PREDICTED = 1  # the bit of `required` for section 6.6
ENTERS = {"call", "resume", "throw"}
LEAVES = {"return", "yield", "unwind"}
PLACED = {"line", "instruction", "branch", "jump", "exception", "handled"}


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
    "costs": "costs",
    "task": "process parent code name",
    "task_name": "name",
}
FIELDS = {kind: names.split() for kind, names in FIELDS.items()}
OPTIONAL = {"thread": ["carrier"]}
RENAMES = ("thread_name", "task_name")
ACTS = ["created", "runs", "awaits", "waits", "returned", "raised", "cancelled"]


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
            if kind not in RENAMES and d[1] in ids or d[1] < 1:
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

    def task_name(self, ident):
        if self.get("task", ident) is None:
            return None
        named = self.get("task_name", ident) or self.get("task", ident)
        return text(named["name"])

    def taken(self, code_id, off, dst):
        code = self.get("code", code_id)
        inter = code and self.get("interpreter", code["interpreter"])
        if not inter or off >= len(code["bytecode"]):
            return None
        opcode = code["bytecode"][off]
        return dst != off + 2 + 2 * inter["opcodes"][opcode][2]


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
                if any(a.callable and b.callable for a, b in zip(self.stack, self.stack[1:])):
                    raise Damaged("two C calls on each other in the keyframe")
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
        elif ev not in ENTERS and ev != "value":
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
        if ev == "task":
            act = v.get("dst", 0)
            out["task"], out["name"] = v.get("arg"), defs.task_name(v.get("arg"))
            out["act"] = ACTS[act - 1] if 0 < act <= len(ACTS) else None
        if ev == "value":
            out.update(self.reader.values.shown(seq, v.get("dst", 0), code))
            out["name"] = None if out["name"] is None else text(out["name"])
        if ev in ENTERS or ev in LEAVES:
            depth = sum(not f.callable for f in stack)
            out["depth"] = depth or None
        return out


class Reader:
    def __init__(self, data):
        self.problems = []
        self.header = self.end = None
        self.syntaxes = {}  # by source and version
        self.defs = Definitions()
        self.chunks = scan(data, self.problems)
        for chunk in self.chunks:
            self.open(chunk)
        if self.header is None:
            raise Damaged("; ".join(["no header chunk", *self.problems]))
        self.values = Values(self)

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
        for kind in RENAMES:
            noun = kind[:-len("_name")]
            for ident in self.defs.by_kind[kind]:
                if ident not in self.defs.by_kind[noun]:
                    self.problems.append(f"{noun} {ident} has only a name")
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
                elif chunk.type == 0x83:
                    self.check_syntax(syntax_of(item))
                elif chunk.type == 0x85:
                    self.values.check(chunk)
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

    def check_syntax(self, syntax):
        key = syntax["source"], syntax["python"]
        if key[0] not in self.defs.by_kind["source"]:
            raise Damaged("the syntax of no source")
        if key in self.syntaxes:
            raise Damaged("a syntax told twice")
        self.syntaxes[key] = syntax

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
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
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
    what.add_argument("--syntax", action="store_true")
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
    elif args.syntax:
        reader.check()
        for syntax in reader.syntaxes.values():
            print(json.dumps({k: plain(v) for k, v in syntax.items()}))
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
