"""Threads that share everything: see scripts/stress. Usage: stress.py SECONDS."""
import collections
import gc
import random
import sys
import threading
import time
import weakref

END = time.time() + float(sys.argv[1])
items, mapping, members, queue = [], {}, set(), collections.deque()
unexpected = []


class Thing:
    def __init__(self):
        self.a = 1

    def method(self):
        return self.a


def endless():
    while True:
        yield 1


thing, generator, numbers = Thing(), endless(), iter(range(10**9))


def raise_and_catch(i):
    try:
        raise ValueError(i)
    except ValueError as error:
        return str(error)


def cycle(i):
    own = Thing()
    own.self = own


def replace_method(i):
    Thing.method = (lambda self: 1) if i % 2 else (lambda self: 2)
    thing.method()


ACTIONS = [
    lambda i: items.append(i),
    lambda i: items and items.pop(),
    lambda i: items.__setitem__(slice(None), items[:200]),
    lambda i: (items.sort(), items.reverse()),
    lambda i: "".join(map(str, items[:20])),
    lambda i: mapping.__setitem__(i, str(i)),
    lambda i: mapping.pop(i, None),
    lambda i: (list(mapping.items()), {**mapping}),
    lambda i: (members.add(i), members.discard(i - 1), list(members)),
    lambda i: (queue.append(i), queue and queue.popleft(), [*queue]),
    lambda i: setattr(thing, f"x{i % 70}", i),
    lambda i: getattr(thing, f"x{i % 70}", None),
    lambda i: delattr(thing, f"x{i % 70}"),
    lambda i: (thing.__dict__.update(z=1), vars(thing).copy()),
    replace_method,
    lambda i: type("Derived", (Thing,), {"method": lambda self: 3})().method(),
    lambda i: next(generator),
    lambda i: next(numbers),
    lambda i: weakref.ref(Thing())(),
    lambda i: i < 5 and gc.collect(),
    cycle,
    lambda i: exec("y = 1\nfor q in range(5): y += q", {}),
    raise_and_catch,
]
EXPECTED = (RuntimeError, IndexError, KeyError, ValueError, StopIteration, AttributeError)


def work(seed):
    choose = random.Random(seed)
    while time.time() < END:
        try:
            choose.choice(ACTIONS)(choose.randrange(100))
        except EXPECTED:
            pass
        except BaseException as error:
            unexpected.append(repr(error))


threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
if unexpected:
    sys.exit(f"{len(unexpected)} unexpected exceptions, the first: {unexpected[0]}")
print(f"no crash, no unexpected exception in {sys.argv[1]} s")
