"""Runs some of the programs one after the other and prints, as JSON, how many
seconds the main() of each took: selftimed.py SCALE NAME..."""
import importlib
import json
import os
import sys
import time

import plan


def main():
    scale, names = float(sys.argv[1]), sys.argv[2:]
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "programs"))
    modules = [importlib.import_module(name) for name in names]
    took = {}
    for name, module in zip(names, modules):
        size = max(1, int(plan.PROGRAMS[name][0] * scale))
        begun = time.perf_counter()
        module.main(size)
        took[name] = time.perf_counter() - begun
    json.dump(took, sys.stdout)


main()
