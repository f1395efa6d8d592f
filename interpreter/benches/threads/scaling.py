"""The kernels of `scripts/bench scaling`: see scripts/benching/scaling.py.

Usage: scaling.py KERNEL THREADS. Reads numbers of rounds from standard input, one a line; each thread does that many and
the line that comes back is when the first began and the last was ready, in seconds of the monotonic clock, and the mean of
the processor time that they took.
"""
import sys
import threading
from time import perf_counter, thread_time


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def moved(self, by):
        self.x += by
        return self.x

    def length(self):
        return abs(self.x) + abs(self.y)


class Node:
    def __init__(self, name, depth):
        self.name = name
        self.value = float(depth)
        self.children = [Node(f"{name}{i}", depth - 1) for i in range(3)] if depth else []

    def total(self):
        sum = self.value
        for child in self.children:
            sum += child.total()
        return sum


WORDS = [f"word{i}" for i in range(1000)]
SHARED_DICT = {word: (i, word) for i, word in enumerate(WORDS)}
SHARED_NUMBERS = {i * 7: float(i) for i in range(1000)}
SHARED_LIST = [[i] for i in range(1000)]
SHARED_FLOATS = [i / 7 for i in range(1000)]
SHARED_TREE = Node("n", 5)
SHARED_POINTS = [Point(float(i), i) for i in range(200)]
BOTH = [object() for _ in range(100)]
BOTH_DICT = {}


def own_fib():
    fib(15)


def own_methods():
    point = Point(1, 2)
    for i in range(600):
        point.moved(i)
        point.length()


def own_float_loop():
    x = 0.5
    for i in range(2000):
        x = x * 1.0001 + i / 3.0 - x * x * 1e-9


def own_dict():
    d = {}
    for i in range(400):
        d[i] = i + 1
    total = 0
    for i in range(400):
        total += d[i]
    for key, value in d.items():
        if key in d:
            total -= value
    for word in WORDS[:200]:
        d[word] = word
        total += len(d.get(word, ""))


def own_list():
    l = []
    for i in range(400):
        l.append(i * 3)
    total = 0
    for i in range(400):
        total += l[i]
    for x in l:
        total -= x
    l.reverse()
    l.sort()
    while l:
        l.pop()


def own_strings():
    parts = []
    for i in range(200):
        parts.append(f"{i}: item")
    text = ",".join(parts)
    text = text.upper().replace("ITEM", "thing")
    s = ""
    for c in text[:300]:
        s += c
    len(text.split(","))


def own_allocation():
    head = None
    for i in range(300):
        head = (Point(i, head), [i], {"i": i})


def own_comprehension():
    squares = [x * x for x in range(500)]
    odd = {x: str(x) for x in squares if x % 2}
    sum(len(v) for v in odd.values())


def shared_dict():
    d = SHARED_DICT
    total = 0
    for word in WORDS:
        total += d[word][0]


def shared_dict_get():
    d = SHARED_NUMBERS
    total = 0.0
    for i in range(700):
        if i in d:
            total += d[i]
        total += d.get(i, 1.0)


def shared_list():
    l, f = SHARED_LIST, SHARED_FLOATS
    total = 0
    for i in range(1000):
        total += l[i][0] + f[i]


def shared_iteration():
    total = 0
    for item in SHARED_LIST:
        total += item[0]
    for f in SHARED_FLOATS:
        total += f


def shared_items():
    total = 0
    for key, (number, word) in SHARED_DICT.items():
        total += number


def shared_graph():
    SHARED_TREE.total()


def shared_methods():
    total = 0
    for point in SHARED_POINTS:
        total += point.length()
        total += point.x


def both_list():
    l = BOTH
    for i in range(500):
        l.append(i)
        l.pop()


def both_list_objects():
    l = BOTH
    for i in range(500):
        l.append(l.pop())


def both_dict():
    d = BOTH_DICT
    for i in range(500):
        d[i] = i


KERNELS = {name: f for name, f in globals().items() if name.split("_")[0] in ("own", "shared", "both")}


def rounds_of(kernel, times):
    began, cpu = perf_counter(), thread_time()
    for _ in range(times):
        kernel()
    return began, perf_counter(), thread_time() - cpu


def main():
    if len(sys.argv) == 1:
        print(*KERNELS)
        return
    kernel, threads = KERNELS[sys.argv[1]], int(sys.argv[2])
    times = []
    gate = threading.Barrier(threads)
    results = [None] * threads

    def work(number):
        while True:
            if number == 0:
                line = sys.stdin.readline()
                times[:] = [int(line)] if line else []
            if threads > 1:
                gate.wait()
            if not times:
                return
            results[number] = rounds_of(kernel, times[0])
            if threads > 1:
                gate.wait()
            if number == 0:
                begins, ends, cpu = zip(*results)
                print(min(begins), max(ends), sum(cpu) / threads, flush=True)

    others = [threading.Thread(target=work, args=(i,)) for i in range(1, threads)]
    for thread in others:
        thread.start()
    work(0)
    for thread in others:
        thread.join()


main()
