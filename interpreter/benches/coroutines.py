"""Coroutines without an event loop: await chains, awaitables, async with, async for, asynchronous generators, a scheduler."""
import collections
import types


@types.coroutine
def pause(value):
    return (yield value)


class Ready:
    def __init__(self, value):
        self.value = value

    def __await__(self):
        return self.value
        yield


class Lock:
    def __init__(self):
        self.entered = 0

    async def __aenter__(self):
        self.entered += 1
        return self

    async def __aexit__(self, kind, value, traceback):
        return kind is KeyError


class Countdown:
    def __init__(self, n):
        self.n = n

    def __aiter__(self):
        return self

    async def __anext__(self):
        if self.n == 0:
            raise StopAsyncIteration
        self.n -= 1
        return self.n


async def fib(n):
    return n if n < 2 else await fib(n - 1) + await fib(n - 2)


async def ready(rounds):
    total = 0
    for i in range(rounds):
        total += await Ready(i)
    return total


async def managed(lock, rounds):
    for i in range(rounds):
        async with lock as held:
            if i % 8 == 0:
                raise KeyError(i)
    return held.entered


async def counting(n):
    for i in range(n):
        yield i
        if i % 4 == 0:
            await Ready(None)


async def doubled(source):
    async for value in source:
        yield value * 2


async def iterate(n):
    total = 0
    async for value in Countdown(n):
        total += value
    async for value in doubled(counting(n)):
        total += value
    return total + len([value async for value in counting(n) if value % 2])


async def worker(number, steps, channel):
    for i in range(steps):
        got = await pause(number * steps + i)
        channel.append(got)
        if i % 5 == 0:
            await pause(None)
    return number


def run(coroutine):
    """Runs one coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise RuntimeError("it waits")


def schedule(coroutines):
    queue = collections.deque((coroutine, None) for coroutine in coroutines)
    finished = []
    while queue:
        coroutine, value = queue.popleft()
        try:
            asked = coroutine.send(value)
        except StopIteration as stop:
            finished.append(stop.value)
        else:
            queue.append((coroutine, asked and asked & 7))
    return finished


channel = []
finished = schedule(worker(i, 200, channel) for i in range(500))
print(run(fib(26)), run(ready(800_000)), run(managed(Lock(), 300_000)), run(iterate(200_000)), sum(finished), sum(filter(None, channel)))
