"""A template engine: templates parsed by hand, turned into closures and into compiled source, rendered to HTML tables."""
import html
import re

TAG = re.compile(r"(\{\{.*?\}\}|\{%.*?%\})")

PAGE = """<html><head><title>{{ title|upper }}</title></head><body>
<h1>{{ title }}</h1>
<table>{% for row in rows %}
<tr class="{{ row.kind }}">{% for cell in row.cells %}<td>{{ cell|escape }}</td>{% end %}{% if row.total > 40 %}<td><b>{{ row.total }}</b></td>{% else %}<td>-</td>{% end %}</tr>{% end %}
</table><p>{{ rows|length }} rows by {{ author.name }}</p></body></html>
"""

FILTERS = {"upper": str.upper, "escape": lambda value: html.escape(str(value)), "length": len}


class Row:
    def __init__(self, i):
        self.kind = "odd" if i % 2 else "even"
        self.cells = [i, f"<{i}>", i / 4, "a & b", None]
        self.total = i * 7 % 83


class Author:
    name = "somebody"


# As closures: each node is a function from a scope to pieces of text.


def lookup(path):
    first, *rest = path.split(".")

    def find(scope):
        value = scope[first]
        for name in rest:
            value = getattr(value, name)
        return value

    return find


def expression(source):
    path, *filters = [part.strip() for part in source.split("|")]
    find = lookup(path)
    functions = [FILTERS[name] for name in filters]

    def evaluate(scope):
        value = find(scope)
        for function in functions:
            value = function(value)
        return value

    return evaluate


def sequence(nodes):
    def render(scope, out):
        for node in nodes:
            node(scope, out)

    return render


def literal(text):
    return lambda scope, out: out.append(text)


def output(source):
    evaluate = expression(source)
    return lambda scope, out: out.append(str(evaluate(scope)))


def loop(name, source, body):
    evaluate = expression(source)

    def render(scope, out):
        inner = dict(scope)
        for value in evaluate(scope):
            inner[name] = value
            body(inner, out)

    return render


def condition(source, body, other):
    left, operator, right = source.split()
    evaluate, limit = expression(left), int(right)
    assert operator == ">"
    return lambda scope, out: (body if evaluate(scope) > limit else other)(scope, out)


def parse(parts, position=0):
    nodes = []
    while position < len(parts):
        part = parts[position]
        position += 1
        if part.startswith("{{"):
            nodes.append(output(part[2:-2]))
        elif part.startswith("{%"):
            words = part[2:-2].split(None, 1)
            if words[0] in ("end", "else"):
                return sequence(nodes), position, words[0]
            body, position, stop = parse(parts, position)
            if words[0] == "for":
                name, _, source = words[1].partition(" in ")
                nodes.append(loop(name, source, body))
            else:
                other = sequence([])
                if stop == "else":
                    other, position, _ = parse(parts, position)
                nodes.append(condition(words[1].strip(), body, other))
        elif part:
            nodes.append(literal(part))
    return sequence(nodes), position, None


# As source: the template becomes one function that `compile` sees.


def translate(parts):
    lines = ["def render(scope):", "    out = []", "    append = out.append"]
    depth, local = 1, set()

    def code(source):
        path, *filters = [part.strip() for part in source.split("|")]
        first, dot, rest = path.partition(".")
        text = (first if first in local else f"scope[{first!r}]") + dot + rest
        for name in filters:
            text = f"FILTERS[{name!r}]({text})"
        return text

    for part in parts:
        indent = "    " * depth
        if part.startswith("{{"):
            lines.append(f"{indent}append(str({code(part[2:-2])}))")
        elif part.startswith("{%"):
            word, _, rest = part[2:-2].strip().partition(" ")
            if word == "for":
                name, _, source = rest.partition(" in ")
                lines.append(f"{indent}for {name} in {code(source)}:")
                local.add(name)
                depth += 1
            elif word == "if":
                lines.append(f"{indent}if {code(rest)}:")
                depth += 1
            elif word == "else":
                lines.append("    " * (depth - 1) + "else:")
            else:
                depth -= 1
        elif part:
            lines.append(f"{indent}append({part!r})")
    lines.append("    return ''.join(out)")
    namespace = {"FILTERS": FILTERS}
    exec(compile("\n".join(lines), "<template>", "exec"), namespace)
    return namespace["render"]


def main(rounds):
    parts = TAG.split(PAGE)
    for i in range(rounds):
        scope = {"title": f"page {i}", "rows": [Row(j) for j in range(150)], "author": Author}
        render, _, _ = parse(parts)
        out = []
        render(scope, out)
        first = "".join(out)
        second = translate(parts)(scope)
    return len(first), first == second, sum(map(ord, first))


print(main(320))
