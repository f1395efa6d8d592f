"""Sorting with keys: attributes, items, tuples, several passes, cmp_to_key, `__lt__`, groupby, min and max, insort."""
import bisect
import functools
import itertools
import operator


class Person:
    def __init__(self, i, seed):
        self.name = f"{'ABCDEFGH'[seed % 8]}{'aeiou'[seed // 8 % 5]}name{seed % 1009}"
        self.age = seed // 64 % 90
        self.city = f"city{seed // 512 % 40}"
        self.score = (seed % 997) / 7
        self.place = i


@functools.total_ordering
class Version:
    def __init__(self, text):
        self.parts = tuple(map(int, text.split(".")))

    def __eq__(self, other):
        return self.parts == other.parts

    def __lt__(self, other):
        return self.parts < other.parts


def people(n):
    seed, result = 1, []
    for i in range(n):
        seed = (seed * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        result.append(Person(i, seed >> 33))
    return result


def compare(a, b):
    return (a.age > b.age) - (a.age < b.age) or (a.place > b.place) - (a.place < b.place)


def checksum(rows):
    return sum(i * row.place for i, row in enumerate(rows)) % 1_000_003


def main(rounds, n):
    rows = people(n)
    texts = [row.name for row in rows]
    records = [{"name": row.name, "age": row.age, "score": row.score} for row in rows]
    versions = [Version(f"{row.age % 5}.{row.place % 40}.{int(row.score)}") for row in rows[: n // 3]]
    order = {f"city{i}": i * 17 % 40 for i in range(40)}
    sums = []
    for _ in range(rounds):
        sums = [
            checksum(sorted(rows, key=lambda row: row.score)),
            checksum(sorted(rows, key=lambda row: (row.city, -row.age, row.name))),
            checksum(sorted(rows, key=operator.attrgetter("age", "name"), reverse=True)),
            checksum(sorted(rows[: n // 2], key=functools.cmp_to_key(compare))),
            checksum(sorted(rows, key=lambda row: order[row.city])),
        ]
        passes = rows[:]
        for key in ("name", "age", "city"):
            passes.sort(key=operator.attrgetter(key))
        sums.append(checksum(passes))
        folded = sorted(texts, key=str.casefold)
        lengths = sorted(texts, key=len)
        by_item = sorted(records, key=operator.itemgetter("age", "score"))
        newest = sorted(versions)[-1].parts, max(versions).parts
        groups = {age: len(list(group)) for age, group in itertools.groupby(by_item, key=operator.itemgetter("age"))}
        extremes = min(rows, key=lambda row: row.score).place, max(rows, key=operator.attrgetter("score")).place
        kept = []
        for row in rows[: n // 4]:
            bisect.insort(kept, row, key=lambda each: each.score)
        keyed = sorted(zip(texts, range(n)), key=lambda pair: pair[1] % 100)
    return sums, folded[0], lengths[-1], by_item[0]["age"], newest, len(groups), extremes, checksum(kept), keyed[5]


print(main(16, 6000))
