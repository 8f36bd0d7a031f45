"""Coroutines: producers and consumers over queues on an asyncio loop."""
import asyncio
import sys


async def produce(queue, n):
    for i in range(n):
        await queue.put(i)
        if i % 8 == 0:
            await asyncio.sleep(0)
    await queue.put(None)


async def consume(queue):
    total = 0
    while (item := await queue.get()) is not None:
        total += await transform(item)
    return total


async def transform(item):
    return item * 2 + 1


async def pair(n):
    queue = asyncio.Queue(maxsize=4)
    _, total = await asyncio.gather(produce(queue, n), consume(queue))
    return total


async def everything(n):
    return sum(await asyncio.gather(*(pair(200) for _ in range(n))))


def main(n):
    return asyncio.run(everything(n))


if __name__ == "__main__":
    print(main(int(sys.argv[1])))
