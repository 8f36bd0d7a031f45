"""The reports of `ptana coverage`: JSON and marks are coverage.py's (peers.py says
which release), pages are well-formed and say what the JSON says, genhtml takes the
tracefile, and a diff tells what a comparison of the JSON tells.

The programs are one written for this, and modules of the standard library that are
copied beside it, so that they are the program's own."""
import html.parser
import json
import os
import re
import shutil
import sys
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import harness  # noqa: E402
import peers  # noqa: E402
from harness import equal, require  # noqa: E402

COPIED = ["argparse.py", "textwrap.py", "dataclasses.py", "fractions.py"]

PROGRAM = '''\
"""What the reports are about: <b>&amp; "quotes" in a docstring."""
import typing  # which coverage.py imports, too, and dataclasses looks for
import copied_argparse as argparse
import copied_dataclasses as dataclasses
import copied_fractions as fractions
import copied_textwrap as textwrap


@dataclasses.dataclass
class Point:
    """A class with methods, a property twice, and a class within."""
    x: int = 0
    y: int = 0

    @property
    def size(self):
        return abs(self.x) + abs(self.y)

    @size.setter
    def size(self, value):
        self.x = value

    class Inner:
        def never(self):
            return 'never'

    def method(self, values):
        def inner(value):
            if value > 1 and \\
               value < 5:
                return value
            return 0
        total = sum(
            inner(value)
            for value in values
        )
        class Local:
            def local(self):
                return total
        return Local().local()


def branches(n):
    if n > 100:
        return 'large'
    elif n > 1 or n == 0:
        text = 'some </code><script>alert(1)</script> &lt;'
    else:
        text = "one"
    while n:
        n -= 1
        if n == 3:
            break
    else:
        text += '!'
    try:
        1 // n
    except ZeroDivisionError:
        pass
    else:
        text += ''
    finally:
        text = text.strip()
    for _ in range(2): text += ''
    return text


def excluded():  # pragma: no cover
    if True:
        print("not")
    else:
        print("counted")


async def coroutine():
    return None

one_line = lambda x: x if x else None; two = one_line(1)
\u00e4\u00f6 = "\u00fc\u4e2d"  # names and text that are no ASCII
point = Point(3)
print(point.method([1, 2, 3, 9]), [branches(n) for n in (0, 1, 2, 9)])
parser = argparse.ArgumentParser(description="d")
parser.add_argument("--n", type=int, default=1)
print(parser.parse_args(["--n", "2"]).n, fractions.Fraction("3/4") + 1)
print(textwrap.fill("a b c " * 30, 20), textwrap.dedent("  a\\n  b"))
'''


# --- both tools ----------------------------------------------------------------

def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def make(python, directory):
    """Writes the program and what it imports."""
    stdlib = harness.output([python.path, "-I", "-S", "-c",
                             "import os; print(os.path.dirname(os.__file__))"]).strip()
    for name in COPIED:
        shutil.copy(os.path.join(stdlib, name), os.path.join(directory, "copied_" + name))
    write(os.path.join(directory, "program.py"), PROGRAM)


def record(python, directory, name="program.py", trace="trace.ptr"):
    harness.ptrec(python, trace, name, options=["--syntax=own", "-f"], cwd=directory)


def report(directory, *words, trace="trace.ptr", expect=0):
    return harness.ptana("coverage", trace, *words, cwd=directory, expect=expect)


def as_json(directory, *words, **kwargs):
    return json.loads(report(directory, "--format=json", *words, **kwargs))


def with_peer(python, directory):
    """coverage.py's run of the same program; None, and said so, without one."""
    if not peers.of(python):
        print("note: no coverage.py for %s: not compared" % python)
        return None
    peer = peers.Peer(python, directory)
    peer.run("--branch", "program.py")
    return peer


# --- JSON ----------------------------------------------------------------------

def same_part(ours, theirs, what):
    """A file, or a region of one: the same keys, and what they say."""
    statements = set(ours["executed_lines"]) | set(ours["missing_lines"])
    for key in theirs:
        require(key in ours, what, "has no", key)
        if key == "executed_lines":
            # Theirs are all that ran: excluded lines and docstrings, too.
            more = set(theirs[key]) - set(ours[key])
            require(not more & statements, what, key, sorted(more))
            less = set(ours[key]) - set(theirs[key])
            require(not less, what, key, sorted(less))
        elif key in ("missing_lines", "excluded_lines", "summary",
                     "executed_branches", "missing_branches"):
            equal(ours[key], theirs[key], what, key)


def json_report(directory, python):
    make(python, directory)
    record(python, directory)
    peer = with_peer(python, directory)
    ours = as_json(directory, "--branches")
    equal(ours["meta"]["format"], 3)
    if not peer:
        return
    theirs = peer.json()
    modern = python.version >= (3, 12)
    require(set(theirs["meta"]) <= set(ours["meta"]), "meta", theirs["meta"], ours["meta"])
    equal(set(ours) - set(theirs), {"ptrec"})
    equal(list(ours["files"]), sorted(theirs["files"]), "files")
    equal(ours["totals"], theirs["totals"] if modern else {**ours["totals"], **theirs["totals"]},
          "totals")
    for name, their in theirs["files"].items():
        our = ours["files"][name]
        equal(set(our) - set(their) - {"functions", "classes", "executed_branches",
                                       "missing_branches"}, {"ptrec"}, name)
        same_part(our, {key: value for key, value in their.items()
                        if modern or key != "executed_branches"}, name)
        for kind in ("functions", "classes") if modern else ():
            # They see definitions in the first suite of a statement alone.
            hidden = set(our[kind]) - set(their[kind])
            require(not set(their[kind]) - set(our[kind]), name, kind, set(their[kind]))
            if hidden:
                continue
            for region, part in their[kind].items():
                same_part(our[kind][region], part, "%s %s %r" % (name, kind, region))


# --- annotated sources ---------------------------------------------------------

def marks(text):
    """The mark of each line of an annotated source, by file."""
    result, name = {}, None
    for line in text.split("\n"):
        if line.endswith(".py") and not re.match(r"[>! -] ", line):
            name = line
        elif re.match(r"[>!\- ] {1,6} *[0-9]* +[0-9]+(  |$)", line) and name:
            result.setdefault(name, []).append(line[0])
    return result


def annotate(directory, python):
    make(python, directory)
    record(python, directory)
    peer = with_peer(python, directory)
    text = report(directory, "--format=annotate").decode()
    ours = marks(text)
    require(len(ours) == 1 + len(COPIED), "files:", list(ours))
    for name, got in ours.items():
        with open(os.path.join(directory, name), encoding="utf-8") as file:
            lines = file.read().split("\n")
        equal(len(got), len(lines) - 1, name, "lines")
        if not peer:
            continue
        peer.coverage("annotate", "-d", directory, "--include=" + name)
        with open(os.path.join(directory, name + ",cover"), encoding="utf-8") as file:
            theirs = [line[0] for line in file.read().split("\n")[:-1]]
        wrong = [(i + 1, a, b, lines[i]) for i, (a, b) in enumerate(zip(got, theirs)) if a != b]
        require(not wrong, name, "line, ours, theirs:", wrong[:10])
    for width in 60, 80:
        narrow = report(directory, "--format=annotate", "--width=%d" % width).decode()
        long = [line for line in narrow.split("\n") if len(line) > width]
        require(not long, "wider than", width, long[:3])


# --- HTML ----------------------------------------------------------------------

VOID = {"meta", "link", "input", "br"}


class Page(html.parser.HTMLParser):
    """A page, which must be well-formed: its links, anchors, and source lines."""

    def __init__(self, path):
        super().__init__(convert_charrefs=True)
        self.open, self.links, self.anchors, self.scripts = [], [], set(), []
        self.lines, self.rows, self.told = [], [], []
        with open(path, encoding="utf-8", newline="") as file:
            self.text = file.read()
        self.feed(self.text)
        self.close()
        require(not self.open, path, "leaves open:", self.open)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        classes = (attributes.get("class") or "").split()
        require(not any(name.startswith("on") for name in attributes), tag, attributes)
        if tag == "script":
            self.scripts.append(attributes.get("src"))
        if "href" in attributes:
            self.links.append(attributes["href"])
        if "id" in attributes:
            require(attributes["id"] not in self.anchors, "twice:", attributes["id"])
            self.anchors.add(attributes["id"])
        if "line" in classes:
            self.lines.append({"class": [c for c in classes if c != "line"],
                               "id": attributes["id"], "code": "", "hits": ""})
        if "c" in classes:
            self.told.append([len(self.lines), classes[1], attributes["title"], ""])
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append((tag, classes))

    def handle_endtag(self, tag):
        require(self.open and self.open[-1][0] == tag, "</%s> within" % tag, self.open[-3:])
        self.open.pop()

    def handle_data(self, data):
        tags = [tag for tag, _ in self.open]
        within = [name for _, classes in self.open for name in classes]
        if "line" in within and "code" in tags:
            self.lines[-1]["code"] += data
            if "c" in within:
                self.told[-1][3] += data
        elif "hits" in within:
            self.lines[-1]["hits"] += data
        elif "td" in tags and "decision" not in within:
            self.rows[-1][-1] += data


def shown(line):
    """A line of a source as a page shows it."""
    return "".join(c if c == "\t" or c.isprintable() else
                   "".join("\\x%02x" % byte for byte in c.encode()) for c in line)


def html_report(directory, python):
    make(python, directory)
    record(python, directory)
    report(directory, "--format=html", "-o", "pages", "--branches")
    told = as_json(directory, "--branches")
    folder = os.path.join(directory, "pages")
    pages = {name: Page(os.path.join(folder, name))
             for name in os.listdir(folder) if name.endswith(".html")}
    equal(len(pages), len(told["files"]) + 2, "pages")
    for name, page in pages.items():
        equal(page.scripts, ["report.js"], name, "scripts")
        require("://" not in re.sub(r"<code>.*?</code>", "", page.text), name, "names a host")
        for link in page.links:
            to, _, anchor = urllib.parse.unquote(link).partition("#")
            require(os.path.exists(os.path.join(folder, to or name)), name, "links", link)
            if anchor:
                require(anchor in pages[to or name].anchors, name, "links", link)
    listed = {row[0]: row for row in pages["index.html"].rows if row}
    for name, file in told["files"].items():
        require(name in listed, name, "is not listed:", list(listed))
        equal(listed[name][1:4], [str(file["summary"][key]) for key in (
            "num_statements", "missing_lines", "excluded_lines")], name)
        page, = [p for n, p in pages.items() if n.startswith(name)]
        compare_source(page, os.path.join(directory, name), file, name)
    functions = [row[0] for row in pages["functions.html"].rows if row]
    wanted = [f["name"] + (" (class)" if f["kind"] == "class" else "")
              for file in told["files"].values() for f in file["ptrec"]["functions"]]
    equal(functions, wanted, "functions")


def compare_source(page, path, file, name):
    with open(path, encoding="utf-8") as source:
        lines = source.read().split("\n")[:-1]
    equal([line["code"] for line in page.lines], [shown(line) for line in lines], name)
    hits = file["ptrec"]["hits"]
    partial = {line for line, _ in file.get("missing_branches", [])} - set(file["missing_lines"])
    for number, line in enumerate(page.lines, 1):
        equal(line["id"], "L%d" % number)
        if number in file["missing_lines"]:
            expected = ["mis"]
        elif number in file["excluded_lines"]:
            expected = ["exc"]
        elif number in partial:
            expected = ["par"]
        elif number in file["executed_lines"]:
            expected = ["run"]
        else:
            expected = line["class"]
        if expected != ["exc"]:
            equal(line["hits"], str(hits.get(str(number), "")), name, number)
        if lines[number - 1].strip() and not lines[number - 1].strip().startswith("else"):
            equal(line["class"], expected, name, number, lines[number - 1])


def hostile(directory, python):
    """Names and texts that are markup, in any encoding, and control characters."""
    name = "a<b>&\"' \u202e\u00e4.py"
    text = ('x = "</code></div><script>alert(1)</script>"  # \x07 \x7f \u202e\n'
            "if x:\n\tif_ = 0\ny = '\u2028'\x0c; z = '''<!--\n--> &amp;'''\n")
    write(os.path.join(directory, name), text)
    record(python, directory, name)
    report(directory, "--format=html", "-o", "pages")
    page, = [Page(os.path.join(directory, "pages", file))
             for file in os.listdir(os.path.join(directory, "pages"))
             if file.endswith(".html") and file not in ("index.html", "functions.html")]
    equal(page.scripts, ["report.js"])
    require("\u202e" not in page.text and "\u2028" not in page.text, "characters that turn text")
    require("</code></div><script>" in "".join(line["code"] for line in page.lines))
    Page(os.path.join(directory, "pages", "index.html"))
    told = as_json(directory)
    equal(list(told["files"]), [name])
    trace = report(directory, "--format=lcov").decode()
    equal(trace.count("SF:"), 1)


# --- lcov ----------------------------------------------------------------------

def lcov(directory, python):
    make(python, directory)
    record(python, directory)
    report(directory, "--format=lcov", "-o", "trace.info", "--branches")
    told = as_json(directory, "--branches")
    with open(os.path.join(directory, "trace.info"), encoding="utf-8") as file:
        records = [part.strip().split("\n") for part in file.read().split("end_of_record")][:-1]
    equal(len(records), len(told["files"]))
    for lines in records:
        values = {}
        for line in lines:
            key, _, value = line.partition(":")
            values.setdefault(key, []).append(value)
        file = told["files"][values["SF"][0]]
        hits = {int(line): count for line, count in file["ptrec"]["hits"].items()}
        counted = set(file["executed_lines"]) | set(file["missing_lines"])
        expected = ["%d,%d" % (line, hits[line]) for line in sorted(hits)
                    if line in counted - set(file["excluded_lines"])]
        equal(values["DA"], expected, values["SF"])
        equal(values["LF"], [str(file["summary"]["num_statements"])])
        equal(values["LH"], [str(file["summary"]["covered_lines"])])
        names = [value.partition(",")[2] for value in values.get("FN", [])]
        equal(len(names), len(set(names)), "names of functions")
        equal(values["BRF"], [str(file["summary"]["num_branches"])])
        equal(values["BRH"], [str(file["summary"]["covered_branches"])])
    if not shutil.which("genhtml"):
        print("note: genhtml is not installed: not tried")
        return
    done = harness.run(["genhtml", "--branch-coverage", "-o", "lcov", "trace.info"],
                       cwd=directory).stdout.decode()
    totals = told["totals"]
    require("(%d of %d lines)" % (totals["covered_lines"], totals["num_statements"]) in done, done)
    require("(%d of %d branches)" % (totals["covered_branches"], totals["num_branches"])
            in done, done)


# --- conditions ----------------------------------------------------------------

CONDITIONS = """\
def f(a, b, c):
    if a and (b or not c):
        return 1
    while a < b < c: a += 1
    return [x for x in (a, b, c) if x and x > 1]
def never(a, b):
    return 1 if a and b else 2
for v in ((1, 0, 0), (0, 1, 2), (1, 0, 1)):
    f(*v)
"""
# Worked out by hand: condition, true, false.
TOLD = [("a", 2, 1), ("b", 0, 2), ("c", 1, 1), ("a < b", 1, 2), ("b < c", 1, 0),
        ("x", 5, 1), ("x > 1", 1, 4), ("a", 0, 0), ("b", 0, 0)]
VECTORS = {2: {"TFT": ("F", 1), "TFF": ("T", 1), "F--": ("F", 1)},
           4: {"TT": ("T", 1), "F-": ("F", 2)},
           5: {"TT": ("T", 1), "TF": ("F", 4), "F-": ("F", 1)}, 7: {}}
ALONE = {2: [True, False, True], 4: [True, False], 5: [True, True], 7: [False, False]}


def conditions(directory, python):
    """Conditions and MC/DC in every report; the numbers are worked out by hand."""
    write(os.path.join(directory, "program.py"), CONDITIONS)
    record(python, directory)
    words = ["--branches", "--conditions", "--mcdc"]
    own = as_json(directory, *words)["files"]["program.py"]["ptrec"]
    source = CONDITIONS.split("\n")

    def text(span):
        equal(span[0], span[2])
        return source[span[0] - 1][span[1]:span[3]]

    for condition in own["conditions"]:
        equal(set(condition), {"span", "decision", "true", "false", "undecided", "state"})
    equal([(text(c["span"]), c["true"], c["false"]) for c in own["conditions"]], TOLD)
    for decision in own["decisions"]:
        equal(set(decision), {"span", "vectors", "mcdc", "pairs", "missing"})
        line = decision["span"][0]
        equal({seen: (result, n) for seen, result, n, place in decision["vectors"]},
              VECTORS[line], line)
        equal(decision["mcdc"], ALONE[line], line)
        for shown, pair, missing in zip(*(decision[k] for k in ("mcdc", "pairs", "missing"))):
            equal((pair is not None, missing is None), (shown, shown), line)
        for _, _, _, place in decision["vectors"]:
            require(re.fullmatch("[0-9]+[+][0-9]+", place), place)
    condition_page(directory, own, text, words)
    records = report(directory, "--format=lcov", *words).decode().split("\n")
    shown = [record.split(",")[3] != "0" for record in records if record.startswith("MCDC:2,3,")]
    equal(shown, [alone for alone in ALONE[2] for _ in "tf"])
    require("MCH:%d" % (2 * sum(map(sum, ALONE.values()))) in records, records)
    marked = report(directory, "--format=annotate", *words).decode()
    for seen in "TFF -> T", "missing: TT-", "never true, false 2":
        require(seen in marked, seen, marked)


def condition_page(directory, own, text, words):
    report(directory, "--format=html", "-o", "pages", *words)
    folder = os.path.join(directory, "pages")
    name, = [n for n in os.listdir(folder) if n.startswith("program.py")]
    page = Page(os.path.join(folder, name))
    told = []
    for line, look, title, code in page.told:  # tokens of a condition are put together
        if told and told[-1][:3] == [line, look, title] and told[-1][3] + code in [
                text(c["span"])[:len(told[-1][3] + code)] for c in own["conditions"]]:
            told[-1][3] += code
        else:
            told.append([line, look, title, code])
    equal(len(told), len(own["conditions"]), told)
    for (line, look, title, code), condition in zip(told, own["conditions"]):
        yes, no = condition["true"], condition["false"]
        # What two parts of a chain share is told of with the second.
        whole = text(condition["span"])
        equal((line, code), (condition["span"][0], "a < " if whole == "a < b" else whole))
        equal(look, "both" if yes and no else "one" if yes or no else "never", code)
        equal(title, "never evaluated" if not yes and not no else "%s, %s" % (
            "true %d" % yes if yes else "never true", "false %d" % no if no else "never false"))


# --- diff ----------------------------------------------------------------------

BEFORE = """\
def first(n):
    if n > 1:
        a = 'then'
    else:
        a = 'other'
    return a
def second():
    b = 'second'
    return b
def third():
    return 'third'
print(first(1), first(2), second())
"""
# Each line has a text of its own, by which a line is known again.
AFTER = """\
import os
def first(n):
    if n > 1:
        a = 'then'
    else:
        a = 'other'
    new = os.name
    return a
def third():
    return 'third'
def second():
    b = 'second'
    fresh = 'not run'
    return b
print(first(2), third())
"""


def diff(directory, python):
    """Lines are followed through changes; the oracle knows them by their text."""
    path = os.path.join(directory, "program.py")
    told = []
    for text, trace in (BEFORE, "before.ptr"), (AFTER, "after.ptr"):
        write(path, text)
        record(python, directory, trace=trace)
        told.append(as_json(directory, trace=trace)["files"]["program.py"])
    then, now = told
    old, new = BEFORE.split("\n"), AFTER.split("\n")
    ran = {old[line - 1] for line in then["executed_lines"]}
    missing = {old[line - 1] for line in then["missing_lines"]}
    # What moved stays what it was for one of both alone: not compared.
    moved = {"def third():", "    return 'third'", "def second():", "    b = 'second'",
             "    return b"}
    got = as_json(directory, "--diff=before.ptr", trace="after.ptr")["files"]["program.py"]

    def still(lines):
        return [line for line in lines if new[line - 1] not in moved]

    equal(still(got["lost_lines"]),
          still([line for line in now["missing_lines"] if new[line - 1] in ran]), "lost")
    equal(still(got["new_missing_lines"]), still(
        [line for line in now["missing_lines"] if new[line - 1] not in ran | missing]), "new")
    require("        a = 'other'" in [new[line - 1] for line in got["lost_lines"]], got)
    require("    fresh = 'not run'" in [new[line - 1] for line in got["new_missing_lines"]], got)
    require(not set(got["gained_lines"]) & set(now["missing_lines"]), got)
    for trace, other, status in (("after.ptr", "before.ptr", 1), ("after.ptr", "after.ptr", 0)):
        report(directory, "--diff=" + other, "--fail-on-loss", trace=trace, expect=status)
    text = report(directory, "--diff=before.ptr", trace="after.ptr").decode()
    require(re.search(r"^  not run any more +[0-9, -]+$", text, re.M), text)


suite = harness.Suite("reports")
for python in harness.chosen():
    for function in json_report, annotate, html_report, hostile, lcov, \
            conditions, diff:
        suite.case("%s %s" % (python, function.__name__), function, python)
suite.finish()
