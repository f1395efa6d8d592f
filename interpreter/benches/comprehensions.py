"""Comprehensions: list, dict, set and generator; nested, with conditions, over methods' results, as arguments; over objects."""


class Widget:
    def __init__(self, number, kind, tags):
        self.number = number
        self.kind = kind
        self.tags = tags
        self.active = number % 3 != 0

    def neighbours(self, widgets):
        return [widgets[i] for i in (self.number - 1, self.number + 1) if 0 <= i < len(widgets)]


KINDS = ("big", "small", "round", "flat", "other")


def report(widgets):
    active = [w for w in widgets if w.active]
    by_kind = {kind: [w.number for w in active if w.kind == kind] for kind in KINDS}
    tags = {tag for w in active for tag in w.tags}
    edges = {(w.number, n.number) for w in widgets for n in w.neighbours(widgets) if n.kind != w.kind}
    lengths = {tag: sum(1 for w in active if tag in w.tags) for tag in sorted(tags)}
    longest = max((len(w.tags), w.number) for w in widgets)
    anything = any(w.number > 1_000_000 for w in widgets), all(w.tags is not None for w in widgets)
    return len(active), {k: len(v) for k, v in by_kind.items()}, len(edges), sum(lengths.values()), longest, anything


def numbers(n):
    squares = [i * i for i in range(n)]
    odd = [s for s in squares if s & 1]
    table = {s: i for i, s in enumerate(squares)}
    signs = [1 if s % 3 == 0 else -1 if s % 3 == 1 else 0 for s in squares]
    pairs = [(a, b) for a in range(30) for b in range(a, 30) if (a + b) % 3 == 0]
    inverse = {i: s for s, i in table.items()}
    return len(odd), sum(signs), len(pairs), len(inverse), sum(x * y for x, y in pairs), len({s % 1000 for s in squares})


def triples(n):
    return [(a, b, c) for c in range(1, n) for b in range(1, c) for a in range(1, b) if a * a + b * b == c * c]


def closures(n):
    adders = [lambda x, k=k: x + k for k in range(n)]
    late = [lambda: k for k in range(n)]
    return sum(add(1) for add in adders), {f() for f in late}


def primes(n):
    composite = {multiple for i in range(2, int(n**0.5) + 1) for multiple in range(i * i, n, i)}
    return len([i for i in range(2, n) if i not in composite])


def transposed(n):
    matrix = [[row * n + column for column in range(n)] for row in range(n)]
    return sum(matrix[i][j] for i in range(n) for j in range(n) if i == j) + len([[row[i] for row in matrix] for i in range(n)])


widgets = [Widget(i, KINDS[i * 7 % 5], [f"t{(i + j) % 11}" for j in range(i % 6)]) for i in range(600)]
for _ in range(150):
    result = report(widgets)
for _ in range(300):
    counted = numbers(2500)
print(result, counted, len(triples(190)), closures(20_000), primes(120_000), transposed(300))
