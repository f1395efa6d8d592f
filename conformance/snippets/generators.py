def inner():
    try:
        got = yield 1
        print("got", got)
        yield 2
    except ValueError as exc:
        print("caught", exc)
        return "value"
    finally:
        print("finally")


def outer():
    result = yield from inner()
    print("result", result)
    yield 3


gen = outer()
print(next(gen), gen.send("x"), gen.throw(ValueError("thrown")))
gen.close()
print(gen.gi_frame, [x * y for x in range(3) for y in range(x)], {k: v for k, v in zip("ab", [1, 2])})
lazy = (print("evaluated", n) or n for n in range(2))
print(list(lazy), list(lazy))


async def coroutine():
    async def agen():
        for number in range(3):
            yield number

    return [number async for number in agen() if number != 1]


try:
    coroutine().send(None)
except StopIteration as stop:
    print(stop.value)


def closes():
    try:
        yield False
        yield 0
        yield True
        yield "left"
    finally:
        print("closed")


g = closes()
print(any(g), g.gi_running, next(g), list(g), list(g))


def grows(target):
    for i in range(3):
        yield len(target), i


grown = []
grown.extend(grows(grown))
print(grown, sum(x == y for x, y in grown), max(x for x, _ in grown), set(y for _, y in grown))


def itself():
    try:
        list(running)
    except ValueError as e:
        yield str(e)


running = itself()
print(list(running))


def fails():
    yield 1
    raise LookupError("inside")


for consume in (list, tuple, set, sum, any, all, sorted, max):
    try:
        print(consume.__name__, consume(fails()))
    except LookupError as e:
        print(consume.__name__, e, e.__traceback__.tb_next.tb_lineno - fails.__code__.co_firstlineno)
print([1, 2, 3, 4][1:-1], "abcdef"[-3:], (1, 2, 3)[:], "abc"[5:], [1, 2][2:1], "äöü"[1:2], (1, 2, 3)[-9:9])


def stops():
    raise StopIteration("inside")
    yield
next(stops())
