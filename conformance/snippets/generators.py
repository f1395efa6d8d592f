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
def stops():
    raise StopIteration("inside")
    yield
next(stops())
