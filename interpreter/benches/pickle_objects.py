"""pickle both ways, protocols 2 and 5: nested containers, shared and recursive objects, classes with and without hooks."""
# native: _pickle
import pickle


class Node:
    def __init__(self, name, parent=None):
        self.name = name
        self.parent = parent
        self.children = []
        if parent is not None:
            parent.children.append(self)


class Money:
    __slots__ = ("amount", "currency")

    def __init__(self, amount, currency):
        self.amount = amount
        self.currency = currency

    def __reduce__(self):
        return Money, (self.amount, self.currency)

    def __eq__(self, other):
        return (self.amount, self.currency) == (other.amount, other.currency)


class Cache:
    def __init__(self):
        self.hits = {i: str(i) for i in range(20)}
        self.lock = object()

    def __getstate__(self):
        return {"hits": self.hits}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self.lock = object()


def tree(depth, parent=None):
    node = Node(f"node {depth}", parent)
    if depth:
        for _ in range(3):
            tree(depth - 1, node)
    return node


def count(node):
    return 1 + sum(count(child) for child in node.children)


def record(i):
    return {
        "number": i,
        "large": i**9,
        "real": i / 3,
        "text": f"text {i} \u00e9\u4e00",
        "raw": bytes(range(i % 50)),
        "flags": (True, False, None),
        "members": frozenset(range(i % 7)),
        "days": {"monday": [i, i + 1], "tuesday": []},
    }


def main(rounds):
    records = [record(i) for i in range(500)]
    root = tree(5)
    money = [Money(i, "eur") for i in range(800)]
    shared = [money[0]] * 500 + [Cache() for _ in range(30)]
    sizes = 0
    for i in range(rounds):
        for protocol in (2, 5):
            for value in (records, root, money, shared):
                text = pickle.dumps(value, protocol)
                back = pickle.loads(text)
                sizes += len(text)
                if value is records:
                    equal = back == records
                elif value is root:
                    nodes = count(back)
                elif value is money:
                    equal = equal and back == money
    return equal, nodes, back[0] is back[499], len(back[-1].hits), sizes


print(main(70))
