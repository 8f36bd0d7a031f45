"""Measures what recording and replaying cost and writes RESULTS.md (make bench).

  run.py [--quick | --full] [--parts ways,history] [--scale X] [--repeats N]
         [--programs fib,trees] [--pythons 3.13.0] [--peers DIR] [--results FILE]

Every number is a ratio of runs that took turns with each other, or a rate of
one run; nothing is compared with numbers of another machine or day.
  plan.py       the programs and the aims, fixed
  floor/        hooks that do the least: what recording is measured against
  tools.py      the command lines of ptrec and of the tools beside it
  gen/          replaying in C, and a synthetic trace; synthetic.py runs them
  compensate.py the shares that ptana profile --compensate tells
  measure.py    running and timing
  report.py     the tables
The parts are: floors (the presets that cost little, and their floors), ways (all
of ptrec's presets, the floors of the dearer ones, coverage tools), (cProfile, VizTracer), compensate (ptana profile --compensate), start, profile
(ptana profile), history (the synthetic trace).  --peers DIR holds site-3.12/ and so on, from which coverage,
slipcover and viztracer can be imported; those that are not there are told as
not measured."""
import argparse
import json
import os
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import compensate  # noqa: E402
import harness  # noqa: E402
import measure  # noqa: E402
import plan  # noqa: E402
import report  # noqa: E402
import synthetic  # noqa: E402
from measure import note, timed  # noqa: E402
from tools import ENV, PEERS, Tools  # noqa: E402

PARTS = ["floors", "ways", "profilers", "compensate", "start", "profile",
         "history"]


def check_floor(tools):
    """The floor must hook the events that the presets record; flow's jumps are
    of a few code objects only, and no hook tells of tasks."""
    if tools.python.version < (3, 12):
        return
    for preset in plan.FLOORS:
        tools.ptrec(preset, ["-c", "pass"], False)
        recorded = set(harness.info(tools.trace(preset))["header"]["events"])
        hooked = set(harness.output(
            [tools.python.path, os.path.join(HERE, "floor", "run.py"), "kinds", preset],
            env=dict(ENV, PYTHONPATH=tools.site)).split())
        apart = recorded ^ hooked
        if apart - ({"jump", "task"} if preset == "flow" else {"task"}):
            raise SystemExit("on %s the preset %s and its floor differ in %s: correct "
                             "floor/run.py" % (tools.python, preset, " ".join(sorted(apart))))


def two_core_runs(tools, program, presets, floors):
    """The program untraced, in presets with the collector on the other core,
    with the floors of presets, and with hooks that only return."""
    runs = {"plain": lambda: tools.plain_pinned(program),
            "off": lambda: tools.floor("off", "flow", program),
            "nothing": lambda: tools.floor("nothing", "flow", program)}
    for preset in presets:
        runs[preset] = lambda preset=preset: tools.ptrec(preset, program, True)
    for preset in floors:
        runs["floor " + preset] = lambda preset=preset: tools.floor("floor", preset, program)
    return runs


def floors(tools, options, name):
    """One program in the ways of recording that cost little, beside their floors."""
    program = tools.program(name, plan.SCALES["floors"])
    runs = two_core_runs(tools, program, [*plan.LIGHT, "flow, no C calls"], plan.LIGHT)
    return {"times": measure.interleaved(runs, options.repeats)}


def ways(tools, options, name):
    """One program in each of ptrec's ways, beside floors and coverage tools."""
    program = tools.program(name, plan.SCALES["ways"])
    runs = two_core_runs(tools, program, plan.PRESETS,
                         [preset for preset in plan.FLOORS if preset not in plan.LIGHT])
    runs["plain1"] = lambda: tools.plain(program)
    runs["flow1"] = lambda: tools.ptrec("flow", program, False)
    if "coverage.py" in tools.peers:
        runs["coverage.py"] = lambda: tools.coverage(program)
    if "SlipCover" in tools.peers and plan.PROGRAMS[name][1] == plan.CLASSIC:
        runs["SlipCover"] = lambda: tools.slipcover(program)
    times = measure.interleaved(runs, options.repeats, PEERS.values())
    sizes = {preset: size_of(harness.info(tools.trace(preset))) for preset in plan.PRESETS}
    return {"times": times, "sizes": sizes,
            "replay": synthetic.replay(tools.trace("flow"), tools.core)}


def profilers(tools, options, name):
    """Everything on one core, beside other profilers."""
    program = tools.program(name, plan.SCALES["profilers"])
    runs = {"plain": lambda: tools.plain(program),
            "calls": lambda: tools.ptrec("calls", program, False),
            "cProfile": lambda: tools.cprofile(program)}
    if "VizTracer" in tools.peers:
        runs["VizTracer"] = lambda: tools.viztracer(program)
    return {"times": measure.interleaved(runs, options.repeats, PEERS.values())}


def start(tools, options):
    """ptrec run -c pass beside python -c pass."""
    result = {}
    for where, core in (("two cores", (tools.core, tools.other)), ("one core", tools.core)):
        plain, traced = [], []
        for _ in range(5 if options.quick else 31):
            plain.append(timed([tools.python.path, "-c", "pass"], core, ENV)[0])
            traced.append(timed([harness.PTREC, "run", "--quiet", "--python=" +
                                 tools.python.path, "-f", "-o", tools.trace("start"), "-c",
                                 "pass"], core, ENV)[0])
        result[where] = [measure.median(plain), measure.median(traced)]
    return result


def profile(tools, options):
    """ptana profile on one core, on a small and a large trace."""
    result = []
    for name in ("fib", "unparse", "scheduler"):
        if name not in options.programs:
            continue
        for scale in 0.1, 2.0:
            tools.ptrec("calls", tools.program(name, scale), True)
            trace = tools.trace("calls")
            runs = [timed([harness.PTANA, "profile", "-o", os.devnull, trace], tools.core, ENV)
                    for _ in range(1 if options.quick else 5)]
            result.append({"program": name, "events": harness.info(trace)["events"],
                           "size": os.path.getsize(trace),
                           "seconds": min(run[0] for run in runs),
                           "peak": max(run[1] for run in runs)})
            os.unlink(trace)
    return result


def size_of(told):
    """Bytes of events and of everything else, and how many events."""
    return {"events": told["events"], "event bytes": told["bytes"]["events"],
            "other bytes": told["bytes"]["total"] - told["bytes"]["events"]}


def each_program(python, part, measured, options):
    """`measured` of every program, told as they come."""
    result = {}
    for name in options.programs:
        result[name] = measured(name)
        times = result[name]["times"]
        note(python, part, name, " ".join(
            "%s x%.2f" % (way, seconds / times["plain"]) for way, seconds in times.items()))
    return result


def measure_python(tools, options, took):
    python = tools.python
    result = {"python": python.name, "version": python.version, "peers": tools.peers}
    parts = {part: lambda part=part, measured=measured: each_program(
                 python, part, lambda name: measured(tools, options, name), options)
             for part, measured in (("floors", floors), ("ways", ways), ("profilers", profilers))}
    parts |= {"compensate": lambda: {preset: compensate.compensate(tools, options, preset)
                                     for preset in plan.LIGHT},
              "start": lambda: start(tools, options),
              "profile": lambda: profile(tools, options)}
    for part, run in parts.items():
        if part in options.parts:
            begun = time.monotonic()
            result[part] = run()
            took["%s %s" % (python, part)] = time.monotonic() - begun
            note(python, part, "took %.0f s" % took["%s %s" % (python, part)])
    return result


def about_python(python):
    code = ("import sys, sysconfig; print(sys.version.replace(chr(10), ' ')); "
            "print(sysconfig.get_config_var('CONFIG_ARGS'))")
    version, arguments = harness.output([python.path, "-c", code]).strip().split("\n")
    optimised = [word for word in ("--enable-optimizations", "--with-lto") if word in arguments]
    return {"name": python.name, "version": version,
            "build": " ".join(optimised) or "no PGO, no LTO"}


def options_from_command_line():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a minute, for trying it out")
    parser.add_argument("--full", action="store_true", help="programs at their whole size: an hour")
    parser.add_argument("--scale", type=float, help="of every program's size; 0.5 by default")
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--programs", default=",".join(plan.PROGRAMS))
    parser.add_argument("--pythons", help="only these versions, as in 3.12.1,3.13.0")
    parser.add_argument("--events", type=int, help="of the synthetic trace")
    parser.add_argument("--peers")
    parser.add_argument("--results", default=os.path.join(HERE, "RESULTS.md"))
    options = parser.parse_args()
    options.scale = options.scale or (0.1 if options.quick else 1.0 if options.full else 0.5)
    options.repeats = options.repeats or (1 if options.quick else 3)
    for name, known in (("parts", PARTS), ("programs", plan.PROGRAMS)):
        words = getattr(options, name).split(",")
        for word in words:
            if word not in known:
                parser.error("no %s is called %s; there are: %s" % (name, word, " ".join(known)))
        setattr(options, name, words)
    options.synthetic = plan.SYNTHETIC["quick" if options.quick else "full"]
    if options.events:
        options.synthetic = (options.events, options.synthetic[1])
    return options


def interpreters(options):
    """One of each minor version, the newest of a quick run."""
    found = harness.interpreters()
    pythons = [python for python in found if python.path != harness.DEBIAN or len(found) == 1]
    if options.pythons:
        return [python for python in found if python.name in options.pythons.split(",")]
    return pythons[-1:] if options.quick else pythons


def command():
    return "make bench" if len(sys.argv) == 1 else "tests/bench/run.py " + " ".join(
        word if "/" not in word else os.path.basename(word) for word in sys.argv[1:])


def main():
    options = options_from_command_line()
    pythons = interpreters(options)
    if not pythons:
        sys.exit("run.py: no interpreter that a recorder was built for is called "
                 + options.pythons)
    took = {}
    results = {"load": os.getloadavg()[0], "command": command(), "scale": options.scale,
               "repeats": options.repeats, "took": took, "runs": [],
               "pythons": [about_python(python) for python in pythons]}
    directory = tempfile.mkdtemp(prefix="ptbench-")
    try:
        all_tools = [Tools(python, options, directory) for python in pythons]
        for tools in all_tools:
            check_floor(tools)
        if "history" in options.parts:
            begun = time.monotonic()
            results["synthetic"] = synthetic.history(directory, all_tools[0].core,
                                                     *options.synthetic)
            took["history"] = time.monotonic() - begun
            note("history took %.0f s" % took["history"])
        for tools in all_tools:
            results["runs"].append(measure_python(tools, options, took))
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        with open(os.path.join(harness.BUILD, "bench", "results.json"), "w") as file:
            json.dump(results, file, indent=1)
    text = report.markdown(results)
    if options.quick:
        print(text)
    else:
        with open(options.results, "w") as file:
            file.write(text)
        note("wrote", options.results)


if __name__ == "__main__":
    main()
