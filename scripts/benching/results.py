"""Results as JSON: `latest.json` is the last whole run, `history.jsonl` has one line for each; two of them compared."""
import datetime
import json
import os
import platform
import subprocess
import sys

from benching.programs import TITLES, TOP

FOLDER = os.path.join(TOP, "reports", "perf")
LATEST, HISTORY = os.path.join(FOLDER, "latest.json"), os.path.join(FOLDER, "history.jsonl")
# What a result depends on.
SOURCES = ("interpreter", "Cargo.toml", "Cargo.lock", ".cargo")
# Ratios that differ by less than this say nothing.
SILENT = 0.03


def git(*words):
    found = subprocess.run(["git", *words], cwd=TOP, capture_output=True, text=True)
    return found.stdout.strip() if found.returncode == 0 else ""


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return {"cpu": models[0] if models else platform.machine(), "cores": os.cpu_count(), "system": platform.platform()}


def stamped(sides, rounds):
    return {
        "commit": git("rev-parse", "--short=10", "HEAD"),
        "changed": bool(git("status", "--porcelain", "--untracked-files=no", "--", *SOURCES)),
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "machine": machine(),
        "load": round(os.getloadavg()[0], 2),
        "rounds": rounds,
        "pythons": {side.label: {"path": side.path, "version": side.version()} for side in sides},
    }


def write(path, result):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
        file.write("\n")


def record(result):
    os.makedirs(FOLDER, exist_ok=True)
    write(LATEST, result)
    with open(HISTORY, "a", encoding="utf-8") as file:
        file.write(json.dumps(result, separators=(",", ":")) + "\n")
    print(f"recorded: {os.path.relpath(LATEST)}, {os.path.relpath(HISTORY)}")


def history():
    if not os.path.exists(HISTORY):
        return []
    with open(HISTORY, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def find(name):
    """A result by file, by commit (the last run of it) or by `latest` and `previous`."""
    if os.path.isfile(name):
        with open(name, encoding="utf-8") as file:
            return json.load(file)
    entries = history()
    if name in ("latest", "previous"):
        back = 1 if name == "latest" else 2
        if len(entries) >= back:
            return entries[-back]
        sys.exit(f"the history has no {name} run")
    full = git("rev-parse", "--verify", "--quiet", name + "^{commit}") or name
    for entry in reversed(entries):
        if entry["commit"] and (full.startswith(entry["commit"]) or entry["commit"].startswith(name)):
            return entry
    sys.exit(f"{name}: neither a file nor a commit of {os.path.relpath(HISTORY)}")


def label(result):
    return result["commit"] + ("+" if result["changed"] else "")


def compare(before, after):
    """What changed, worst first: ratios to the reference, which takes the machine's mood out of them."""
    from benching.times import means, ratios

    if before["machine"]["cpu"] != after["machine"]["cpu"]:
        print("the two were measured on different machines")
    shared = {name: each for name, each in after["programs"].items() if name in before["programs"]}
    rows = []
    for name, figures in shared.items():
        old, new = ratios(before["programs"][name]).get("reference"), ratios(figures).get("reference")
        if old and new:
            noise = sum(each[side]["noise"] for each in (before["programs"][name], figures) for side in ("krait", "reference"))
            rows.append((new / old, name, old, new, max(SILENT, noise)))
    print(f"{'ratio to the reference':<24} {label(before):>11} {label(after):>11} {'change':>8}")
    for change, name, old, new, noise in sorted(rows, reverse=True):
        verdict = "slower" if change > 1 + noise else "faster" if change < 1 - noise else ""
        print(f"{name:<24} {old:>11.2f} {new:>11.2f} {change - 1:>+8.1%} {verdict}".rstrip())
    comparable = {name for _, name, *_ in rows}
    for groups, title in [((group,), title) for group, title in TITLES.items()] + [(tuple(TITLES), "everything")]:
        found = []
        for result in (before, after):
            figures = {name: result["programs"][name] | {"group": shared[name]["group"]} for name in comparable}
            found.append(means(figures, groups))
        (old, count), (new, _) = found
        if count:
            change = new["reference"] / old["reference"] - 1
            print(f"{f'{title} ({count})':<24} {old['reference']:>11.2f} {new['reference']:>11.2f} {change:>+8.1%}")
    for where, result in (("only before", before), ("only after", after)):
        alone = sorted(set(result["programs"]) - comparable)
        if alone:
            print(f"{where}: {', '.join(alone)}")
