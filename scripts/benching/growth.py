"""Time over sizes: whether operations grow on Krait as they do on the reference.

An exponent is the slope of a line through the logarithms of times and sizes, by least squares; `tail` is that of the last
three sizes, where caches and large numbers tell.
"""
import importlib.util
import math
import os
import sys

from benching import results
from benching.programs import BENCHES
from benching.running import Failure, back_and_forth, run

PROBE = os.path.join(BENCHES, "probes", "growth.py")
SIZES = [round(10 ** (step / 2)) for step in range(6, 13)]
# Krait's exponent may be this much over the reference's.
TOLERANCE = 0.15
# A side is not asked for a size at which it would take longer than this, going by its last two sizes.
PATIENCE = 10.0


def operations():
    spec = importlib.util.spec_from_file_location("growth_probe", PROBE)
    module = importlib.util.module_from_spec(spec)
    # The probe lifts a limit that an older Python does not have.
    sys.set_int_max_str_digits = getattr(sys, "set_int_max_str_digits", lambda digits: None)
    spec.loader.exec_module(module)
    return list(module.OPERATIONS)


def chosen(names):
    known = operations()
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"growth has no {', '.join(unknown)}; it has {', '.join(known)}")
    return names or known


def measure(operation, sides, rounds):
    """Seconds by size of each side, the least of all rounds; and what failed."""
    times, failures = {side.label: {} for side in sides}, []
    working = list(sides)
    for size in SIZES:
        for number in back_and_forth(len(working), rounds):
            side = working[number]
            own = times[side.label]
            if own.get(size, 0) is None:
                continue
            try:
                _, printed, _ = run([side.path, PROBE, operation, str(size)])
            except Failure as failure:
                failures.append(f"{operation} at {size} fails on {side.label}: {str(failure).splitlines()[-1]}")
                own[size] = None
                continue
            own[size] = min(float(printed), own.get(size, math.inf))
        working = [side for side in working if expected(times[side.label]) < PATIENCE]
    return {label: {size: taken for size, taken in own.items() if taken} for label, own in times.items()}, failures


def expected(times):
    """Seconds at the next size; the first two are always asked for, and none after one that failed."""
    if None in times.values():
        return math.inf
    before, last = list(times.values())[-2:] if len(times) > 1 else (1, 0)
    return last * last / before


def exponent(times):
    """None where there are not two sizes."""
    points = [(math.log(size), math.log(taken)) for size, taken in times.items()]
    if len(points) < 2:
        return None
    x_mean, y_mean = (sum(column) / len(points) for column in zip(*points))
    return sum((x - x_mean) * (y - y_mean) for x, y in points) / sum((x - x_mean) ** 2 for x, _ in points)


def tail(times):
    return exponent(dict(sorted(times.items())[-3:]))


def readable(seconds):
    for unit, factor in (("s", 1), ("ms", 1e3), ("us", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g}{unit}"
    return f"{seconds * 1e9:.3g}ns"


def verdict(krait, reference):
    """Whether Krait grows faster, and what to say of it. The tail alone is a remark: what it tells is noisier."""
    if len(krait) < 2 or len(reference) < 2:
        return True, "not measured"
    over, tail_over = exponent(krait) - exponent(reference), tail(krait) - tail(reference)
    if over > TOLERANCE:
        return True, f"WORSE by {over:.2f}"
    return False, f"ok, but tail +{tail_over:.2f}" if tail_over > TOLERANCE else "ok"


def show(times):
    """Prints a line for each side; returns whether Krait grows faster than the reference."""
    worse, said = verdict(times["krait"], times["reference"])
    for label, each in times.items():
        cells = " ".join(f"{readable(each[size]) if size in each else '-':>8}" for size in SIZES)
        numbers = [f"{value:.2f}" if value is not None else "-" for value in (exponent(each), tail(each))]
        remark = said if label == "krait" else ""
        print(f"  {label:<12} {cells} {numbers[0]:>9} {numbers[1]:>6}  {remark}".rstrip(), flush=True)
    return worse


def main(sides, names, rounds, record):
    print(f"  {'size':<12} " + " ".join(f"{size:>8}" for size in SIZES) + f" {'exponent':>9} {'tail':>6}")
    result, worse, remarks = results.stamped(sides, rounds) | {"growth": {}}, [], []
    for name in names:
        print(name)
        times, failures = measure(name, sides, rounds)
        remarks += failures
        result["growth"][name] = {
            label: {"seconds": each, "exponent": exponent(each), "tail": tail(each)} for label, each in times.items()
        }
        if show(times):
            worse.append(name)
    for remark in dict.fromkeys(remarks):
        print(remark, file=sys.stderr)
    print(f"worse than the reference's: {', '.join(worse) or 'none'}")
    if record and names == operations():
        os.makedirs(results.FOLDER, exist_ok=True)
        results.write(os.path.join(results.FOLDER, "growth.json"), result)
    return len(worse)
