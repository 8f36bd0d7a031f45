"""Runs in the interpreter that recorded: compares the graphs that graphs.c
prints (stdin) with what `dis` makes of the code objects of the files named in
argv[1].  The last line is how many were compared."""
import dis
import json
import sys
import warnings

VERSION = sys.version_info[:2]
BARE = {"RESUME", "END_FOR", "CACHE"}
LINELESS = {"END_ASYNC_FOR", "END_FOR", "END_SEND", "RESUME", "POP_ITER"}


def codes(paths):
    """Every code object in the files, by what tells one from another."""
    found = {}
    warnings.simplefilter("ignore")
    for path in paths:
        with open(path, "rb") as source:
            waiting = [compile(source.read(), path, "exec", dont_inherit=True)]
        while waiting:
            code = waiting.pop()
            found[key_of(code)] = code
            waiting += [c for c in code.co_consts if hasattr(c, "co_code")]
    return found


def key_of(code):
    return (code.co_qualname.encode("utf-8", "surrogatepass").hex(), code.co_code.hex(),
            code.co_linetable.hex(), code.co_exceptiontable.hex(), code.co_firstlineno)


def exit_of(target, by_offset, following):
    """Where an exhausted for loop goes on."""
    if by_offset[target].opname != "END_FOR":
        return target
    target = following[target]
    if VERSION == (3, 13) and by_offset[target].opname == "POP_TOP":
        target = following[target]
    return target


def jump_of(ins):
    jumps = ins.opcode in dis.hasjrel or ins.opcode in dis.hasjabs
    return ins.argval if jumps and ins.opname != "END_ASYNC_FOR" else None


def begin_of(instructions):
    start = None
    for ins in instructions:
        if ins.opname == "RETURN_GENERATOR":
            start = None
        elif start is None and ins.opname == "RESUME" and ins.arg & 3 == 0:
            start = ins.offset
    return -1 if start is None else start


def line_starts(instructions, lines, first, following, table):
    starts, last = set(), None
    if VERSION < (3, 12):
        return starts  # 3.11 decides while it runs
    for ins in instructions:
        if ins.offset < first or ins.opname in LINELESS:
            continue
        line = lines.get(ins.offset)
        if line is not None and line != last:
            starts.add(ins.offset)
        last = line
    targets = []
    for ins in instructions:
        target = jump_of(ins)
        if ins.offset >= first and target is not None:
            skips = ins.opname in ("FOR_ITER", "SEND")
            targets.append(following[target] if skips else target)
    names = {ins.offset: ins.opname for ins in instructions}
    targets += [e.target for e in table if names[e.target] != "END_ASYNC_FOR"]
    starts.update(t for t in targets if lines.get(t) is not None and names[t] != "POP_ITER")
    return starts


def graph(code):
    instructions = list(dis.get_instructions(code))
    offsets = [ins.offset for ins in instructions] + [len(code.co_code)]
    following = dict(zip(offsets, offsets[1:]))
    by_offset = {ins.offset: ins for ins in instructions}
    lines = {off: line for begin, end, line in code.co_lines() for off in range(begin, end, 2)}
    table = dis._parse_exception_table(code)
    handlers = {off: e.target for e in table for off in range(e.start, e.end, 2)}
    first = min((ins.offset for ins in instructions if ins.opname == "RESUME"),
                default=len(code.co_code))
    starts = line_starts(instructions, lines, first, following, table)
    rows = []
    extended = False
    for ins in instructions:
        silent = ins.opname in BARE or (extended and VERSION < (3, 12))
        extended = ins.opname == "EXTENDED_ARG"
        target = jump_of(ins)
        if target is not None and ins.opname == "FOR_ITER":
            target = exit_of(target, by_offset, following)
        line = lines.get(ins.offset)
        rows.append([ins.offset, -1 if target is None else target, -1 if line is None else line,
                     int(ins.offset >= first and not silent),
                     int(ins.offset in starts), handlers.get(ins.offset, -1)])
    return {"start": begin_of(instructions), "rows": rows}


def main():
    with open(sys.argv[1]) as names:
        known = codes(names.read().split("\n"))
    compared = 0
    for text in sys.stdin:
        told = json.loads(text)
        code = known.get((told["name"], told["code"], told["lines"], told["table"],
                          told["firstline"]))
        if code is None:
            continue
        expected = graph(code)
        rows = [[off, target, line, fires, starts, handler]
                for off, _, _, target, line, fires, starts, handler in told["ins"]]
        if told["start"] != expected["start"]:
            print("%r begins at %d, not %d" % (code, told["start"], expected["start"]))
            sys.exit(1)
        for got, wanted in zip(rows, expected["rows"]):
            if got != wanted:
                print("%r: %r, dis says %r" % (code, got, wanted))
                sys.exit(1)
        if len(rows) != len(expected["rows"]):
            print("%r: %d instructions, not %d" % (code, len(rows), len(expected["rows"])))
            sys.exit(1)
        compared += 1
    print(compared)


main()
