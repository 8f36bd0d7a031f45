"""Conditions, vectors and MC/DC of `ptana coverage` against brute force: the
same program, every operand wrapped in calls that note it, and all assignments
tried (conditions_oracle.py), for programs that are made of decisions in every
place (conditions_programs.py)."""
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
sys.path.insert(0, HERE)
import harness  # noqa: E402
from harness import Failure, equal, require  # noqa: E402
import conditions_programs  # noqa: E402

ORACLE = os.path.join(HERE, "conditions_oracle.py")
TINY = os.path.join(harness.BUILD, "tests", "tiny", "bin", "ptrec")  # 53 events a chunk
FUNCTIONS = 70  # of a program: every kind once
SEEDS = 40 if harness.ALL else 2


def told(trace):
    """{place of a decision: what the report says of it}."""
    report = json.loads(harness.ptana("coverage", trace, "--format=json", "--mcdc"))
    (entry,) = (e for path, e in report["files"].items() if path.endswith("program.py"))
    own = entry["ptrec"]
    result = {}
    for i, decision in enumerate(own["decisions"]):
        decision["conditions"] = [c for c in own["conditions"] if c["decision"] == i]
        result[tuple(decision["span"])] = decision
    return result


def compare_counts(mine, theirs, where):
    """`theirs` are the oracle's."""
    equal([c["span"] for c in mine["conditions"]], theirs["leaves"], where, "conditions")
    for i, (condition, count) in enumerate(zip(mine["conditions"], theirs["counts"])):
        what = "%s, condition %d" % (where, i + 1)
        if theirs["constant"][i] is None and any(count):
            require(condition["state"] in ("decided", "undecidable"), what,
                    condition["state"], count)
        equal([condition["false"], condition["true"], condition["undecided"]],
              count, what)


def is_silent(theirs, seen, result):
    """Whether no branch tells of an evaluation: it has come by constants alone,
    or by these to a condition that nobody asks for."""
    return all(s == "-" or constant is not None or not asked
               for s, constant, asked in zip(seen, theirs["constant"], theirs["asked"])) \
        and (result != "?" or "?" in seen)


def compare_vectors(mine, theirs, where):
    got = {seen: (result, n) for seen, result, n, *_ in mine["vectors"]
           if not is_silent(theirs, seen, result)}
    wanted = {}
    for seen, result, n in theirs["vectors"]:
        if not is_silent(theirs, seen, result):
            wanted[seen] = result, n
    equal(got, wanted, where, "vectors")


def compare_mcdc(mine, theirs, where):
    for i, (told, tried) in enumerate(zip(mine["mcdc"], theirs["mcdc"])):
        what = "%s, MC/DC of condition %d" % (where, i + 1)
        can = tried["can"]
        verdict = tried["shown"] == "FT" if set(can.values()) == {"T", "F"} else None
        equal(told, verdict, what)
        if verdict:
            pair = [mine["vectors"][k][0] for k in mine["pairs"][i]]
            require(all(seen in can for seen in pair) and
                    {can[seen] for seen in pair} == {"T", "F"}, what, "pair", pair)
        elif verdict is False:
            missing = mine["missing"][i]
            require(missing in can and can[missing] not in tried["shown"],
                    what, "missing", missing, "of", can)


def is_mute(mine, theirs):
    """Whether constants make both outcomes of a condition lead to the same
    place: `a and 0 or b`.  Then nothing tells which it was."""
    return any(c is not None for c in theirs["constant"]) and any(
        condition["undecided"] and not condition["true"] + condition["false"] and
        not tried["can"] and asked for condition, tried, asked in
        zip(mine["conditions"], theirs["mcdc"], theirs["asked"]))


def compare(mine, oracle):
    problems = []
    for theirs in oracle:
        where = "line %d column %d" % tuple(theirs["span"][:2])
        try:
            require(tuple(theirs["span"]) in mine, where, "is no decision")
            decision = mine[tuple(theirs["span"])]
            if all(c["state"] == "absent" for c in decision["conditions"]):
                equal(theirs["counts"], [[0, 0, 0]] * len(theirs["leaves"]), where)
                continue
            if is_mute(decision, theirs):
                continue
            compare_counts(decision, theirs, where)
            if len(theirs["leaves"]) > 1:
                compare_vectors(decision, theirs, where)
                compare_mcdc(decision, theirs, where)
        except Failure as failure:
            problems.append(str(failure))
    equal(len(mine), len(oracle), "decisions")
    require(not problems, "%d of %d decisions differ:\n%s" % (
        len(problems), len(oracle), "\n".join(problems)))
    return len(oracle)


def made(directory, python, seed):
    path = os.path.join(directory, "program.py")
    with open(path, "w") as file:
        file.write(conditions_programs.program(seed, FUNCTIONS))
    trace, out = path + ".ptr", path + ".json"
    harness.ptrec(python, trace, path, options=["--syntax=own"])
    harness.run([python.path, ORACLE, path, out])
    with open(out) as file:
        compare(told(trace), json.load(file))


def cut_up(directory, python):
    """Evaluations go over the ends of chunks, in several threads at once."""
    path = os.path.join(directory, "program.py")
    with open(path, "w") as file:
        file.write(conditions_programs.program(7, FUNCTIONS // 2))
    reports = []
    for ptrec in harness.PTREC, TINY:
        trace = "%s%d.ptr" % (path, len(reports))
        harness.run([ptrec, "run", "--quiet", "--python=" + python.path,
                     "--syntax=own", "-o", trace, path])
        reports.append(told(trace))
    for decision in [d for report in reports for d in report.values()]:
        decision["vectors"] = [v[:3] for v in decision["vectors"]]
    equal(reports[0] == reports[1], True, "the same with chunks of 53 events")


def main():
    suite = harness.Suite("conditions")
    first = 0 if harness.ALL else int(time.time() // 86400) % 40
    for python in harness.interpreters():
        for seed in range(first, first + SEEDS):
            suite.case("%s made %d" % (python, seed), made, python, seed)
    if os.path.exists(TINY):
        for python in harness.chosen():
            suite.case("%s chunks" % python, cut_up, python)
    else:
        print("note: no", TINY, "(make check builds it)")
    suite.finish()


if __name__ == "__main__":
    main()
