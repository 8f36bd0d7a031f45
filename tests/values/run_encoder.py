"""The recorder's encoder of values, by itself: built as a module of each
interpreter, and, with sanitizers, of each once more, it encodes what
encoded.py makes, which decodes it and compares.  No line of the program may
run, nothing may change, and nothing may crash."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

SOURCES = ["tests/values/encoder.c", "record/inside/text.c"] + [
    "record/inside/value_%s.c" % part
    for part in ("encode", "objects", "library", "attributes", "redact")]
PROGRAM = os.path.join(harness.ROOT, "tests", "values", "encoded.py")
CHECKS = re.findall(r"^for check in \((.*)\):", open(PROGRAM).read(), re.M)[0].split(", ")

suite = harness.Suite("encoder")


def include_of(python):
    return harness.output([python.path, "-I", "-S", "-c",
                           "import sysconfig; print(sysconfig.get_path('include'))"]).strip()


def build(directory, python, *flags):
    include = include_of(python)
    harness.run([os.environ.get("CC", "cc"), "-D_GNU_SOURCE", "-Iinclude", "-I.", "-I" + include,
                 "-idirafter", os.path.dirname(include), "-std=c11", "-O1", "-g", "-fPIC",
                 "-shared", *flags, "-o", os.path.join(directory, "encoder.so"), *SOURCES],
                cwd=harness.ROOT, timeout=300)


def libraries():
    paths = [harness.output(["gcc", "-print-file-name=" + name]).strip()
             for name in ("libasan.so", "libubsan.so")]
    return ":".join(paths)


def check(directory, python, sanitized):
    build(directory, python, *(["-fsanitize=address,undefined"] if sanitized else []))
    env = harness.environment(PYTHONPATH=directory)
    if sanitized:
        env.update(LD_PRELOAD=libraries(), PYTHONMALLOC="malloc",
                   ASAN_OPTIONS="detect_leaks=0:verify_asan_link_order=0",
                   UBSAN_OPTIONS="halt_on_error=1")
    done = harness.run([python.path, PROGRAM], env=env, timeout=300)
    harness.equal(done.stdout.decode().split("\n")[:-1], ["%s ok" % name for name in CHECKS])
    harness.require(b"runtime error" not in done.stderr, done.stderr.decode())


if __name__ == "__main__":
    for python in harness.interpreters():
        if python.beside:
            continue
        suite.case("%s plain" % python, check, python, False)
        suite.case("%s sanitized" % python, check, python, True)
    suite.finish()
