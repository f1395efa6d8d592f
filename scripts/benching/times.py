"""CPU times of the programs, side by side; the table and its geometric means."""
import math
import statistics
import sys

from benching import programs, results
from benching.programs import APART, NATIVE, PURE, TITLES
from benching.running import Failure, back_and_forth, run

# What the means at the table's foot take together; those of the single groups stand under each group.
TOGETHER = {"pure and native": (PURE, NATIVE), "everything": tuple(TITLES)}


def measure(program, sides, rounds):
    """Median CPU seconds and spread by label, and remarks. A further Python may fail or print differently; Krait may not."""
    times = {side.label: [] for side in sides}
    printed, remarks = {}, []
    working = list(sides)
    for side in sides:
        try:
            _, printed[side.label], _ = run([side.path, program.path])
        except Failure as failure:
            if side.label == "reference":
                sys.exit(str(failure))
            remarks.append(f"{program.name} fails on {side.label}: {failure}")
            working.remove(side)
    for side in working:
        if printed[side.label] != printed["reference"]:
            texts = [printed[label].decode(errors="replace").strip() for label in (side.label, "reference")]
            remarks.append(f"{program.name} prints differently:\n  {side.label}: {texts[0]}\n  reference: {texts[1]}")
    for number in back_and_forth(len(working), rounds):
        seconds, _, _ = run([working[number].path, program.path])
        times[working[number].label].append(seconds)
    return {label: summary(each) for label, each in times.items() if each}, remarks


def summary(seconds):
    """The median, and the distance from the lowest to it in parts of it: what noise there was."""
    median = statistics.median(seconds)
    return {"median": round(median, 4), "noise": round(1 - min(seconds) / median, 3)}


def geometric_mean(ratios):
    return math.exp(statistics.fmean(map(math.log, ratios)))


def ratios(figures):
    """Krait's time over each other side's."""
    if "krait" not in figures:
        return {}
    own = figures["krait"]["median"]
    return {label: own / figures[label]["median"] for label in figures if label not in ("krait", "group")}


def means(figures, groups):
    """Geometric means by label over the programs of these groups, and how many programs those are."""
    rows = list(filter(None, (ratios(each) for each in figures.values() if each["group"] in groups)))
    labels = dict.fromkeys(label for row in rows for label in row)
    return {label: geometric_mean([row[label] for row in rows if label in row]) for label in labels}, len(rows)


def line(first, figures, sides):
    cells = [f"{first:<24}"]
    for side in sides:
        figure = figures.get(side.label)
        cells.append(f"{figure['median']:>9.3f}s" if figure else f"{'-':>10}")
        if side.label != "krait":
            ratio = ratios(figures).get(side.label)
            cells.append(f"{ratio:>6.2f}" if ratio else f"{'-':>6}")
    return " ".join(cells)


def heading(sides):
    cells = [f"{'program':<24}"]
    for side in sides:
        cells.append(f"{side.label:>10}")
        if side.label != "krait":
            cells.append(f"{'ratio':>6}")
    return " ".join(cells)


def print_means(label, found, count, sides):
    cells = [f"{label + f' ({count})':<24}", " " * 10]
    for side in sides[1:]:
        cells.append(f"{'':>10} {found[side.label]:>6.2f}" if side.label in found else " " * 17)
    print(" ".join(cells), flush=True)


def main(sides, chosen, rounds):
    """The result, as it is recorded, and how many programs Krait failed."""
    for program in chosen:
        if any(sides[0].lacks(module) for module in program.needs):
            program.group = APART
    chosen = programs.in_groups(chosen)
    figures, remarks = {}, []
    print(heading(sides))
    for group, title in TITLES.items():
        members = [program for program in chosen if program.group == group]
        if not members:
            continue
        print(f"\n{title}")
        for program in members:
            measured, said = measure(program, sides, rounds)
            figures[program.name] = {"group": group, **measured}
            remarks += said
            print(line(program.name, figures[program.name], sides), flush=True)
        print_means("geometric mean", *means(figures, [group]), sides)
    print()
    for label, groups in TOGETHER.items():
        found, count = means(figures, groups)
        if count:
            print_means(label, found, count, sides)
    for remark in remarks:
        print(remark, file=sys.stderr)
    failures = sum(" on krait: " in remark or "  krait: " in remark for remark in remarks)
    return results.stamped(sides, rounds) | {"programs": figures}, failures
