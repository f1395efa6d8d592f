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
both.missing
