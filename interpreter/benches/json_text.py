"""json both ways, compact and indented, with nested records."""
# native: _json
import json


def record(i):
    return {
        "id": i,
        "name": f"name {i}",
        "active": i % 3 == 0,
        "score": i / 7,
        "tags": ["red", "green", "blue \u00e9\n"][: i % 4],
        "nested": {"left": {"value": i * i, "none": None}, "right": [i, [i + 1, [i + 2]]]},
    }


def main(rounds):
    data = [record(i) for i in range(1500)]
    for _ in range(rounds):
        text = json.dumps(data)
        back = json.loads(text)
        indented = json.dumps(back[:150], indent=2, sort_keys=True)
    return len(text), back == data, len(indented), sum(r["nested"]["right"][0] for r in back)


print(main(52))
