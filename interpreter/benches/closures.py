"""Closures: cells read and written, counters, decorators, memoising, currying, composed functions, parser combinators."""
import functools


def counter():
    count = 0

    def step(by=1):
        nonlocal count
        count += by
        return count

    def reset():
        nonlocal count
        count = 0

    return step, reset


def logged(log):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            log[function.__name__] = log.get(function.__name__, 0) + 1
            return function(*args, **kwargs)

        return wrapper

    return decorate


def memoised(function):
    known = {}

    def wrapper(n):
        if n not in known:
            known[n] = function(n)
        return known[n]

    wrapper.known = known
    return wrapper


def compose(*functions):
    def composed(value):
        for function in functions:
            value = function(value)
        return value

    return composed


def curry(function, count, taken=()):
    if count == 0:
        return function(*taken)
    return lambda value: curry(function, count - 1, (*taken, value))


def account(balance):
    """An object made of closures, reached by message."""

    def deposit(amount):
        nonlocal balance
        balance += amount

    def withdraw(amount):
        nonlocal balance
        if amount <= balance:
            balance -= amount

    methods = {"deposit": deposit, "withdraw": withdraw, "balance": lambda: balance}
    return lambda message, *args: methods[message](*args)


# Parser combinators: a parser takes text and a place, and gives a value and the next place, or None.


def char(test):
    return lambda text, i: (text[i], i + 1) if i < len(text) and test(text[i]) else None


def sequence(*parsers):
    def parse(text, i):
        values = []
        for parser in parsers:
            found = parser(text, i)
            if found is None:
                return None
            value, i = found
            values.append(value)
        return values, i

    return parse


def either(*parsers):
    def parse(text, i):
        for parser in parsers:
            found = parser(text, i)
            if found is not None:
                return found
        return None

    return parse


def many(parser):
    def parse(text, i):
        values = []
        while (found := parser(text, i)) is not None:
            value, i = found
            values.append(value)
        return values, i

    return parse


def mapped(function, parser):
    def parse(text, i):
        found = parser(text, i)
        return found and (function(found[0]), found[1])

    return parse


def lazy(make):
    return lambda text, i: make()(text, i)


digit = char(str.isdigit)
number = mapped(lambda found: int(found[0] + "".join(found[1])), sequence(digit, many(digit)))
inner = mapped(lambda found: found[1], sequence(char("(".__eq__), lazy(lambda: total), char(")".__eq__)))
factor = either(number, inner)
product = mapped(
    lambda found: functools.reduce(lambda a, pair: a * pair[1] % 9973, found[1], found[0]),
    sequence(factor, many(sequence(char("*".__eq__), factor))),
)
total = mapped(
    lambda found: functools.reduce(lambda a, pair: a + pair[1] if pair[0] == "+" else a - pair[1], found[1], found[0]),
    sequence(product, many(sequence(char("+-".__contains__), product))),
)


def main(rounds):
    log = {}

    @logged(log)
    def scale(x, factor=2):
        return x * factor

    @memoised
    def fib(n):
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    step, reset = counter()
    pipeline = compose(lambda x: x + 1, lambda x: scale(x, factor=3), lambda x: x % 1000)
    volume = curry(lambda a, b, c: a * b * c, 3)
    purse = account(100)
    checksum = 0
    for i in range(rounds):
        checksum += step() + step(2)
        checksum += pipeline(i)
        checksum += volume(i)(2)(3)
        purse("deposit", i % 10)
        purse("withdraw", 5)
        if i % 1000 == 0:
            reset()
            fib.known.clear()
            checksum += fib(60)
            value, end = total("12*(3+4)-(5*(6+78)-9)*2+" * 8 + "1", 0)
    return checksum, log, purse("balance"), value, end


print(main(220_000))
