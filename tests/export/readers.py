"""Readers of the exports, written from the formats' own descriptions.

A timeline's reader gives a sorted list of calls: (start, end, depth, name), ns."""
import csv
import gzip
import io
import json
import re


class Malformed(Exception):
    pass


def check(condition, *what):
    if not condition:
        raise Malformed(" ".join(map(str, what)))


def nanoseconds(text):
    """Of a decimal number of microseconds, exactly."""
    whole, _, part = text.partition(".")
    check(len(part) == 3, "three decimals:", text)
    return int(whole + part)


def csv_rows(data):
    rows = list(csv.DictReader(io.StringIO(data.decode(), newline=""), strict=True))
    numbers = ("pid", "tid", "thread", "depth", "start_ns", "duration_ns", "exclusive_ns",
               "wait_ns", "partial")
    for row in rows:
        check(None not in row and None not in row.values(), "columns of", row)
        row.update((key, int(row[key])) for key in numbers)
    return rows


def csv_calls(data):
    return sorted((r["start_ns"], r["start_ns"] + r["duration_ns"], r["depth"], r["name"])
                  for r in csv_rows(data))


def chrome(data):
    """The events, checked as the Trace Event Format has them."""
    document = json.loads(data, parse_float=str)
    check(document["displayTimeUnit"] == "ns")
    stacks, last, tracks = {}, {}, set()
    for event in document["traceEvents"]:
        track = event["pid"], event["tid"]
        check(all(type(number) is int for number in track), event)
        if event["ph"] == "M":
            check(event["name"] in ("process_name", "process_sort_index", "thread_name",
                                    "thread_sort_index"), event)
            if event["name"] == "thread_name":
                check(track not in tracks, "two threads are", track)
                tracks.add(track)
            continue
        check(track in tracks, "nameless", track)
        event["ns"] = nanoseconds(event["ts"])
        if event["ph"] == "i":
            check(event["s"] == "t" and event["cat"] == "gap", event)
            continue
        check(event["ns"] >= last.get(track, event["ns"]), "back in time:", event)
        last[track] = event["ns"]
        stack = stacks.setdefault(track, [])
        if event["ph"] == "B":
            check(event["cat"] in ("python", "c") and type(event["name"]) is str, event)
            stack.append(event)
        else:
            check(event["ph"] == "E" and stack, "an end of nothing:", event)
            begun = stack.pop()
            check(begun["name"] == event["name"], begun, "is ended by", event)
            begun["end"], begun["depth"] = event["ns"], len(stack)
    check(not any(stacks.values()), "left open:", stacks)
    return document


def chrome_calls(data):
    return sorted((e["ns"], e["end"], e["depth"], e["name"])
                  for e in chrome(data)["traceEvents"] if e["ph"] == "B")


def speedscope_calls(data):
    """As speedscope's file-format-spec.ts has it."""
    document = json.loads(data)
    check(document["$schema"] == "https://www.speedscope.app/file-format-schema.json")
    frames, calls = document["shared"]["frames"], []
    for profile in document["profiles"]:
        check(profile["type"] == "evented" and profile["unit"] == "nanoseconds")
        stack, last = [], profile["startValue"]
        for event in profile["events"]:
            check(last <= event["at"] <= profile["endValue"], "back in time:", event)
            last = event["at"]
            if event["type"] == "O":
                stack.append(event)
                continue
            begun = stack.pop()
            check(event["type"] == "C" and event["frame"] == begun["frame"], event)
            calls.append((begun["at"], event["at"], len(stack),
                          frames[begun["frame"]]["name"]))
        check(not stack, "left open:", stack)
    return sorted(calls)


def collapsed(data):
    """[(functions from the outermost on, ns)]"""
    lines = []
    for line in data.decode().split("\n")[:-1]:
        stack, _, count = line.rpartition(" ")
        check(stack and int(count) > 0, "not collapsed:", line)
        lines.append((stack.split(";"), int(count)))
    return lines


def callgrind(data):
    """{function: {"own": {line: ns}, "calls": {(line, callee): (count, ns)}}}, each
    function as (name, file), and the total."""
    functions, names, head = {}, {"fl": {}, "fn": {}}, {}
    file = cfile = callee = count = total = None

    def name(kind, text):
        number, _, new = re.fullmatch(r"(\(\d+\))( (.*))?", text).groups()
        if new is not None:
            check(number not in names[kind], "named twice:", text)
            names[kind][number] = new
        return names[kind][number]

    for line in data.decode().split("\n")[:-1]:
        if not line or line.startswith("#"):
            continue
        key, mark, value = line.partition("=")
        if re.fullmatch(r"\d+ \d+", line):
            number, cost = map(int, line.split())
            if callee:
                check((number, callee) not in now["calls"], "twice:", line)
                now["calls"][number, callee] = count, cost
                callee = cfile = None
            else:
                now["own"][number] = now["own"].get(number, 0) + cost
        elif mark and key == "fl":
            file = name("fl", value)
        elif mark and key == "fn":
            now = functions.setdefault((name("fn", value), file), {"own": {}, "calls": {}})
        elif mark and key == "cfi":
            cfile = name("fl", value)
        elif mark and key == "cfn":
            callee = name("fn", value), cfile
        elif mark and key == "calls":
            count = int(value.split()[0])
            check(count > 0 and callee, "calls of nothing:", line)
        else:
            key, mark, value = line.partition(": ")
            check(mark and key in ("version", "creator", "cmd", "positions", "events",
                                   "summary", "totals"), "what is", line)
            head[key] = value
    check(head["events"] == "ns" and head["positions"] == "line")
    check(head["summary"] == head["totals"], head)
    return functions, int(head["totals"])


def message(data):
    """[(field, value)] of a protocol buffer: integers and bytes."""
    at, fields = 0, []

    def varint():
        nonlocal at
        number = shift = 0
        while True:
            byte = data[at]
            at += 1
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return number

    while at < len(data):
        key = varint()
        check(key & 7 in (0, 2), "wire type", key & 7)
        value = varint()
        if key & 7 == 2:
            check(at + value <= len(data), "cut off")
            value, at = data[at:at + value], at + value
        fields.append((key >> 3, value))
    return fields


def pprof(data):
    """[(functions from the outermost on, (calls, ns), labels)], each function as
    (name, file, line), as profile.proto has it."""
    fields = message(gzip.decompress(data))
    every = lambda number: [value for field, value in fields if field == number]  # noqa: E731
    strings = [text.decode() for text in every(6)]
    check(strings[0] == "", "the first string is empty")
    types = [tuple(strings[n] for _, n in message(m)) for m in every(1)]
    check(types == [("calls", "count"), ("time", "nanoseconds")], types)
    functions, locations, samples = {}, {}, []
    for text in every(5):
        f = dict(message(text))
        check(f[1] not in functions and f[1], "function", f)
        functions[f[1]] = strings[f[2]], strings[f[4]], f[5]
    for text in every(4):
        f = dict(message(text))
        line = dict(message(f[4]))
        check(f[1] not in locations and line[2] == functions[line[1]][2], "location", f)
        locations[f[1]] = functions[line[1]]
    for text in every(2):
        f = message(text)
        numbers = {field: [n for _, n in packed(value)] for field, value in f if field < 3}
        labels = {}
        for field, value in f:
            if field == 3:
                label = dict(message(value))
                labels[strings[label[1]]] = strings[label[2]] if 2 in label else label[3]
        stack = [locations[n] for n in reversed(numbers[1])]
        samples.append((stack, tuple(numbers[2]), labels))
    return samples


def packed(data):
    """The varints of a packed field, as a message of one field each."""
    numbers, number, shift = [], 0, 0
    for byte in data:
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            numbers.append((0, number))
            number = shift = 0
    return numbers


def page(data):
    """Of a page of flamegraph: [(functions from the outermost on, {column: value},
    thread)], each function as [name, file, line], and the page's other data."""
    found = re.findall(rb'<script type="application/json"[^>]*>([^<]*)</script>', data)
    check(len(found) == 1 and b"@DATA@" not in data, "one piece of data")
    d = json.loads(found[0])
    columns = {key: d.pop(key) for key in ("parent", "fn", "calls", "self", "wait")}
    threads, stacks, paths = len(d["threads"]), {}, []
    check(len(set(map(len, columns.values()))) == 1, "columns differ in length")
    for i, parent in enumerate(columns["parent"]):
        check(parent < threads + i, "a parent comes later")
        above, thread = stacks[parent] if parent >= threads else ([], d["threads"][parent])
        stack = above + [d["functions"][columns["fn"][i]]]
        stacks[threads + i] = stack, thread
        paths.append((stack, {key: column[i] for key, column in columns.items()}, thread))
    return paths, d
