"""Measures what recording costs and writes RESULTS.md (make bench).

  run.py [--quick | --full] [--scale X] [--repeats N] [--presets calls,lines] [--peers DIR]
         [--programs fib,trees] [--results FILE]

Every number is a ratio of runs that took turns with each other, or a rate of
one run; nothing is compared with numbers of another machine or day.
  plan.py      the programs, fixed
  floor/       hooks that do the least: what recording is measured against
  measure.py   running and timing
  report.py    the tables
--peers DIR holds site-3.12/ and so on with an importable viztracer; without
it, VizTracer's column is empty."""
import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import harness  # noqa: E402
import measure  # noqa: E402
import plan  # noqa: E402
import report  # noqa: E402
from measure import note, timed  # noqa: E402

FLOOR = os.path.join(HERE, "floor")
ENV = harness.environment()
ONE_CORE_SCALE = 0.25  # beside cProfile and VizTracer, whose output is large


def build_floor(python):
    """Compiles the floor for an interpreter; gives its folder."""
    site = os.path.join(harness.BUILD, "bench", "site-" + python.name)
    os.makedirs(site, exist_ok=True)
    ask = [python.path, "-I", "-c", "import sysconfig as s; print(s.get_path('include'));"
           "print(s.get_config_var('EXT_SUFFIX'))"]
    include, suffix = harness.output(ask).split()
    out = os.path.join(site, "ptfloor" + suffix)
    source = os.path.join(FLOOR, "ptfloor.c")
    if not os.path.exists(out) or os.path.getmtime(out) < os.path.getmtime(source):
        compiler = shlex.split(os.environ.get("CC", "gcc"))
        subprocess.run([*compiler, "-O3", "-shared", "-fPIC", "-D_GNU_SOURCE", "-I" + include,
                        source, "-o", out], check=True)
    return site


class Bench:
    def __init__(self, python, options, directory):
        self.python = python
        self.options = options
        self.directory = directory
        self.core, self.other = measure.cores()
        self.site = build_floor(python)
        self.trace = os.path.join(directory, "t.ptr")
        # ptrec starts this in the place of the interpreter, so that the
        # program gets a core and the collector the other one.
        self.pinned = os.path.join(directory, "python-" + python.name)
        with open(self.pinned, "w") as file:
            file.write("#!/bin/sh\nexec taskset -c %d %s \"$@\"\n" % (
                self.core, shlex.quote(python.path)))
        os.chmod(self.pinned, 0o755)

    def plain(self, program):
        return timed([self.python.path, *program], self.core, ENV)[0]

    def plain_pinned(self, program):
        return timed([self.pinned, *program], self.core, ENV)[0]

    def floor(self, mode, preset, program):
        env = dict(ENV, PYTHONPATH=self.site)
        return timed([self.python.path, os.path.join(FLOOR, "run.py"), mode, preset, *program],
                     self.core, env)[0]

    def ptrec(self, preset, program, two_cores, trace=None):
        python, core = ((self.pinned, (self.core, self.other)) if two_cores else
                        (self.python.path, self.core))
        argv = [harness.PTREC, "run", "--quiet", "-f", "--preset=" + preset,
                "--python=" + python, "-o", trace or self.trace, *program]
        if two_cores:
            argv = ["taskset", "-c", str(self.other), *argv]
        return timed(argv, core, ENV)[0]

    def cprofile(self, program):
        return timed([self.python.path, "-m", "cProfile", "-o", self.trace + ".prof", *program],
                     self.core, ENV)[0]

    def viztracer(self, program):
        out = self.trace + ".json"
        env = dict(ENV, PYTHONPATH=self.viztracer_site())
        seconds = timed([self.python.path, "-m", "viztracer", "--quiet", "--ignore_multiprocess",
                         "--tracer_entries", "30000000", "-o", out, *program], self.core, env)[0]
        os.unlink(out)
        return seconds

    def viztracer_site(self):
        if not self.options.peers:
            return None
        site = os.path.join(os.path.abspath(self.options.peers),
                            "site-%d.%d" % self.python.version[:2])
        return site if os.path.isdir(os.path.join(site, "viztracer")) else None

    def program(self, name, scale):
        size = max(1, int(plan.PROGRAMS[name][0] * scale * self.options.scale))
        return [os.path.join(HERE, "programs", name + ".py"), str(size)]

    def against_floor(self, preset, name):
        """Point 1: beside the floor, the collector on the other core."""
        program = self.program(name, plan.PRESETS[preset])
        times = measure.interleaved({
            "plain": lambda: self.plain_pinned(program),
            "ptrec": lambda: self.ptrec(preset, program, True),
            "off": lambda: self.floor("off", preset, program),
            "nothing": lambda: self.floor("nothing", preset, program),
            "floor": lambda: self.floor("floor", preset, program),
            "plain1": lambda: self.plain(program),
            "ptrec1": lambda: self.ptrec(preset, program, False),
        }, self.options.repeats)
        told = harness.info(self.trace)
        self.check_events(preset, told)
        return {"times": times, "bytes": size_of(told)}

    def check_events(self, preset, told):
        """The floor's table must be of the same events as the trace's."""
        if self.python.version < (3, 12):
            return
        kinds = set(told["header"]["events"]) if isinstance(
            told["header"].get("events"), list) else None
        if kinds is not None:
            expected = {"flow": 13, "calls": 9, "lines": 12, "instructions": 15}[preset]
            if len(kinds) != expected:
                raise RuntimeError("the preset %s records %s: correct floor/run.py" % (
                    preset, sorted(kinds)))

    def one_core(self, name):
        """Point 2: everything on one core, beside other tools."""
        program = self.program(name, ONE_CORE_SCALE)
        ways = {"plain": lambda: self.plain(program),
                "calls": lambda: self.ptrec("calls", program, False),
                "cProfile": lambda: self.cprofile(program)}
        if self.viztracer_site():
            ways["VizTracer"] = lambda: self.viztracer(program)
        return measure.interleaved(ways, self.options.repeats)

    def start(self):
        """Point 5: ptrec run -c pass beside python -c pass."""
        result = {}
        for where, core in (("two cores", (self.core, self.other)), ("one core", self.core)):
            plain, traced = [], []
            for _ in range(5 if self.options.quick else 41):
                plain.append(timed([self.python.path, "-c", "pass"], core, ENV)[0])
                traced.append(timed([harness.PTREC, "run", "--quiet", "--python=" +
                                     self.python.path, "-f", "-o", self.trace, "-c", "pass"],
                                    core, ENV)[0])
            result[where] = [measure.median(plain), measure.median(traced)]
        return result

    def analysis(self):
        """Point 4: ptana profile on one core, on a small and a large trace."""
        result = []
        for name in ("fib", "unparse", "scheduler"):
            if name not in self.options.programs:
                continue
            for scale in 0.1, 2.0:
                program = self.program(name, scale)
                trace = os.path.join(self.directory, "large.ptr")
                self.ptrec("calls", program, True, trace)
                events = harness.info(trace)["events"]
                runs = [timed([harness.PTANA, "profile", "-o", os.devnull, trace], self.core, ENV)
                        for _ in range(1 if self.options.quick else 5)]
                result.append({"program": name, "events": events,
                               "size": os.path.getsize(trace),
                               "seconds": min(run[0] for run in runs),
                               "peak": max(run[1] for run in runs)})
                os.unlink(trace)
        return result

    def everything(self):
        result = {"python": self.python.name, "presets": {}, "one core": {}}
        for preset in self.options.presets:
            for name in self.options.programs:
                result["presets"].setdefault(preset, {})[name] = self.against_floor(preset, name)
                times = result["presets"][preset][name]["times"]
                note(self.python, preset, name, "plain %.3f floor x%.2f ptrec x%.2f" % (
                    times["plain"], times["floor"] / times["off"],
                    times["ptrec"] / times["plain"]))
        if "calls" in self.options.presets:
            for name in self.options.programs:
                times = result["one core"][name] = self.one_core(name)
                note(self.python, "one core", name, " ".join(
                    "%s x%.2f" % (k, v / times["plain"]) for k, v in times.items()))
        result["start"] = self.start()
        result["analysis"] = self.analysis()
        return result


def size_of(told):
    """Bytes of events and of everything else, and how many events."""
    return {"events": told["events"], "event bytes": told["bytes"]["events"],
            "other bytes": told["bytes"]["total"] - told["bytes"]["events"]}


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
    parser.add_argument("--presets", default=",".join(plan.PRESETS))
    parser.add_argument("--programs", default=",".join(plan.PROGRAMS))
    parser.add_argument("--pythons", help="only these versions, as in 3.12.1,3.13.0")
    parser.add_argument("--peers")
    parser.add_argument("--results", default=os.path.join(HERE, "RESULTS.md"))
    options = parser.parse_args()
    options.scale = options.scale or (0.1 if options.quick else 1.0 if options.full else 0.5)
    options.repeats = options.repeats or (1 if options.quick else 3)
    options.presets = options.presets.split(",")
    options.programs = options.programs.split(",")
    return options


def main():
    options = options_from_command_line()
    pythons = [python for python in harness.interpreters() if python.path != harness.DEBIAN
               or len(harness.interpreters()) == 1]
    if options.pythons:
        pythons = [python for python in pythons if python.name in options.pythons.split(",")]
    elif options.quick:
        pythons = pythons[-1:]
    directory = tempfile.mkdtemp(prefix="ptbench-")
    results = {"load": os.getloadavg()[0], "options": {"scale": options.scale, "repeats": options.repeats,
                           "command": "make bench" if len(sys.argv) == 1 else
                           "tests/bench/run.py " + " ".join(
                               word if "/" not in word else os.path.basename(word)
                               for word in sys.argv[1:])},
               "pythons": [about_python(python) for python in pythons], "runs": []}
    try:
        for python in pythons:
            results["runs"].append(Bench(python, options, directory).everything())
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    raw = os.path.join(harness.BUILD, "bench", "results.json")
    with open(raw, "w") as file:
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
