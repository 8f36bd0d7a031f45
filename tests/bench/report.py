"""RESULTS.md from what run.py measured."""
import os
import platform
import subprocess

import plan
from measure import geometric_mean

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CLASSICS = {"fib", "nqueens", "scheduler", "constraints", "trees", "nbody"}
LIMITS = {"flow": 1.3, "calls": 1.3, "lines": 1.5, "instructions": 1.5}


def git(*arguments):
    return subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True,
                          text=True).stdout.strip()


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return "%s, %d cores, Linux %s, %s" % (model, os.cpu_count(), platform.release(),
                                           platform.machine())


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def ratio(run, preset, above, below):
    """The geometric mean over the programs of one time by another."""
    return geometric_mean(entry["times"][above] / entry["times"][below]
                          for entry in run["presets"][preset].values())


def against_floor(results):
    rows = []
    for run in results["runs"]:
        for preset in run["presets"]:
            traced = ratio(run, preset, "ptrec", "plain")
            floor = ratio(run, preset, "floor", "off")
            nothing = ratio(run, preset, "nothing", "off")
            one = ratio(run, preset, "ptrec1", "plain1")
            score = (traced - 1) / (floor - 1)
            rows.append([run["python"], preset, "x%.2f" % traced, "x%.2f" % floor,
                         "x%.2f" % nothing, "**%.2f**" % score, LIMITS[preset],
                         "%.2f" % ((traced - 1) / (nothing - 1)), "x%.2f" % one,
                         "%.2f" % ((one - 1) / (floor - 1))])
    return table(["CPython", "preset", "ptrec", "floor", "empty hooks",
                  "ptrec's overhead / floor's", "aim", "/ empty hooks'",
                  "ptrec on one core", "its overhead / floor's"], rows)


def one_core(results):
    rows = []
    for run in results["runs"]:
        times = run["one core"]
        if not times:
            continue

        def mean(tool):
            entries = [entry for entry in times.values() if tool in entry]
            return geometric_mean(e[tool] / e["plain"] for e in entries)
        ours, profile, viz = mean("calls"), mean("cProfile"), mean("VizTracer")
        rows.append([run["python"], "x%.2f" % ours, "x%.2f" % profile,
                     "x%.2f" % viz if viz else "not there",
                     "%.2f" % ((ours - 1) / (profile - 1)),
                     "%.2f" % ((ours - 1) / (viz - 1)) if viz else ""])
    return table(["CPython", "ptrec, calls", "cProfile", "VizTracer",
                  "our overhead / cProfile's (aim: below 1)",
                  "/ VizTracer's (aim: at most 0.33)"], rows)


def bytes_per_event(results):
    rows = []
    for run in results["runs"]:
        for preset, programs in run["presets"].items():
            groups = {"real code": [], "classics": []}
            for name, entry in programs.items():
                groups["classics" if name in CLASSICS else "real code"].append(entry["bytes"])
            cells = []
            for sizes in groups.values():
                events = sum(size["events"] for size in sizes)
                cells.append("%.3f" % (sum(size["event bytes"] for size in sizes) / events)
                             if events else "")
            worst = max(programs, key=lambda name: programs[name]["bytes"]["event bytes"]
                        / programs[name]["bytes"]["events"])
            size = programs[worst]["bytes"]
            others = max(entry["bytes"]["other bytes"] for entry in programs.values())
            rows.append([run["python"], preset, *cells, "%.3f (%s)" % (
                size["event bytes"] / size["events"], worst), "%.0f" % (others / 1024)])
    return table(["CPython", "preset", "real code", "classics", "most",
                  "definitions, sources and index, at most (KB)"], rows)


def analysis(results):
    rows = []
    for run in results["runs"]:
        for entry in run["analysis"]:
            rows.append([run["python"], entry["program"], "%.2f" % (entry["events"] / 1e6),
                         "%.1f" % (entry["size"] / 1e6), "%.3f" % entry["seconds"],
                         "%.1f" % (entry["events"] / 1e6 / entry["seconds"]),
                         "%.1f" % (entry["peak"] / 1024)])
    return table(["CPython", "program", "million events", "MB", "seconds",
                  "million events / s", "peak MB"], rows)


def start(results):
    rows = []
    for run in results["runs"]:
        for where, (plain, traced) in run["start"].items():
            rows.append([run["python"], where, "%.1f" % (plain * 1e3), "%.1f" % (traced * 1e3),
                         "%.1f" % ((traced - plain) * 1e3)])
    return table(["CPython", "on", "python -c pass (ms)", "ptrec run -c pass (ms)",
                  "difference (aim: at most 30)"], rows)


def each_program(results):
    parts = []
    for run in results["runs"]:
        for preset, programs in run["presets"].items():
            rows = []
            for name, entry in programs.items():
                times, size = entry["times"], entry["bytes"]
                rows.append([name + (" (calls)" if plan.PROGRAMS[name][1] else ""),
                             "%.3f" % times["plain"], "%.2f" % (times["ptrec"] / times["plain"]),
                             "%.2f" % (times["floor"] / times["off"]),
                             "%.2f" % (times["nothing"] / times["off"]),
                             "%.2f" % (times["ptrec1"] / times["plain1"]),
                             "%.2f" % (size["events"] / 1e6),
                             "%.3f" % (size["event bytes"] / size["events"])])
            parts.append("### %s, %s\n\n" % (run["python"], preset) + table(
                ["program", "untraced s", "ptrec", "floor", "empty hooks", "ptrec on one core",
                 "million events", "bytes/event"], rows))
        rows = []
        for name, times in run["one core"].items():
            rows.append([name, "%.3f" % times["plain"]] + [
                "%.2f" % (times[tool] / times["plain"]) if tool in times else ""
                for tool in ("calls", "cProfile", "VizTracer")])
        if rows:
            parts.append("### %s, on one core\n\n" % run["python"] + table(
                ["program", "untraced s", "ptrec, calls", "cProfile", "VizTracer"], rows))
    return "\n".join(parts)


def markdown(results):
    commit = git("rev-parse", "--short=12", "HEAD")
    if git("status", "--porcelain", "--untracked-files=no"):
        commit += " with uncommitted changes"
    options = results["options"]
    builds = "\n".join("- CPython %(version)s: %(build)s" % python
                       for python in results["pythons"])
    return """# What recording costs

Written by `%s`; not edited by hand.

- commit: %s
- machine: %s; load when it began: %.2f
%s
- sizes x%s, the least of %d runs that took turns; ratios are to the untraced
  run, whole process until the trace is complete; means are geometric over the
  programs of `plan.py`

## Overhead beside the floor

The floor is hooks registered in the same way that read the clock where the
preset stamps and store 8 bytes (`floor/`). Overhead is the mean ratio less
one. The program is on one core, the collector on the other.

%s
## Beside other tools, everything on one core

%s
## Bytes an event

%s
## ptana profile, on one core

The aim is 30 million events a second, in memory that does not grow with the
trace.

%s
## Start

Medians.

%s
## Each program

%s""" % (options["command"], commit, machine(), results["load"], builds, options["scale"], options["repeats"],
         against_floor(results), one_core(results), bytes_per_event(results), analysis(results),
         start(results), each_program(results))
