"""What plan.AIMS asks for, against what was measured."""
import math

import compensate
import plan
from measure import geometric_mean


def geometric(entries, above, below, group=None):
    """The mean over programs of one way's time by another's; None where a
    way was not measured."""
    return geometric_mean(
        entry["times"][above] / entry["times"][below] for name, entry in entries.items()
        if above in entry["times"] and group in (None, plan.PROGRAMS[name][1]))


def overhead(entries, way, base, group=None):
    mean = geometric(entries, way, base, group)
    return mean and mean - 1


def quotient(above, below):
    """Of two overheads; NaN where the runs were too short to have any."""
    if above is None or below is None:
        return None
    return above / below if above > 0 and below > 0 else math.nan


def part_of(preset):
    """Where a preset and its floor were measured."""
    return "floors" if preset in plan.LIGHT else "ways"


def score(entries, preset):
    """ptrec's overhead by that of the floor."""
    return quotient(overhead(entries, preset, "plain"),
                    overhead(entries, "floor " + preset, "off"))


def of_part_floors(entries, part):
    for preset in plan.FLOORS:
        if part_of(preset) == part:
            yield ("overhead of %s / that of its floor" % preset, "floor " + preset,
                   score(entries, preset))


def of_floors(run):
    """(what, aim's name, measured) of one version, from the part `floors`."""
    floors = run["floors"]
    yield from of_part_floors(floors, "floors")
    if tuple(run["version"]) >= (3, 13):
        for preset in "flow", "flow, no C calls":
            yield ("run time with %s, x untraced, real code" % preset, preset,
                   geometric(floors, preset, "plain", plan.REAL))


def bytes_per_instruction(entry):
    return entry["sizes"]["flow"]["event bytes"] / max(1, entry["replay"]["instructions"])


def of_ways(run):
    """The same, from the part `ways`."""
    ways = run["ways"]
    yield from of_part_floors(ways, "ways")
    flow = overhead(ways, "flow", "plain")
    if tuple(run["version"]) >= (3, 12):
        yield ("overhead of flow / of lines", "flow / lines",
               quotient(flow, overhead(ways, "lines", "plain")))
    # Of 3.11 it is told what its opcode hook alone leaves to reach.
    hooks = overhead(ways, "nothing", "off") if tuple(run["version"]) < (3, 12) else None
    instructions = overhead(ways, "instructions", "plain")
    yield ("overhead of instructions / of flow", "instructions / flow",
           quotient(instructions, flow), quotient(instructions, hooks))
    coverage = overhead(ways, "coverage.py", "plain1")
    for where, way, base in (("", "flow", "plain"), (", on one core", "flow1", "plain1")):
        yield ("overhead of flow%s / of coverage.py --branch" % where, "flow / coverage",
               quotient(overhead(ways, way, base), coverage), quotient(hooks, coverage))
    real = [name for name in ways if plan.PROGRAMS[name][1] == plan.REAL]
    if not real:
        return
    worst = max(real, key=lambda name: bytes_per_instruction(ways[name]))
    yield ("bytes per reconstructed instruction, real code, mean", "bytes per instruction",
           sum(ways[name]["sizes"]["flow"]["event bytes"] for name in real) /
           sum(ways[name]["replay"]["instructions"] for name in real))
    yield ("the same, most (%s)" % worst, "bytes per instruction",
           bytes_per_instruction(ways[worst]))
    replays = [ways[name]["replay"] for name in real]
    yield ("million instructions walked a second, real code", "walk",
           sum(r["instructions"] for r in replays) / 1e6 / sum(r["walk"] for r in replays))
    yield ("million flow events counted a second, real code", "count",
           sum(r["events"] for r in replays) / 1e6 / sum(r["count"] for r in replays))


def of_profilers(run):
    calls = overhead(run["profilers"], "calls", "plain")
    for tool in "cProfile", "VizTracer":
        yield ("overhead of calls / of %s, on one core" % tool, "calls / " + tool,
               quotient(calls, overhead(run["profilers"], tool, "plain")))


def of_others(run):
    for preset, found in run.get("compensate", {}).items():
        yield ("error of a compensated share of the time, %s, the worst of ten (raw: %.2f)" % (
            preset, compensate.worst(found, "raw")), "compensated",
            compensate.worst(found, "compensated"))
    large = [entry for entry in run.get("profile", ()) if entry["events"] > 1e6]
    if large:
        yield ("million events a second, ptana profile, the slowest of more than 1 million",
               "profile", min(entry["events"] / 1e6 / entry["seconds"] for entry in large))
    if "start" in run:
        yield ("start: ms more than python -c pass", "start", max(
            (traced - plain) * 1e3 for plain, traced in run["start"].values()))


def of_synthetic(told):
    history, replay = told["history"], told["replay"]
    size = "in %.0f million events" % (history["events"] / 1e6)
    seeks = [history["seek"], history["seek again"]]
    back = [history[grain + " back"] for grain in ("item", "event", "line", "instruction")]
    yield "seek %s, median ms" % size, "seek", max(seek["median"] for seek in seeks)
    yield "seek %s, worst ms" % size, "seek", max(seek["worst"] for seek in seeks)
    yield ("step back %s, median ms, the worst grain" % size, "back median",
           max(step["median"] for step in back))
    yield ("step back %s, the first after a seek too, worst ms" % size, "back worst",
           max(step["worst"] for step in [*back, history["first line back"]]))
    yield "memory %s, MB" % size, "memory", history["peak"] / 1024
    yield ("million instructions walked a second %s" % size, "walk",
           replay["instructions"] / 1e6 / replay["walk"])
    yield ("million flow events counted a second %s" % size, "count",
           replay["events"] / 1e6 / replay["count"])


AT_LEAST = {"instructions / flow", "walk", "count", "profile"}


def row(what, version, name, measured, hooks=None):
    """`hooks`: what hooks that only return would have shown."""
    bound = plan.AIMS[name]
    least = name in AT_LEAST
    sign = "≥" if least else "≤"
    if measured is None:
        return [what, version, "%s %.3g" % (sign, bound), "", "not measured"]
    if math.isnan(measured):
        return [what, version, "%s %.3g" % (sign, bound), "", "the runs were too short to tell"]
    met = measured >= bound if least else measured <= bound
    verdict = "met" if met else "**missed**"
    if not met and hooks:
        verdict += "; with hooks that only return: %.3g" % hooks
    return [what, version, "%s %.3g" % (sign, bound), "%.3g" % measured, verdict]


def rows(results):
    """The rows of the table of aims."""
    found = []
    for run in results["runs"]:
        for part, of in (("floors", of_floors), ("ways", of_ways),
                         ("profilers", of_profilers)):
            if run.get(part):
                found += [row(what, run["python"], *measured)
                          for what, *measured in of(run)]
        found += [row(what, run["python"], name, measured)
                  for what, name, measured in of_others(run)]
    if results.get("synthetic"):
        found += [row(what, "", name, measured)
                  for what, name, measured in of_synthetic(results["synthetic"])]
    return found
