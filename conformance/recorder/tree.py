"""Prints the statements of a Python file as JSON, in the shape of `src/repro/tree.rs`.

    tree.py PATH

It serves where rustpython-parser refuses a file. Offsets are bytes, ends exclusive.
"""

import ast
import json
import sys

KINDS = {
    "FunctionDef": "def", "AsyncFunctionDef": "def", "ClassDef": "class", "Import": "import", "ImportFrom": "from",
    "If": "if", "While": "while", "For": "for", "AsyncFor": "for", "With": "with", "AsyncWith": "with", "Try": "try",
    "TryStar": "try", "Match": "match",
}


class Tree:
    def __init__(self, source):
        self.source = source
        self.starts = [0]
        for line in source.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def span(self, node):
        return [
            self.starts[node.lineno - 1] + node.col_offset, self.starts[node.end_lineno - 1] + node.end_col_offset,
        ]

    def spans(self, nodes):
        return [self.span(node) for node in nodes]

    def statement(self, node):
        out = {
            "kind": KINDS.get(type(node).__name__, "other"), "name": "", "span": self.span(node), "decorators": [],
            "bases": [], "blocks": [], "lists": [], "parts": [], "level": 0,
        }
        if out["kind"] in ("def", "class"):
            out["name"] = node.name
            for decorator in node.decorator_list:
                start, end = self.span(decorator)
                start = self.source.rfind(b"@", 0, start)
                out["decorators"].append([start, end])
                out["span"][0] = min(out["span"][0], start)
            out["bases"] = self.spans(getattr(node, "bases", []))
        elif out["kind"] == "from":
            out["level"] = node.level
            out["name"] = node.module or ""
            out["lists"].append(self.spans(node.names))
        elif out["kind"] == "match":
            out["blocks"] = [self.block(case.body) for case in node.cases]
        else:
            self.cuts(node, out)
        if out["kind"] != "match" and hasattr(node, "body"):
            bodies = [node.body] + [handler.body for handler in getattr(node, "handlers", [])]
            bodies += [getattr(node, "orelse", []), getattr(node, "finalbody", [])]
            out["blocks"] = [self.block(body) for body in bodies if body]
        return out

    def block(self, body):
        return [self.statement(node) for node in body]

    def cuts(self, node, out):
        """What may go within the statement's own expressions."""
        todo = [child for child in ast.iter_child_nodes(node) if isinstance(child, (ast.expr, ast.withitem))]
        while todo:
            node = todo.pop(0)
            if isinstance(node, ast.withitem):
                todo.append(node.context_expr)
                continue
            parts = []
            if isinstance(node, ast.Call):
                out["lists"].append(self.spans(node.args + node.keywords))
                parts = node.args
            elif isinstance(node, (ast.List, ast.Set, ast.Tuple)):
                out["lists"].append(self.spans(node.elts))
            elif isinstance(node, ast.BinOp):
                parts = [node.left, node.right]
            elif isinstance(node, ast.BoolOp):
                parts = node.values
            elif isinstance(node, ast.IfExp):
                parts = [node.body, node.orelse]
            elif isinstance(node, ast.Subscript):
                parts = [node.value]
            elif isinstance(node, (ast.JoinedStr, ast.Constant)):
                continue
            out["parts"] += [[self.span(node), self.span(part)] for part in parts]
            todo += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]


def main(path):
    with open(path, "rb") as file:
        source = file.read()
    tree = Tree(source)
    json.dump(tree.block(ast.parse(source).body), sys.stdout)


main(sys.argv[1])
