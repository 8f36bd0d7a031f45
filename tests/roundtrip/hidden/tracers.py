"""The program's own tracers work beside the recorder."""
import cProfile
import sys
import threading

seen = []


def tracer(frame, event, argument):
    seen.append((event, frame.f_code.co_name, frame.f_lineno))
    return tracer


def work(n):
    total = 0
    for i in range(n):
        total += len(str(i))
    return total


sys.settrace(tracer)
work(3)
print(sys.gettrace() is tracer)
sys.settrace(None)
print(seen, sys.gettrace())
seen.clear()
sys.setprofile(lambda frame, event, argument: seen.append((event, frame.f_code.co_name)))
work(2)
sys.setprofile(None)
if sys.version_info >= (3, 12) and seen[0][0] == "c_return":
    # Beside any other tool of sys.monitoring that has CALL on, a program sees
    # this end of its own call of setprofile (spec/cpython.md).
    del seen[0]
print(seen, sys.getprofile())
profile = cProfile.Profile()
profile.runcall(work, 5)
print(sorted((entry.code if isinstance(entry.code, str) else entry.code.co_name, entry.callcount)
             for entry in profile.getstats()))
threading.settrace(tracer)
seen.clear()
thread = threading.Thread(target=work, args=(2,))
thread.start()
thread.join()
print([event for event in seen if event[1] == "work"])
if sys.version_info >= (3, 12):
    monitoring = sys.monitoring
    monitoring.use_tool_id(monitoring.PROFILER_ID, "mine")
    calls = []
    monitoring.register_callback(2, monitoring.events.PY_START, lambda code, o: calls.append(code.co_name))
    monitoring.set_events(2, monitoring.events.PY_START)
    work(1)
    monitoring.set_events(2, 0)
    print(calls, monitoring.get_tool(2))
