"""asyncio: tasks gathered and grouped, queues with workers, locks, events, semaphores, futures, cancellation, a tree of tasks."""
# native: _asyncio
import asyncio


async def leaf(value):
    await asyncio.sleep(0)
    return value


async def tree(depth):
    if depth == 0:
        return await leaf(1)
    return sum(await asyncio.gather(*(tree(depth - 1) for _ in range(4))))


async def produce(queue, count):
    for i in range(count):
        await queue.put(i)


async def consume(queue, totals, number):
    while (item := await queue.get()) is not None:
        totals[number] += item
        queue.task_done()
    queue.task_done()


async def queues(count, workers):
    queue = asyncio.Queue(16)
    totals = [0] * workers
    tasks = [asyncio.create_task(consume(queue, totals, i)) for i in range(workers)]
    await produce(queue, count)
    for _ in range(workers):
        await queue.put(None)
    await queue.join()
    await asyncio.gather(*tasks)
    return sum(totals)


async def guarded(lock, semaphore, event, state, rounds):
    await event.wait()
    for _ in range(rounds):
        async with semaphore:
            async with lock:
                before = state["count"]
                await asyncio.sleep(0)
                state["count"] = before + 1


async def locks(tasks, rounds):
    lock, semaphore, event, state = asyncio.Lock(), asyncio.Semaphore(4), asyncio.Event(), {"count": 0}
    async with asyncio.TaskGroup() as group:
        for _ in range(tasks):
            group.create_task(guarded(lock, semaphore, event, state, rounds))
        event.set()
    return state["count"]


async def cancelled(count):
    async def forever():
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            caught.append(1)
            raise

    caught = []
    tasks = [asyncio.create_task(forever()) for _ in range(count)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    return len(caught), sum(isinstance(result, asyncio.CancelledError) for result in results)


async def futures(count):
    loop = asyncio.get_running_loop()
    waiting = [loop.create_future() for _ in range(count)]
    for i, future in enumerate(waiting):
        loop.call_soon(future.set_result, i)
    total = 0
    for done in asyncio.as_completed(waiting):
        total += await done
    return total


async def main():
    results = [await tree(7), await queues(25_000, 8), await locks(20, 120), await cancelled(3000), await futures(6000)]
    print(*results)


asyncio.run(main())
