"""Values of a program that is as hostile as can be: it does what it does
without, all of its instructions are in the trace, and no secret is."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

PROGRAM = os.path.join(harness.ROOT, "tests", "values", "hostile.py")
SECRETS = """
def login(user, password, **more):
    api_key = password + "!"
    table = {"token": api_key, "user": user, b"token": 1}
    class Session: pass
    session = Session()
    session.secret, session.name = api_key, "plain" + "sight"
    return len(user), sorted([1], key=None), table, session, dict(auth_token=api_key, n=1), more

password = "hidden" + "word"
login("an" + "na", password, client_secret=password)
del password
"""
VALUES = ["calls", "locals"]

suite = harness.Suite("hostile")


def unnoticed(directory, python, values):
    trace = os.path.join(directory, "t.ptr")
    plain = harness.run([python.path, PROGRAM])
    traced = harness.ptrec(python, trace, PROGRAM, options=["--values=" + values])
    harness.equal(traced.stdout, plain.stdout, "standard output")
    harness.equal(traced.stderr, plain.stderr, "standard error")
    told = harness.ptana("verify", trace).decode()
    harness.require(" 0 gaps, 0 desyncs" in told, told)


def lines_of(trace):
    return [(e["func"], e["line"]) for e in harness.dump(trace) if e["ev"] == "line"]


def same_lines(directory, python, values):
    program = os.path.join(directory, "secrets.py")
    with open(program, "w") as f:
        f.write(SECRETS)
    streams = []
    for level in ("none", values):
        trace = os.path.join(directory, level + ".ptr")
        harness.ptrec(python, trace, program, options=["--values=" + level])
        streams.append(lines_of(trace))
    harness.require(streams[0], "no lines")
    harness.equal(streams[1], streams[0], "lines")


def redacted(directory, python, values):
    program = os.path.join(directory, "secrets.py")
    with open(program, "w") as f:
        f.write(SECRETS)
    trace = os.path.join(directory, "t.ptr")
    for options, secret in (([], False), (["--redact=^(password|.*token|.*secret|api_key)$"], False),
                            (["--redact=user"], True), (["--no-redact"], True)):
        harness.ptrec(python, trace, program, options=["--values=" + values, *options])
        text = harness.ptana("dump", trace)
        values_told = b"\n".join(row for row in text.splitlines() if b"  value  " in row)
        harness.require(values_told, "no values")
        harness.equal(b"hiddenword" in values_told, secret, *options, "the secret is told")


def refused(directory, python):
    trace = os.path.join(directory, "t.ptr")
    done = harness.ptrec(python, trace, "-c", "pass", options=["--values=calls"], expect=2)
    harness.require(b"--values is for CPython" in done.stderr, done.stderr.decode())


if __name__ == "__main__":
    for python in harness.interpreters():
        if python.version[:2] not in ((3, 12), (3, 13)):
            suite.case("%s refused" % python, refused, python)
            continue
        for values in VALUES:
            suite.case("%s unnoticed %s" % (python, values), unnoticed, python, values)
            suite.case("%s lines %s" % (python, values), same_lines, python, values)
            suite.case("%s redacted %s" % (python, values), redacted, python, values)
    suite.finish()
