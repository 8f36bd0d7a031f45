"""Programs that run greenlets: the stack of each follows from its own events,
and the program cannot tell that it is recorded.

  run.py [WORD...]   only the cases whose names have one of the words
  run.py --which     the interpreters that have greenlet

An interpreter that cannot import greenlet is named and left out.  A copy for
one can lie in $GREENLETS/VERSION (3.13.0), or $GREENLETS/MINOR (3.13)."""
import glob
import importlib.util
import json
import marshal
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path.insert(0, TESTS)
import harness  # noqa: E402
from harness import equal, require  # noqa: E402

PRESETS = ["calls", "lines", "instructions"]
GAPS = {"tracer.py",   # its trace functions raise: what that hides is a gap
        "forking.py"}  # the child is told of a greenlet when it goes on


def roundtrip():
    """tests/roundtrip/run.py, for its oracle and its way to compare."""
    path = os.path.join(TESTS, "roundtrip", "run.py")
    spec = importlib.util.spec_from_file_location("roundtrip", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def site_of(python):
    """A folder for PYTHONPATH with greenlet, "" where none is needed; None without."""
    copies = os.environ.get("GREENLETS")
    names = [python.name, "%d.%d" % python.version[:2]]
    for site in [os.path.join(copies, name) for name in names] if copies else [""]:
        code = "import greenlet; print(greenlet.__version__)"
        found = harness.run([python.path, "-c", code], expect=None,
                            env=harness.environment(PYTHONPATH=site or None))
        if found.returncode == 0:
            return site
    return None


def environment(site, *more, **changes):
    path = os.pathsep.join(filter(None, [site, *more]))
    return harness.environment(PYTHONPATH=path or None, **changes)


def verified(trace, name):
    found = json.loads(harness.run([harness.PTANA, "verify", "--format=json", trace],
                                   timeout=600).stdout)
    require(found["well"], name, found)
    require(found["desyncs"] == 0 and found["unfinished"] == 0, name, found)
    if name not in GAPS:
        require(found["gaps"] == 0 and found["unmatched"] == 0, name, found)
    return found


# --- cases ------------------------------------------------------------------


def unnoticed(directory, python, site, path):
    """With each preset the program does what it does alone; the log is whole."""
    plain = harness.run([python.path, path], env=environment(site))
    for preset in ["flow"] + PRESETS:
        trace = os.path.join(directory, preset + ".ptr")
        traced = harness.ptrec(python, trace, path, options=["--preset=" + preset],
                               env=environment(site))
        equal(traced.stdout, plain.stdout, preset, "output")
        equal(traced.stderr, plain.stderr, preset, "standard error")
        verified(trace, os.path.basename(path))


def exact(directory, python, site, path, *options):
    """Flow gives back what was recorded beside it, instruction by instruction."""
    trace = os.path.join(directory, "t.ptr")
    harness.ptrec(python, trace, path, env=environment(site),
                  options=["--preset=flow", "--events=+instruction,+line", *options])
    flow = verified(trace, os.path.basename(path))["flow"]
    require(flow["compared"] > 1000, "hardly anything was compared:", flow)
    require(flow["differing"] == flow["skipped"] == flow["desyncs"] == 0, flow)


def in_order(directory, python, site, path, preset):
    """Merged by time, the stacks of a thread give back the one order in which
    an oracle within the program saw its functions run."""
    trips = roundtrip()
    oracle = os.path.join(directory, "oracle")
    env = dict(PT_PROGRAM=path, PT_LOCAL="1")
    harness.run([python.path, path], env=environment(site, trips.ORACLE, **env,
                                                     PT_ORACLE=oracle, PT_PRESET=preset))
    with open(oracle, "rb") as file:
        expected = marshal.load(file)
    trace = os.path.join(directory, "t.ptr")
    harness.ptrec(python, trace, path, options=["--preset=" + preset],
                  env=environment(site, trips.ORACLE, **env))
    threads = {}
    for event in harness.dump(trace):
        threads.setdefault(event["tid"], [])
        if event["file"] == path and event["ev"] in trips.PRESETS[preset]:
            threads[event["tid"]].append(trips.simplify(event))
    expected = [[tuple(e) for e in events if e[0] in trips.PRESETS[preset]]
                for events in expected]
    equal(len(threads), len(expected), "threads")
    for index, (want, got) in enumerate(zip(expected, threads.values())):
        trips.same(want, got, "%s, thread %d" % (preset, index))


WAITING = """\
import time
from greenlet import getcurrent, greenlet

def waits():
    getcurrent().parent.switch()

def sleeps():
    time.sleep(0.05)

g = greenlet(waits)
g.switch()
sleeps()
g.switch()
"""


def waiting(directory, python, site):
    """What a greenlet's functions do while others run is to wait."""
    path = os.path.join(directory, "waiting.py")
    with open(path, "w") as file:
        file.write(WAITING)
    trace = os.path.join(directory, "t.ptr")
    harness.ptrec(python, trace, path, env=environment(site))
    profile = json.loads(harness.run([harness.PTANA, "profile", "--format=json", "--limit=100000",
                                      trace]).stdout)
    rows = {row["name"]: row for row in profile["functions"]}
    equal(profile["threads"], 1, "threads")
    require(profile["total"] <= profile["duration"], "more time than there was:", profile["total"])
    require(rows["waits"]["wait"] >= 50_000_000, rows["waits"])
    require(rows["sleeps"]["inclusive"] >= 50_000_000, rows["sleeps"])
    require(rows["waits"]["inclusive"] + rows["sleeps"]["inclusive"] <= profile["duration"], rows)


FROM_C = """\
import ctypes
import greenlet

get = ctypes.pythonapi.PyCapsule_GetPointer
get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
api = ctypes.cast(get(greenlet._greenlet._C_API, b"greenlet._C_API"),
                  ctypes.POINTER(ctypes.c_void_p))
O = ctypes.py_object
throw = ctypes.PYFUNCTYPE(O, O, O, O, O)(api[5])
switch = ctypes.PYFUNCTYPE(O, O, O, O)(api[6])

def child(n):
    try:
        for i in range(n):
            switch(main, (i,), {})
    except KeyError as e:
        return repr(e)

main = greenlet.getcurrent()
g = greenlet.greenlet(child)
print(switch(g, (3,), {}), switch(g, (), {}), throw(g, KeyError, 5, None))
"""


def from_c(directory, python, site):
    """Extensions switch through a table of functions, in a thread that never
    called greenlet's methods."""
    path = os.path.join(directory, "from_c.py")
    with open(path, "w") as file:
        file.write(FROM_C)
    trace = os.path.join(directory, "t.ptr")
    done = harness.ptrec(python, trace, path, env=environment(site))
    equal(done.stdout, b"0 1 KeyError(5)\n", "output")
    verified(trace, "from_c")
    switches = [e for e in harness.dump(trace) if e["ev"] == "switch" and e["after"] is not None]
    equal([e["greenlet"] for e in switches], [1, 0, 1, 0, 1, 0], "switches")


DROPPING = """\
import os
import signal
import time
from greenlet import getcurrent, greenlet
main = getcurrent()

def busy(n):
    for i in range(n):
        pass
    return n

def deep(level):
    if level:
        return deep(level - 1)
    while True:
        busy(200)
        main.switch()

def switch_all(turns):
    for i in range(turns):
        several[i % len(several)].switch(*([3 + i] if not several[i % len(several)] else []))

several = [greenlet(deep) for _ in range(6)]
switch_all(30)
for i in range(3):
    os.kill(os.getppid(), signal.SIGSTOP)
    switch_all(3000)
    several[1:3] = [greenlet(deep), greenlet(deep)]
    os.kill(os.getppid(), signal.SIGCONT)
    time.sleep(0.1)
    switch_all(40)
"""


def dropping(directory, python, site):
    """Where events are lost, because ptrec stands still, what comes behind them
    is on the right stack."""
    path = os.path.join(directory, "dropping.py")
    with open(path, "w") as file:
        file.write(DROPPING)
    trace = os.path.join(directory, "t.ptr")
    harness.ptrec(python, trace, path, env=environment(site),
                  options=["--on-full=drop", "--preset=flow"])
    found = json.loads(harness.run([harness.PTANA, "verify", "--format=json", trace],
                                   timeout=600).stdout)
    require(found["gaps"] >= 3 and found["lost"] > 1000, "hardly anything was lost:", found)
    require(found["well"] and found["desyncs"] == 0 and found["flow"]["desyncs"] == 0, found)
    require(found["unmatched"] < 3 * found["gaps"], found)


found = [(python, site_of(python)) for python in harness.interpreters()]
if sys.argv[1:] == ["--which"]:
    print(" ".join(python.name for python, site in found if site is not None))
    sys.exit(0)
suite = harness.Suite("greenlet")
for python, site in found:
    if site is None:
        print("note: %s has no greenlet" % python)
        continue
    for path in sorted(glob.glob(os.path.join(HERE, "programs", "*.py"))):
        name = os.path.basename(path)
        suite.case("%s unnoticed %s" % (python, name), unnoticed, python, site, path)
        suite.case("%s exact %s" % (python, name), exact, python, site, path)
        for preset in PRESETS if name not in GAPS else []:
            suite.case("%s in order %s %s" % (python, name, preset),
                       in_order, python, site, path, preset)
    for option in "--max-depth=3", "--function=deep":
        suite.case("%s exact %s" % (python, option), exact, python, site,
                   os.path.join(HERE, "programs", "switching.py"), option)
    suite.case("%s waiting" % python, waiting, python, site)
    suite.case("%s from C" % python, from_c, python, site)
    suite.case("%s dropping" % python, dropping, python, site)
suite.finish()
