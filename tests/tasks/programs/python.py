"""Tasks that are written in Python, made by a factory."""
import asyncio

from logged import logged


@logged
async def work(turns):
    for _ in range(turns):
        await asyncio.sleep(0)
    if turns == 2:
        raise KeyError


@logged
async def main():
    loop = asyncio.get_running_loop()
    loop.set_task_factory(
        lambda loop, coroutine, **options: asyncio.tasks._PyTask(coroutine, loop=loop, **options))
    for i in range(3):
        try:
            await asyncio.create_task(work(i), name="work %d" % i)
        except KeyError:
            print("failed")


asyncio.run(main())
