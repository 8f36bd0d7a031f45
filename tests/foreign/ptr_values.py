"""Recorded values (spec/format.md section 10): the records of the values chunks,
what variables they are of, and which record tells what."""
import io

import cbor2

from ptr_chunks import Damaged, Refused
from ptr_events import column, events_of

ROLES = [None, "local", "name", "argument", "keyword", "result", "return", "exception", "sent"]
REF, SAME, CUT_STR, CUT_BYTES, CUT_INT, REDACTED, OBJECT, UNREAD, ELLIPSIS, NOT_IMPLEMENTED, \
    AGAIN = range(1, 12)
OFF = 5  # a column of numbers of at most 32 bits, as `sizes` is one
LEAST = {REF: 2, SAME: 1, CUT_STR: 3, CUT_BYTES: 3, CUT_INT: 3, OBJECT: 5, AGAIN: 3}
FAILS = (Damaged, Refused, KeyError, TypeError, ValueError, IndexError)


def records_of(item):
    """The bytes of each record of a values chunk."""
    sizes = column(item["sizes"], item["n"], OFF)
    if sum(sizes) != len(item["bytes"]):
        raise Damaged("sizes that are not those of the bytes")
    at, out = 0, []
    for size in sizes:
        out.append(item["bytes"][at:at + size])
        at += size
    return out


def decoded(record):
    stream = io.BytesIO(record)
    try:
        item = cbor2.CBORDecoder(stream, tag_hook=lambda _, tag: tag).decode()
    except (cbor2.CBORDecodeError, EOFError, RecursionError) as e:
        raise Damaged(f"a record: {e}") from e
    if stream.read(1):
        raise Damaged("something behind a record")
    return item


class Values:
    def __init__(self, reader):
        self.reader = reader
        self.events = {}  # chunk of events by the seq of its first
        self.chunks = {}  # of values
        self.pages = {}
        for chunk in reader.chunks:
            if chunk.type in (4, 0x85):
                where = self.events if chunk.type == 4 else self.chunks
                where.setdefault(chunk.seq, chunk)

    def page(self, first):
        """The records of the events chunk whose first event is `first`, and the
        seqs of their events."""
        if first not in self.pages:
            chunk = self.events[first]
            listed = events_of(chunk, chunk.item(), self.reader.header["clock"])
            seqs = [first + i for i, (_, ev, _) in enumerate(listed) if ev == "value"]
            records = records_of(self.chunks[first].item())
            if len(records) != len(seqs):
                raise Damaged("other values than value events")
            self.pages[first] = records, seqs
        return self.pages[first]

    def where(self, first, number, place):
        """The record that [..., record, seq] in a record names: it comes before."""
        at = (place[1] if len(place) > 1 else first), place[0]
        if not at < (first, number):
            raise Damaged("a record that was told later")
        return at

    def told(self, first, number):
        """Chunk and number of the record that tells this one."""
        while True:
            item = decoded(self.page(first)[0][number])
            if not isinstance(item, (list, tuple)) or item[0] != SAME:
                return first, number
            first, number = self.where(first, number, item[1:])

    def shown(self, seq, dst, code):
        """What ptana dump says of a value event, but for the value's text."""
        role, index = dst >> 24, dst & 0xFFFFFF
        out = {"role": ROLES[role] if 0 < role < len(ROLES) else None, "index": index,
               "name": None, "value": None, "told": None}
        names = (code or {}).get({"local": "locals", "name": "names"}.get(out["role"]), ())
        if index < len(names):
            out["name"] = names[index]
        first = max((s for s in self.events if s <= seq), default=None)
        try:
            number = self.page(first)[1].index(seq)
            chunk, record = self.told(first, number)
            out["told"] = self.page(chunk)[1][record]
        except FAILS:
            pass
        return out

    def check(self, chunk):
        """That every record is one, and what it names is there."""
        records, _ = self.page(chunk.seq)
        for number, record in enumerate(records):
            self.check_item(decoded(record), chunk.seq, number, 0)

    def check_item(self, item, first, number, depth):
        if depth >= 64:
            raise Damaged("a value too deep")
        if isinstance(item, dict):
            raise Damaged("a map in a value")
        if not isinstance(item, (list, tuple)):
            return
        kind = item[0]
        if not REF <= kind <= AGAIN or len(item) < LEAST.get(kind, 1):
            raise Damaged(f"an array of kind {kind} in a value")
        if kind == SAME and depth:
            raise Damaged("a record within a record")
        place = {SAME: item[1:], AGAIN: item[3:]}.get(kind)
        if place:
            self.page(self.where(first, number, place)[0])[0][place[0]]
        if kind == OBJECT:
            if item[1] and item[1] not in self.reader.defs.by_kind["type"]:
                raise Damaged(f"a value of type {item[1]}")
            if item[3] > 8:
                raise Damaged(f"an object of form {item[3]}")
            for each in item[5:]:
                self.check_item(each, first, number, depth + 1)
