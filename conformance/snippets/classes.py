class Meta(type):
    def __new__(mcls, name, bases, namespace, **kwargs):
        print("new", name, sorted(kwargs), [key for key in namespace if not key.startswith("__")])
        return super().__new__(mcls, name, bases, namespace)


class Base(metaclass=Meta, flag=1):
    def __init_subclass__(cls, /, **kwargs):
        print("subclass", cls.__name__, kwargs)

    def __set_name__(self, owner, name):
        print("never")


class Descriptor:
    def __set_name__(self, owner, name):
        print("set name", owner.__name__, name)

    def __get__(self, instance, owner=None):
        return (instance is None, owner.__name__)

    def __set__(self, instance, value):
        print("set", value)


class Left(Base, extra=2):
    field = Descriptor()

    def who(self):
        return "left"


class Right(Base):
    def who(self):
        return "right"


class Both(Left, Right):
    __slots__ = ("only",)

    def who(self):
        return super().who() + super(Left, self).who()


both = Both()
both.field = 3
print(both.who(), both.field, Both.field, [cls.__name__ for cls in Both.__mro__])
try:
    class Broken(Base, Both):
        pass
except TypeError as exc:
    print(exc)


class Named:
    def __init__(self, first, second=None, third=None):
        self.values = first, second, third


print(Named(1, third=3, second=2).values, Named(third=3, first=1).values, Named(1, 2, 3).values)


class Above:
    def who(self):
        return "above"


class Beside(Above):
    def who(self):
        return "beside " + super().who()


class Below(Beside):
    def who(self):
        return "below " + super().who()


for step in range(3):
    print([Below().who() for _ in range(3)])
    if step == 0:
        Above.who = lambda self: "changed"
    else:
        del Beside.who
        break
print(Below().who())


def attribute(objects):
    return [o.x for o in objects], [o.y() for o in objects]


class Shaped:
    def __init__(self, i):
        for name in ("x", "z", "w")[i % 3:] + ("x", "z", "w")[:i % 3]:
            setattr(self, name, i)

    def y(self):
        return self.z


print(attribute([Shaped(i) for i in range(7)] * 2))
both.missing
