"""pickle's own Python code both ways: dispatch by type, opcodes to and from bytes, the memo."""
import io
import pickle


class Item:
    def __init__(self, i):
        self.number = i
        self.pair = (i, -i)
        self.next = None


def dumps(value, protocol):
    stream = io.BytesIO()
    pickle._Pickler(stream, protocol).dump(value)
    return stream.getvalue()


def loads(data):
    return pickle._Unpickler(io.BytesIO(data)).load()


def data():
    items = [Item(i) for i in range(60)]
    for left, right in zip(items, items[1:]):
        left.next = right
    plain = [{"id": i, "name": f"n{i}", "tags": ["a", "b", str(i % 5)], "score": i / 4, "big": 1 << i % 90} for i in range(120)]
    return items, plain


def main(rounds):
    items, plain = data()
    for _ in range(rounds):
        for protocol in (1, 4):
            first, second = dumps(items, protocol), dumps(plain, protocol)
            back = loads(first), loads(second)
    return len(first), len(second), back[1] == plain, back[0][0].next.next.number, len(back[0])


print(main(65))
