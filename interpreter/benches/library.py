"""The standard library's own Python code: textwrap, difflib, ast, tokenize, string.Template, collections, argparse, csv."""
# native: _csv
import argparse
import ast
import collections
import copy
import csv
import dataclasses
import difflib
import enum
import fractions
import io
import shlex
import statistics
import string
import textwrap
import tokenize

SOURCE = "\n".join(f"def f{i}(a, b={i}):\n    return [a + b * {i} for x in range(b) if x % 2]\n" for i in range(60))


class Colour(enum.Enum):
    RED = 1
    GREEN = 2
    BLUE = 3


@dataclasses.dataclass(order=True)
class Point:
    x: int
    y: int
    tags: list = dataclasses.field(default_factory=list)


def parser():
    p = argparse.ArgumentParser(prog="bench")
    p.add_argument("--level", type=int, default=1)
    p.add_argument("--name", choices=["a", "b"])
    p.add_argument("files", nargs="*")
    return p


def once(i):
    wrapped = textwrap.fill("the quick brown fox jumps over the lazy dog " * 12, 50)
    ratio = difflib.SequenceMatcher(None, wrapped[:300], wrapped[20:320]).ratio()
    names = [n.name for n in ast.walk(ast.parse(SOURCE)) if isinstance(n, ast.FunctionDef)]
    kinds = collections.Counter(t.type for t in tokenize.generate_tokens(io.StringIO(SOURCE).readline))
    text = string.Template("$a and ${b} " * 20).substitute(a=i, b="two")
    options = parser().parse_args(["--level", "3", "--name", "b", "x", "y"])
    rows = list(csv.reader(io.StringIO("a,b,c\n1,\"two, three\",4\n" * 60)))
    point = copy.deepcopy([Point(j, i, [j]) for j in range(20)])
    mean = statistics.mean(fractions.Fraction(j, 3) for j in range(40))
    words = shlex.split("run --flag 'a b' \"c d\" e\\ f " * 5)
    colours = [Colour(j % 3 + 1).name for j in range(60)]
    return len(wrapped), round(ratio, 6), len(names), len(kinds), len(text), options.level, len(rows), max(point).x, mean, len(words), colours[-1]


for i in range(75):
    result = once(i)
print(result)
