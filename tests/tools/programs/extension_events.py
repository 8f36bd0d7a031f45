"""An extension that tells events itself (CPython 3.13 on), of code that is no
code object: a tool of the program hears of them, the recorder leaves them out."""
import sys

try:
    import _testcapi
    CodeLike = _testcapi.CodeLike
except (ImportError, AttributeError):
    sys.exit()

M = sys.monitoring
E = M.events
log = []
NAMES = ["PY_START", "PY_RETURN"]
M.use_tool_id(2, "mine")
for name in NAMES:
    M.register_callback(2, getattr(E, name), lambda code, *args, name=name: (
        log.append((name, args)) if type(code) is CodeLike else None))
M.set_events(2, sum(getattr(E, name) for name in NAMES))


def fire():
    code = CodeLike(len(NAMES))
    _testcapi.monitoring_enter_scope(code, *(getattr(E, name).bit_length() - 1 for name in NAMES))
    _testcapi.fire_event_py_start(code, 0)
    _testcapi.fire_event_py_return(code, 1, 2)
    _testcapi.monitoring_exit_scope()


for _ in range(100):
    fire()
M.set_events(2, 0)
M.free_tool_id(2)
print(len(log), log[:len(NAMES)])
