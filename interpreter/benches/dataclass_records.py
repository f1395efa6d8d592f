"""dataclasses: made, compared, hashed, replaced, as dicts; frozen, ordered, with slots, inherited, with `__post_init__`."""
from dataclasses import asdict, astuple, dataclass, field, fields, replace


@dataclass
class Item:
    name: str
    price: float
    quantity: int = 1
    tags: list = field(default_factory=list)

    def total(self):
        return self.price * self.quantity


@dataclass(frozen=True, order=True)
class Version:
    major: int
    minor: int = 0
    patch: int = 0


@dataclass(slots=True)
class Cell:
    x: int
    y: int
    alive: bool = False


@dataclass(kw_only=True)
class Base:
    identity: int
    note: str = ""


@dataclass(kw_only=True)
class Derived(Base):
    left: int
    right: int
    area: int = field(init=False, compare=False, repr=False)

    def __post_init__(self):
        self.area = self.left * self.right


@dataclass
class Order:
    number: int
    items: list[Item]
    version: Version
    lookup: dict[str, Item] = field(default_factory=dict)


def make_class(i):
    @dataclass(order=True)
    class Local:
        a: int
        b: int = i
        c: str = "c"

    return Local


def main(rounds):
    total = 0
    versions = {}
    for i in range(rounds):
        item = Item(f"item {i % 10}", i / 4, i % 5, ["new"])
        total += item.total()
        version = Version(i % 3, i % 7, i % 11)
        versions[version] = versions.get(version, 0) + 1
        other = replace(version, patch=i % 2)
        total += (version < other) + (version == other)
        cell = Cell(i, -i)
        cell.alive = cell.x > 10
        total += cell.alive + (cell == Cell(i, -i))
        derived = Derived(identity=i, left=i % 4, right=3)
        total += derived.area
    order = Order(1, [Item(f"i{i}", i, i) for i in range(50)], Version(1))
    order.lookup = {item.name: item for item in order.items}
    for _ in range(rounds // 500):
        as_dict = asdict(order)
        as_tuple = astuple(order)
        text = repr(order)
        same = order == replace(order)
    classes = [make_class(i) for i in range(40)]
    total += sum(cls(1).b for cls in classes)
    return total, len(versions), max(versions), len(as_dict["items"]), len(as_tuple), len(text), same, [f.name for f in fields(Derived)]


print(main(60_000))
