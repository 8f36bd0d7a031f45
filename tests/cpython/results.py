"""Keeps what each case found, in build/tests/cpython.jsonl, and writes the page
of it, spec/cpython-suites.md.  A case that is run again replaces its result."""
import collections
import json
import os
import threading
import time

import harness
import known

KEPT = os.path.join(harness.BUILD, "tests", "cpython.jsonl")
PAGE = os.path.join(harness.ROOT, "spec", "cpython-suites.md")
lock = threading.Lock()

HEAD = """\
# CPython's own tests under a recording

Written by `python3 tests/cpython/run.py --results`, {dates}. Each module
was run by `python -m unittest` and by `ptrec run -m unittest`, and what became
of each test was compared: success, the exception of a failure or an error, the
reason of a skip, an expected failure. Tests that need a network, gigabytes or
much time are skipped in both (`tests/cpython/outcomes.py`), as are those that
CPython itself skips on such a machine or for root; a test that fails without a
recording has to fail in the same way with one. Each trace was verified.

"compared" are tests with the same outcome, "differ" those with another one,
whose cause is below. "vary" are tests that have not one outcome: run again,
they differed without a recording, or did not differ with one. What has no line
here was not run.

| CPython | preset | modules | compared | differ | vary | events | desyncs |
|---|---|---|---|---|---|---|---|
"""


def tests_of(ran):
    """Numbers of tests by what became of them."""
    counts = collections.Counter()
    for outcomes in ran.tests.values():
        for outcome in outcomes:
            counts[outcome.partition(":")[0]] += 1
    return counts


def add(python, preset, module, ran, causes, varying, events, desyncs):
    result = {"python": python.name, "preset": preset, "module": module,
              "tests": len(ran.tests), "outcomes": tests_of(ran), "causes": causes,
              "varying": varying, "events": events, "desyncs": desyncs,
              "date": time.strftime("%Y-%m-%d", time.gmtime())}
    with lock:
        os.makedirs(os.path.dirname(KEPT), exist_ok=True)
        with open(KEPT, "a", encoding="utf-8") as file:
            print(json.dumps(result), file=file)


def load():
    """The newest result of each case."""
    kept = {}
    with open(KEPT, encoding="utf-8") as file:
        for line in file:
            result = json.loads(line)
            kept[result["python"], result["preset"], result["module"]] = result
    return kept.values()


def version_key(name):
    return [int(part) for part in name.split()[0].split(".")]


def differing(result):
    return sum(map(len, result["causes"].values()))


def by_case(all_):
    """A line for each interpreter and preset, and their sum."""
    groups = collections.defaultdict(list)
    for result in all_:
        groups[result["python"], result["preset"]].append(result)
    groups = sorted(groups.items(), key=lambda item: (version_key(item[0][0]), item[0]))
    for (name, preset), found in [*groups, (("all", ""), list(all_))]:
        differ = sum(map(differing, found))
        vary = sum(len(result["varying"]) for result in found)
        tests = sum(result["tests"] for result in found) - differ - vary
        yield "| %s | %s | %d | %s | %d | %d | %s | %d |" % (
            name, preset, len(found), f"{tests:,}", differ, vary,
            f"{sum(result['events'] for result in found):,}",
            sum(result["desyncs"] for result in found))


def by_cause(all_):
    """A line for each cause of a difference: where it shows, in how many tests."""
    where = collections.defaultdict(lambda: collections.defaultdict(set))
    for result in all_:
        for cause, tests in result["causes"].items():
            for test in tests:
                where[cause][result["module"]].add((result["python"], result["preset"], test))
    for cause, modules in sorted(where.items()):
        for module, found in sorted(modules.items()):
            pythons = sorted({python for python, _, _ in found}, key=version_key)
            presets = sorted({preset for _, preset, _ in found})
            yield "| `%s` | %s | %s | %d | %s |" % (
                module, ", ".join(pythons), ", ".join(presets),
                len({test for _, _, test in found}), cause)


def by_desync(all_):
    """A line for each module of which log and bytecode do not fit everywhere."""
    for entry in known.DESYNCS:
        found = [result for result in all_ if result["desyncs"]
                 and known.desyncs_in(result["python"], result["preset"],
                                      result["module"]) is entry]
        if found:
            yield "| `%s` | %s | %s | %s |" % (
                entry.module,
                ", ".join(sorted({result["python"] for result in found}, key=version_key)),
                ", ".join(sorted({str(result["desyncs"]) for result in found}, key=int)),
                entry.cause)


def by_module(all_):
    """A line for each module: how many tests it has on each version."""
    counts = collections.defaultdict(dict)
    for result in all_:
        counts[result["module"]][result["python"]] = result["tests"]
    names = sorted({result["python"] for result in all_}, key=version_key)
    yield "| module | %s |" % " | ".join(names)
    yield "|---" * (len(names) + 1) + "|"
    for module, found in sorted(counts.items()):
        yield "| `%s` | %s |" % (module, " | ".join(str(found.get(name, "")) for name in names))


def varying(all_):
    found = collections.defaultdict(set)
    for result in all_:
        for test in result["varying"]:
            found[test].add(result["python"])
    for test, pythons in sorted(found.items()):
        yield "- `%s` (%s)" % (test, ", ".join(sorted(pythons, key=version_key)))


def write(_directory):
    all_ = sorted(load(), key=lambda result: result["module"])
    dates = sorted({result["date"] for result in all_})
    outcomes = sum((collections.Counter(result["outcomes"]) for result in all_),
                   collections.Counter())
    del outcomes["began"]
    lines = [HEAD.format(dates=" to ".join(sorted({dates[0], dates[-1]}))).rstrip("\n"),
             *by_case(all_), "",
             "Outcomes without a recording: %s." % ", ".join(
                 f"{outcome} {count:,}" for outcome, count in outcomes.most_common()),
             "", "## What differs", "",
             "| module | CPython | presets | tests | cause |", "|---|---|---|---|---|",
             *by_cause(all_), "", "## Where log and bytecode do not fit", "",
             "| module | CPython | desyncs | cause |", "|---|---|---|---|", *by_desync(all_),
             "", "## What varies", "", *(list(varying(all_)) or ["Nothing did."]),
             "", "## Tests of each module", "", *by_module(all_)]
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
