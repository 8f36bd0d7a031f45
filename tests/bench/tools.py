"""One CPython beside each tool: the command lines, and how long one run takes.

Tools that are no part of this project are peers: they are used where --peers
has them, and named as not measured where it has not."""
import os
import shlex
import subprocess

import harness
import measure
import plan
from measure import timed

HERE = os.path.dirname(os.path.abspath(__file__))
FLOOR = os.path.join(HERE, "floor")
ENV = harness.environment()
PEERS = {"viztracer": "VizTracer", "coverage": "coverage.py", "slipcover": "SlipCover"}


def compiler():
    return shlex.split(os.environ.get("CC", "gcc"))


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
        subprocess.run([*compiler(), "-O3", "-shared", "-fPIC", "-D_GNU_SOURCE", "-I" + include,
                        source, "-o", out], check=True)
    return site


class Tools:
    def __init__(self, python, options, directory):
        self.python = python
        self.directory = directory
        self.scale = options.scale
        self.core, self.other = measure.cores()
        self.site = build_floor(python)
        self.peers = self.find_peers(options.peers)
        # ptrec starts this in the place of the interpreter, so that the
        # program gets a core and the collector the other one.
        self.pinned = os.path.join(directory, "python-" + python.name)
        with open(self.pinned, "w") as file:
            file.write("#!/bin/sh\nexec taskset -c %d %s \"$@\"\n" % (
                self.core, shlex.quote(python.path)))
        os.chmod(self.pinned, 0o755)

    def find_peers(self, folder):
        """{tool: (folder to import it from, its version)}, those that work."""
        if not folder:
            return {}
        site = os.path.join(os.path.abspath(folder), "site-%d.%d" % self.python.version[:2])
        found = {}
        for module, tool in PEERS.items():
            code = "import %s as m; print(getattr(m, '__version__', '?'))" % module
            if module == "coverage":  # only with its C tracer is it what it is known for
                code = "import coverage.tracer; " + code
            asked = subprocess.run([self.python.path, "-c", code], capture_output=True, text=True,
                                   env=dict(ENV, PYTHONPATH=site))
            if asked.returncode == 0:
                found[tool] = (site, asked.stdout.strip())
        return found

    def program(self, name, scale):
        size = max(1, int(plan.PROGRAMS[name][0] * scale * self.scale))
        return [os.path.join(HERE, "programs", name + ".py"), str(size)]

    def trace(self, preset):
        return os.path.join(self.directory, preset.replace(", ", "-").replace(" ", "-") + ".ptr")

    # Each runs a program once and gives the seconds.

    def plain(self, program):
        return timed([self.python.path, *program], self.core, ENV)[0]

    def plain_pinned(self, program):
        """As ptrec starts the program when it has two cores."""
        return timed([self.pinned, *program], self.core, ENV)[0]

    def floor(self, mode, preset, program):
        env = dict(ENV, PYTHONPATH=self.site)
        return timed([self.python.path, os.path.join(FLOOR, "run.py"), mode, preset, *program],
                     self.core, env)[0]

    def ptrec(self, preset, program, two_cores):
        python, core = ((self.pinned, self.other) if two_cores else
                        (self.python.path, self.core))
        argv = [harness.PTREC, "run", "--quiet", "-f", *plan.PRESETS[preset],
                "--python=" + python, "-o", self.trace(preset), *program]
        return timed(argv, core, ENV)[0]

    def cprofile(self, program):
        out = os.path.join(self.directory, "cprofile.out")
        return timed([self.python.path, "-m", "cProfile", "-o", out, *program],
                     self.core, ENV)[0]

    def peer(self, tool, words, **environment):
        env = dict(ENV, PYTHONPATH=self.peers[tool][0], **environment)
        return timed([self.python.path, "-m", *words], self.core, env, cwd=self.directory)[0]

    def viztracer(self, program):
        out = os.path.join(self.directory, "viztracer.json")
        seconds = self.peer("VizTracer", ["viztracer", "--quiet", "--ignore_multiprocess",
                                          "--tracer_entries", "30000000", "-o", out, *program])
        os.unlink(out)
        return seconds

    def coverage(self, program):
        """Its C tracer, with branches, of the standard library too: what flow
        records as well."""
        out = os.path.join(self.directory, "coverage.data")
        return self.peer("coverage.py", ["coverage", "run", "--branch", "--pylib", "--rcfile=",
                                         "--data-file=" + out, *program], COVERAGE_CORE="ctrace")

    def slipcover(self, program):
        """Only of the program's own file: it cannot instrument modules that it
        has imported itself."""
        out = os.path.join(self.directory, "slipcover.json")
        return self.peer("SlipCover", ["slipcover", "--branch", "--json", "--out", out, *program])
