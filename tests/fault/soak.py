"""A long run: the memory of ptrec and of the program does not grow.

  soak.py [SECONDS]     600 by default

Not one of the suites: it takes its time.  What a process has resident is looked
at every few seconds; the most in the last third may be a twentieth, and 2 MB,
above the most in the second third."""
import json
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import harness  # noqa: E402

PROGRAM = os.path.join(HERE, "programs", "soak.py")


def resident(pid):
    """kB, 0 of a process that is gone."""
    try:
        with open("/proc/%d/status" % pid) as file:
            return sum(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
    except OSError:
        return 0


def child(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
            return int((file.read().split() or ["0"])[0])
    except OSError:
        return 0


def soak(python, seconds, trace):
    process = subprocess.Popen(
        [harness.PTREC, "run", "--quiet", "--python=" + python.path, "-o", trace, PROGRAM,
         str(seconds)], stdout=subprocess.PIPE, env=harness.environment())
    samples = []
    begun = time.monotonic()
    while process.poll() is None:
        program = child(process.pid)
        samples.append((time.monotonic() - begun, resident(process.pid), resident(program)))
        time.sleep(max(0.2, seconds / 200))
    rounds = int(process.stdout.read())
    return rounds, [s for s in samples if s[1] and s[2]]


def most(samples, which, first, last):
    return max(s[which] for s in samples if first <= s[0] < last)


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 600.0
    python = harness.interpreters()[-1]
    well = True
    with tempfile.TemporaryDirectory(prefix="pt-") as directory:
        trace = os.path.join(directory, "t.ptr")
        rounds, samples = soak(python, seconds, trace)
        for which, name in (1, "ptrec"), (2, "the program"):
            before = most(samples, which, seconds / 3, seconds * 2 / 3)
            after = most(samples, which, seconds * 2 / 3, seconds)
            flat = after <= before * 1.05 + 2048
            well = well and flat
            print("%s: %d kB, then %d kB%s" % (name, before, after, "" if flat else ": GROWS"))
        harness.ptana("verify", trace)
        table = json.loads(harness.ptana("profile", trace, "--format=json"))
        calls = {f["name"]: f["calls"] for f in table["functions"] if f["kind"] == "python"}
        threads = rounds // 50
        right = calls["step"] == 300 * (rounds + threads)
        print("%s, %g s: %d events, %d bytes, %d calls of step%s" % (
            python, seconds, harness.info(trace)["events"], os.path.getsize(trace),
            calls["step"], "" if right else ": WRONG"))
    sys.exit(0 if well and right else 1)


main()
