"""What asyncio's own functions wait for in the name of a task: nobody stands
between them and the task, as what logs steps would."""
import asyncio

from logged import awaits


async def sleeper(turns):
    for _ in range(turns):
        await asyncio.sleep(0)
    return turns


async def failing():
    await asyncio.sleep(0.001)
    raise KeyError


async def endless():
    await asyncio.get_running_loop().create_future()


async def groups():
    async with asyncio.TaskGroup() as group:
        for i in range(3):
            group.create_task(sleeper(i + 1), name="member %d" % i)
        awaits("member 0", "member 1", "member 2")
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(failing(), name="failing member")
            group.create_task(endless(), name="cancelled member")
            awaits("cancelled member", "failing member")
    except* KeyError:
        print("failed")


async def limited():
    task = asyncio.create_task(endless(), name="limited")
    awaits("limited")
    try:
        await asyncio.wait_for(task, 0.001)
    except asyncio.TimeoutError:
        print("too late")


async def main():
    await groups()
    await asyncio.create_task(groups(), name="groups")
    some = {asyncio.create_task(sleeper(i), name="one of %d" % i) for i in range(1, 4)}
    awaits(*[task.get_name() for task in some])
    done, some = await asyncio.wait(some, return_when="FIRST_COMPLETED")
    print(len(done), len(some))
    await limited()
    some = [asyncio.create_task(sleeper(i), name="part %d" % i) for i in range(4)]
    awaits(*[task.get_name() for task in some])
    print(await asyncio.gather(*some))


asyncio.run(main())
