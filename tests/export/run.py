"""Exports: what each holds is what ptana profile counts, and the tools that it
is for read it.  Tools that are not there are named, and left out.

    run.py [WORDS]      the cases whose name holds one of the words"""
import json
import os
import re
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "golden"))
import harness  # noqa: E402
import readers  # noqa: E402
import run as golden  # noqa: E402
from harness import equal, require  # noqa: E402

PROGRAM = os.path.join(HERE, "program.py")
# Parts of a trace that every export has to cut alike.
PARTS = [[], ["--all-calls"], ["--thread=#1"], ["--from=40%"], ["--to=60%"],
         ["--from=30%", "--to=70%"], ["--include=*i*"]]


def functions(trace, *part):
    """{(name, file, line): (calls, exclusive)} of ptana profile."""
    report = json.loads(harness.ptana("profile", trace, "--format=json", *part))
    result = {}
    for f in report["functions"]:
        key = f["name"], f["file"], f["line"]
        calls, time = result.get(key, (0, 0))
        result[key] = calls + f["calls"], time + f["exclusive"]
    return {key: value for key, value in result.items() if any(value)}


def escaped(text):
    """As ptana escapes what a line of text cannot show (analyze/output.h).  What
    is no UTF-8 is a replacement character in JSON and bytes in text: a "?" here."""
    out = []
    for char in text:
        code = ord(char)
        data = char.encode("utf-8", "surrogatepass")
        odd = code < 32 or 126 < code < 160 or 0xd800 <= code <= 0xdfff
        out.append("".join("\\x%02x" % byte for byte in data) if odd else char)
    return re.sub(r"(\ufffd|\\x[89a-f][0-9a-f])+", "?", "".join(out))


def resolve(part, trace):
    """`part` with its per cents as places in time."""
    threads = [t for t in harness.info(trace)["threads"] if t["events"]]
    first = min((t["first"] for t in threads), default=0)
    last = max((t["last"] for t in threads), default=0)
    place = lambda text: "%dns" % (first + (last - first) * int(text) // 100)  # noqa: E731
    return [option[:option.index("=") + 1] + place(option[option.index("=") + 1:-1])
            if option.endswith("%") else option for option in part]


def sums(trace, part):
    """The rows of csv add up to the profile."""
    expected = {}
    for (name, file, line), value in functions(trace, *part).items():
        key = escaped(name), escaped(file), str(line or "")
        old = expected.get(key, (0, 0))
        expected[key] = old[0] + value[0], old[1] + value[1]
    rows = readers.csv_rows(harness.ptana("export", trace, "--format=csv", *part))
    got = {}
    for row in rows:
        key = escaped(row["name"]), escaped(row["file"]), row["line"]
        calls, time = got.get(key, (0, 0))
        got[key] = calls + 1 - row["partial"], time + row["exclusive_ns"]
        require(row["exclusive_ns"] + row["wait_ns"] <= row["duration_ns"], row)
    equal({key: value for key, value in got.items() if any(value)}, expected, part)


def timelines(trace, part):
    """The other timelines hold the calls of csv."""
    expected = readers.csv_calls(harness.ptana("export", trace, "--format=csv", *part))
    for name, read in (("chrome", readers.chrome_calls),
                       ("speedscope", readers.speedscope_calls)):
        got = read(harness.ptana("export", trace, "--format=" + name, *part))
        got = sorted((start, end, depth, escaped(function))
                     for start, end, depth, function in got)
        expected = sorted((start, end, depth, escaped(function))
                          for start, end, depth, function in expected)
        equal(got, expected, name, part)


def whole(directory, trace):
    for part in PARTS:
        part = resolve(part, trace)
        asked = harness.run([harness.PTANA, "profile", *part, trace], expect=None)
        if asked.returncode == 2:  # there is no such part, for nobody
            done = harness.run([harness.PTANA, "export", *part, trace], expect=2)
            equal(done.stderr, asked.stderr)
            continue
        sums(trace, part)
        timelines(trace, part)


def recorded(directory, python, preset):
    trace = os.path.join(directory, "program.ptr")
    harness.ptrec(python, trace, PROGRAM, options=["--preset=" + preset])
    whole(directory, trace)


def main():
    suite = harness.Suite("export")
    with tempfile.TemporaryDirectory() as place:
        traces = golden.make_traces(place)
        for name in sorted(os.listdir(traces)):
            suite.case("golden " + name, whole, os.path.join(traces, name))
        for python in harness.chosen():
            for preset in "flow", "calls", "lines":
                suite.case("%s %s" % (python, preset), recorded, python, preset)
        suite.finish()


if __name__ == "__main__":
    main()
