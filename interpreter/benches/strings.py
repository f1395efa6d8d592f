"""Strings: building, joining, splitting, formatting, searching, translating, bytes."""


def build(rounds):
    parts = []
    for i in range(rounds):
        parts.append(f"{i}:{i * 2:>6}|{'even' if i % 2 == 0 else 'odd'}")
    return ";".join(parts)


def words(text):
    total = 0
    for part in text.split(";"):
        number, _, rest = part.partition(":")
        total += int(number) + len(rest.strip().upper())
        if rest.endswith("odd"):
            total += rest.find("|")
    return total


def characters(text):
    vowels = 0
    for character in text:
        if character in "aeiou":
            vowels += 1
    return vowels


def concatenate(rounds):
    text = ""
    for i in range(rounds):
        text += chr(97 + i % 26)
        if text[-1] == "z":
            text = text.replace("xyz", "-")
            text = text[-40:]
    return text


def old_style(rounds):
    return sum(len("%s=%d (%.3f)" % ("key", i, i / 7)) for i in range(rounds))


def data(rounds):
    buffer = bytearray()
    for i in range(rounds):
        buffer += i.to_bytes(4, "little")
    return sum(bytes(buffer)), buffer.hex()[:16]


text = build(220_000)
print(len(text), words(text), characters(text[:3_000_000]), concatenate(700_000), old_style(300_000), data(300_000))
