"""Which names of the standard library the suite and the library themselves use: run on the reference.

    uses.py LIB

Prints one JSON object {"module.name": [files…]}: names imported with `from`, attributes of imported modules. Files are
given as `test_x` for the suite's and by module name for the library's.
"""

import ast
import json
import os
import sys


def sources(lib):
    for folder, folders, files in os.walk(lib):
        folders[:] = sorted(name for name in folders if name not in ("__pycache__", "site-packages", "idlelib", "lib2to3"))
        for name in sorted(files):
            if name.endswith(".py"):
                yield os.path.join(folder, name)


def label(lib, path):
    parts = os.path.relpath(path, lib)[:-3].split(os.sep)
    if parts[0] == "test" and len(parts) > 1:
        return parts[1]
    return ".".join(part for part in parts if part != "__init__")


def uses(tree):
    """(module, name) pairs; an alias is followed within the file, whatever the scope."""
    bound = {}
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound[alias.asname or alias.name.split(".")[0]] = alias.name if alias.asname else alias.name.split(".")[0]
                found.add((alias.name, ""))
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add((node.module, ""))
            for alias in node.names:
                found.add((node.module, alias.name))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in bound:
            found.add((bound[node.value.id], node.attr))
    return found


def main(lib):
    out = {}
    for path in sources(lib):
        try:
            with open(path, "rb") as file:
                tree = ast.parse(file.read())
        except (SyntaxError, ValueError):
            continue
        for module, name in uses(tree):
            if module.split(".")[0] in sys.stdlib_module_names:
                out.setdefault((module + "." + name).rstrip("."), set()).add(label(lib, path))
    json.dump({key: sorted(files) for key, files in out.items()}, sys.stdout)


main(sys.argv[1])
