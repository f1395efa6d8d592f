"""csv both ways: plain and quoted dialects, dict rows, numbers converted, sniffed; rows grouped and summed."""
# native: _csv
import csv
import io


class Semicolons(csv.Dialect):
    delimiter = ";"
    quotechar = "'"
    doublequote = False
    escapechar = "\\"
    lineterminator = "\n"
    quoting = csv.QUOTE_NONNUMERIC


def rows(count):
    return [[i, f"name {i}", i / 4, 'say "hi", all', "", f"line\n{i}" if i % 10 == 0 else None] for i in range(count)]


def main(rounds, count):
    data = rows(count)
    for _ in range(rounds):
        plain = io.StringIO(newline="")
        csv.writer(plain).writerows(data)
        back = list(csv.reader(io.StringIO(plain.getvalue(), newline="")))
        other = io.StringIO()
        writer = csv.writer(other, Semicolons)
        for row in data:
            writer.writerow(row[:4])
        numbers = sum(row[0] + row[2] for row in csv.reader(io.StringIO(other.getvalue()), Semicolons))
        named = io.StringIO()
        table = csv.DictWriter(named, ["id", "name", "score"], extrasaction="ignore", quoting=csv.QUOTE_ALL)
        table.writeheader()
        table.writerows({"id": row[0], "name": row[1], "score": row[2], "rest": None} for row in data)
        groups = {}
        for row in csv.DictReader(io.StringIO(named.getvalue())):
            key = int(row["id"]) % 7
            groups[key] = groups.get(key, 0.0) + float(row["score"])
        found = csv.Sniffer().sniff("a;b;c\n1;2;3\n4;5;6\n").delimiter
    return len(back), back[10][3], repr(back[10][5]), numbers, groups[3], found, len(other.getvalue())


print(main(14, 5000))
