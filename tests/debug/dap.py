"""ptana dap through a client: what editors ask, in both directions, and what
no client should send.

Where node and the package @vscode/debugadapter-testsupport are found (NODE_PATH)
a real client runs its own checks, too; where not, that is said."""
import json
import os
import random
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import harness  # noqa: E402
from dap_client import Client, Gone  # noqa: E402
from harness import PTANA, equal, require  # noqa: E402

SHOP = os.path.join(HERE, "programs", "shop.py")
LOOP, PAY, RAISE, SECOND = 13, 18, 20, 29


def record(python, directory, *options):
    trace = os.path.join(directory, "shop.ptr")
    harness.ptrec(python, trace, SHOP, options=["--preset=flow", *options],
                  expect=1)
    return trace


def client(*args, **kwargs):
    return Client([PTANA, "dap", *args], env=harness.environment(), **kwargs)


def fine(dap):
    status, said = dap.close()
    equal((status, said), (0, ""), "the end")


def motions(directory, python):
    """Each motion and its reverse, breakpoints on the way."""
    trace = record(python, directory)
    dap = client()
    told, stopped = dap.begin(
        trace=trace, breakpoints=[(SHOP, [{"line": LOOP}, {"line": 9999}])])
    equal([b["verified"] for b in told[0]], [True, False], "verified")
    equal(stopped["reason"], "exception", "opens")
    thread = stopped["threadId"]
    equal(dap.top(thread), ("pay", RAISE), "the point of failure")
    equal(dap.get("exceptionInfo", threadId=thread)["exceptionId"],
          "ValueError", "exception")
    hits = []
    while True:
        stopped = dap.move("reverseContinue", thread)
        if stopped["reason"] != "breakpoint":
            break
        equal(stopped["hitBreakpointIds"], [told[0][0]["id"]], "breakpoint")
        equal(dap.top(thread), ("total", LOOP), "place")
        hits.append(stopped)
    equal(len(hits), 6, "times through the loop")
    equal(stopped["reason"], "entry", "the beginning")
    for _ in hits:
        equal(dap.move("continue", thread)["reason"], "breakpoint", "forwards")
    equal(dap.move("continue", thread)["reason"], "end", "the end")
    dap.get("setBreakpoints", source={"path": SHOP}, breakpoints=[])
    dap.move("reverseContinue", thread)
    dap.get("setFunctionBreakpoints", breakpoints=[{"name": "pay"}])
    stopped = dap.move("continue", thread)
    equal(stopped["reason"], "function breakpoint", "reason")
    dap.get("setFunctionBreakpoints", breakpoints=[])
    before = dap.top(thread)
    for there in "next", "stepIn":
        dap.move(there, thread)
        dap.move("stepBack", thread)
        equal(dap.top(thread), before, there, "and back")
    dap.move("stepIn", thread)
    equal(dap.top(thread)[0], "total", "stepped in")
    dap.move("stepOut", thread)
    equal(dap.top(thread)[0], "pay", "stepped out")
    here = dap.get("stackTrace", threadId=thread)["stackFrames"][0]
    code = here["instructionPointerReference"]
    dap.move("next", thread, granularity="instruction")
    after = dap.get("stackTrace", threadId=thread)["stackFrames"][0]
    require(after["instructionPointerReference"] != code, "an instruction")
    fine(dap)


def looking(directory, python):
    """Stacks by pages, sources, instructions, places to go to."""
    trace = record(python, directory)
    dap = client()
    _, stopped = dap.begin(trace=trace)
    thread = stopped["threadId"]
    equal([t["id"] for t in dap.get("threads")["threads"]], [thread], "threads")
    whole = dap.get("stackTrace", threadId=thread)
    equal([f["name"] for f in whole["stackFrames"]], ["pay", "main", "<module>"],
          "stack")
    equal([f["line"] for f in whole["stackFrames"]], [RAISE, SECOND, 32], "lines")
    page = dap.get("stackTrace", threadId=thread, startFrame=1, levels=1)
    equal([f["name"] for f in page["stackFrames"]], ["main"], "a page")
    equal(page["totalFrames"], 3, "frames in all")
    require(not dap.ask("stackTrace", threadId=99)["success"], "no such thread")
    where = whole["stackFrames"][0]["instructionPointerReference"]
    listed = dap.get("disassemble", memoryReference=where, instructionCount=8,
                     instructionOffset=-2)["instructions"]
    equal(len(listed), 8, "instructions")
    equal(listed[2]["address"], where, "where it is")
    sources = dap.get("loadedSources")["sources"]
    require(any(s["path"] == SHOP for s in sources), "sources")
    with open(SHOP, encoding="utf-8") as file:
        equal(dap.get("source", source={"path": SHOP}, sourceReference=0)["content"],
              file.read(), "text")
    targets = dap.get("gotoTargets", source={"path": SHOP}, line=LOOP)["targets"]
    equal([t["line"] for t in targets], [LOOP], "targets")
    equal(dap.move("goto", thread, targetId=targets[0]["id"])["reason"], "goto", "goto")
    equal(dap.top(thread), ("total", LOOP), "gone to")
    dap.get("setExceptionBreakpoints", filters=[], filterOptions=[
        {"filterId": "raised", "condition": "ValueError"}])
    equal(dap.move("continue", thread)["reason"], "exception", "exception")
    equal(dap.top(thread), ("pay", RAISE), "raised")
    equal(dap.get("evaluate", expression="'%d' % (2 ** 10)")["result"], "'1024'",
          "evaluate")
    require("SyntaxError" in dap.ask("evaluate", expression="1 +")["message"],
            "a syntax error")
    fine(dap)


def values(directory, python):
    """Variables, expressions, conditions, hit counts and logs."""
    trace = record(python, directory, "--values=locals")
    dap = client()
    (told,), stopped = dap.begin(
        trace=trace, stopOnEntry=True,
        breakpoints=[(SHOP, [{"line": LOOP, "condition": "item.name == 'pen'"}])])
    equal(stopped["reason"], "entry", "stopOnEntry")
    thread = stopped["threadId"]
    equal(dap.move("continue", thread)["reason"], "breakpoint", "condition")
    frames = dap.get("stackTrace", threadId=thread)["stackFrames"]
    scope = dap.get("scopes", frameId=frames[0]["id"])["scopes"][0]
    here = {v["name"]: v for v in dap.get(
        "variables", variablesReference=scope["variablesReference"])["variables"]}
    equal(here["amount"]["value"], "30", "amount")
    equal(here["discount"]["value"], "5", "discount")
    item = {v["name"]: v["value"] for v in dap.get(
        "variables", variablesReference=here["item"]["variablesReference"])["variables"]}
    equal(item, {"name": "'pen'", "price": "2"}, "item")
    items = here["items"]
    equal(items["indexedVariables"], 3, "items")
    page = dap.get("variables", variablesReference=items["variablesReference"],
                   start=1, count=1, filter="indexed")["variables"]
    equal([v["name"] for v in page], ["[1]"], "a page of items")

    def value(text, frame=frames[0]["id"]):
        return dap.get("evaluate", expression=text, frameId=frame)["result"]
    equal(value("amount + item.price * 2"), "34", "arithmetic")
    equal(value("len(items), items[2].name"), "(3, 'lamp')", "items")
    equal(value("purse", frames[1]["id"]), "100", "in the caller")
    equal(dap.ask("evaluate", expression="nobody", frameId=frames[0]["id"])["success"],
          False, "what is not there")
    dap.get("setBreakpoints", source={"path": SHOP}, breakpoints=[])
    equal(dap.move("reverseContinue", thread)["reason"], "entry", "back")
    dap.get("setBreakpoints", source={"path": SHOP}, breakpoints=[
        {"line": LOOP, "logMessage": "{item.name}: {amount} {{"},
        {"line": PAY, "hitCondition": "2"}])
    dap.events.clear()
    dap.get("continue", threadId=thread)
    for item, amount in ("book", 0), ("pen", 30), ("lamp", 32):
        equal(dap.event("output")["output"], "%s: %d {{\n" % (item, amount), "log")
    equal(dap.event("stopped")["reason"], "breakpoint", "hit count")
    frame = dap.get("stackTrace", threadId=thread)["stackFrames"][0]
    equal(value("purse", frame["id"]), "30", "the second call")
    stale = dap.ask("variables", variablesReference=scope["variablesReference"])
    require(not stale["success"], "ids end when it moves")
    fine(dap)


def launch(directory, python):
    """Records a program, passes on what it prints, and opens the trace."""
    kept = os.path.join(directory, "kept.ptr")
    dap = client()
    dap.get("initialize", adapterID="ptana")
    dap.get("launch", program=os.path.basename(SHOP), cwd=os.path.dirname(SHOP),
            python=python.path, trace=kept, stopOnEntry=False)
    printed = dap.event("output")
    equal((printed["category"], printed["output"]), ("stdout", "left 28\n"), "printed")
    dap.event("initialized")
    (told,) = dap.get("setBreakpoints", source={"path": SHOP},
                      breakpoints=[{"line": PAY}])["breakpoints"]
    dap.get("configurationDone")
    stopped = dap.event("stopped")
    equal((stopped["reason"], stopped["hitBreakpointIds"]),
          ("breakpoint", [told["id"]]), "runs to the first breakpoint")
    fine(dap)
    require(os.path.exists(kept), "the trace is kept")


def output(directory, python):
    """What a program prints comes whole, wherever its pieces are cut."""
    program = os.path.join(directory, "long.py")
    with open(program, "w", encoding="utf-8") as file:
        file.write("print('\u00e9\U0001f600\u20ac' * 5000)\n")
    dap = client()
    dap.get("initialize", adapterID="ptana")
    dap.get("launch", program=program, python=python.path)
    printed = ""
    while not printed.endswith("\n"):
        printed += dap.event("output")["output"]
    equal(printed, "\u00e9\U0001f600\u20ac" * 5000 + "\n", "printed")
    dap.event("initialized")
    dap.get("configurationDone")
    equal(dap.event("stopped")["reason"], "end", "nothing failed")
    fine(dap)


def refusals(directory, python):
    """Requests that cannot be met are answered, and the session goes on."""
    dap = client()
    for command, arguments, said in [
            ("threads", {}, "no trace is open"),
            ("attach", {}, '"trace"'),
            ("attach", {"trace": "/nonexistent.ptr"}, "nonexistent"),
            ("attach", {"trace": SHOP}, "shop.py"),
            ("launch", {}, '"program"'),
            ("nothing of the kind", {}, "not known")]:
        answer = dap.ask(command, **arguments)
        require(not answer["success"] and said in answer["message"], command, answer)
    trace = record(python, directory)
    dap.begin(trace=trace)
    for command, arguments in [
            ("attach", {"trace": trace}), ("next", {"threadId": -1}), ("next", {}),
            ("scopes", {"frameId": 12345}), ("variables", {"variablesReference": 1 << 40}),
            ("variables", {"variablesReference": "x"}), ("goto", {"targetId": 7}),
            ("source", {"sourceReference": 999999}), ("configurationDone", {}),
            ("disassemble", {"memoryReference": "7x", "instructionCount": 1e300}),
            ("disassemble", {"memoryReference": "", "instructionCount": 3}),
            ("evaluate", {"expression": "(" * 5000}), ("evaluate", {"frameId": 77})]:
        answer = dap.ask(command, **arguments)
        require(not answer["success"] and answer["message"], command, arguments, answer)
    for wanted in [{"line": -5}, {"line": 1e99}, {"line": "x"}, 7, None, [],
                   {"line": LOOP, "condition": "1 +"},
                   {"line": LOOP, "hitCondition": "often"}]:
        answer = dap.get("setBreakpoints", source={"path": SHOP}, breakpoints=[wanted])
        require(not answer["breakpoints"][0]["verified"], wanted)
    fine(dap)


def hostile(directory, python):
    """Whatever comes: an answer, or an end with a sentence."""
    source = random.Random(5)
    trace = record(python, directory)
    for data in [b"", b"\r\n\r\n", b"Content-Length: -1\r\n\r\n", b"x" * 10000,
                 b"Content-Length: 99999999999999999999\r\n\r\n",
                 b"Content-Length: 17000000\r\n\r\n", b"Content-Length: 5\r\n\r\n{",
                 b"Content-Length:\r\n\r\n{}", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"]:
        done = subprocess.run([PTANA, "dap"], input=data, timeout=60,
                              capture_output=True, env=harness.environment())
        require(done.returncode in (0, 2), data[:40], done.returncode)
        require(done.returncode == 0 or b"Debug Adapter Protocol" in done.stderr, data[:40])
    bodies = [b"", b"{", b"[]", b"null", b"7", b'"x"', b"{}", b"\xff\xfe", b"[" * 5000,
              b'{"type":"request"}', b'{"type":"request","command":7}',
              b'{"type":"request","command":"initialize","arguments":[]}',
              b'{"type":"request","seq":1e999,"command":"threads"}',
              b'{"type":"response","command":"x"}', b'{"a":' * 2000, b'{"type":"request","command":"\\ud800"}']
    dap = client()
    for body in bodies:
        dap.send_bytes(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    dap.get("initialize")
    dap.begin(trace=trace)
    commands = ["next", "stepIn", "stepOut", "stepBack", "continue", "reverseContinue",
                "goto", "gotoTargets", "stackTrace", "scopes", "variables", "evaluate",
                "setBreakpoints", "setFunctionBreakpoints", "setExceptionBreakpoints",
                "disassemble", "source", "loadedSources", "threads", "pause", "restart",
                "exceptionInfo", "terminate", "cancel"]
    odd = [0, 1, -1, 2, 1 << 31, 1 << 53, 1e308, "", "x", None, True, [], {}, [[]],
           {"path": SHOP}, [{"line": LOOP}], "total", SHOP, "instruction", [{"name": "pay"}],
           ["raised", "uncaught"], "1+0", "len"]
    keys = ["threadId", "frameId", "source", "line", "breakpoints", "filters", "levels",
            "startFrame", "variablesReference", "start", "count", "expression", "targetId",
            "memoryReference", "instructionCount", "granularity", "sourceReference",
            "instructionOffset", "filterOptions", "name", "offset"]
    for _ in range(3000 if harness.ALL else 400):
        arguments = {key: source.choice(odd) for key in source.sample(keys, 5)}
        if source.random() < 0.7:
            arguments["threadId"] = 1
        if arguments.get("instructionCount", 0) in (1 << 31, 1 << 53, 1e308):
            arguments["instructionCount"] = 50
        command = source.choice(commands)
        try:
            answer = dap.ask(command, **arguments)
        except Gone as end:
            raise harness.Failure("%s after %s %s" % (end, command, arguments))
        require(answer["command"] == command, answer)
    fine(dap)


def sockets(directory, python):
    """The same over TCP."""
    trace = record(python, directory)
    dap = client("--listen=0", port=0)
    _, stopped = dap.begin(trace=trace)
    equal(dap.top(stopped["threadId"]), ("pay", RAISE), "the point of failure")
    status, said = dap.close()
    equal((status, said), (0, ""), "the end")


def gone(directory, python):
    """A client that goes without a word."""
    trace = record(python, directory)
    dap = client()
    dap.begin(trace=trace)
    dap.process.stdin.close()
    equal(dap.process.wait(60), 0, "status")
    dap.process.stdout.close()
    dap.process.stderr.close()


def real_client(directory, python):
    done = subprocess.run(
        [shutil.which("node"), os.path.join(HERE, "dap_client.js"), PTANA, SHOP,
         record(python, directory)], timeout=120, capture_output=True,
        env=harness.environment(NODE_PATH=os.environ.get("NODE_PATH")))
    require(done.returncode == 0, done.stdout.decode()[-1000:], done.stderr.decode()[-2000:])
    equal(json.loads(done.stdout)["passed"], 4, "cases of the client")


def has_real_client():
    node = shutil.which("node")
    if not node:
        return False
    done = subprocess.run([node, "-e", "require('@vscode/debugadapter-testsupport')"],
                          capture_output=True)
    return done.returncode == 0


def main():
    suite = harness.Suite("dap")
    versions = harness.chosen()
    for python in versions:
        suite.case("%s: motions" % python, motions, python)
        suite.case("%s: looking" % python, looking, python)
        if python.version[:2] in ((3, 12), (3, 13)):
            suite.case("%s: values" % python, values, python)
    last = versions[-1]
    for function in launch, output, refusals, hostile, sockets, gone:
        suite.case(function.__name__, function, last)
    if has_real_client():
        suite.case("a real client", real_client, last)
    else:
        print("note: dap: @vscode/debugadapter-testsupport is not installed "
              "(NODE_PATH): its client was not run")
    suite.finish()


main()
