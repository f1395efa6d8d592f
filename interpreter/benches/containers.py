"""dict, list and set: counting, grouping, comprehensions, membership, slices, unions, tuple keys."""


def count(words):
    counts = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts


def group(values):
    groups = {}
    for value in values:
        groups.setdefault(value % 97, []).append(value)
    return {key: len(values) for key, values in groups.items()}


def grid(size):
    cells = {(x, y): x * y for x in range(size) for y in range(size)}
    total = 0
    for (x, y), value in cells.items():
        if (x + 1, y) in cells:
            total += cells[x + 1, y] - value
    return total


def sets(rounds):
    odd = {i for i in range(rounds) if i % 2}
    third = {i for i in range(rounds) if i % 3 == 0}
    hits = sum(1 for i in range(rounds) if i in odd and i not in third)
    return len(odd & third), len(odd | third), len(odd - third), hits


def stack(rounds):
    items = []
    for i in range(rounds):
        items.append(i)
        if i % 3 == 0:
            items.pop()
    items[10:20] = items[:5]
    return len(items), items[-1], sum(items[::7])


def rows(n):
    matrix = [[i * j % 10 for j in range(n)] for i in range(n)]
    transposed = [list(column) for column in zip(*matrix)]
    return sum(a * b for row, column in zip(matrix, transposed) for a, b in zip(row, column))


words = [f"word{i * i % 1009}" for i in range(3000)]
for _ in range(240):
    counts = count(words)
print(len(counts), max(counts.values()), sum(group(range(700_000)).values()), grid(400), sets(700_000), stack(1_500_000), rows(450))
