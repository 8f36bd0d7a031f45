"""The plain oracle: what a program does, as sys.monitoring (3.12 and later) or
sys.settrace and sys.setprofile (3.11) tell it to Python functions.

Python imports this at start-up, in the recorded run as well, so that both runs
are alike; only where PT_ORACLE names a file does it watch.  It writes, by
marshal, a list of events per thread in the order the threads began: from the
start of the program's own <module> until its end, as tuples
    (kind, function, ...) with, by kind,
    line: the line; instruction: the offset; branch, jump: offset, destination
    exception: offset, type, whether raised again; handled: offset
    c_call, c_return, c_exception: the callee."""
import marshal
import opcode
import os
import sys
import threading

threads = []
by_ident = {}
get_ident = threading.get_native_id  # unlike get_ident(), not used again soon
state = {"on": False, "main": None, "mine": None}


def log(code):
    """The list to append an event of this code object to.  Of what threading
    does, only some is seen on 3.11, and locks make it vary: where a program
    has threads (PT_LOCAL), only its own functions count."""
    if state["local"] and code.co_filename != state["main"]:
        return []
    ident = get_ident()
    events = by_ident.get(ident)
    if events is None:
        events = by_ident[ident] = []
        threads.append(events)
    return events


def write(path):
    with open(path, "wb") as file:
        marshal.dump(threads, file)


def callee(target):
    """The name that a trace gives a callable that is no Python function, or
    None for one that is."""
    kind = type(target).__name__
    if kind == "method":
        target = target.__func__
        kind = type(target).__name__
    if kind == "function":
        return None
    if kind in ("builtin_function_or_method", "builtin_method"):
        owner = target.__self__
        if owner is None and "." in target.__qualname__:
            return target.__qualname__  # a static method
        if owner is None or type(owner).__name__ == "module":
            module = target.__module__ or (owner and owner.__name__)
            return "%s.%s" % (module, target.__name__) if module else target.__qualname__
        # Where the method is defined: in C, by a class that self is or has.
        base = owner if isinstance(owner, type) else type(owner)
        for cls in (*type.__dict__["__mro__"].__get__(base), *type(base).__mro__):
            found = vars(cls).get(target.__name__)
            if (type(found).__name__ == "classmethod_descriptor"
                    and found.__get__(None, base) != target):
                continue  # one further up was called, through super()
            # a static method of C is a staticmethod around a builtin
            found = getattr(found, "__func__", found)
            if found is not None and type(found).__name__ not in ("function", "property"):
                return "%s.%s" % (cls.__name__, target.__name__)
        return target.__qualname__
    if kind in ("method_descriptor", "classmethod_descriptor"):
        return "%s.%s" % (target.__objclass__.__name__, target.__name__)
    if isinstance(target, type):
        return "%s.%s" % (target.__module__, target.__qualname__)
    return "%s.%s" % (type(target).__module__, type(target).__qualname__)


def type_name(cls):
    module = cls.__module__
    return cls.__qualname__ if module == "builtins" else "%s.%s" % (module, cls.__qualname__)


def is_main(code):
    return code.co_name == "<module>" and code.co_filename == state["main"]


EVENTS = {  # each with those before it
    "calls": ("PY_START", "PY_RETURN", "PY_YIELD", "PY_RESUME", "PY_THROW", "PY_UNWIND",
              "CALL", "C_RETURN", "C_RAISE"),
    "lines": ("LINE", "RAISE", "RERAISE", "STOP_ITERATION", "EXCEPTION_HANDLED"),
    "instructions": ("INSTRUCTION", "JUMP",
                     *(("BRANCH_LEFT", "BRANCH_RIGHT") if sys.version_info >= (3, 14)
                       else ("BRANCH",))),
}


def watch_monitoring(path):
    monitoring = sys.monitoring
    events = monitoring.events

    def plain(kind):
        def callback(code, *args):
            if state["on"]:
                log(code).append((kind, code.co_qualname))
        return callback

    def start(code, offset):
        if not state["on"]:
            if not is_main(code):
                return
            state["on"] = True
            state["mine"] = code
        log(code).append(("call", code.co_qualname))

    def leave(kind):
        def callback(code, *args):
            if not state["on"]:
                return
            log(code).append((kind, code.co_qualname))
            if code is state["mine"]:
                state["on"] = False
                write(path)
        return callback

    def number(kind):
        def callback(code, value):
            if state["on"]:
                log(code).append((kind, code.co_qualname, value))
        return callback

    def line(code, number):
        if state["on"]:  # 0 is CPython's word for no line
            log(code).append(("line", code.co_qualname, number or None))

    def jump(kind):
        def callback(code, offset, target):
            if state["on"]:
                log(code).append((kind, code.co_qualname, offset, target))
        return callback

    def raised(how):
        def callback(code, offset, error):
            if state["on"]:
                log(code).append(("exception", code.co_qualname, offset,
                                  type_name(type(error)), how))
        return callback

    def handled(code, offset, error):
        if state["on"]:
            log(code).append(("handled", code.co_qualname, offset))

    def called(kind):
        def callback(code, offset, target, first):
            if state["on"]:
                name = callee(target)
                if name is not None:
                    log(code).append((kind, code.co_qualname, name))
        return callback

    callbacks = {
        "PY_START": start, "PY_RETURN": leave("return"), "PY_YIELD": plain("yield"),
        "PY_RESUME": plain("resume"), "PY_THROW": plain("throw"),
        "PY_UNWIND": leave("unwind"), "LINE": line,
        "INSTRUCTION": number("instruction"), "BRANCH": jump("branch"),
        "BRANCH_LEFT": jump("branch"), "BRANCH_RIGHT": jump("branch"), "JUMP": jump("jump"), "RAISE": raised(False), "RERAISE": raised(True),
        "STOP_ITERATION": raised(False), "EXCEPTION_HANDLED": handled,
        "CALL": called("c_call"), "C_RETURN": called("c_return"),
        "C_RAISE": called("c_exception"),
    }
    # Only what the preset asks for: which exceptions CPython tells of depends
    # on what else is instrumented, since that decides what is specialised.
    wanted = set()
    for preset, names in EVENTS.items():
        wanted.update(names)
        if preset == os.environ["PT_PRESET"]:
            break
    monitoring.use_tool_id(5, "oracle")
    mask = 0
    for name, function in callbacks.items():
        if name not in wanted:
            continue
        event = getattr(events, name)
        monitoring.register_callback(5, event, function)
        if name not in ("C_RETURN", "C_RAISE"):
            mask |= event
    monitoring.set_events(5, mask)


def watch_tracing(path):
    """3.11: what was left of a frame is told by its last instruction."""
    resume, yields, returns = (opcode.opmap[name] for name in
                               ("RESUME", "YIELD_VALUE", "RETURN_VALUE"))
    raising = {}  # frame: its last event was an exception

    def profile(frame, event, argument):
        code = frame.f_code
        if not state["on"]:
            if event != "call" or not is_main(code):
                return
            state["on"] = True
            state["mine"] = frame
        if event == "call":
            last = frame.f_lasti
            if last < 0 or code.co_code[last] != resume:
                kind = "throw"
            else:
                kind = "call" if code.co_code[last + 1] & 3 == 0 else "resume"
            log(code).append((kind, code.co_qualname))
        elif event == "return":
            op = code.co_code[frame.f_lasti]
            if raising.pop(frame, False) or op not in (yields, returns):
                kind = "unwind"
            else:
                kind = "yield" if op == yields else "return"
            log(code).append((kind, code.co_qualname))
            if frame is state["mine"]:
                state["on"] = False
                write(path)
        else:
            log(code).append((event, code.co_qualname, callee(argument)))

    def trace(frame, event, argument):
        frame.f_trace_opcodes = True
        if not state["on"]:
            # The program's own frame is on before profile() can tell.
            return trace
        code = frame.f_code
        name = code.co_qualname
        if event == "line":
            raising.pop(frame, None)
            log(code).append(("line", name, frame.f_lineno or None))
        elif event == "opcode":
            raising.pop(frame, None)
            log(code).append(("instruction", name, frame.f_lasti))
        elif event == "exception":
            raising[frame] = True
            log(code).append(("exception", name, frame.f_lasti, type_name(argument[0]),
                              False))
        return trace

    threading.setprofile(profile)
    threading.settrace(trace)
    sys.setprofile(profile)
    sys.settrace(trace)


def begin():
    path = os.environ.get("PT_ORACLE")
    state["main"] = os.environ.get("PT_PROGRAM")
    state["local"] = "PT_LOCAL" in os.environ
    if path:
        if sys.version_info >= (3, 12):
            watch_monitoring(path)
        else:
            watch_tracing(path)


begin()
