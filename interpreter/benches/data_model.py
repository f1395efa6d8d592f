"""The data model: operators, containers, attribute hooks, descriptors, class methods, metaclasses, callables, context managers."""
import operator


class Fraction:
    __slots__ = ("n", "d")

    def __init__(self, n, d=1):
        self.n = n
        self.d = d

    def __add__(self, other):
        if not isinstance(other, Fraction):
            other = Fraction(other)
        return Fraction((self.n * other.d + other.n * self.d) % 10007, self.d * other.d % 10007)

    __radd__ = __add__

    def __mul__(self, other):
        if isinstance(other, int):
            return Fraction(self.n * other, self.d)
        return NotImplemented

    def __rmul__(self, other):
        return self * other

    def __neg__(self):
        return Fraction(-self.n, self.d)

    def __iadd__(self, other):
        self.n = (self.n + other) % 10007
        return self

    def __eq__(self, other):
        return isinstance(other, Fraction) and self.n * other.d == other.n * self.d

    def __hash__(self):
        return hash(self.n * 31 + self.d)

    def __lt__(self, other):
        return self.n * other.d < other.n * self.d

    def __bool__(self):
        return self.n != 0


class Ring:
    def __init__(self, items):
        self._items = list(items)

    def __len__(self):
        return len(self._items)

    def __getitem__(self, index):
        return self._items[index % len(self._items)]

    def __setitem__(self, index, value):
        self._items[index % len(self._items)] = value

    def __contains__(self, item):
        return item in self._items

    def __iter__(self):
        return iter(self._items)

    def __call__(self, index, scale=1):
        return self[index] * scale


class Typed:
    """A data descriptor."""

    def __init__(self, kind):
        self.kind = kind

    def __set_name__(self, owner, name):
        self.name = "_" + name

    def __get__(self, instance, owner=None):
        return self if instance is None else getattr(instance, self.name)

    def __set__(self, instance, value):
        if not isinstance(value, self.kind):
            raise TypeError(f"{self.name}: {value!r}")
        setattr(instance, self.name, value)


class Lazy:
    """A plain descriptor that the instance's value hides."""

    def __init__(self, function):
        self.function = function
        self.name = function.__name__

    def __get__(self, instance, owner=None):
        value = instance.__dict__[self.name] = self.function(instance)
        return value


class Registered(type):
    known = {}

    def __new__(meta, name, bases, namespace, **options):
        cls = super().__new__(meta, name, bases, namespace)
        meta.known[name] = cls
        return cls

    def __call__(cls, *args):
        instance = super().__call__(*args)
        instance.serial = len(args)
        return instance


class Record(metaclass=Registered):
    count = Typed(int)
    label = Typed(str)
    made = 0

    def __init__(self, count, label):
        self.count = count
        self.label = label

    @Lazy
    def square(self):
        return self.count * self.count

    @classmethod
    def parse(cls, text):
        cls.made += 1
        label, _, count = text.partition("=")
        return cls(int(count), label)

    @staticmethod
    def twice(value):
        return value * 2


class Proxy:
    def __init__(self, target):
        object.__setattr__(self, "target", target)

    def __getattr__(self, name):
        return getattr(self.target, name)

    def __setattr__(self, name, value):
        setattr(self.target, name, value)


class Dialled:
    depth = 0

    def __enter__(self):
        self.depth += 1
        return self

    def __exit__(self, *problem):
        self.depth -= 1


def main(rounds):
    total = 0
    ring = Ring(range(10))
    seen = {}
    half = Fraction(1, 2)
    dialled = Dialled()
    for i in range(rounds):
        fraction = half + Fraction(i, 3) + 1
        fraction += i
        total += (2 * -fraction * 3).n % 101 + (fraction < half) + (not fraction)
        seen[Fraction(i % 50, 7)] = i
        ring[i] = ring[i - 1] + 1 & 0xFF
        total += ring(i, scale=2) + len(ring) + (i % 256 in ring)
        record = Record.parse(f"r={i}")
        record.count += 1
        total += record.square + record.square - Record.twice(record.count)
        proxy = Proxy(record)
        proxy.label = "changed"
        total += len(proxy.label) + proxy.serial
        with dialled as inner:
            total += inner.depth
    try:
        record.count = "text"
    except TypeError as error:
        message = str(error)
    spread = sum(ring) + sum(map(operator.index, ring))
    return total, len(seen), spread, Record.made, sorted(Registered.known), message, sorted(seen)[3].n


print(main(60_000))
