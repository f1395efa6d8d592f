"""Memory per object, resident memory of an idle process, and the collector's time."""
import os
import statistics
import subprocess
import sys

from benching.programs import BENCHES
from benching.running import Failure, environment, run

PROGRAM = os.path.join(BENCHES, "memory.py")
COLLECTOR = os.path.join(BENCHES, "probes", "collector.py")
CYCLES = 500_000


def per_object(side):
    """MiB over an idle process by kind of object."""
    _, _, report = run([side.path, PROGRAM])
    rows = (line.removesuffix(" MiB").rsplit(": ", 1) for line in report.splitlines())
    return {kind: float(amount) for kind, amount in rows}


def idle(side, *flags):
    """MiB resident at its peak, and of those that are the process's own (anonymous), of a process that has done nothing.

    The process is asked while it waits for input: what wait4 tells of a process that is gone includes the pages of the one
    that it was forked from.
    """
    command = [side.path, *flags, "-c", "print('ready', flush=True); input()"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(), text=True)
    process.stdout.readline()
    with open(f"/proc/{process.pid}/status", encoding="utf-8") as file:
        fields = dict(line.split(":", 1) for line in file)
    process.communicate("\n")
    return [int(fields[name].split()[0]) / 1024 for name in ("VmHWM", "RssAnon")]


def collector(side, way, rounds):
    return statistics.median(float(run([side.path, COLLECTOR, way, str(CYCLES)])[1]) for _ in range(rounds))


def measure(side, rounds):
    """What was measured by its name; a failure is None."""
    figures = {}
    for prefix, flags in (("idle", []), ("idle, -S", ["-S"])):
        pairs = [idle(side, *flags) for _ in range(rounds)]
        peak, own = (statistics.median(column) for column in zip(*pairs))
        figures[f"{prefix}: peak"], figures[f"{prefix}: anonymous"] = round(peak, 1), round(own, 1)
    for name, way in (("collect() of cycles", "held"), ("cycles dropped", "dropped")):
        try:
            figures[name] = round(collector(side, way, rounds), 4)
        except Failure as failure:
            print(failure, file=sys.stderr)
            figures[name] = None
    return figures


def main(sides, rounds):
    """The figures by side, as they are recorded."""
    objects = {side.label: per_object(side) for side in sides}
    figures = {side.label: objects[side.label] | measure(side, rounds) for side in sides}
    print(f"\n{'memory':<30} " + " ".join(f"{side.label:>11}" + " " * 7 * (i > 0) for i, side in enumerate(sides)))
    for kind, own in figures["krait"].items():
        unit = "s" if "cycles" in kind else "MiB"
        cells = []
        for side in sides:
            amount = figures[side.label][kind]
            text = f"{amount:.{3 if unit == 's' else 1}f}{unit}" if amount is not None else "-"
            cells.append(f"{text:>11}")
            if side.label != "krait":
                cells.append(f"{own / amount:>6.2f}" if own is not None and amount else f"{'-':>6}")
        print(f"{kind:<30} " + " ".join(cells))
    return figures
