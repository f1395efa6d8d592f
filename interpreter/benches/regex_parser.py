"""Parsing by regex: logs, an INI file, a CSV, a markup language and a Lisp through `re` with named groups and callbacks."""
# native: _sre
import re

INI = re.compile(r"^\s*(?:\[(?P<section>[^\]]+)\]|(?P<key>[\w.-]+)\s*[=:]\s*(?P<value>.*?)\s*(?:[;#].*)?|[;#].*|)$", re.M)
FIELD = re.compile(r'(?:^|,)(?:"((?:[^"]|"")*)"|([^,\n]*))', re.M)
ATOM = re.compile(r"""\s*(?:(?P<open>\()|(?P<close>\))|(?P<number>-?\d+(?:\.\d+)?)|"(?P<string>[^"\\]*(?:\\.[^"\\]*)*)"|(?P<symbol>[^\s()"]+))""")
INLINE = re.compile(r"\*\*(?P<bold>.+?)\*\*|\*(?P<slanted>.+?)\*|`(?P<code>[^`]+)`|\[(?P<text>[^\]]+)\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$", re.M)
DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?$")
EMAIL = re.compile(r"[a-z0-9._%+-]+@(?:[a-z0-9-]+\.)+[a-z]{2,}", re.I)


def ini(text):
    sections, current = {}, {}
    for match in INI.finditer(text):
        if match["section"]:
            current = sections.setdefault(match["section"], {})
        elif match["key"]:
            current[match["key"]] = match["value"]
    return sections


def table(text):
    rows = []
    for line in text.splitlines():
        rows.append([quoted.replace('""', '"') or plain for quoted, plain in FIELD.findall(line)])
    return rows


def lisp(text):
    stack = [[]]
    for match in ATOM.finditer(text):
        kind = match.lastgroup
        if kind == "open":
            stack.append([])
        elif kind == "close":
            done = stack.pop()
            stack[-1].append(done)
        elif kind == "number":
            stack[-1].append(float(match[kind]))
        else:
            stack[-1].append(match[kind])
    return stack[0]


def inline(match):
    kind = match.lastgroup
    if kind == "target":
        return f'<a href="{match["target"]}">{match["text"]}</a>'
    name = {"bold": "b", "slanted": "i", "code": "code"}[kind]
    return f"<{name}>{match[kind]}</{name}>"


def markup(text):
    text = HEADING.sub(lambda m: f"<h{len(m[1])}>{m[2]}</h{len(m[1])}>", text)
    return "\n".join(part if part.startswith("<h") else f"<p>{INLINE.sub(inline, part)}</p>" for part in re.split(r"\n{2,}", text))


def seconds(text):
    hours, minutes, rest = DURATION.match(text).groups(default="0")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def depth(tree):
    return 1 + max(map(depth, tree), default=0) if isinstance(tree, list) else 0


INI_TEXT = "".join(f"[section {i}]\n; a remark\nname = value {i}   ; why\npath: /usr/lib/{i}\n\nflag.{i}=on\n" for i in range(40))
TABLE = "".join(f'{i},"quoted, {i}","say ""{i}""",plain text,,{i * 1.5}\n' for i in range(80))
LISP = '(define (square x) (* x x)) (print (square 12.5) "a \\"string\\"" (list 1 2 (list 3 (list -4)))) ' * 25
MARKUP = "# Title of it #\n\nSome **bold** and *slanted* words, `code(x)` and a [link](http://example.org/a?b).\n\n## Sub\n\nNo marks at all here.\n\n" * 12
MAIL = " ".join(f"Write to user.{i}@mail{i % 5}.example.org or to nobody@nowhere, that is no address." for i in range(60))


def main(rounds):
    for _ in range(rounds):
        sections = ini(INI_TEXT)
        rows = table(TABLE)
        tree = lisp(LISP)
        page = markup(MARKUP)
        addresses = EMAIL.findall(MAIL)
        total = sum(seconds(f"{i}h{i % 60}m{i / 2}s") + seconds(f"{i}m") for i in range(60))
    return len(sections), sections["section 7"], rows[3], len(tree), depth(tree), len(page), len(addresses), total


print(main(400))
