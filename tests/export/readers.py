"""Readers of the exports, written from the formats' own descriptions.

A timeline's reader gives a sorted list of calls: (start, end, depth, name), ns."""
import csv
import io
import json


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
