"""A log's chunks: headers, checksums, the walk from one to the next, and the
seek table (spec/format.md sections 1, 2 and 7)."""
import io
import struct

import cbor2
import zstandard

MAGIC = 0x184D2A57
SEEK_MAGIC = 0x184D2A5E
SEEK_FOOTER = 0x8F92EAB1
HEADER = struct.Struct("<IIBBBBIIIQIIqqQQ32IQQ")
HEADER_SIZE = 216
assert HEADER.size == HEADER_SIZE

TYPES = {1: "header", 2: "definitions", 0x83: "syntax", 4: "events",
         0x85: "values", 0x86: "output", 0x87: "index", 8: "end",
         0x89: "variables"}
KINDS = [None, "call", "return", "yield", "resume", "throw", "unwind", "line",
         "instruction", "branch", "jump", "exception", "handled", "c_call",
         "c_return", "c_exception", "thread", "process", "task", "switch",
         "mark", "output", "gap", "value"] + [None] * 8
COLUMNS = ["time", "code", "callee", "type", "line", "off", "dst", "arg"]
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
        limit = 64 << 20 if self.type in (4, 0x85) else 256 << 20
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
