"""Exports: what each holds is what ptana profile counts, and the tools that it
is for read it.  Tools that are not there are named, and left out.

    run.py [WORDS]      the cases whose name holds one of the words"""
import base64
import glob
import html
import json
import os
import re
import shutil
import subprocess
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
         ["--from=30%", "--to=70%"], ["--include=*i*"],
         ["--function=work", "--exclude=down"], ["--max-depth=3"], ["--start-at=work"]]


def functions(trace, *part):
    """{(name, file, line): (calls, exclusive, inclusive)} of ptana profile."""
    report = json.loads(harness.ptana("profile", trace, "--format=json", *part))
    return added((tuple(escaped(str(f[key])) for key in ("name", "file", "line")),
                  (f["calls"], f["exclusive"], f["inclusive"]))
                 for f in report["functions"])


def added(pairs):
    """{key: the sum of its tuples}, without what is zero."""
    result = {}
    for key, value in pairs:
        result[key] = tuple(map(sum, zip(value, result.get(key, [0] * len(value)))))
    return {key: value for key, value in result.items() if any(value)}


def export(trace, name, part):
    return harness.ptana("export", trace, "--format=" + name, *part)


def escaped(text):
    """As ptana escapes what a line of text cannot show (analyze/output.h).  What
    is no UTF-8 is a replacement character in JSON and bytes in text: a "?" here."""
    out = []
    for char in text:
        code = ord(char)
        data = char.encode("utf-8", "surrogatepass")
        odd = code < 32 or 126 < code < 160 or 0xd800 <= code <= 0xdfff or \
            code in (0x2028, 0x2029)
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
    rows = readers.csv_rows(export(trace, "csv", part))
    for row in rows:
        require(row["exclusive_ns"] + row["wait_ns"] <= row["duration_ns"], row)
    got = added(((escaped(row["name"]), escaped(row["file"]), row["line"] or "0"),
                 (1 - row["partial"], row["exclusive_ns"])) for row in rows)
    expected = added((key, value[:2]) for key, value in functions(trace, *part).items())
    equal(got, expected, "csv", part)


def timelines(trace, part):
    """The other timelines hold the calls of csv."""
    def alike(calls):
        return sorted((*call, escaped(name)) for *call, name in calls)

    expected = alike(readers.csv_calls(export(trace, "csv", part)))
    for name, read in (("chrome", readers.chrome_calls),
                       ("speedscope", readers.speedscope_calls)):
        equal(alike(read(export(trace, name, part))), expected, name, part)


def summaries(trace, part):
    """What collapsed, pprof and callgrind add up to is the profile."""
    expected = functions(trace, *part)
    total = sum(value[1] for value in expected.values())

    samples = readers.pprof(export(trace, "pprof", part))
    got = added((tuple(escaped(str(text)) for text in stack[-1]), values)
                for stack, values, labels in samples)
    equal(got, added((key, value[:2]) for key, value in expected.items()), "pprof", part)
    threads = {row["thread_name"] for row in readers.csv_rows(export(trace, "csv", part))}
    equal({labels["thread"] for _, _, labels in samples} - threads, set())

    lines = readers.collapsed(export(trace, "collapsed", part))
    equal(sum(time for _, time in lines), total, "collapsed", part)
    leaves = added((stack[-1], (time,)) for stack, time in lines)
    names = {}
    for (name, file, line), value in expected.items():
        place = " (%s:%s)" % (file.rpartition("/")[2], line) if line != "0" else ""
        names.setdefault((name + place).replace(";", ":"), []).append((0, value[1:2]))
    equal({escaped(key): value for key, value in leaves.items()},
          {key: added(value)[0] for key, value in names.items() if added(value)})
    # Thread by thread it is the same, and no line has more threads than one.
    split = readers.collapsed(export(trace, "collapsed", [*part, "--by-thread"]))
    equal(added((tuple(stack[1:]), (time,)) for stack, time in split),
          added((tuple(stack), (time,)) for stack, time in lines))

    annotated(trace, part, expected, total)


def pages(trace, part):
    """The paths of a flame graph add up to the profile; those that are left out
    are still there, as (less)."""
    expected = functions(trace, *part)
    paths, d = readers.page(harness.ptana("flamegraph", trace, *part))
    got = added((tuple(escaped(str(text)) for text in stack[-1]),
                 (row["calls"], row["self"])) for stack, row, _ in paths)
    equal(got, added((key, value[:2]) for key, value in expected.items()), "page", part)
    if not trace.endswith("gaps.ptr"):
        equal(d["notes"], [])
    few, d = readers.page(harness.ptana("flamegraph", trace, "--limit=5", *part))
    require(sum(stack[-1][0] != "(less)" for stack, _, _ in few) <= 5, few)
    for key in "self", "calls":
        equal(sum(row[key] for _, row, _ in few), sum(row[key] for _, row, _ in paths), key)
    if len(paths) > 5:
        require(re.search(r"paths? of less than .* drawn together", d["notes"][0]), d)


def annotated(trace, part, expected, total):
    """Own costs of callgrind are the profile's; the costs of all calls of a
    function, and of those that nobody called, are its inclusive time."""
    nodes, cost = readers.callgrind(export(trace, "callgrind", part))
    equal(cost, total, "callgrind", part)
    own = added((tuple(map(escaped, key)), (sum(node["own"].values()),))
                for key, node in nodes.items())

    def keyed(name, file, line):
        anonymous = name.endswith(">") and name != "<module>" and line != "0"
        return name + ":" + line if anonymous else name, file

    equal(own, added((keyed(*key), value[1:2]) for key, value in expected.items()), part)
    calls = added((tuple(map(escaped, callee)), (count, ns)) for node in nodes.values()
                  for (_, callee), (count, ns) in node["calls"].items())
    rows = [row for row in readers.csv_rows(export(trace, "csv", part))]
    top = added((keyed(escaped(row["name"]), escaped(row["file"]), row["line"] or "0"),
                 (row["partial"] == 0, row["duration_ns"] - row["wait_ns"]))
                for row in rows if row["depth"] == 0)
    both = added([*calls.items(), *top.items()])
    partial = {keyed(escaped(row["name"]), escaped(row["file"]), row["line"] or "0")
               for row in rows if row["partial"]}
    for key, value in added((keyed(*k), v) for k, v in expected.items()).items():
        count, ns = both.get(key, (0, 0))
        equal(ns, value[2], "inclusive", key, part)
        require(count == value[0] or key in partial, "calls of", key, count, value[0], part)


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
        summaries(trace, part)
        pages(trace, part)


def record(directory, python, preset):
    trace = os.path.join(directory, "program.ptr")
    harness.ptrec(python, trace, PROGRAM, options=["--preset=" + preset])
    return trace


def recorded(directory, python, preset):
    whole(directory, record(directory, python, preset))


def by_line(directory, python):
    """With lines in the recording, own costs stand at the lines that took them."""
    trace = record(directory, python, "lines")
    nodes, _ = readers.callgrind(export(trace, "callgrind", []))
    down = nodes["down", PROGRAM]
    equal(set(down["own"]), {17, 18}, "lines of down()")
    equal({(line, callee[0]): count for (line, callee), (count, _) in down["calls"].items()},
          {(18, "down"): 4 * 50}, "calls of down()")
    work = nodes["work", PROGRAM]
    require({29, 30, 31} <= set(work["own"]), "lines of work():", work["own"])
    equal({line for line, callee in work["calls"] if callee[0] == "fib"}, {31})


def damaged(directory):
    """Whatever the bytes: a whole export, or a sentence and a status."""
    readable = {"chrome": readers.chrome, "speedscope": readers.speedscope_calls,
                "collapsed": readers.collapsed, "callgrind": readers.callgrind,
                "pprof": readers.pprof, "csv": readers.csv_calls}
    for path in sorted(glob.glob(os.path.join(harness.ROOT, "tests", "corpus", "*.ptr"))):
        for name, read in [*readable.items(), ("page", readers.page)]:
            words = ["flamegraph"] if name == "page" else ["export", "--format=" + name]
            done = harness.run([harness.PTANA, *words, path], expect=None)
            require(done.returncode in (0, 3), path, name, done.returncode)
            if done.returncode == 0:
                read(done.stdout)
            else:
                require(os.path.basename(path).encode() in done.stderr, path, done.stderr)


def no_room(directory):
    """A full disk and a reader that goes away end it, soon and in one sentence."""
    trace = os.path.join(directory, "traces")
    os.mkdir(trace)
    trace = os.path.join(golden.make_traces(trace), "basic.ptr")
    for name in "chrome", "speedscope", "collapsed", "callgrind", "pprof", "csv":
        with open("/dev/full", "wb") as full:
            done = subprocess.run([harness.PTANA, "export", "--format=" + name, trace],
                                  stdout=full, stderr=subprocess.PIPE)
        equal(done.returncode, 4, name)
        require(re.fullmatch(rb"ptana: .* cannot be written \(.*\); make room\n", done.stderr),
                name, done.stderr)


# --- the tools themselves ----------------------------------------------------

def in_callgrind_annotate(directory, python):
    trace = record(directory, python, "flow")
    path = os.path.join(directory, "callgrind.out")
    harness.ptana("export", trace, "--format=callgrind", "-o", path)
    total = readers.callgrind(open(path, "rb").read())[1]
    done = harness.run(["callgrind_annotate", "--inclusive=yes", "--threshold=100", path])
    equal(done.stderr, b"")
    text = done.stdout.decode()
    require("{:,} (100.0%)  PROGRAM TOTALS".format(total) in text, total, text)
    expected = json.loads(harness.ptana("profile", trace, "--format=json"))["functions"]
    fib = [f for f in expected if f["name"] == "fib"]
    require(re.search(r"^ *{:,} \(.*\)  {}:fib$".format(fib[0]["inclusive"], PROGRAM), text,
                      re.M), fib, text)


def in_pprof(directory, python, command):
    trace = record(directory, python, "flow")
    path = os.path.join(directory, "profile.pb.gz")
    harness.ptana("export", trace, "--format=pprof", "-o", path)
    done = harness.run([*command, "-sample_index=calls", "-unit=count", "-nodecount=0",
                        "-nodefraction=0", "-top", path],
                       env=harness.environment(HOME=directory))
    got = {name: int(calls) for calls, name in
           re.findall(r"^ +(\d+) +\S+% +\S+% +\d+ +\S+% +(.*)$", done.stdout.decode(), re.M)}
    for name in "fib", "down", "squares", "builtins.len":
        expected = json.loads(harness.ptana("profile", trace, "--format=json",
                                            "--filter=" + name))["functions"]
        equal(got.get(name), sum(f["calls"] for f in expected), name, done.stdout)


def in_speedscope(directory, python, browser):
    """Its page loads each format that it knows, and shows the profile's name."""
    harness.run(["npm", "pack", "--silent", "speedscope"], cwd=directory,
                env=harness.environment(HOME=directory))
    package, = (name for name in os.listdir(directory) if name.endswith(".tgz"))
    harness.run(["tar", "xzf", package], cwd=directory)
    trace = record(directory, python, "flow")
    page = os.path.join(directory, "package", "dist", "release", "index.html")
    for name in "speedscope", "chrome", "collapsed", "callgrind", "pprof":
        data = base64.b64encode(export(trace, name, [])).decode()
        script = os.path.join(directory, name + ".js")
        with open(script, "w") as file:
            file.write('speedscope.loadFileFromBase64("loaded as %s", "%s")' % (name, data))
        done = browse(directory, browser, "file://%s#localProfilePath=%s" % (page, script))
        shown = done.stdout.decode()
        # The two that name their profiles do so by the program.
        wanted = PROGRAM if name in ("speedscope", "chrome") else "loaded as " + name
        require(wanted in shown, name, shown[-3000:])
        log = done.stderr.decode(errors="replace")
        require(not re.search(r"Doing nothing|still open", log), name, log[-3000:])


# What a user does to the page, and what it then shows, as JSON in its title.
USES = """<script>
const shown = [], key = (name) => document.dispatchEvent(new KeyboardEvent("keydown", {key: name})),
  note = () => shown.push($("about").textContent.split("  ")[0] + " | " + $("found").textContent),
  mouse = (kind, x, row) => { const area = canvas.getBoundingClientRect();
    canvas.dispatchEvent(new MouseEvent(kind, {clientX: area.left + x,
      clientY: area.top + row * ROW + 5 - graph.scrollTop})); },
  find_ = (text) => { $("search").value = text; search(); };
note();
mouse("mousemove", 5, 1); shown.push($("tip").textContent.split("\\n")[0]);
mouse("click", 5, 1); note();
key("ArrowDown"); note(); key("ArrowUp"); key("ArrowUp"); note();
find_("^fib$"); note(); find_("("); note(); find_("no such thing"); note();
key("Escape"); note();
key("i"); mouse("click", 5, 1); note(); key("i");
key("f"); shown.push(top_(0) > top_(1)); key("f");
$("thread").value = 1; $("thread").dispatchEvent(new Event("change")); note();
find_("a;b"); $("thread").value = -1; $("thread").dispatchEvent(new Event("change")); note();
document.title = JSON.stringify(shown);
</script>"""


def in_browser(directory, python, browser):
    trace = record(directory, python, "flow")
    page = os.path.join(directory, "page.html")
    data = harness.ptana("flamegraph", trace).decode()
    with open(page, "w") as file:
        file.write(data.replace("</body>", USES + "</body>"))
    done = browse(directory, browser, "file://" + page)
    title = re.search(r"<title>(.*?)</title>", done.stdout.decode(), re.S).group(1)
    require(title.startswith("["), title, done.stderr.decode()[-2000:])
    shown = json.loads(html.unescape(title))
    paths, d = readers.page(data.encode())
    total = sum(row["self"] for _, row, _ in paths)

    def share(wanted, thread=None):
        rows = [(stack, row["self"]) for stack, row, of in paths if thread in (None, of)]
        time = sum(own for stack, own in rows if any(wanted(*f) for f in stack))
        return "%.2f %%" % (100 * time / sum(own for _, own in rows))

    own = {}
    for stack, row, thread in paths:
        own[stack[-1][0]] = own.get(stack[-1][0], 0) + row["self"]
    module = "<module> program.py"
    first = sorted(((sum(r["self"] for s, r, _ in paths if len(s) > 1 and s[:2] == stack), stack)
                    for stack, _, _ in paths if len(stack) == 2 and stack[0][1] == PROGRAM),
                   reverse=True)[0][1][1][0]
    odd = lambda name, *_: "a;b" in name  # noqa: E731
    equal(shown, ["all | ", module, module + " | ", first + " | ", "all | ",
                  "all | %s in 1 function" % share(lambda name, *_: name == "fib"),
                  shown[6], "all | nothing matches", "all | ",
                  max(own, key=own.get) + " | ", True, "all | ",
                  "all | %s in 1 function" % share(odd)], total, d["threads"])
    require(re.fullmatch(r"all \| (nothing matches|\S+ % in \d+ functions?)", shown[6]), shown[6])


def browse(directory, browser, url):
    return harness.run([browser, "--headless=new", "--no-sandbox", "--disable-gpu",
                        "--window-size=1200,800", "--virtual-time-budget=10000",
                        "--enable-logging=stderr", "--dump-dom",
                        "--user-data-dir=" + os.path.join(directory, "profile"), url],
                       env=harness.environment(HOME=directory))


def tools(suite, python):
    if shutil.which("callgrind_annotate"):
        suite.case("callgrind_annotate", in_callgrind_annotate, python)
    else:
        print("note: export: callgrind_annotate is not installed (Debian's valgrind)")
    pprof = [["pprof"]] if shutil.which("pprof") else [
        [go, "tool", "pprof"] for go in [shutil.which("go"), *glob.glob("/usr/lib/go-*/bin/go")]
        if go]
    if pprof:
        suite.case("pprof", in_pprof, python, pprof[-1])
    else:
        print("note: export: pprof is not installed (Debian's golang-go has it)")
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser:
        suite.case("page in a browser", in_browser, python, browser)
    else:
        print("note: export: no browser to try flame graphs in (Debian's chromium)")
    if harness.ALL and browser and shutil.which("npm"):
        suite.case("speedscope", in_speedscope, python, browser)
    else:
        print("note: export: speedscope's page is tried by make check-all where npm and "
              "chromium are installed")


def main():
    suite = harness.Suite("export")
    with tempfile.TemporaryDirectory() as place:
        traces = golden.make_traces(place)
        for name in sorted(os.listdir(traces)):
            suite.case("golden " + name, whole, os.path.join(traces, name))
        suite.case("damaged traces", damaged)
        suite.case("no room", no_room)
        pythons = harness.chosen()
        suite.case("by line", by_line, pythons[-1])
        tools(suite, pythons[0])
        for python in pythons:
            for preset in "flow", "calls", "lines":
                suite.case("%s %s" % (python, preset), recorded, python, preset)
        suite.finish()


if __name__ == "__main__":
    main()
