"""Prints everything about its process that a recorder might disturb."""
import os
import sys

first = sorted(os.listdir("/proc/self/fd"), key=int)
modules = sorted(sys.modules)
main = sys.modules["__main__"]
import gc
import signal
import threading
import traceback
import warnings

print("fds", first, [os.readlink("/proc/self/fd/" + fd).split(":")[0] for fd in first[:3]])
print("modules", modules)
print("main", sorted(vars(main)), main.__name__, main.__spec__ is None, main.__file__)
print("loader", type(main.__loader__).__name__, main.__builtins__ is sys.modules["builtins"])
print("argv", sys.argv, sys.orig_argv)
print("path", sys.path, sys.prefix, sys.executable, sys.flags)
print("meta", [getattr(m, "__name__", type(m).__name__) for m in sys.meta_path], sys.path_hooks[:1])
print("environ", sorted(os.environ.items()))
print("trace", sys.gettrace(), sys.getprofile(), threading.gettrace())
if sys.version_info >= (3, 12):
    print("tools", [sys.monitoring.get_tool(i) for i in range(5)])
print("signals", [(s.name, str(signal.getsignal(s))) for s in signal.valid_signals() if hasattr(s, "name")])
print("mask", signal.pthread_sigmask(signal.SIG_BLOCK, []), signal.getitimer(signal.ITIMER_REAL))
print("warnings", warnings.filters, sys.warnoptions, sys.dont_write_bytecode)
print("threads", [t.name for t in threading.enumerate()], threading.active_count(),
      len(os.listdir("/proc/self/task")))
print("gc", gc.isenabled(), gc.get_threshold(), gc.callbacks, gc.get_count()[2])
for _ in range(4):
    gc.collect()  # each run stops tracking tuples one level deeper
print("objects", len(gc.get_objects()), gc.garbage)
print("hooks", sys.excepthook is sys.__excepthook__, sys.displayhook is sys.__displayhook__,
      sys.breakpointhook is sys.__breakpointhook__, sys.unraisablehook is sys.__unraisablehook__)
print("frames", traceback.format_stack(), sys._getframe().f_back)
print("limit", sys.getrecursionlimit(), sys.getswitchinterval(), sys.getrefcount(None) > 0)
print("cwd", os.getcwd(), os.umask(0o22), os.nice(0), os.getpgrp() == os.getpid())
with open("/proc/self/status") as file:
    status = dict(line.split(":", 1) for line in file)
print("status", {k: status[k].strip() for k in ("Name", "SigQ", "SigBlk", "SigIgn", "SigCgt",
                 "CapEff", "NoNewPrivs", "Seccomp") if k != "SigQ"})
print("name", open("/proc/self/comm").read(), open("/proc/self/cmdline").read().split("\0"))
print("limits", open("/proc/self/limits").read())
print("children", open("/proc/thread-self/children").read())
print("stdin", repr(sys.stdin.read()) if "look" in str(main.__file__) else "the program")
print("allocated", sys.getallocatedblocks() > 0, os.get_terminal_size.__name__)
sys.stderr.write("to stderr\n")
