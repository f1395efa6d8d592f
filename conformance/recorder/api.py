"""The public names of standard library modules with their signatures, as one interpreter sees them.

    api.py LIST

LIST is a file of module names. Prints one JSON line a module: {"module", "error"} or {"module", "names": {name:
[kind, signature]}}; a class contributes its public methods as `Class.method`. Both sides run this file.
"""

import inspect
import json
import sys
import types
import warnings

ROUTINES = (
    types.FunctionType, types.BuiltinFunctionType, types.MethodDescriptorType, types.WrapperDescriptorType,
    types.ClassMethodDescriptorType, types.MethodWrapperType, classmethod, staticmethod,
)


def signature(value):
    try:
        return str(inspect.signature(value))
    except (ValueError, TypeError):
        return ""
    except Exception as exc:
        return "error: " + type(exc).__name__


def plain(text):
    """Without defaults that print an address."""
    return "" if " at 0x" in text else text


def kind_of(value):
    if isinstance(value, type):
        return "class"
    if isinstance(value, types.ModuleType):
        return "module"
    if callable(value) or isinstance(value, ROUTINES):
        return "function"
    return "value"


def members(name, cls, names):
    for key in sorted(vars(cls)):
        if key.startswith("_") and not (key.startswith("__") and key.endswith("__")):
            continue
        if key in ("__dict__", "__weakref__", "__module__", "__doc__", "__firstlineno__", "__static_attributes__"):
            continue
        value = vars(cls)[key]
        if isinstance(value, ROUTINES):
            inner = getattr(cls, key, value)
            names[name + "." + key] = ["method", plain(signature(inner))]
        else:
            names[name + "." + key] = ["attribute", ""]
    # A name that one side defines anew and the other inherits is present on both.
    names[name + ".*"] = ["inherited", " ".join(sorted(set(dir(cls)) - set(vars(cls))))]


def describe(module):
    names = {}
    public = getattr(module, "__all__", None)
    keys = list(public) if public is not None else [key for key in vars(module) if not key.startswith("_")]
    for key in sorted(set(keys)):
        try:
            value = getattr(module, key)
        except AttributeError:
            continue
        kind = kind_of(value)
        # What a module without __all__ merely imports is no part of it.
        if public is None and kind == "module":
            continue
        home = getattr(value, "__module__", None)
        if public is None and kind in ("class", "function") and home not in (None, module.__name__) and \
                home in sys.stdlib_module_names and not module.__name__.startswith("_"):
            continue
        names[key] = [kind, plain(signature(value)) if kind in ("class", "function") else ""]
        if kind == "class":
            members(key, value, names)
    return names


def main(path):
    warnings.simplefilter("ignore")
    with open(path) as file:
        modules = file.read().split()
    for name in modules:
        print(json.dumps({"begin": name}), flush=True)
        try:
            __import__(name)
            line = {"module": name, "names": describe(sys.modules[name])}
        except BaseException as exc:
            line = {"module": name, "error": "%s: %s" % (type(exc).__name__, exc)}
        print(json.dumps(line), flush=True)


main(sys.argv[1])
