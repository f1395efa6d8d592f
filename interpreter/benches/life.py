"""The game of life over a set of tuples, over a dict of counts and over rows of text; Langton's ant; a one-dimensional rule."""

GUN = """
........................O
......................O.O
............OO......OO............OO
...........O...O....OO............OO
OO........O.....O...OO
OO........O...O.OO....O.O
..........O.....O.......O
...........O...O
............OO
"""
AROUND = [(dx, dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy]


def cells(text):
    return {(x, y) for y, line in enumerate(text.split("\n")) for x, c in enumerate(line) if c == "O"}


def step_set(alive):
    seen = set()
    result = set()
    for x, y in alive:
        for dx, dy in [(0, 0), *AROUND]:
            cell = (x + dx, y + dy)
            if cell not in seen:
                seen.add(cell)
                count = sum(1 for ex, ey in AROUND if (cell[0] + ex, cell[1] + ey) in alive)
                if count == 3 or (count == 2 and cell in alive):
                    result.add(cell)
    return result


def step_counts(alive):
    counts = {}
    for x, y in alive:
        for dx, dy in AROUND:
            cell = x + dx, y + dy
            counts[cell] = counts.get(cell, 0) + 1
    return {cell for cell, count in counts.items() if count == 3 or (count == 2 and cell in alive)}


def step_rows(rows):
    width = len(rows[0])
    result = []
    for i, row in enumerate(rows):
        around = [rows[i - 1], row, rows[(i + 1) % len(rows)]]
        line = []
        for j in range(width):
            right = (j + 1) % width
            count = sum((r[j - 1] == "O") + (r[j] == "O") + (r[right] == "O") for r in around)
            line.append("O" if count == 3 or (count == 4 and row[j] == "O") else ".")
        result.append("".join(line))
    return result


def ant(steps):
    black, x, y, direction = set(), 0, 0, 1 + 0j
    for _ in range(steps):
        if (x, y) in black:
            black.remove((x, y))
            direction *= 1j
        else:
            black.add((x, y))
            direction *= -1j
        x += int(direction.real)
        y += int(direction.imag)
    return len(black), x, y


def rule(number, width, steps):
    row = [0] * width
    row[width // 2] = 1
    total = 0
    for _ in range(steps):
        row = [number >> (row[i - 1] * 4 + row[i] * 2 + row[(i + 1) % width]) & 1 for i in range(width)]
        total += sum(row)
    return total


first = second = cells(GUN)
for _ in range(130):
    first = step_set(first)
for _ in range(1000):
    second = step_counts(second)
rows = [line.ljust(60, ".") for line in GUN.split("\n")] + ["." * 60] * 10
for _ in range(150):
    rows = step_rows(rows)
print(len(first), len(second), "".join(rows).count("O"), ant(500_000), rule(30, 500, 600))
