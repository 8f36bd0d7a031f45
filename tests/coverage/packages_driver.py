"""Runs a module's own tests on a copy of it: packages_driver.py [--trace FILE]
FOLDER MODULE TEST... imports MODULE from FOLDER, whatever has been imported
before; what the tests print is left out.  With --trace, FILE gets the lines below
FOLDER that ran, as sys.monitoring tells them, in 3.11 a trace function."""
import io
import json
import os
import sys
import threading
import unittest

words = sys.argv[1:]
told = None
if words[0] == "--trace":
    told = words[1]
    words = words[2:]
folder, module = words[:2]
folder = os.path.abspath(folder)
lines = {}


def trace(frame, event, argument):
    name = frame.f_code.co_filename
    if not name.startswith(folder):
        return None
    if event == "line":
        lines.setdefault(name, set()).add(frame.f_lineno)
    return trace


def note(code, line):
    if code.co_filename.startswith(folder):
        lines.setdefault(code.co_filename, set()).add(line)
    return sys.monitoring.DISABLE


def begin():
    """A trace function that is called where the stack is full ends all tracing,
    so that a callback is better where there are some."""
    if sys.version_info < (3, 12):
        threading.settrace(trace)
        sys.settrace(trace)
        return
    monitoring = sys.monitoring
    monitoring.use_tool_id(monitoring.COVERAGE_ID, "driver")
    monitoring.register_callback(monitoring.COVERAGE_ID, monitoring.events.LINE, note)
    monitoring.set_events(monitoring.COVERAGE_ID, monitoring.events.LINE)


sys.path.insert(0, folder)
for name in list(sys.modules):
    if name == module or name.startswith(module + "."):
        del sys.modules[name]
if told:
    begin()
suite = unittest.defaultTestLoader.loadTestsFromNames(words[2:])
sys.stdout = sys.stderr = io.StringIO()
result = unittest.TextTestRunner(io.StringIO(), verbosity=0).run(suite)
sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
sys.settrace(None)
if told:
    with open(told, "w", encoding="utf-8") as file:
        json.dump({name: sorted(found) for name, found in lines.items()}, file)
print(result.testsRun > 0, len(result.failures) + len(result.errors))
