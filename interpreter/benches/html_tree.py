"""HTML built as a tree of elements and as strings, escaped, walked, selected from, printed indented."""
from html import escape

VOID = frozenset(("br", "hr", "img", "input"))


class Element:
    def __init__(self, name, *children, **attributes):
        self.name = name
        self.children = list(children)
        self.attributes = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
        self.parent = None
        for child in children:
            if isinstance(child, Element):
                child.parent = self

    def __call__(self, *children):
        for child in children:
            self.append(child)
        return self

    def append(self, child):
        self.children.append(child)
        if isinstance(child, Element):
            child.parent = self
        return child

    def __iter__(self):
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child

    @property
    def classes(self):
        return self.attributes.get("class", "").split()

    def select(self, name=None, class_=None):
        return [e for e in self if (name is None or e.name == name) and (class_ is None or class_ in e.classes)]

    @property
    def depth(self):
        depth, element = 0, self
        while element.parent is not None:
            depth, element = depth + 1, element.parent
        return depth

    def text(self):
        return "".join(child.text() if isinstance(child, Element) else str(child) for child in self.children)

    def start(self):
        attributes = "".join(f' {key}="{escape(str(value))}"' for key, value in self.attributes.items() if value is not None)
        return f"<{self.name}{attributes}>"

    def __str__(self):
        inner = "".join(str(child) if isinstance(child, Element) else escape(str(child)) for child in self.children)
        return self.start() + inner + ("" if self.name in VOID else f"</{self.name}>")

    def pretty(self, out, indent=0):
        pad = "  " * indent
        if all(not isinstance(child, Element) for child in self.children):
            out.append(pad + str(self))
            return
        out.append(pad + self.start())
        for child in self.children:
            if isinstance(child, Element):
                child.pretty(out, indent + 1)
            else:
                out.append(pad + "  " + escape(str(child)))
        out.append(f"{pad}</{self.name}>")


class Tags:
    def __getattr__(self, name):
        def make(*children, **attributes):
            return Element(name, *children, **attributes)

        setattr(self, name, make)
        return make


tag = Tags()


def article(i):
    items = [
        tag.li(tag.a(f"item {j} & more", href=f"/a/{i}?x={j}&y=<{j}>", class_="link" if j % 3 else "link hot"), f" ({j})")
        for j in range(12)
    ]
    return tag.div(
        tag.h2(f"Article {i}", id=f"a{i}"),
        tag.p("Some text, ", tag.b("bold"), " and ", tag.i("slanted"), '; quotes: "', i, '"', class_="lead", title=None),
        tag.ul(*items, data_count=len(items)),
        tag.hr(),
        class_="article",
    )


def as_strings(i):
    rows = "".join(
        f'<li><a href="/a/{i}?x={j}&amp;y=&lt;{j}&gt;" class="{"link" if j % 3 else "link hot"}">item {j} &amp; more</a> ({j})</li>'
        for j in range(12)
    )
    return (
        f'<div class="article"><h2 id="a{i}">Article {i}</h2>'
        f'<p class="lead">Some text, <b>bold</b> and <i>slanted</i>; quotes: &quot;{i}&quot;</p>'
        '<ul data-count="12">' + rows + "</ul><hr></div>"
    )


def main(rounds):
    total = 0
    for i in range(rounds):
        body = tag.body()(*[article(i * 20 + j) for j in range(20)])
        page = tag.html(tag.head(tag.title(f"Page {i}")), body, lang="en")
        text = str(page)
        out = []
        page.pretty(out)
        hot = page.select("a", "hot")
        total += len(text) + len(out) + sum(e.depth for e in hot) + len(page.text())
        written = "".join(as_strings(i * 20 + j) for j in range(20))
    return total, written in text, len(hot)


print(main(100))
