"""Whether ptana profile --compensate tells shares of the time as they are
without a recorder: against a program that times its ten parts itself."""
import json
import os

import harness
import measure
import plan
from tools import ENV

HERE = os.path.dirname(os.path.abspath(__file__))


def shares(times):
    total = sum(times.values())
    return {name: seconds / total for name, seconds in times.items()}


def least(runs):
    return {name: min(run[name] for run in runs) for name in runs[0]}


def profiled(trace, *options):
    """Inclusive ns of each part's main()."""
    told = json.loads(harness.output([harness.PTANA, "profile", "--format=json", *options, trace]))
    found = {}
    for row in told["functions"]:
        name = os.path.splitext(os.path.basename(row["file"]))[0]
        if row["name"] == "main" and name in plan.SELF_TIMED:
            found[name] = row["inclusive"]
    return found


def compensate(tools, options, preset):
    """Shares of the ten parts: untraced, as recorded, and compensated."""
    program = [os.path.join(HERE, "selftimed.py"), str(options.scale * plan.SCALES["compensate"]),
               *plan.SELF_TIMED]
    trace = tools.trace(preset)
    untraced, raw, compensated = [], [], []
    for _ in range(options.repeats):
        untraced.append(json.loads(harness.output(
            ["taskset", "-c", str(tools.core), tools.python.path, *program], env=ENV)))
        tools.ptrec(preset, program, True)
        raw.append(profiled(trace))
        compensated.append(profiled(trace, "--compensate"))
    measure.note(tools.python, "compensate", preset, "done")
    return {"untraced": shares(least(untraced)), "raw": shares(least(raw)),
            "compensated": shares(least(compensated))}


def worst(found, way):
    """The largest error of a share, as a part of it."""
    return max(abs(found[way][name] / share - 1) for name, share in found["untraced"].items())
