import gc; gc.disable()
import asyncio


class Manager:
    async def __aenter__(self):
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *exc):
        await asyncio.sleep(0)
        return True


async def ticks(n):
    for i in range(n):
        await asyncio.sleep(0)
        yield i


async def work(n):
    total = 0
    async for i in ticks(n):
        total += i
    async with Manager():
        raise ValueError(n)
    return total


async def cancelled():
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        return "cancelled"


async def main():
    results = await asyncio.gather(*(work(i) for i in range(4)))
    task = asyncio.ensure_future(cancelled())
    await asyncio.sleep(0)
    task.cancel()
    results.append(await task)
    queue = asyncio.Queue(2)
    queue.put_nowait(1)
    results.append(await queue.get())
    results.append([i async for i in ticks(3) if i])
    return results


async def by_hand():
    return await inner()


async def inner():
    return 42

try:
    by_hand().send(None)
except StopIteration as stop:
    print(stop.value)

loop = asyncio.new_event_loop()
print(loop.run_until_complete(main()))
loop.close()
