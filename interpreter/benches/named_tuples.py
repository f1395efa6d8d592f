"""namedtuple and typing.NamedTuple: made, read by name and index, unpacked, replaced, compared, hashed."""
import collections
import typing

Point = collections.namedtuple("Point", "x y")
Employee = collections.namedtuple("Employee", ["name", "title", "salary", "department"], defaults=["staff", 1000, "none"])


class Segment(typing.NamedTuple):
    start: Point
    end: Point
    width: float = 1.0

    @property
    def length(self):
        return abs(self.end.x - self.start.x) + abs(self.end.y - self.start.y)

    def reversed(self):
        return self._replace(start=self.end, end=self.start)


class Vector(Point):
    __slots__ = ()

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)


def walk(rounds):
    position, step = Vector(0, 0), Vector(1, 2)
    total = 0
    for i in range(rounds):
        position = position + step
        x, y = position
        total += position.x - position[1] + x + y
    return position, total


def segments(rounds):
    total = 0
    seen = {}
    for i in range(rounds):
        segment = Segment(Point(i % 50, 3), Point(7, i % 20), width=2.0)
        back = segment.reversed()
        total += segment.length + back.length + segment.start.x
        seen[segment.start] = seen.get(segment.start, 0) + 1
        total += segment < back
    return total, len(seen), max(seen.values())


def employees(rounds):
    rows = [Employee._make((f"n{i}", "boss" if i % 9 == 0 else "staff", 900 + i * 13 % 700, f"d{i % 8}")) for i in range(200)]
    for _ in range(rounds):
        by_department = collections.defaultdict(list)
        for row in rows:
            by_department[row.department].append(row)
        totals = {name: sum(row.salary for row in group) for name, group in by_department.items()}
        best = max(rows, key=lambda row: (row.salary, row.name))
        raised = [row._replace(salary=row.salary + 10) if row.title == "boss" else row for row in rows]
        dicts = [row._asdict() for row in raised[:20]]
    return totals["d3"], best, len(dicts), Employee("x"), raised[0] == rows[0], sorted(rows)[0].name


def made(count):
    return sum(len(collections.namedtuple(f"T{i}", [f"f{j}" for j in range(i % 4 + 1)])._fields) for i in range(count))


print(walk(500_000), segments(85_000), employees(360), made(120))
