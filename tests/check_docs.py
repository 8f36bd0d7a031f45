"""Documents follow the tables: each command of ptana and ptrec has a man page
and a golden test, what documents name exists, and help works."""
import glob
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
from harness import PTANA, PTREC, ROOT, require  # noqa: E402


def text(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def commands():
    return re.findall(r"^    X\((\w+)\)", text("analyze", "table.c"), re.M)


def man_pages(directory):
    pages = {os.path.basename(path) for path in glob.glob(os.path.join(ROOT, "spec/man/*.1"))}
    require("ptrec.1" in pages or "ptrec-run.1" in pages, "no man page of ptrec:", pages)
    for command in commands():
        require("ptana-%s.1" % command in pages, "no spec/man/ptana-%s.1" % command)
    require(len(commands()) >= 5, "too few commands:", commands())


def golden_tests(directory):
    files = [path for path in glob.glob(os.path.join(ROOT, "tests/golden/**"), recursive=True)
             if os.path.isfile(path) and "__pycache__" not in path]
    # A command line may be a file's own first line, or a line of a table.
    lines = "\n".join(os.path.basename(path) + "\n" + open(path, errors="replace").read(1 << 20)
                      for path in files if not path.endswith(".ptr"))
    for command in commands():
        require(re.search(r"\b%s\b" % command, lines), "no golden test of ptana", command)


def help_(directory):
    for argv in [PTREC, "--help"], [PTREC, "run", "--help"], [PTANA, "--help"], \
            *([PTANA, command, "--help"] for command in commands()):
        done = harness.run(argv)
        require(len(done.stdout) > 100, "no help from", argv)
        wide = [line for line in done.stdout.decode().split("\n") if len(line) > 100]
        require(not wide, "lines over 100 columns:", argv, wide[:1])
    for program in PTREC, PTANA:
        require(re.search(rb"\d+\.\d+\.\d+", harness.run([program, "--version"]).stdout),
                "no version from", program)


def references(directory):
    """Files and targets that the documents name are there."""
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.M))
    for name in ["README.md"] + ["spec/" + n for n in os.listdir(os.path.join(ROOT, "spec"))
                                 if n.endswith(".md")]:
        page = text(name)
        for path in re.findall(r"`((?:tests|spec|record|format|replay|analyze|include)/[\w./-]+)`", page):
            require(os.path.exists(os.path.join(ROOT, path.rstrip("/"))) or "RESULTS.md" in path,
                    name, "names", path)
        for target in re.findall(r"^ *(?:    )?make ([a-z-]+)", page, re.M):
            require(target in targets or target.startswith("check-"), name, "names make", target)


def glossary(directory):
    words = re.findall(r"^\| ([\w ]+) \|", text("spec", "GLOSSARY.md"), re.M)
    require(len(words) > 40 and len(words) == len(set(words)), "words are listed once")


def no_foreign_hosts(directory):
    """Nothing is fetched but Debian packages."""
    for path in ["setup", "Makefile", ".ci/run", "record/pythons.sh", "record/build-hooks.sh"]:
        require(not re.search(r"https?://|\bpip3? install|\bcurl |\bwget ", text(path)), path)


suite = harness.Suite("docs")
for function in (man_pages, golden_tests, help_, references, glossary, no_foreign_hosts):
    suite.case(function.__name__, function)
suite.finish()
