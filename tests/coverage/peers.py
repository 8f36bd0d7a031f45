"""coverage.py beside us: where it is for an interpreter, and what it reports.

Which release is meant depends on the version of Python: 6.5 for 3.11, as Debian
has them, 7.10 or later from 3.12 on.  COVERAGE_PEERS names a folder that has
site-3.12/coverage and so on; without it, coverage.py is used where the
interpreter can import it."""
import functools
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness  # noqa: E402

DEBIAN = "/usr/lib/python3/dist-packages"
ASK = ("import sys; sys.path[:0] = sys.argv[1:]; import coverage; "
       "print(coverage.__version__, coverage.__file__)")


def is_meant(python, version):
    numbers = tuple(int(part) for part in version.split(".")[:2])
    return numbers < (7, 0) if python.version < (3, 12) else numbers >= (7, 10)


@functools.lru_cache(None)
def find(path, version):
    """The folder that has coverage.py for an interpreter; None without one."""
    python = harness.Interpreter(path)
    folders = [[]]
    if "COVERAGE_PEERS" in os.environ:
        folders.insert(0, [os.path.join(os.environ["COVERAGE_PEERS"],
                                        "site-%d.%d" % version[:2])])
    if version[:2] == (3, 11):
        folders.append([DEBIAN])
    for folder in folders:
        done = harness.run([path, "-c", ASK, *folder], expect=None)
        if done.returncode == 0:
            found, _, file = done.stdout.decode().strip().partition(" ")
            if is_meant(python, found):
                return os.path.dirname(os.path.dirname(file))
    return None


def of(python):
    return find(python.path, python.version)


class Peer:
    """coverage.py for one interpreter, in a directory of its own."""

    def __init__(self, python, directory):
        self.python = python
        self.directory = directory
        site = os.path.join(directory, "peer-site")
        if not os.path.islink(os.path.join(site, "coverage")):
            os.makedirs(site, exist_ok=True)
            # Nothing else of the folder that it lies in is to be seen.
            os.symlink(os.path.join(of(python), "coverage"), os.path.join(site, "coverage"))
        self.env = harness.environment(PYTHONPATH=site, COVERAGE_FILE=os.path.join(
            directory, ".coverage"), PYTHONDONTWRITEBYTECODE="1")

    def coverage(self, *words, **kwargs):
        kwargs.setdefault("cwd", self.directory)
        return harness.run([self.python.path, "-m", "coverage", *words], env=self.env, **kwargs)

    def run(self, *words, **kwargs):
        return self.coverage("run", *words, **kwargs)

    def report(self, *words):
        return self.coverage("report", *words).stdout.decode()

    def json(self, *words):
        name = os.path.join(self.directory, "peer.json")
        self.coverage("json", "-o", name, *words)
        with open(name, encoding="utf-8") as file:
            return json.load(file)
