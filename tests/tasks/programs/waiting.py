"""Tasks that wait for each other in all ways, and end in all ways."""
import asyncio
import sys

from logged import awaits, logged


@logged
async def sleeper(turns):
    for _ in range(turns):
        await asyncio.sleep(0)
    return turns


@logged
async def failing(turns):
    for _ in range(turns):
        await asyncio.sleep(0.001)
    raise KeyError(turns)


@logged
async def endless():
    await asyncio.get_running_loop().create_future()


@logged
async def stubborn():
    for _ in range(2):
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            pass
    return "done"


@logged
async def renamed():
    asyncio.current_task().set_name("after")
    await asyncio.sleep(0)


@logged
async def consumer(queue):
    got = []
    while (item := await queue.get()) is not None:
        got.append(item)
    return got


async def numbers():
    for i in range(3):
        await asyncio.sleep(0)
        yield i


@logged
async def iterating():
    return [i async for i in numbers()]


class Own(asyncio.Task):
    def __init__(self, coroutine, **options):
        super().__init__(coroutine, **options)


class Plain(asyncio.Task):
    pass


@logged
async def main():
    make = asyncio.create_task
    task = make(sleeper(3), name="first")
    awaits("first")
    print(await task)
    some = [make(sleeper(i), name="part %d" % i) for i in range(4)]
    awaits(*[t.get_name() for t in some])
    print(await asyncio.gather(*some))
    task = make(failing(2), name="failing")
    awaits("failing")
    try:
        await task
    except KeyError as e:
        print(repr(e))
    task = make(endless(), name="endless")
    await asyncio.sleep(0.001)
    task.cancel()
    awaits("endless")
    try:
        await task
    except asyncio.CancelledError:
        print("cancelled", task.cancelled())
    task = make(stubborn(), name="stubborn")
    for _ in range(2):
        await asyncio.sleep(0.001)
        task.cancel()
    awaits("stubborn")
    print(await task)
    never = make(endless(), name="never")
    never.cancel()
    task = make(renamed(), name="before")
    awaits("before")
    await task
    queue = asyncio.Queue(1)
    task = make(consumer(queue), name="consumer")
    for item in 1, 2, 3, None:
        await queue.put(item)
    awaits("consumer")
    print(await task)
    task = make(iterating(), name="iterating")
    awaits("iterating")
    print(await task)
    for kind in Own, Plain:
        task = kind(sleeper(2), loop=asyncio.get_running_loop(), name=kind.__name__)
        awaits(kind.__name__)
        print(await task)
    task = make(sleeper(2))
    task.set_name("named later")
    awaits("named later")
    await task
    print(await asyncio.to_thread(len, "abc"))


asyncio.run(main())
asyncio.run(main(), debug=True)
sys.stdout.flush()
