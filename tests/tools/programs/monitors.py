"""A tool of sys.monitoring beside the recorder: it takes all events, disables
them, has them back, and sets some for one code object."""
import sys

if sys.version_info < (3, 12):
    sys.exit()

import work

M = sys.monitoring
E = M.events
LOCAL = ["PY_START", "PY_RETURN", "PY_YIELD", "PY_RESUME", "LINE", "CALL", "BRANCH", "JUMP",
         "INSTRUCTION", "STOP_ITERATION"]
GLOBAL = ["RAISE", "EXCEPTION_HANDLED", "PY_UNWIND", "PY_THROW", "RERAISE"]
log = []


def callback(name, disable):
    # 3.13: where RAISE is told depends on whether CALL is asked for, by anybody.
    def call(code, *args):
        places = [] if name == "RAISE" else [x for x in args if type(x) is int]
        log.append((name, code.co_name, *places))
        return M.DISABLE if disable else None
    return call


M.use_tool_id(2, "mine")
for disable in True, False:
    events = 0
    for name in LOCAL + GLOBAL:
        M.register_callback(2, getattr(E, name), callback(name, disable and name in LOCAL))
        events |= getattr(E, name)
    M.set_events(2, events)
    work.main()
    work.main()
    M.restart_events()
    work.main()
    M.set_events(2, 0)
    M.set_local_events(2, work.main.__code__, E.LINE | E.PY_RETURN)
    work.main()
    M.set_local_events(2, work.main.__code__, 0)
    print(len(log), log)
    log.clear()
M.free_tool_id(2)
