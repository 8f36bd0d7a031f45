"""CPython's own tests, as far as the suites run them."""
import glob
import os
import sys
import time

import harness

# Of the language and of what is built in: quick, and the same at each run.
LANGUAGE = """
    test_abc test_argparse test_ast test_asyncgen test_bisect test_bool
    test_builtin test_class test_collections test_contextlib
    test_contextlib_async test_copy test_coroutines test_csv test_dataclasses
    test_decorators test_defaultdict test_deque test_descr test_dict
    test_dictcomps test_enumerate test_except_star test_exceptions
    test_fnmatch test_fractions test_funcattrs test_functools test_generators
    test_genexps test_global test_grammar test_heapq test_iter test_iterlen
    test_itertools test_keywordonlyarg test_listcomps test_operator
    test_opcodes test_patma test_pprint test_property test_raise test_scope
    test_set test_setcomps test_sort test_statistics test_string test_super
    test_textwrap test_threading_local test_tokenize test_types test_unpack
    test_weakref test_weakset test_with test_yield_from
""".split()

# Of what sees frames, code, memory, exceptions or the interpreter's end.
INTERPRETER = """
    test_atexit test_audit test_bdb test_code test_compile test_context
    test_cprofile test_dis test_faulthandler test_finalization test_frame
    test_gc test_inspect test_monitoring test_pdb test_profile test_runpy test_sys
    test_sys_setprofile test_sys_settrace test_trace test_traceback
    test_tracemalloc
""".split()

# Of threads, signals and processes.
CONCURRENT = """
    test_fork1 test_posix test_signal test_subprocess test_thread
    test_threading test_threadsignals test_wait3 test_wait4
""".split()

# The same, where each takes minutes.
SLOW = """
    test_asyncio test_concurrent_futures test_multiprocessing_fork
    test_multiprocessing_forkserver test_multiprocessing_spawn
""".split()


def installed(python, modules):
    """Those of `modules` that this interpreter was installed with: Debian's has none."""
    code = "import sysconfig; print(sysconfig.get_path('stdlib'))"
    folder = os.path.join(harness.output([python.path, "-c", code]).strip(), "test")
    return [name for name in modules if glob.glob(os.path.join(folder, name + "*"))]


def some(items, count, number):
    """So many of the items, other ones each day and by number; all of them in
    make check-all, or where words choose."""
    if harness.ALL or sys.argv[1:]:
        return items
    start = (int(time.time()) // 86400 * count + number * 7) % len(items)
    return (items + items)[start:start + min(count, len(items))]
