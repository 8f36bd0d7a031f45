"""Call counts of `ptana profile --format=pstats` and of --callers are cProfile's,
exactly; and the views of one trace agree: the nodes of --tree add up to the
functions, to the pairs, and to the whole.

Work that is done three times calls each function as often as work done twice,
and once more: the third round, with all caches warm.  So the difference of two
recordings is compared with cProfile's table of a third round.  Only what
cProfile itself adds (its own disable()) is left out, and addresses in the
labels of C functions are made alike."""
import collections
import json
import marshal
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import harness  # noqa: E402
from harness import Failure, require  # noqa: E402

DRIVER = os.path.join(HERE, "counts_driver.py")
OWN = "<method 'disable' of '_lsprof.Profiler' objects>"


def plain(file, line, function):
    return file, line, re.sub(r"0x[0-9a-fA-F]+", "0x", function)


def add(table, key, *numbers):
    table[key] = tuple(a + b for a, b in zip(table.get(key, (0, 0)), numbers))


def table(path):
    """{(function,): (primitive calls, calls)}, and the same of pairs (caller, callee);
    a function is (file, line, name)."""
    with open(path, "rb") as file:
        stats = marshal.load(file)
    result = {}
    for key, entry in stats.items():
        add(result, (plain(*key),), *entry[:2])
        for caller, (calls, primitive, *_) in entry[4].items():
            add(result, (plain(*caller), plain(*key)), primitive, calls)
    return result


def view(trace, *options):
    return json.loads(harness.ptana("profile", trace, "--format=json", *options))


def key_of(row):
    return plain(row["file"], row["line"], row["label"])


def pairs(trace, *options):
    """The pairs of table(), of the view --callers; it and --callees agree."""
    report = view(trace, "--callers=*", "--callees=*", *options)
    result, other, times = {}, {}, collections.Counter()
    for row in report["functions"]:
        for caller in row["callers"]:
            if caller["name"] is None:
                continue
            pair = key_of(caller), key_of(row)
            add(result, pair, caller["primitive"], caller["calls"])
            times[pair] += caller["inclusive"]
        for callee in row["callees"]:
            pair = key_of(row), key_of(callee)
            add(other, pair, callee["primitive"], callee["calls"])
            times[pair] -= callee["inclusive"]
        require(sum(caller["exclusive"] for caller in row["callers"]) == row["exclusive"],
                "the callers' shares are not the whole of", key_of(row))
    require(result == other and not any(times.values()), "callers and callees differ")
    return result


def tree(trace, *options):
    """Every node's time is its own and that of what it called; by function the
    nodes are the flat profile, by pair the calls of --callers."""
    flat, edges = view(trace, *options), pairs(trace, *options)
    report = view(trace, "--tree", *options)
    functions, nodes = report["functions"], report["nodes"]
    require(report["dropped"] == 0 and len(nodes) == report["nodes_in_all"], "nodes lack")
    below = [0] * len(nodes)
    sums, calls = collections.defaultdict(lambda: [0, 0, 0, 0]), collections.Counter()
    for i, node in enumerate(nodes):
        row, parent, path = functions[node["function"]], node["parent"], set()
        while parent is not None:
            path.add(nodes[parent]["function"])
            parent = nodes[parent]["parent"]
        total = sums[key_of(row) + (row["name"],)]
        total[0] += node["calls"]
        total[1] += node["exclusive"]
        total[2] += node["inclusive"] if node["function"] not in path else 0
        total[3] += node["wait"]
        if node["parent"] is not None:
            require(node["parent"] < i, "a node stands before its parent")
            below[node["parent"]] += node["inclusive"]
            calls[key_of(functions[nodes[node["parent"]]["function"]]), key_of(row)] += \
                node["calls"]
    for node, inclusive in zip(nodes, below):
        require(node["inclusive"] == node["exclusive"] + inclusive, "a node's time:", node)
    expected = collections.defaultdict(lambda: [0, 0, 0, 0])
    for row in flat["functions"]:
        for i, name in enumerate(("calls", "exclusive", "inclusive", "wait")):
            expected[key_of(row) + (row["name"],)][i] += row[name]
    if not report["folded"]:
        require(sums == expected, "the nodes of a function are not the function")
        require({k: n for k, n in calls.items() if n} ==
                {k: n for k, (_, n) in edges.items() if n}, "the nodes' calls are not the pairs'")
    require(sum(node["inclusive"] for node in nodes if node["parent"] is None)
            == flat["total"] == report["total"], "the tree is not the whole")


def groups(trace, flat):
    """Files and modules have the time and the calls of their functions; a module
    entered has been entered from without."""
    for option, kind in ("--by-file", "file"), ("--by-module", "module"):
        report = view(trace, option)
        own, calls = collections.Counter(), collections.Counter()
        for row in flat["functions"]:
            own[row["file"]] += row["exclusive"]
            calls[row["file"]] += row["calls"]
        rows = report["functions"]
        require(all(row["kind"] == kind for row in rows), "other kinds than", kind)
        require(report["total"] == flat["total"], option, "is not the whole")
        for row in rows:
            require(row["primitive"] <= row["calls"], "entered too often:", row)
            require(row["exclusive"] <= row["inclusive"] <= flat["total"], "no time:", row)
            if kind == "file":
                require((row["exclusive"], row["calls"]) ==
                        (own.pop(row["file"]), calls[row["file"]]), "not its functions':", row)
        require(kind == "module" or not any(own.values()), "files lack:", own)
        require(sum(row["calls"] for row in rows) == sum(calls.values()), option, "lacks calls")
        nodes = view(trace, option, "--tree")["nodes"]
        require(sum(node["inclusive"] for node in nodes if node["parent"] is None)
                == flat["total"], option, "--tree is not the whole")
    modules = {row["name"] for row in view(trace, "--by-module")["functions"]}
    require({"counts_programs", "builtins"} <= modules, "modules:", modules)


def counts(directory, python, name):
    work = [DRIVER, name]
    reference = os.path.join(directory, "reference")
    harness.run([python.path, *work, "3", reference])
    rounds = []
    for times in "2", "3":
        trace = os.path.join(directory, times + ".ptr")
        harness.ptrec(python, trace, *work, times, options=["--preset=calls"])
        path = trace + ".pstats"
        harness.ptana("profile", trace, "--format=pstats", "-o", path)
        rounds.append(table(path))
    edges = pairs(trace)
    require(edges == {key: value for key, value in rounds[1].items() if len(key) == 2},
            "--callers and --format=pstats differ")
    for options in (), ("--max-depth=6",), ("--include=counts_*", "--all-calls"):
        tree(trace, *options)
    flat = view(trace)
    groups(trace, flat)
    threads = view(trace, "--threads")["rows"]
    require(sum(row["exclusive"] for row in threads) == flat["total"] and
            sum(row["calls"] for row in threads) ==
            sum(row["calls"] for row in flat["functions"]), "threads:", threads)
    once = {}
    for key, (primitive, calls) in rounds[1].items():
        before = rounds[0].get(key, (0, 0))
        if calls - before[1]:
            once[key] = primitive - before[0], calls - before[1]
    expected = table(reference)
    # The driver's frame is on the stack, but cProfile saw it not start.
    expected = {key: value for key, value in expected.items()
                if key[-1][2] != OWN}
    # ... nor that it called the work.
    once = {key: value for key, value in once.items()
            if len(key) == 1 or key[0][0] != DRIVER}
    wrong = [(key, expected.get(key), once.get(key))
             for key in sorted(set(expected) | set(once))
             if expected.get(key) != once.get(key)]
    if wrong:
        raise Failure("%d of %d functions differ (function, cProfile's primitive and all "
                      "calls, ours):\n" % (len(wrong), len(expected))
                      + "\n".join(map(repr, wrong[:20])))


def main():
    suite = harness.Suite("counts")
    names = harness.output([harness.DEBIAN if os.path.exists(harness.DEBIAN) else
                            sys.executable, "-c",
                            "import counts_programs as c; print(*c.ALL)"], cwd=HERE).split()
    for python in harness.chosen():
        for name in names:
            suite.case("%s %s" % (python, name), counts, python, name)
    suite.finish()


if __name__ == "__main__":
    main()
