"""Running and timing: whole processes, pinned, interleaved, minima."""
import math
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def cores():
    """The cores to use: two if there are two."""
    available = sorted(os.sched_getaffinity(0))
    return (available[1], available[0]) if len(available) > 1 else (available[0],) * 2


def timed(argv, core, env=None, cwd=None):
    """(seconds, peak kB) of one run of argv, pinned to a core or to several."""
    wanted = {core} if isinstance(core, int) else set(core)
    with open(os.devnull, "r+b") as null:
        begun = time.perf_counter()
        process = subprocess.Popen(
            argv, stdin=null, stdout=null, stderr=subprocess.PIPE, env=env, cwd=cwd,
            preexec_fn=lambda: os.sched_setaffinity(0, wanted))
        error = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stderr.close()
    if process.returncode != 0:
        raise RuntimeError("status %d: %s\n%s" % (
            process.returncode, " ".join(argv), error.decode(errors="replace")[-1500:]))
    return seconds, usage.ru_maxrss


def interleaved(ways, repeats, may_fail=()):
    """ways: {name: function that runs once and gives seconds}.  Each repeat runs
    every way once, so that a change of the machine's speed hits all alike.
    Gives {name: the least of its seconds}; a way of `may_fail` that fails is
    told of and left out."""
    times = {name: [] for name in ways}
    for _ in range(repeats):
        for name in list(times):
            try:
                times[name].append(ways[name]())
            except RuntimeError as error:
                if name not in may_fail:
                    raise
                note("left out, it fails:", error)
                del times[name]
    return {name: min(values) for name, values in times.items()}


def geometric_mean(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def median(values):
    return statistics.median(values)


def note(*words):
    print(*words, file=sys.stderr, flush=True)
