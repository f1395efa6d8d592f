"""N-queens by permutations (a generator of tuples) and row by row (frozen sets); a Sudoku as an exact cover (dicts of sets)."""


def permutations(pool):
    """Permutations by swapping, one tuple each."""
    items = list(pool)
    counters = [0] * len(items)
    yield tuple(items)
    i = 0
    while i < len(items):
        if counters[i] < i:
            j = counters[i] if i % 2 else 0
            items[i], items[j] = items[j], items[i]
            yield tuple(items)
            counters[i] += 1
            i = 0
        else:
            counters[i] = 0
            i += 1


def queens(n):
    columns = range(n)
    for places in permutations(columns):
        if n == len({places[i] + i for i in columns}) == len({places[i] - i for i in columns}):
            yield places


def cover(columns, rows, solution):
    """All sets of rows that hold each column once; the column with the fewest rows comes first."""
    if not columns:
        yield list(solution)
        return
    column = min(columns, key=lambda each: (len(columns[each]), each))
    for row in sorted(columns[column]):
        solution.append(row)
        removed = select(columns, rows, row)
        yield from cover(columns, rows, solution)
        restore(columns, rows, row, removed)
        solution.pop()


def select(columns, rows, row):
    removed = []
    for column in rows[row]:
        for other in columns[column]:
            for third in rows[other]:
                if third != column:
                    columns[third].discard(other)
        removed.append(columns.pop(column))
    return removed


def restore(columns, rows, row, removed):
    for column in reversed(rows[row]):
        columns[column] = removed.pop()
        for other in columns[column]:
            for third in rows[other]:
                if third != column:
                    columns[third].add(other)


def matrix(rows):
    columns = {}
    for row, members in rows.items():
        for column in members:
            columns.setdefault(column, set()).add(row)
    return columns


PUZZLE = "000000907000420180000705026100904000050000040000507009920108000034059000507000000"


def sudoku(puzzle):
    rows = {}
    for i, given in enumerate(puzzle):
        row, column = divmod(i, 9)
        for digit in range(9):
            if given in ("0", str(digit + 1)):
                box = row // 3 * 3 + column // 3
                rows[i, digit] = [("cell", i, 0), ("row", row, digit), ("column", column, digit), ("box", box, digit)]
    solved = dict(next(cover(matrix(rows), rows, [])))
    return "".join(str(solved[i] + 1) for i in range(81))


def queens_in_sets(n):
    """Row by row; what is taken stands in frozen sets, a new one per step."""
    count = 0

    def place(x, free, rising, falling):
        nonlocal count
        if x == n:
            count += 1
            return
        for y in sorted(free):
            if x + y not in rising and x - y not in falling:
                place(x + 1, free - {y}, rising | {x + y}, falling | {x - y})

    place(0, frozenset(range(n)), frozenset(), frozenset())
    return count


solutions = list(queens(9))
print(len(solutions), solutions[0], queens_in_sets(9), *{sudoku(PUZZLE) for _ in range(75)})
