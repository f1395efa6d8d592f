"""Regular expressions: searching, splitting, substituting, tokenising, backtracking."""
# native: _sre
import re

TEXT = "".join(
    f"2024-{m:02}-{d:02} host{d % 7}.example.org GET /path/{m}/item{d}?id={m * d}&x=%20 {200 + m} {m * d * 37}\n"
    for m in range(1, 13)
    for d in range(1, 29)
)
LINE = re.compile(r"(\d{4})-(\d\d)-(\d\d) (\S+) (GET|POST) ([^ ?]+)(?:\?(\S*))? (\d{3}) (\d+)")
TOKEN = re.compile(r"\s*(?:(?P<number>\d+\.?\d*)|(?P<name>[A-Za-z_]\w*)|(?P<operator>[-+*/()=]))")


def tokens(source):
    position, counts = 0, {}
    while match := TOKEN.match(source, position):
        counts[match.lastgroup] = counts.get(match.lastgroup, 0) + 1
        position = match.end()
    return counts


def main(rounds):
    source = "total = (price_1 * 3.25 + 42) / count - offset * (a + b) " * 40
    for _ in range(rounds):
        lines = LINE.findall(TEXT)
        hosts = {m.group(4) for m in LINE.finditer(TEXT)}
        replaced = re.sub(r"item(\d+)", lambda m: f"<{int(m[1]) + 1}>", TEXT)
        words = re.split(r"[\s/?&=]+", TEXT)
        upper = re.findall(r"\b[a-z]+\d\b", TEXT, re.IGNORECASE)
        counts = tokens(source)
        nested = re.match(r"(?:a|ab)*c?$", "ab" * 300 + "b")
        rare = re.search(r"host9|(?:x=%2[1-9])", TEXT)
    return len(lines), sorted(hosts)[0], len(replaced), len(words), len(upper), counts, nested, rare


print(main(185))
