"""RESULTS.md from what run.py measured."""
import os
import platform
import subprocess

import aims
import plan
from aims import geometric, overhead

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


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


def times(value):
    return "x%.2f" % value if value else "not measured"


def runs_with(results, part):
    return [run for run in results["runs"] if run.get(part)]


def the_aims(results):
    return table(["aim", "CPython", "at most or at least", "measured", ""],
                 aims.rows(results))


def against_floor(results):
    rows = []
    for run in results["runs"]:
        for preset in plan.FLOORS:
            entries = run.get(aims.part_of(preset))
            if not entries:
                continue
            nothing = geometric(entries, "nothing", "off") if preset == "flow" else None
            rows.append([run["python"], preset, times(geometric(entries, preset, "plain")),
                         times(geometric(entries, "floor " + preset, "off")),
                         times(nothing) if nothing else "",
                         "**%.2f**" % aims.score(entries, preset)])
    return table(["CPython", "preset", "ptrec", "floor", "hooks that only return",
                  "ptrec's overhead / floor's"], rows)


def beside_coverage(results):
    rows = []
    for run in runs_with(results, "ways"):
        ways = run["ways"]
        for group in plan.REAL, plan.CLASSIC, None:
            rows.append([run["python"], group or "all"] + [
                times(geometric(ways, way, base, group)) for way, base in (
                    ("flow", "plain"), ("flow, no C calls", "plain"), ("lines", "plain"),
                    ("instructions", "plain"), ("flow1", "plain1"), ("coverage.py", "plain1"),
                    ("SlipCover", "plain1"))] + [
                "%.2f" % ratio if ratio else "" for ratio in (
                    aims.quotient(overhead(ways, "flow1", "plain1", group),
                                  overhead(ways, "coverage.py", "plain1", group)),)])
    return table(["CPython", "programs", "flow", "flow, no C calls", "lines", "instructions",
                  "flow on one core", "coverage.py", "SlipCover",
                  "flow's overhead / coverage.py's, on one core"], rows)


def beside_profilers(results):
    rows = []
    for run in runs_with(results, "profilers"):
        means = {tool: geometric(run["profilers"], tool, "plain")
                 for tool in ("calls", "cProfile", "VizTracer")}
        rows.append([run["python"]] + [times(mean) for mean in means.values()])
    return table(["CPython", "ptrec, calls", "cProfile", "VizTracer"], rows)


def peers(results):
    lines = []
    for run in results["runs"]:
        missing = [tool for tool in ("coverage.py", "SlipCover", "VizTracer")
                   if tool not in run["peers"]]
        lines.append("- CPython %s: %s%s" % (
            run["python"], ", ".join("%s %s" % (tool, version) for tool, (_, version)
                                     in run["peers"].items()) or "no other tools",
            "; **not measured, as not there: %s**" % ", ".join(missing) if missing else ""))
    return "\n".join(lines)


def bytes_per_event(results):
    rows = []
    for run in runs_with(results, "ways"):
        for preset in plan.PRESETS:
            cells = []
            for group in plan.REAL, plan.CLASSIC:
                sizes = [entry["sizes"][preset] for name, entry in run["ways"].items()
                         if plan.PROGRAMS[name][1] == group]
                events = sum(size["events"] for size in sizes)
                cells.append("%.3f" % (sum(size["event bytes"] for size in sizes) / events)
                             if events else "")
            others = max(entry["sizes"][preset]["other bytes"] for entry in run["ways"].values())
            rows.append([run["python"], preset, *cells, "%.0f" % (others / 1024)])
    return table(["CPython", "preset", plan.REAL, plan.CLASSIC,
                  "definitions, sources and index, at most (KB)"], rows)


def replaying(results):
    runs = runs_with(results, "ways")
    rows = []
    for name in plan.PROGRAMS:
        for run in runs:
            if name not in run["ways"]:
                continue
            told = run["ways"][name]["replay"]
            rows.append([name, run["python"], "%.2f" % (told["events"] / 1e6),
                         "%.2f" % (told["instructions"] / 1e6),
                         "%.4f" % aims.bytes_per_instruction(run["ways"][name]),
                         "%.0f" % (told["events"] / 1e6 / told["decode"]),
                         "%.0f" % (told["instructions"] / 1e6 / told["walk"]),
                         "%.0f" % (told["events"] / 1e6 / told["count"]), told["desyncs"]])
    return table(["program", "CPython", "million events", "million instructions",
                  "bytes an instruction", "decoded: million events / s",
                  "walked: million instructions / s", "counted: million events / s",
                  "desyncs"], rows)


def synthetic(results):
    told = results.get("synthetic")
    if not told:
        return "Not measured.\n"
    history, replay = told["history"], told["replay"]
    rows = [[name, value["n"], "%.4f" % value["median"], "%.4f" % value["mean"],
             "%.2f" % value["worst"]] for name, value in history.items()
            if isinstance(value, dict)]
    return ("%.1f million events of %d threads in %.1f MB. At most %.0f MB of memory.\n"
            "Decoded %.0f million events a second, walked %.0f million instructions a second,\n"
            "counted %.0f million events a second.\n\n" % (
                history["events"] / 1e6, history["threads"], told["size"] / 1e6,
                history["peak"] / 1024, replay["events"] / 1e6 / replay["decode"],
                replay["instructions"] / 1e6 / replay["walk"],
                replay["events"] / 1e6 / replay["count"])
            + table(["step", "times", "median ms", "mean ms", "worst ms"], rows))


def profile(results):
    rows = []
    for run in runs_with(results, "profile"):
        for entry in run["profile"]:
            rows.append([run["python"], entry["program"], "%.2f" % (entry["events"] / 1e6),
                         "%.1f" % (entry["size"] / 1e6), "%.3f" % entry["seconds"],
                         "%.1f" % (entry["events"] / 1e6 / entry["seconds"]),
                         "%.1f" % (entry["peak"] / 1024)])
    return table(["CPython", "program", "million events", "MB", "seconds",
                  "million events / s", "peak MB"], rows)


def compensated(results):
    rows = []
    for run in runs_with(results, "compensate"):
        for preset, found in run["compensate"].items():
            for name, share in found["untraced"].items():
                rows.append([run["python"], preset, name, "%.1f" % (100 * share)] + [
                    "%.1f (x%.2f)" % (100 * found[way][name], found[way][name] / share)
                    for way in ("raw", "compensated")])
    return table(["CPython", "preset", "part", "untraced %", "as recorded", "--compensate"], rows)


def start(results):
    rows = []
    for run in runs_with(results, "start"):
        for where, (plain, traced) in run["start"].items():
            rows.append([run["python"], where, "%.1f" % (plain * 1e3), "%.1f" % (traced * 1e3),
                         "%.1f" % ((traced - plain) * 1e3)])
    return table(["CPython", "on", "python -c pass (ms)", "ptrec run -c pass (ms)",
                  "difference"], rows)


def each_program(results):
    """Every ratio, by program."""
    parts = []
    columns = {part: [(preset, preset, "plain") for preset in presets] +
               [("floor, " + preset, "floor " + preset, "off") for preset in plan.FLOORS
                if aims.part_of(preset) == part]
               for part, presets in (("floors", [*plan.LIGHT, "flow, no C calls"]),
                                     ("ways", plan.PRESETS))}
    columns["floors"].append(("hooks that only return", "nothing", "off"))
    columns["ways"] += [("flow on one core", "flow1", "plain1"),
                ("coverage.py", "coverage.py", "plain1"), ("SlipCover", "SlipCover", "plain1")]
    columns["profilers"] = [(tool, tool, "plain") for tool in ("calls", "cProfile", "VizTracer")]
    for run in results["runs"]:
        for part, heads in columns.items():
            rows = [[name, "%.3f" % entry["times"]["plain"]] + [
                "%.2f" % (entry["times"][way] / entry["times"][base])
                if way in entry["times"] else "" for _, way, base in heads]
                for name, entry in run.get(part, {}).items()]
            if rows:
                parts.append("### %s, %s\n\n" % (run["python"], part) + table(
                    ["program", "untraced s"] + [head for head, _, _ in heads], rows))
    return "\n".join(parts)


def markdown(results):
    commit = git("rev-parse", "--short=12", "HEAD")
    if git("status", "--porcelain", "--untracked-files=no"):
        commit += " with uncommitted changes"
    builds = "\n".join("- CPython %(version)s: %(build)s" % python
                       for python in results["pythons"])
    took = ", ".join("%s %.0f s" % item for item in results["took"].items())
    return """# What recording and replaying cost

Written by `%s`; not edited by hand.

- commit: %s
- machine: %s; load when it began: %.2f
%s
- sizes x%s (flow and calls beside their floors: x%s), the least of %d runs
  that took turns; ratios are to the untraced
  run, whole process until the trace is complete; means are geometric over the
  programs of `plan.py`
- took: %s

## Aims

Overhead is the mean ratio less one.

%s
## Overhead beside the floor

The floor is hooks registered in the same way that read the clock where the
preset stamps and store 8 bytes (`floor/`). The program is on one core, the
collector on the other.

%s
## flow beside the other ways of knowing what ran

ptrec has the program on one core and the collector on the other, unless it says
"on one core"; coverage.py and SlipCover have nothing to put on a second one.
coverage.py runs its C tracer with `--branch`, of the standard library too
(`--pylib`), as flow does. SlipCover runs with `--branch` and of the program's
own file only, so with the classics only.

%s

%s
## calls beside other profilers, everything on one core

%s
## Bytes an event

%s
## Replaying flow, on one core

Decoding from the file is part of each.

%s
## A position in a synthetic trace that moves both ways

%s
## ptana profile, on one core

%s
## Shares of the time, compensated

A program of ten parts times each of them without a recorder. Beside that what
`ptana profile` says of a recording, without and with `--compensate`.

%s
## Start

Medians.

%s
## Each program

%s""" % (results["command"], commit, machine(), results["load"], builds, results["scale"],
         results["scale"] * plan.SCALES["floors"], results["repeats"], took, the_aims(results), against_floor(results), peers(results),
         beside_coverage(results), beside_profilers(results), bytes_per_event(results),
         replaying(results), synthetic(results), profile(results),
         compensated(results), start(results),
         each_program(results))
