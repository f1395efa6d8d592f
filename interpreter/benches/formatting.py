"""Formatting: f-strings with specs, conversions and nesting; str.format, `%`, format(), `__format__`, repr and str of values."""


class Money:
    def __init__(self, cents):
        self.cents = cents

    def __format__(self, spec):
        sign, text = ("-" if self.cents < 0 else ""), f"{abs(self.cents) // 100:,}.{abs(self.cents) % 100:02}"
        return format(sign + text, spec)

    def __repr__(self):
        return f"Money({self.cents!r})"

    def __str__(self):
        return f"{self:s} EUR"


def plain(rounds):
    size = 0
    name, value = "name", 3.25
    for i in range(rounds):
        size += len(f"{name}={i}")
        size += len(f"{i}, {i + 1}, {i + 2} and {name}")
        size += len(f"{name!r}: {value} ({i!s})")
        size += len(f"{'yes' if i % 2 else 'no'}{{{i}}}")
    return size


def specified(rounds):
    size = 0
    width, precision = 12, 3
    for i in range(rounds):
        x = i / 7
        size += len(f"{i:>8}|{i:<8}|{i:^8}|{i:08d}")
        size += len(f"{x:.2f} {x:10.3e} {x:g} {x:%}")
        size += len(f"{i:x} {i:#o} {i:b} {i:,} {i:_x} {i:+d}")
        size += len(f"{x:{width}.{precision}f}{'ab':*^{width}}")
    return size


def methods(rounds):
    size = 0
    row = {"key": "value", "list": [1, 2, 3]}
    for i in range(rounds):
        size += len("{} {} {}".format(i, "two", 3.0))
        size += len("{0}-{1}-{0} {name:>10}".format(i, "x", name="name"))
        size += len("{key} {list[1]} {0.cents}".format(Money(i), **row))
        size += len(format(i, "6d") + format(i / 3, ".4f") + format("text", "<10"))
    return size


def percent(rounds):
    size = 0
    for i in range(rounds):
        size += len("%d %s %r" % (i, "two", "three"))
        size += len("%5.2f|%-6d|%06x|%+d" % (i / 3, i, i, i))
        size += len("%(a)s and %(b)d" % {"a": "first", "b": i})
    return size


def objects(rounds):
    size = 0
    for i in range(rounds):
        money = Money(i * 12345)
        size += len(f"{money:>14}|{money!r}") + len(str(money))
        size += len(repr([i, i / 2, "text", None, True, {"k": (i,)}]))
        size += len(str(i)) + len(repr(i / 9)) + len(str(b"bytes")) + len(ascii("\u00e9"))
    return size


print(plain(120_000), specified(35_000), methods(38_000), percent(55_000), objects(30_000))
