"""Coroutines that take turns, and one that fails."""
import asyncio


async def inner(n):
    await asyncio.sleep(0)
    return n + 1


async def worker(n):
    total = 0
    for i in range(n):
        total += await inner(i)
    return total


async def broken():
    await asyncio.sleep(0)
    raise ValueError("as it should")


async def ticks(n):
    for i in range(n):
        yield i
        await asyncio.sleep(0)


async def main():
    results = await asyncio.gather(worker(2), worker(3), broken(),
                                   return_exceptions=True)
    async for tick in ticks(3):
        results.append(tick)
    return results


if __name__ == "__main__":
    asyncio.run(main())
