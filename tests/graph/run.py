"""Graphs against `dis`: where every instruction of the standard library leads,
which line it has, who handles what it raises.

make check takes the library's top folder, make check-all all of it with its
tests.  carrier.py brings the code into a trace, graphs.c prints the graphs,
oracle.py compares."""
import glob
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import harness  # noqa: E402
from harness import require  # noqa: E402

LEAST = 3000  # code objects; fewer are no standard library


def sources(python):
    code = "import os; print(os.path.dirname(os.__file__))"
    folder = harness.output([python.path, "-I", "-S", "-c", code]).strip()
    pattern = "**/*.py" if harness.ALL else "*.py"
    paths = sorted(glob.glob(os.path.join(folder, pattern), recursive=True))
    check = ("import sys, warnings; warnings.simplefilter('ignore')\n"
             "for path in sys.stdin.read().split():\n"
             "    try: compile(open(path, 'rb').read(), path, 'exec')\n"
             "    except (SyntaxError, ValueError): continue\n"
             "    print(path)\n")
    return harness.run([python.path, "-I", "-S", "-c", check], input="\n".join(paths).encode(),
                       stdin=None, timeout=600).stdout.decode().split()


def build(directory):
    tool = os.path.join(directory, "graphs")
    root = harness.ROOT
    command = [os.environ.get("CC", "cc"), "-std=c11", "-O1", "-D_GNU_SOURCE",
               "-I" + os.path.join(root, "include"), "-o", tool, os.path.join(HERE, "graphs.c"),
               os.path.join(harness.BUILD, "lib", "libpt.a"), "-lzstd", "-lcbor", "-lxxhash"]
    # The library may have been built with a sanitizer, which its users need too.
    for flags in [], ["-fsanitize=address,undefined"], ["-fsanitize=thread"]:
        done = harness.run(command + flags, expect=None)
        if done.returncode == 0:
            return tool
    raise harness.Failure(done.stderr.decode(errors="replace")[-500:])


def graphs(directory, python):
    trace = os.path.join(directory, "t.ptr")
    names = os.path.join(directory, "names")
    with open(names, "w") as out:
        out.write("\n".join(sources(python)))
    tool = build(directory)
    harness.ptrec(python, trace, "-I", "-S", os.path.join(HERE, "carrier.py"), names,
                  options=["--preset=calls"], timeout=600)
    told = harness.run([tool, trace], timeout=600).stdout
    done = harness.run([python.path, "-I", "-S", os.path.join(HERE, "oracle.py"), names],
                       input=told, stdin=None, timeout=1200, expect=None)
    text = done.stdout.decode(errors="replace").strip()
    require(done.returncode == 0, text[-500:], done.stderr.decode(errors="replace")[-500:])
    require(int(text) >= LEAST, "only", text, "code objects were compared")


suite = harness.Suite("graph")
for python in harness.interpreters():
    suite.case(python.name, graphs, python)
suite.finish()
