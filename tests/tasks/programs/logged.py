"""What the programs here share: coroutines that log their own steps.

Drive(coroutine) awaits it as `await` does and notes when a step begins and how
it ends, by the name of asyncio's current task: an oracle that knows nothing of
how tasks are made.  The log of each thread goes to $PT_TASKS, where that is set."""
import asyncio
import atexit
import json
import os
import threading

logs = {}


def note(act, *about):
    log = logs.setdefault(threading.get_native_id(), [])
    log.append([act, asyncio.current_task().get_name(), *about])


def awaits(*names):
    """The next thing that the task waits for are tasks of these names."""
    note("awaits", *sorted(names))


class Drive:
    def __init__(self, coroutine):
        self.coroutine = coroutine

    def __await__(self):
        steps = self.coroutine.__await__()
        resume, value = steps.send, None
        while True:
            note("runs")
            try:
                future = resume(value)
            except StopIteration as e:
                note("returned")
                return e.value
            except asyncio.CancelledError:
                note("cancelled")
                raise
            except BaseException:
                note("raised")
                raise
            note("waits")
            try:
                value, resume = (yield future), steps.send
            except BaseException as e:
                value, resume = e, steps.throw


def logged(function):
    """A coroutine function whose calls log, as the outermost of a task."""
    async def outermost(*args):
        return await Drive(function(*args))
    return outermost


def write():
    path = os.environ.get("PT_TASKS")
    if path and logs:
        with open("%s.%d" % (path, os.getpid()), "w") as file:
            json.dump(logs, file)


atexit.register(write)
