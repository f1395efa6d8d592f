"""Prints, for every builtin and the types that the interpreter makes itself, the names that `dir()` shows.

Run by the reference it records `interpreter/cli/tests/public_names.txt`; run by krait, the test of the same name compares.

    python3.13 scripts/public_names.py > interpreter/cli/tests/public_names.txt
"""
import builtins
import sys
import types


def function():
    local = 1
    return lambda: local


def generator():
    yield


async def coroutine():
    pass


async def async_generator():
    yield


def traceback():
    try:
        raise ValueError
    except ValueError as error:
        return error.__traceback__


coroutine_object = coroutine()
coroutine_object.close()

SAMPLES = {
    "function": function,
    "lambda": lambda: None,
    "method": traceback.__get__(1),
    "builtin method": [].append,
    "method descriptor": list.append,
    "classmethod descriptor": dict.__dict__["fromkeys"],
    "slot wrapper": int.__add__,
    "method wrapper": (1).__add__,
    "getset descriptor": type.__dict__["__name__"],
    "member descriptor": types.FunctionType.__dict__["__globals__"],
    "code": function.__code__,
    "frame": sys._getframe(),
    "traceback": traceback(),
    "generator": generator(),
    "coroutine": coroutine_object,
    "coroutine wrapper": types.CoroutineType.__await__(coroutine_object),
    "async generator": async_generator(),
    "async generator asend": async_generator().asend(None),
    "async generator athrow": async_generator().athrow(ValueError),
    "cell": function().__closure__[0],
    "module": types.ModuleType("sample"),
    "mappingproxy": type.__dict__,
    "GenericAlias": types.GenericAlias,
    "generic alias": list[int],
    "union": int | str,
    "SimpleNamespace": types.SimpleNamespace(),
    "None": None,
    "Ellipsis": ...,
    "NotImplemented": NotImplemented,
    "list iterator": iter([]),
    "list reverse iterator": reversed([]),
    "tuple iterator": iter(()),
    "str iterator": iter("é"),
    "ascii iterator": iter("a"),
    "bytes iterator": iter(b""),
    "bytearray iterator": iter(bytearray()),
    "set iterator": iter(set()),
    "dict keys": {}.keys(),
    "dict values": {}.values(),
    "dict items": {}.items(),
    "dict key iterator": iter({}),
    "dict value iterator": iter({}.values()),
    "dict item iterator": iter({}.items()),
    "dict reverse key iterator": reversed({}),
    "range iterator": iter(range(1)),
    "long range iterator": iter(range(1 << 100)),
    "callable iterator": iter(int, 1),
    "sequence iterator": iter(type("S", (), {"__getitem__": 1})()),
    "memoryview iterator": iter(memoryview(b"")),
    "instance": type("Sample", (), {})(),
    "class": type("Sample", (), {}),
}


def show(label, names):
    print(f"{label}: {' '.join(sorted(names))}")


for name in sorted(dir(builtins)):
    value = getattr(builtins, name)
    if name not in ("_", "__loader__", "__spec__", "copyright", "credits", "exit", "help", "license", "quit"):
        show(f"builtins.{name}", dir(value))
for label, sample in SAMPLES.items():
    show(label, dir(sample))
