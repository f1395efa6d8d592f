"""Sorting: list.sort with and without key, sorted, heapq, bisect, and two sorts in Python."""
# native: _heapq, _bisect
import bisect
import heapq
import operator


def numbers(n, seed=1):
    values = []
    for _ in range(n):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        values.append(seed)
    return values


def quick(values):
    if len(values) < 2:
        return values
    pivot = values[len(values) // 2]
    return (
        quick([v for v in values if v < pivot]) + [v for v in values if v == pivot] + quick([v for v in values if v > pivot])
    )


def insertion(values):
    values = values[:]
    for i in range(1, len(values)):
        value, j = values[i], i - 1
        while j >= 0 and values[j] > value:
            values[j + 1] = values[j]
            j -= 1
        values[j + 1] = value
    return values


values = numbers(60_000)
for _ in range(4):
    plain = sorted(values)
    floats = sorted(v / 3 for v in values)
    texts = sorted(str(v) for v in values)
    keyed = sorted(values, key=lambda v: -v)
    records = sorted([(v % 100, v) for v in values], key=operator.itemgetter(0))
    records.sort(reverse=True)
heap = []
for value in values:
    heapq.heappush(heap, value)
ordered = [heapq.heappop(heap) for _ in range(len(heap))]
places = sum(bisect.bisect(plain, v) for v in values)
print(plain == ordered == quick(values), texts[0], keyed[0], records[0], floats[1], places, insertion(values[:700])[:3])
