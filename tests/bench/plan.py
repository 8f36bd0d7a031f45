"""What the benchmark runs: the list is fixed, so that results compare.

The programs are the standard library's own modules at work and small classics;
each takes a size.  The sizes here take about 0.8 seconds untraced on a 2.6 GHz
core with CPython 3.11 to 3.13."""

# name: (size, mostly calls?)
PROGRAMS = {
    "fib": (180, True),
    "nqueens": (1700, False),
    "scheduler": (800, True),
    "constraints": (900, True),
    "jsondumps": (18000, True),
    "unparse": (100, True),
    "tokens": (300, False),
    "diffs": (850, False),
    "regexes": (1700, True),
    "pickles": (1600, True),
    "decimals": (26000, True),
    "tasks": (2600, True),
    "trees": (4300, True),
    "nbody": (210000, False),
}

# The presets measured, and what part of its size each program then gets: the
# dear ones run shorter.
PRESETS = {"flow": 0.5, "calls": 1.0, "lines": 0.5, "instructions": 0.2}
