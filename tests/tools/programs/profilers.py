"""cProfile, and trace functions in Python with and without opcodes."""
import cProfile
import pstats
import sys

import work

profile = cProfile.Profile()
profile.enable()
result = work.main()
profile.disable()
print(result)
for key, value in sorted(pstats.Stats(profile).stats.items()):
    print(key, value[:2], sorted((caller, times[:2]) for caller, times in value[4].items()))
log = []


def profiler(frame, event, arg):
    log.append((event, frame.f_code.co_name,
                getattr(arg, "__name__", None) if event.startswith("c_") else None))


sys.setprofile(profiler)
work.main()
sys.setprofile(None)
print(log)


def tracer(frame, event, arg):
    log.append((event, frame.f_code.co_name, frame.f_lineno, frame.f_lasti))
    return tracer


def opcode_tracer(frame, event, arg):
    frame.f_trace_opcodes = True
    return tracer(frame, event, arg) and opcode_tracer


for function in tracer, opcode_tracer:
    log.clear()
    sys.settrace(function)
    work.main()
    sys.settrace(None)
    print(len(log), log)
