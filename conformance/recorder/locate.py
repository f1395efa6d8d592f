"""Where a case of the suite is written: prints JSON for `conformance repro`.

    locate.py MODULE ID

{"files": [[module, path], ...], "own": bool, "class": name, "method": name}: the files of the case's classes within the
package `test`, base classes first, and whether the method itself stands in the last of them. For a doctest
{"examples": [[source, want], ...], "flags": [name, ...], "scope": module}: what it runs, and whose names it sees.
"""

import doctest
import json
import sys
import unittest


def flatten(suite):
    for item in suite:
        if isinstance(item, unittest.BaseTestSuite):
            yield from flatten(item)
        else:
            yield item


def main(module, wanted):
    name = "test." + module
    __import__(name)
    seen = {}
    for case in flatten(unittest.TestLoader().loadTestsFromModule(sys.modules[name])):
        key = case.id().removeprefix(name + ".")
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > 1:
            key = "%s#%d" % (key, seen[key])
        if key == wanted:
            test = getattr(case, "_dt_test", None)
            json.dump(describe(case) if test is None else describe_doctest(case, test), sys.stdout)
            return
    raise SystemExit("the reference's loader finds no such case")


def describe(case):
    cls = type(case)
    method = getattr(case, "_testMethodName", "")
    modules = []
    owner = cls.__module__
    for base in cls.__mro__:
        if base.__module__.startswith("test.") and not base.__module__.startswith("test.support"):
            if base.__module__ not in modules:
                modules.append(base.__module__)
    for base in cls.__mro__:
        if method in vars(base):
            owner = base.__module__
            break
    modules.reverse()
    files = [[name, sys.modules[name].__file__] for name in modules]
    return {"files": files, "own": owner == cls.__module__, "class": cls.__qualname__, "method": method}


def describe_doctest(case, test):
    names = doctest.OPTIONFLAGS_BY_NAME
    return {
        "examples": [[example.source, example.want] for example in test.examples],
        "flags": sorted(name for name in names if case._dt_optionflags & names[name]),
        "scope": test.globs.get("__name__", ""),
    }


main(sys.argv[1], sys.argv[2])
