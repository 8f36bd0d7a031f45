"""run.py MODE PRESET PROGRAM ARGS: run PROGRAM as __main__ with empty hooks.

MODE is `off` (the extension is loaded, no hook), `nothing` (hooks that only
return) or `floor` (they read the clock where the preset stamps, and store 8
bytes).  PRESET is one of ptrec's.  The three start in the same way, so that
their times compare.  MODE `kinds` prints which kinds of events it hooks."""
import sys

import ptfloor

NOTHING, STORE, STAMP, OFF = 0, 1, 2, -1
# What each preset stamps and stores, by group of events; the bench checks
# this table against the headers of the traces it makes.  Jumps are recorded by
# flow in a few code objects only, and left out here.
PRESETS = {
    #               calls  c_calls  lines  exceptions  branches  jumps  instructions
    "flow":         (STAMP, STAMP, OFF, STAMP, STORE, OFF, OFF),
    "calls":        (STAMP, STAMP, OFF, OFF, OFF, OFF, OFF),
    "lines":        (STAMP, STAMP, STAMP, STAMP, OFF, OFF, OFF),
    "instructions": (STAMP, STAMP, STAMP, STAMP, STAMP, STAMP, STAMP),
}
KINDS = (
    "call resume return yield unwind throw",
    "c_call c_return c_exception",
    "line",
    "exception handled",
    "branch",
    "jump",
    "instruction",
)
GROUPS = (
    "PY_START PY_RESUME PY_RETURN PY_YIELD PY_UNWIND PY_THROW",
    "CALL C_RETURN C_RAISE",
    "LINE",
    "RAISE RERAISE EXCEPTION_HANDLED STOP_ITERATION",
    "BRANCH",  # two events from 3.14 on
    "JUMP",
    "INSTRUCTION",
)
TOOL = 3


def begin(mode, preset):
    does = PRESETS[preset]
    if mode == "nothing":
        does = tuple(min(what, NOTHING) for what in does)
    if sys.version_info < (3, 12):
        calls, c_calls, lines, exceptions, _, _, instructions = does
        if preset == "flow":
            instructions = NOTHING  # branches are found by looking at each
        ptfloor.start(calls, c_calls, lines, exceptions, instructions)
        return
    monitoring = sys.monitoring
    monitoring.use_tool_id(TOOL, "ptfloor")
    mask = 0
    for what, names in zip(does, GROUPS):
        if what == OFF:
            continue
        if names == "BRANCH" and hasattr(monitoring.events, "BRANCH_LEFT"):
            names = "BRANCH_LEFT BRANCH_RIGHT"
        for name in names.split():
            event = getattr(monitoring.events, name)
            monitoring.register_callback(TOOL, event, ptfloor.hook(what))
            if name not in ("C_RETURN", "C_RAISE"):
                mask |= event
    monitoring.set_events(TOOL, mask)


if sys.argv[1] == "kinds":
    print(*(kinds for what, kinds in zip(PRESETS[sys.argv[2]], KINDS) if what != OFF))
    sys.exit()
mode, preset, path = sys.argv[1:4]
sys.argv = sys.argv[3:]
with open(path, "rb") as file:
    code = compile(file.read(), path, "exec")
del file
if mode != "off":
    begin(mode, preset)
exec(code)
