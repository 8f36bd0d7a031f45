"""Tasks that begin to run where they are made."""
import asyncio

from logged import awaits, logged


@logged
async def at_once():
    return 1


@logged
async def deep(n):
    if n > 0:
        await asyncio.create_task(deep(n - 1), name="deep %d" % (n - 1))


@logged
async def later():
    await asyncio.sleep(0)
    return 2


@logged
async def failing():
    raise KeyError


@logged
async def main():
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    print(await asyncio.create_task(at_once(), name="at once"))
    task = asyncio.create_task(later())
    awaits(task.get_name())
    print(await task)
    await asyncio.create_task(deep(5), name="deep 5")
    try:
        await asyncio.create_task(failing(), name="failing")
    except KeyError:
        print("failed")


asyncio.run(main())
