"""Seconds that the collector takes over self-referencing cycles, by the CPU clock. Usage: collector.py held|dropped COUNT."""
import gc
import sys
import time
import weakref


class Node:
    pass


def make():
    node = Node()
    node.me = node
    return node


def held(count):
    """All are made first, then given up at once and collected on request."""
    gc.collect()
    gc.disable()
    nodes = [make() for _ in range(count)]
    last = weakref.ref(nodes[-1])
    del nodes
    start = time.process_time()
    gc.collect()
    taken = time.process_time() - start
    assert last() is None
    return taken


def dropped(count):
    """Each is given up as soon as it is made; the collector runs when it will. The time without a cycle is taken off."""

    def loop(cyclic):
        start = time.process_time()
        for _ in range(count):
            node = Node()
            node.me = node if cyclic else None
        return time.process_time() - start

    return loop(True) - loop(False)


print({"held": held, "dropped": dropped}[sys.argv[1]](int(sys.argv[2])))
