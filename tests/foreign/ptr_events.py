"""From an events chunk to its events: columns, shapes, times (spec/format.md
section 6)."""
import struct

from ptr_chunks import COLUMNS, KINDS, M64, Damaged, Refused
from ptr_predict import Prediction

WIDEST = [8, 4, 4, 4, 4, 4, 4, 8]


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
