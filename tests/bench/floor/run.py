"""run.py MODE PRESET PROGRAM ARGS: run PROGRAM as __main__ with empty hooks.

MODE is `off` (the extension is loaded, no hook), `nothing` (hooks that only
return) or `floor` (they read the clock where the preset stamps, and store 8
bytes).  PRESET is one of ptrec's.  The three start in the same way, so that
their times compare."""
import sys

import ptfloor

NOTHING, STORE, STAMP, OFF = 0, 1, 2, -1
# What each preset stamps and stores, by group of events; the bench checks
# this table against the headers of the traces it makes.
PRESETS = {
    #               calls  c_calls  lines  exceptions  branches  jumps  instructions
    "flow":         (STAMP, STAMP, OFF, STAMP, STORE, OFF, OFF),
    "calls":        (STAMP, STAMP, OFF, OFF, OFF, OFF, OFF),
    "lines":        (STAMP, STAMP, STAMP, STAMP, OFF, OFF, OFF),
    "instructions": (STAMP, STAMP, STAMP, STAMP, STAMP, STAMP, STAMP),
}
GROUPS = (
    "PY_START PY_RESUME PY_RETURN PY_YIELD PY_UNWIND PY_THROW",
    "CALL C_RETURN C_RAISE",
    "LINE",
    "RAISE RERAISE EXCEPTION_HANDLED STOP_ITERATION",
    "BRANCH",
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
        for name in names.split():
            event = getattr(monitoring.events, name)
            monitoring.register_callback(TOOL, event, ptfloor.hook(what))
            if name not in ("C_RETURN", "C_RAISE"):
                mask |= event
    monitoring.set_events(TOOL, mask)


mode, preset, path = sys.argv[1:4]
sys.argv = sys.argv[3:]
with open(path, "rb") as file:
    code = compile(file.read(), path, "exec")
del file
if mode != "off":
    begin(mode, preset)
exec(code)
