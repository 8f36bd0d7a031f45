"""lines_driver.py NAME TIMES [TABLE]: do the work NAME of counts_programs TIMES
times; with TABLE count the last time's lines and opcodes, as CPython tells of
them, into that file: {"lines": {file: {line: hits}}, "opcodes": {name: executions}}.
CPython 3.11 tells a trace function of lines, and of no opcodes here."""
import collections
import json
import sys

import counts_programs

name, times = sys.argv[1], int(sys.argv[2])
work = counts_programs.ALL[name]
lines = collections.Counter()
instructions = collections.Counter()


def trace(frame, event, arg):
    if event == "line":
        lines[frame.f_code.co_filename, frame.f_lineno] += 1
    return trace


def with_trace():
    sys.settrace(trace)
    work()
    sys.settrace(None)


def with_monitoring():
    events = sys.monitoring.events

    def on_line(code, line):
        lines[code.co_filename, line] += 1

    def on_instruction(code, offset):
        instructions[code, offset] += 1

    sys.monitoring.use_tool_id(3, "lines")
    sys.monitoring.register_callback(3, events.LINE, on_line)
    sys.monitoring.register_callback(3, events.INSTRUCTION, on_instruction)
    # 3.13 tells of a function's only line, its first, to who asks for its start.
    sys.monitoring.register_callback(3, events.PY_START, lambda code, offset: None)
    # And from 3.14 on a generator is closed without running what only raises
    # again, unless somebody asks for PY_UNWIND.
    for each in events.LINE | events.PY_START, events.INSTRUCTION | events.PY_UNWIND:
        sys.monitoring.set_events(3, each)
        work()
        sys.monitoring.set_events(3, 0)


if len(sys.argv) > 3:
    for _ in range(times - 1):
        work()
    if hasattr(sys, "monitoring"):
        with_monitoring()
    else:
        with_trace()
    import opcode
    files, opcodes = {}, collections.Counter()
    for (file, line), hits in lines.items():
        files.setdefault(file, {})[str(line or 0)] = hits
    for (code, offset), n in instructions.items():
        if code.co_filename == __file__:
            continue
        opcodes[opcode.opname[code.co_code[offset]]] += n
    with open(sys.argv[3], "w", encoding="utf-8") as file:
        json.dump({"lines": files, "opcodes": opcodes}, file)
else:
    for _ in range(times):
        work()
