"""Runs within the program: `python -m unittest -v outcomes test.test_x`, in a
folder that holds a copy of this file, writes there what became of each test, a
line of JSON each: [id, outcome].  Only CPython's own modules are imported, and
nothing stays open between two lines: a test may count descriptors, or fork."""
import json
import os
import unittest
from test import support

TOLD = os.path.abspath("outcomes.jsonl")
PROCESS = os.getpid()

# Of regrtest's resources, what needs neither a network nor hours nor gigabytes.
support.use_resources = ["audio", "curses", "decimal", "subprocess", "walltime"]


def tell(test, outcome):
    if os.getpid() == PROCESS:  # a test that forked may come back as another
        with open(TOLD, "a", encoding="utf-8") as file:
            print(json.dumps([test.id(), outcome]), file=file)


class Outcomes(unittest.TextTestResult):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # Test suites that tests run are their own matter.
        unittest.TextTestRunner.resultclass = unittest.TextTestResult

    def startTest(self, test):
        super().startTest(test)
        tell(test, "began")

    def addSuccess(self, test):
        super().addSuccess(test)
        tell(test, "ok")

    def addError(self, test, err):
        super().addError(test, err)
        tell(test, "error: " + err[0].__name__)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        tell(test, "failure: " + err[0].__name__)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        tell(test, "skipped: " + reason)

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        tell(test, "expected failure: " + err[0].__name__)

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        tell(test, "unexpected success")

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:  # its name may hold an address
            tell(test, "subtest: " + err[0].__name__)


unittest.TextTestRunner.resultclass = Outcomes
