"""The programs of gen/: replaying traces, and a synthetic trace of any size."""
import json
import os
import subprocess

import harness
import tools

GEN = os.path.join(tools.HERE, "gen")


def build(name):
    """Compiles a program of gen/ against the library; gives its path."""
    source = os.path.join(GEN, name + ".c")
    library = os.path.join(harness.BUILD, "lib", "libpt.a")
    out = os.path.join(harness.BUILD, "bench", "gen-" + name)
    os.makedirs(os.path.dirname(out), exist_ok=True)
    if not os.path.exists(out) or os.path.getmtime(out) < max(
            os.path.getmtime(source), os.path.getmtime(library)):
        subprocess.run([*tools.compiler(), "-std=c11", "-O2", "-g", "-D_GNU_SOURCE",
                        "-I" + os.path.join(harness.ROOT, "include"), source, library,
                        "-lzstd", "-lcbor", "-lxxhash", "-o", out], check=True)
    return out


def pinned(core, argv):
    return json.loads(harness.output(["taskset", "-c", str(core), *argv]))


def replay(trace, core, times=3):
    """Seconds to decode, walk and count a trace, and how much there is of it."""
    return pinned(core, [build("replay"), trace, str(times)])


def history(directory, core, events, threads):
    """Seeks and steps in a synthetic trace, and replaying it."""
    trace = os.path.join(directory, "synthetic.ptr")
    subprocess.run([build("trace"), trace, str(events), str(threads)], check=True)
    result = {"size": os.path.getsize(trace), "history": pinned(core, [build("history"), trace]),
              "replay": replay(trace, core, 1)}
    os.unlink(trace)
    return result
