"""Unpacking: assignments from tuples, lists and other iterables, starred and nested targets, loops, swaps, displays, calls."""


def from_tuples(rounds):
    total = 0
    source = (1, 2, 3, 4, 5, 6, 7, 8)
    for _ in range(rounds):
        a, b, c, d, e, f, g, h = source
        h, g, f, e, d, c, b, a = a, b, c, d, e, f, g, h
        a, b = b, a
        a, b, c = c, a, b
        total += a - b + c * h
    return total


def from_lists(rounds):
    total = 0
    source = [1, 2, 3, 4]
    for i in range(rounds):
        a, b, c, d = source
        [c, d] = [b, a]
        source[0], source[-1] = source[-1], source[0]
        total += a * b + c - d
    return total


def starred(rounds):
    total = 0
    for i in range(rounds):
        first, *middle, last = (i, 1, 2, 3, 4)
        head, *tail = middle
        *rest, end = tail
        (x, y), [z, *w], (*_, v) = (first, last), middle, rest
        total += x + y + z + len(w) + v + end + head
    return total


def from_iterables(rounds):
    total = 0
    table = {"a": 1, "b": 2}
    for i in range(rounds):
        a, b, c = range(i, i + 3)
        d, e, f = "xyz"
        g, h = table
        j, k = map(abs, (-i, b))
        total += a + b + c + len(d + f) + len(g) + j + k
    return total


def loops(rounds):
    total = 0
    rows = [(i, (i + 1, [i + 2, i + 3])) for i in range(50)]
    names = {f"k{i}": (i, -i) for i in range(50)}
    for _ in range(rounds):
        for a, (b, [c, d]) in rows:
            total += a + b - c + d
        for index, (name, (x, y)) in enumerate(names.items()):
            total += index + x + y
        for (a, *_), (_, b) in zip(rows, names.values()):
            total += a - b
    return total


def displays(rounds):
    total = 0
    items, table, named = [1, 2, 3], {"a": 1, "b": 2}, {"x": 1, "y": 2}

    def take(a, b, c, *more, **named):
        return a + b + c + len(more) + len(named)

    for i in range(rounds):
        joined = [*items, i, *items]
        pair = (*joined, *items)
        both = {**table, "c": i, **table}
        unique = {*items, *pair}
        total += len(pair) + len(both) + len(unique) + take(*items) + take(*joined, **named)
    return total


print(from_tuples(900_000), from_lists(600_000), starred(250_000), from_iterables(200_000), loops(1800), displays(150_000))
