"""enum: members by name, value and attribute, as keys, compared, iterated; flags combined and tested; methods on members."""
import enum


class Colour(enum.Enum):
    RED = 1
    GREEN = 2
    BLUE = 3
    CRIMSON = 1

    @property
    def next(self):
        return Colour(self.value % 3 + 1)

    def mixed(self, other):
        return self if self is other else Colour(6 - self.value - other.value)


class Level(enum.IntEnum):
    LOW = 10
    MIDDLE = 20
    HIGH = 30


class Access(enum.Flag):
    READ = enum.auto()
    WRITE = enum.auto()
    EXECUTE = enum.auto()
    BOTH = READ | WRITE


class Bits(enum.IntFlag):
    A = 1
    B = 2
    C = 4
    D = 8


class Planet(enum.Enum):
    MERCURY = (3.303e23, 2.4397e6)
    EARTH = (5.976e24, 6.37814e6)
    SATURN = (5.688e26, 6.0268e7)

    def __init__(self, mass, radius):
        self.mass = mass
        self.radius = radius

    @property
    def gravity(self):
        return 6.67300e-11 * self.mass / (self.radius * self.radius)


class Text(str, enum.Enum):
    FIRST = "first"
    SECOND = "second"


def plain(rounds):
    counts = {}
    colour = Colour.RED
    for i in range(rounds):
        colour = colour.next if i % 3 else colour.mixed(Colour.GREEN)
        counts[colour] = counts.get(colour, 0) + 1
        if colour is Colour.CRIMSON or colour == Colour.BLUE:
            counts["hits"] = counts.get("hits", 0) + 1
        if Colour["GREEN"] is Colour(2) and colour.name == "GREEN":
            counts["named"] = counts.get("named", 0) + 1
        if colour in Colour:
            counts["member"] = counts.get("member", 0) + 1
    return [counts[c] for c in Colour], counts["hits"], counts["named"], counts["member"]


def flags(rounds):
    total = 0
    for i in range(rounds):
        access = Access.READ if i % 2 else Access.BOTH
        access |= Access.EXECUTE
        if Access.WRITE in access:
            access &= ~Access.READ
            total += 1
        total += (access ^ Access.EXECUTE).value + bool(access & Access.BOTH)
        bits = Bits(i % 16) | Bits.A
        total += (bits & Bits.C) + len(bits)
    return total


def values(rounds):
    total = 0
    for i in range(rounds):
        level = Level(10 * (i % 3 + 1))
        total += level + (level > Level.LOW) + (level is Level.HIGH)
        planet = Planet.EARTH if i % 2 else Planet.SATURN
        total += planet.gravity > 10
        total += len(Text("first") + Text.SECOND.value) + (Text.FIRST == "first")
        total += sum(member.value for member in Level)
    return total


def made(count):
    total = 0
    for i in range(count):
        total += len(enum.Enum(f"Made{i}", [f"M{j}" for j in range(i % 5 + 2)]))
    return total


print(plain(150_000), flags(32_000), values(75_000), made(300))
