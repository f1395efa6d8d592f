numbers = [3, 1, 2]
numbers[1:2] = [9, 8, 7]
del numbers[::2]
print(numbers, sorted([(1, "b"), (1, "a")], key=lambda pair: pair[0]), [1, 2] < [1, 3], (1,) + (2,))
table = {"a": 1} | {"b": 2, "a": 3}
table.setdefault("c", []).append(4)
print(table, list(reversed(table)), table.pop("z", None), {1: "int", 1.0: "float", True: "bool"})
print({1, 2} ^ {2, 3}, frozenset("ab") == {"a", "b"}, sorted({3, 1} - {1}), {1} <= {1, 2})
first, *middle, last = range(5)
print(first, middle, last, [*"ab", *{"k": 1}], {**{"x": 1}, "y": 2}, max([], default="none"))
match {"kind": "point", "at": [1, 2, 3]}:
    case {"kind": "point", "at": [x, *rest], **others}:
        print(x, rest, others)
print(range(10)[2:8:3], range(5).index(3), slice(None, -1).indices(4), list(zip([1, 2], "ab", strict=True)))
try:
    for key in table:
        table[key + "x"] = 0
except RuntimeError as exc:
    print(exc)
print(type(numbers).__mro__, [].__class__.__name__, memoryview(b"abc")[1:].tolist())
numbers.sort(key=lambda value: value < "x")
