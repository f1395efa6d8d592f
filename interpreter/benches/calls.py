"""Calls of plain functions: positional, default, keyword and starred arguments, closures."""


def add(a, b):
    return a + b


def default(a, b=2, c=3):
    return a + b + c


def keyword(*, first, second):
    return first - second


def starred(*args, **kwargs):
    return len(args) + len(kwargs)


def make_adder(n):
    def adder(x):
        return x + n

    return adder


def main(rounds):
    plus = make_adder(7)
    total = 0
    for i in range(rounds):
        total = add(total, i)
        total = default(total)
        total = default(total, c=i)
        total = plus(total)
        total += keyword(second=i, first=total & 15)
        total += starred(i, i, i)
        total += starred(i, flag=True)
        total = add(add(total, 1), add(i, 2))
    return total


print(main(900_000))
