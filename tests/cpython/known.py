"""What differs under a recording, with its cause.

DIFFERENCES: outcomes of tests that may be others than without a recording.
DESYNCS: how often at most log and bytecode do not fit in the recording of a
module.  Versions, presets and ids of tests are globs; spec/cpython.md tells
more of the causes.  What is here and does not occur is told by the suite."""
import fnmatch
from typing import NamedTuple


class Difference(NamedTuple):
    versions: str
    presets: str
    test: str
    cause: str
    always: bool = True

    def covers(self, version, preset, test):
        return (fnmatch.fnmatchcase(version, self.versions)
                and fnmatch.fnmatchcase(preset, self.presets)
                and fnmatch.fnmatchcase(test, self.test))


class Desyncs(NamedTuple):
    versions: str
    presets: str
    module: str
    most: int
    cause: str


MONITORING = "test.test_monitoring."
NOT_SPECIALISED = "instrumented instructions are not specialised"
BRANCH_PLACES = "with any tool that has LINE or INSTRUCTION, branches name another place"
SET_TRACE = ("set_trace() stops one line later beside any tool that has PY_START, PY_RETURN "
             "or LINE")
CRASH_UNKNOWN = ("CPython 3.15.2 crashes at an unknown instruction beside any tool that has RAISE "
                 "or PY_UNWIND (test_invalid_bytecode)")

DIFFERENCES = [
    Difference("3.11.*", "*", "test.test_dis.*",
               "no instruction is specialised while a profile or trace function is set"),
    Difference("3.1[2-9].*", "*", "test.test_dis.*",
               "dis shows the code as it runs, with instrumented instructions"),
    Difference("3.11.*", "*",
               "test.test_frame.TestIncompleteFrameAreInvisible.test_sneaky_frame_object",
               "a profile or trace function has a frame object made of each frame"),
    Difference("3.1[23].*", "*",
               "test.test_tracemalloc.TestTracemallocEnabled.test_get_traced_memory",
               "the offset of an event is an int of 28 bytes, made by CPython for the callback"),
    Difference("3.1[23].*", "[fli]*",
               MONITORING + "ExceptionMonitoringTest.test_implicit_stop_iteration",
               NOT_SPECIALISED),
    Difference("3.1[3-9].*", "*",
               MONITORING + "ExceptionMonitoringTest.test_no_unwind_for_shim_frame",
               NOT_SPECIALISED),
    Difference("3.1[4-9].*", "[fli]*", MONITORING + "TestDisable.test_disable_legal_events",
               "DISABLE of a branch is not kept where another tool has branches or lines"),
    Difference("3.1[4-9].*", "[li]*", MONITORING + "TestBranchConsistency.*", BRANCH_PLACES),
    Difference("3.1[4-9].*", "i*", MONITORING + "TestBranchAndJumpEvents.*", BRANCH_PLACES),
    Difference("3.13.0", "*", "test.test_pdb.*", SET_TRACE),
    Difference("3.1[45].*", "*", "test.test_pdb.*", SET_TRACE),
    Difference("3.1[45].*", "*", "test.test_sys.TestSysJIT.test_jit_is_active",
               "no trace of the JIT compiler runs while any event is on"),
    Difference("3.15.*", "*", "test.test_code", CRASH_UNKNOWN),
    Difference("3.15.*", "*", "test.test_code.*", CRASH_UNKNOWN),
    Difference("3.15.*", "*", "test.test_atexit.SubinterpreterTest.test_atexit_with_low_memory",
               "where there is no memory for an event's offset, CPython calls any tool with NULL"),
    Difference("3.14.*", "*", "test.test_code.CodeTest.test_stateless",
               "a code object that has an entry in co_extra is not stateless"),
]

DESYNCS = [
    Desyncs("3.1[2-9].*", "flow", "test_sys_settrace", 1100,
            "a tracer that raises at a return makes the frame unwind without RAISE"),
    Desyncs("3.1[2-9].*", "flow", "test_monitoring", 4,
            "so does a callback of sys.monitoring that raises"),
    Desyncs("3.1[2-9].*", "flow", "test_pdb", 10,
            "what a debugger runs by sys.call_tracing is called by frames that nobody is told of"),
    Desyncs("3.1[3-9].*", "flow", "test_threading", 20,
            "KeyboardInterrupt at RESUME, before PY_START, in a function that calls itself: the "
            "end that is told has no beginning, and is taken for that of the call below"),
]


def cause_of(version, preset, test):
    """The entry that allows this test to differ, or None."""
    for known in DIFFERENCES:
        if known.covers(version, preset, test):
            return known
    return None


def desyncs_in(version, preset, module):
    """The entry that allows desyncs in this module's recording, or None."""
    for known in DESYNCS:
        if (fnmatch.fnmatchcase(version, known.versions)
                and fnmatch.fnmatchcase(preset, known.presets)
                and known.module == module):
            return known
    return None
