"""xml.etree and html.parser: documents built, written, parsed, searched by path, streamed; tags counted by an HTML parser."""
# native: _elementtree
import html.parser
import io
import xml.etree.ElementTree as ET


class Counter(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags = {}
        self.text = 0
        self.links = []

    def handle_starttag(self, tag, attributes):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.links += [value for name, value in attributes if name == "href"]

    def handle_data(self, data):
        self.text += len(data)


def build(count):
    top = ET.Element("library", {"version": "1"})
    for i in range(count):
        book = ET.SubElement(top, "book", id=str(i), lang="en" if i % 3 else "fr")
        ET.SubElement(book, "title").text = f"Title {i} & <more>"
        for j in range(i % 4):
            author = ET.SubElement(book, "author")
            author.text = f"Author {j}"
            author.tail = "\n"
        ET.SubElement(book, "price", currency="eur").text = str(i / 4)
    return top


PAGE = "<html><body>" + "".join(
    f'<div class="a{i}"><a href="/x/{i}?a=1&amp;b=2">link &lt;{i}&gt;</a><br/><p>text &eacute; {i}</p><!-- {i} --></div>\n' for i in range(300)
)


def main(rounds):
    for _ in range(rounds):
        top = build(700)
        text = ET.tostring(top, encoding="unicode")
        back = ET.fromstring(text)
        french = back.findall("./book[@lang='fr']")
        authors = sum(1 for _ in back.iter("author"))
        total = sum(float(price.text) for price in back.iterfind("book/price"))
        streamed = 0
        for _, element in ET.iterparse(io.StringIO(text), events=("end",)):
            if element.tag == "book":
                streamed += len(element)
                element.clear()
        parser = Counter()
        parser.feed(PAGE)
    return len(text), len(french), authors, total, streamed, sorted(parser.tags.items()), parser.text, parser.links[7]


print(main(20))
