"""Generators, generator expressions, yield from, itertools, coroutines driven by hand."""
import itertools


def counter(n):
    for i in range(n):
        yield i


def evens(source):
    for value in source:
        if value % 2 == 0:
            yield value


def squares(source):
    for value in source:
        yield value * value


class Tree:
    def __init__(self, depth):
        self.value = depth
        self.left = self.right = None
        if depth:
            self.left = Tree(depth - 1)
            self.right = Tree(depth - 1)

    def __iter__(self):
        if self.left is not None:
            yield from self.left
        yield self.value
        if self.right is not None:
            yield from self.right


def averager():
    total = count = 0
    average = None
    while True:
        value = yield average
        total += value
        count += 1
        average = total / count


async def leaf(n):
    return n


async def branch(n):
    total = 0
    for i in range(n):
        total += await leaf(i)
    return total


def drive(coroutine):
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value


pipeline = sum(squares(evens(counter(2_300_000))))
tree = sum(sum(Tree(13)) for _ in range(6))
average = averager()
next(average)
for i in range(1_000_000):
    last = average.send(i)
pairs = sum(1 for a, b in itertools.product(range(900), repeat=2) if a < b)
chained = sum(itertools.islice(itertools.chain.from_iterable(itertools.repeat(range(10))), 1_500_000))
print(pipeline, tree, last, pairs, chained, drive(branch(800_000)))
