"""What the benchmark runs and what it is to show: the lists are fixed, so that
results compare.

The programs are the standard library's own modules at work ("real code") and
small classics, whose whole work is in the program's own file; each takes a
size.  The sizes here take about 0.8 seconds untraced on a 2.6 GHz core with
CPython 3.11 to 3.13."""

REAL, CLASSIC = "real code", "classics"

# name: (size, what it is)
PROGRAMS = {
    "fib": (180, CLASSIC),
    "nqueens": (1700, CLASSIC),
    "scheduler": (800, CLASSIC),
    "constraints": (900, CLASSIC),
    "jsondumps": (18000, REAL),
    "unparse": (100, REAL),
    "tokens": (300, REAL),
    "diffs": (850, REAL),
    "regexes": (1700, REAL),
    "pickles": (1600, REAL),
    "decimals": (26000, REAL),
    "tasks": (2600, REAL),
    "trees": (4300, CLASSIC),
    "nbody": (210000, CLASSIC),
}

# ptrec's ways of recording, with their options.
PRESETS = {
    "flow": ["--preset=flow"],
    "flow, no C calls": ["--preset=flow", "--events=-c_call"],
    "calls": ["--preset=calls"],
    "lines": ["--preset=lines"],
    "instructions": ["--preset=instructions"],
}
# Those that have a floor (floor/run.py).
FLOORS = ["flow", "calls", "lines", "instructions"]
# Of them, those that cost little: beside their floors a program has its whole
# size, or starting and ending a recording would be much of what is measured.
LIGHT = ["flow", "calls"]

# What part of its size a program gets: beside the floors of what costs little,
# beside all of ptrec's ways and the coverage tools, and beside cProfile and
# VizTracer, whose output is large.
SCALES = {"floors": 1.2, "ways": 0.2, "profilers": 0.15, "compensate": 0.25}

# The parts of a program that times itself (compensate.py).
SELF_TIMED = ["fib", "nqueens", "scheduler", "jsondumps", "unparse", "tokens", "diffs", "pickles",
              "decimals", "tasks"]

# The synthetic trace: events, threads, and of a quick run.
SYNTHETIC = {"full": (100_000_000, 4), "quick": (2_000_000, 4)}

# What is aimed at; report.py says of each whether it was met.
AIMS = {
    "floor flow": 1.3,
    "floor calls": 1.3,
    "floor lines": 1.5,
    "floor instructions": 1.5,
    "flow": 2.3,              # on real code, of the untraced time, on 3.13
    "flow, no C calls": 1.9,
    "flow / lines": 1.0,      # overheads, from 3.12 on
    "instructions / flow": 3.0,
    "flow / coverage": 1 / 3,
    "calls / cProfile": 1.0,
    "calls / VizTracer": 0.33,
    "bytes per instruction": 0.1,
    "walk": 50.0,             # million a second, on one core
    "count": 20.0,
    "profile": 30.0,
    "start": 30.0,            # ms
    "seek": 50.0,             # ms, at worst
    "back median": 1.0,       # ms
    "back worst": 50.0,       # ms
    "memory": 300.0,          # MB
    "compensated": 0.1,       # error of a share of the time, as a part of it
}
