"""copy.deepcopy and copy.copy: nested containers, objects, shared parts and cycles, `__deepcopy__`, `__reduce_ex__`, memo."""
import copy
import dataclasses


class Node:
    def __init__(self, value):
        self.value = value
        self.links = []


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self, a, b):
        self.a = a
        self.b = b


class Hooked:
    def __init__(self, data):
        self.data = data
        self.copies = 0

    def __deepcopy__(self, memo):
        other = Hooked(copy.deepcopy(self.data, memo))
        other.copies = self.copies + 1
        return other


@dataclasses.dataclass
class Settings:
    name: str
    values: list
    table: dict = dataclasses.field(default_factory=dict)


def ring(n):
    nodes = [Node(i) for i in range(n)]
    for i, node in enumerate(nodes):
        node.links = [nodes[(i + 1) % n], nodes[(i * 7 + 3) % n]]
    return nodes[0]


def main(rounds):
    table = {"list": [1, 2, (3, 4, 3.5), ["hello", (1, 2)], None] * 4, "dict": {i: {"x": i, "y": [i]} for i in range(12)}, "set": {1, 2}}
    shared = [1, 2, 3]
    objects = [Slotted(i, shared) for i in range(20)] + [Hooked([i, shared]) for i in range(20)]
    settings = Settings("s", [Settings(f"i{i}", [i, i + 1], {"k": i}) for i in range(15)])
    start = ring(30)
    for _ in range(rounds):
        first = copy.deepcopy(table)
        second = copy.deepcopy(objects)
        third = copy.deepcopy(settings)
        fourth = copy.deepcopy(start)
        shallow = [copy.copy(each) for each in (table, objects, settings, start, shared)]
    node, steps = fourth, 0
    while node is not fourth or steps == 0:
        node, steps = node.links[0], steps + 1
    return (
        first == table,
        second[0].b is second[-1].data[1],
        second[-1].copies,
        third == settings,
        steps,
        shallow[0]["list"] is table["list"],
    )


print(main(760))
