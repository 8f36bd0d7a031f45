"""Golden command lines: transcripts of ptana on traces made by make_traces.

    run.py              compares every transcript under cases/
    run.py NAME...      those whose name holds one of the words
    run.py --update     writes what the commands print now into the transcripts

A transcript (cases/NAME.golden) is a list of commands with what they print:

    # a comment
    mask REGEX => TEXT      replaces in all output that follows
    $ ptana profile basic.ptr
    what it writes to standard output
    ! what it writes to standard error
    ? its exit status, where that is not 0

Commands besides ptana: `cut FROM TO N` copies the first N bytes (all but the last
-N), `flip FROM TO N [TYPE]` copies with a byte of the N-th chunk of a type (4, events)
inverted, `pstats FILE` prints what Python's pstats module loads, `cat FILE`, `keys FILE`
checks that each line is a JSON object and prints the first one's keys, `page FILE`
prints the data in a page of flamegraph, and `env NAME=VALUE COMMAND`.

Besides the transcripts it checks the table of analyzers: each has a transcript
and a man page, and the pages are what `ptana help --man` prints.

The last line is "golden: N passed, N failed"."""
import difflib
import glob
import json
import os
import pstats
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
PTANA = os.path.join(BUILD, "bin", "ptana")
PAGES = os.path.join(ROOT, "spec", "man")


def make_traces(directory):
    """Builds the generators against the library and lets them write."""
    traces = os.path.join(directory, "traces")
    os.mkdir(traces)
    for source in sorted(glob.glob(os.path.join(HERE, "make_*.c"))):
        name = os.path.basename(source)[:-2]
        tool = os.path.join(directory, name)
        command = [os.environ.get("CC", "cc"), "-std=c11", "-D_GNU_SOURCE",
                   "-I" + os.path.join(ROOT, "include"), "-o", tool, source,
                   os.path.join(BUILD, "lib", "libpt.a"),
                   "-lzstd", "-lcbor", "-lxxhash", "-lpthread"]
        # The library may have been built with a sanitizer, which its users need too.
        for flags in [], ["-fsanitize=address,undefined"], ["-fsanitize=thread"]:
            done = subprocess.run(command + flags, stderr=subprocess.PIPE)
            if done.returncode == 0:
                break
        else:
            sys.stderr.buffer.write(done.stderr)
            raise SystemExit("golden: %s.c cannot be built" % name)
        subprocess.run([tool, traces], check=True)
    for path in glob.glob(os.path.join(ROOT, "tests", "corpus", "values*.ptr")):
        shutil.copy(path, traces)
    return traces


def cut(cwd, source, target, size):
    with open(os.path.join(cwd, source), "rb") as file:
        data = file.read()
    with open(os.path.join(cwd, target), "wb") as file:
        file.write(data[:int(size)])
    return b"", b"", 0


def flip(cwd, source, target, at, kind=4):
    with open(os.path.join(cwd, source), "rb") as file:
        data = bytearray(file.read())
    # spec/format.md section 2: magic, size of the frame, version 1, type
    head = b"\x57\x2a\x4d\x18\xd0\0\0\0\x01" + bytes([int(kind)])
    heads = [m.start() for m in re.finditer(re.escape(head), data)]
    data[heads[int(at)] + 216 + 30] ^= 255
    with open(os.path.join(cwd, target), "wb") as file:
        file.write(data)
    return b"", b"", 0


def cat(cwd, name):
    with open(os.path.join(cwd, name), "rb") as file:
        return file.read(), b"", 0


def keys(cwd, name):
    with open(os.path.join(cwd, name), "rb") as file:
        lines = [json.loads(line) for line in file]
    text = "%d lines, the first with %s\n" % (len(lines), " ".join(lines[0]))
    return text.encode(), b"", 0


def page(cwd, name):
    with open(os.path.join(cwd, name), "rb") as file:
        data, = re.findall(rb'<script type="application/json"[^>]*>([^<]*)</script>', file.read())
    json.loads(data)
    return data, b"", 0


def show_pstats(cwd, name):
    stats = pstats.Stats(os.path.join(cwd, name)).stats
    lines = []
    for key, (primitive, calls, own, total, callers) in sorted(stats.items()):
        lines.append("%s:%d(%s) %d/%d %.9f %.9f" % (*key, calls, primitive, own, total))
        for caller, (n, prim, tt, ct) in sorted(callers.items()):
            lines.append("    from %s:%d(%s) %d/%d %.9f %.9f" % (*caller, n, prim, tt, ct))
    return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace"), b"", 0


OWN = {"cut": cut, "flip": flip, "cat": cat, "keys": keys, "page": page,
       "pstats": show_pstats}


def run_command(line, cwd):
    words = shlex.split(line)
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8",
           "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")}
    if words[0] == "env":
        name, _, value = words[1].partition("=")
        env[name] = value
        words = words[2:]
    if words[0] in OWN:
        return OWN[words[0]](cwd, *words[1:])
    if words[0] != "ptana":
        raise ValueError("no such command: " + line)
    done = subprocess.run([PTANA, *words[1:]], cwd=cwd, env=env, timeout=60,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    return done.stdout, done.stderr, done.returncode


def decode(data, masks):
    text = data.decode("utf-8", "backslashreplace")
    text = text.replace("\x1b", "\\e")
    for pattern, to in masks:
        text = re.sub(pattern, to, text, flags=re.M)
    return text.splitlines()


def play(text, cwd):
    """The transcript with its commands' output as it is now."""
    result, masks = [], []
    for line in text.splitlines():
        if line.startswith("mask "):
            pattern, _, to = line[5:].partition(" => ")
            masks.append((pattern, to))
        if not line.startswith(("#", "mask ", "$ ")) and line:
            continue
        if not line and (not result or result[-1] == "" or text.startswith("$")):
            continue
        if line.startswith("$ ") and result and result[-1] != "":
            result.append("")
        if line or not any(l.startswith("$") for l in result):
            result.append(line)
        if line.startswith("$ "):
            out, err, status = run_command(line[2:], cwd)
            # A leading mark is escaped, so that output is never a command.
            result += ["\\" + l if l[:2] in ("$ ", "# ", "! ", "? ") or l[:1] == "\\" else l
                       for l in decode(out, masks)]
            result += ["! " + l for l in decode(err, masks)]
            if status:
                result.append("? %d" % status)
    return "\n".join(result).rstrip("\n") + "\n"


def commands(text):
    return [line[2:] for line in text.splitlines() if line.startswith("$ ")]


def check_case(path, traces, update):
    with open(path, encoding="utf-8", newline="\n") as file:
        before = file.read()
    with tempfile.TemporaryDirectory() as cwd:
        for name in os.listdir(traces):
            shutil.copy(os.path.join(traces, name), cwd)
        now = play(before, cwd)
    if now == before:
        return []
    if update:
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(now)
        print("golden: %s updated" % os.path.basename(path))
        return []
    return list(difflib.unified_diff(before.splitlines(), now.splitlines(),
                                     "expected", "printed", lineterm="", n=1))


def check_table(update):
    """Each analyzer has a transcript and a man page that is the help's."""
    problems = []
    names = subprocess.run([PTANA, "--complete", "ptana", "", "ptana"], check=True,
                           env={"COMP_LINE": "ptana "}, stdout=subprocess.PIPE)
    names = names.stdout.decode().split()
    used = set()
    for path in glob.glob(os.path.join(HERE, "cases", "*.golden")):
        with open(path, encoding="utf-8") as file:
            used.update(tuple(shlex.split(c)[:2]) for c in commands(file.read()))
    pages = {"ptana.1": ["help", "--man"]}
    for name in names:
        if ("ptana", name) not in used:
            problems.append("%s has no golden test" % name)
        pages["ptana-%s.1" % name] = ["help", "--man", name]
    for page, words in pages.items():
        text = subprocess.run([PTANA, *words], check=True, stdout=subprocess.PIPE).stdout
        path = os.path.join(PAGES, page)
        if update:
            os.makedirs(PAGES, exist_ok=True)
            with open(path, "wb") as file:
                file.write(text)
        elif not os.path.exists(path):
            problems.append("spec/man/%s is missing; run tests/golden/run.py --update" % page)
        else:
            with open(path, "rb") as file:
                if file.read() != text:
                    problems.append("spec/man/%s is not what ptana help --man prints; "
                                    "run tests/golden/run.py --update" % page)
    for path in glob.glob(os.path.join(PAGES, "ptana*.1")):
        if os.path.basename(path) not in pages:
            problems.append("%s is of no analyzer" % os.path.basename(path))
    return problems


def main():
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    update = "--update" in sys.argv
    results = []
    with tempfile.TemporaryDirectory() as directory:
        traces = make_traces(directory)
        for path in sorted(glob.glob(os.path.join(HERE, "cases", "*.golden"))):
            name = os.path.basename(path)[:-len(".golden")]
            if words and not any(word in name for word in words):
                continue
            try:
                results.append((name, check_case(path, traces, update)))
            except Exception as error:  # a broken case must not hide the others
                results.append((name, ["%s: %s" % (type(error).__name__, error)]))
    if not words:
        results.append(("table", check_table(update)))
    for name, problems in results:
        print("golden: %s %s" % (name, "FAILED" if problems else "ok"))
        for problem in problems:
            print("    " + problem)
    failed = sum(bool(problems) for _, problems in results)
    print("golden: %d passed, %d failed" % (len(results) - failed, failed))
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
