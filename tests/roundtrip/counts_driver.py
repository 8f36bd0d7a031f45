"""counts_driver.py NAME TIMES [PSTATS]: do the work NAME TIMES times; with
PSTATS the last time under cProfile, whose table goes there."""
import sys

import counts_programs

name, times = sys.argv[1], int(sys.argv[2])
work = counts_programs.ALL[name]
if len(sys.argv) > 3:
    import cProfile
    for _ in range(times - 1):
        work()
    profile = cProfile.Profile()
    profile.enable()
    work()
    profile.disable()
    profile.dump_stats(sys.argv[3])
else:
    for _ in range(times):
        work()
