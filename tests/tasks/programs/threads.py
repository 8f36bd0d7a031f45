"""Loops in threads, one beneath another's task, and tasks across a fork."""
import asyncio
import os
import threading
import warnings

from logged import awaits, logged


@logged
async def work(turns):
    for _ in range(turns):
        await asyncio.sleep(0)


@logged
async def main(name):
    tasks = [asyncio.create_task(work(i), name="%s %d" % (name, i)) for i in range(1, 5)]
    awaits(*[t.get_name() for t in tasks])
    await asyncio.gather(*tasks)


@logged
async def nested():
    """A loop in a thread, while this one's waits for it without giving way."""
    thread = threading.Thread(target=lambda: asyncio.run(main("inner")))
    thread.start()
    thread.join()
    await asyncio.sleep(0)


@logged
async def forking():
    await asyncio.sleep(0)
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    await asyncio.sleep(0)


# Whether CPython warns of threads at a fork depends on how fast they end.
warnings.simplefilter("ignore", DeprecationWarning)
threads = [threading.Thread(target=lambda n: asyncio.run(main(n)), args=["t%d" % i])
           for i in range(3)]
for t in threads:
    t.start()
for t in threads:
    t.join()
asyncio.run(nested())
asyncio.run(forking())
