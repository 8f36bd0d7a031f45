"""The order of finalizers, weak references, atexit and what the module's end
prints; how often the collector runs."""
import atexit
import gc
import sys
import weakref


class Noisy:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("del", self.name, sys.is_finalizing())


runs = []
gc.callbacks.append(lambda phase, info: runs.append((phase, info["generation"])))
for i in range(3000):
    cycle = [Noisy] * 2
    cycle.append(cycle)
young, *older = gc.get_count()
print(len(runs), runs[:3], gc.get_stats()[0]["collections"], older)
if sys.version_info >= (3, 12):
    # 3.11 makes a frame object for each frame under any profile function
    print("about", young)
gc.callbacks.clear()
atexit.register(print, "atexit one")
atexit.register(lambda: print("atexit two", sys._getframe().f_back))
keep = Noisy("module global")
reference = weakref.finalize(keep, print, "finalize")
local = Noisy("deleted")
cycle = Noisy("in a cycle")
cycle.cycle = cycle
del local, cycle
print(gc.collect() > 0, gc.garbage)
sys.stdout.flush()
