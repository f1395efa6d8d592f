"""Instruction counts of one run under callgrind, children included: steadier than time, some fifty times slower.

The profiles stay in target/callgrind: `callgrind_annotate target/callgrind/PROGRAM.krait.PID`.
"""
import glob
import os
import re
import shutil
import sys

from benching.programs import TOP
from benching.running import Failure, run
from benching.times import geometric_mean

FOLDER = os.path.join(TOP, "target", "callgrind")
TOTAL = re.compile(r"^totals: (\d+)", re.M)


def count(side, program):
    stem = os.path.join(FOLDER, f"{program.name}.{side.label}.")
    for path in glob.glob(glob.escape(stem) + "*"):
        os.unlink(path)
    command = ["valgrind", "--tool=callgrind", "--trace-children=yes", f"--callgrind-out-file={stem}%p"]
    _, printed, _ = run([*command, side.path, program.path])
    total = 0
    for path in glob.glob(glob.escape(stem) + "*"):
        with open(path, encoding="utf-8") as file:
            total += sum(map(int, TOTAL.findall(file.read())))
    return total, printed


def main(sides, chosen):
    if shutil.which("valgrind") is None:
        sys.exit("--instructions needs valgrind, which is not on PATH (on Debian: apt-get install valgrind)")
    os.makedirs(FOLDER, exist_ok=True)
    print(f"{'millions of instructions':<24} " + " ".join(f"{side.label:>12}" + " " * 7 * (i > 0) for i, side in enumerate(sides)))
    ratios, failures = [], 0
    for program in chosen:
        try:
            counts = [count(side, program) for side in sides]
        except Failure as failure:
            print(f"{program.name}: {failure}", file=sys.stderr)
            failures += 1
            continue
        own, printed = counts[0]
        cells = [f"{own / 1e6:>12.1f}"] + [f"{other / 1e6:>12.1f} {own / other:>6.2f}" for other, _ in counts[1:]]
        print(f"{program.name:<24} " + " ".join(cells), flush=True)
        if printed != counts[1][1]:
            print(f"{program.name}: krait prints differently", file=sys.stderr)
            failures += 1
        ratios.append(own / counts[1][0])
    if ratios:
        print(f"geometric mean ({len(ratios)}): {geometric_mean(ratios):.2f}; profiles are in {os.path.relpath(FOLDER)}")
    return failures
