"""Throughput of two threads beside that of one, and of two processes, which is the most that two cores give.

The kernels are in interpreter/benches/threads/scaling.py. For each, three groups of workers live at the same time (one thread; two
threads; two processes of one thread) and take short turns. So that what else runs on the machine says little, only the turns
count in which others used the processors least. Where they did even then, the ratio by the wall's clock means nothing, and
the one by the threads' processor time is what counts; that leaves out what they waited for without spinning.
"""
import os
import statistics
import subprocess
import sys
import time

from benching.programs import BENCHES
from benching.running import environment

PROGRAM = os.path.join(BENCHES, "threads", "scaling.py")
TURN = 0.1
# As much of a processor as others may use while the wall's clock counts.
QUIET = 0.10
# What two threads must reach, in parts of what two processes do; of `both`, in parts of one thread.
WANTED = {"own": 0.95, "shared": 0.90, "both": 0.70}
TITLES = {"own": "own data", "shared": "shared data, read by both", "both": "shared data, changed by both"}
TICKS = os.sysconf("SC_CLK_TCK")


class Worker:
    def __init__(self, path, kernel, threads):
        command = [path, "-X", "parallel", PROGRAM, kernel, str(threads)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment())

    def begin(self, rounds):
        self.process.stdin.write(f"{rounds}\n")
        self.process.stdin.flush()

    def end(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{' '.join(self.process.args)}: exit code {self.process.wait()}")
        return tuple(map(float, line.split()))

    def ticks(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def busy_ticks():
    with open("/proc/stat") as file:
        user, nice, system = file.readline().split()[1:4]
    return int(user) + int(nice) + int(system)


def turn(workers, rounds):
    """Seconds on the wall and of processor time that the workers take for these rounds each, and how many processors others
    used meanwhile."""
    own, busy, began = sum(w.ticks() for w in workers), busy_ticks(), time.perf_counter()
    for worker in workers:
        worker.begin(rounds)
    begins, ends, cpu = zip(*(worker.end() for worker in workers))
    seconds = time.perf_counter() - began
    others = busy_ticks() - busy - (sum(w.ticks() for w in workers) - own)
    return max(ends) - min(begins), statistics.fmean(cpu), max(0.0, others / TICKS / seconds)


def quiet_medians(turns):
    """Of the quietest third of the turns; and how much others used at most then."""
    quiet = sorted(turns, key=lambda turn: turn[2])[: max(3, len(turns) // 3)]
    wall, cpu, others = zip(*quiet)
    return statistics.median(wall), statistics.median(cpu), max(others)


def measure(path, kernel, turns):
    """For one thread, two and two processes: rounds a second by the wall's clock, by processor time, and what others used."""
    groups = [[Worker(path, kernel, 1)], [Worker(path, kernel, 2)], [Worker(path, kernel, 1) for _ in range(2)]]
    rounds = 1
    while (seconds := turn(groups[0], rounds)[1]) < TURN / 4:
        rounds *= 2
    rounds = max(1, round(rounds * TURN / seconds))
    for workers in groups:
        turn(workers, rounds)
    taken = [[] for _ in groups]
    for number in range(turns):
        for group in range(3) if number % 2 == 0 else reversed(range(3)):
            taken[group].append(turn(groups[group], rounds))
    for worker in sum(groups, []):
        worker.close()
    found = []
    for amount, (wall, cpu, others) in zip((rounds, 2 * rounds, 2 * rounds), map(quiet_medians, taken)):
        found.append((amount / wall, amount / cpu, others))
    return found


def main(side, chosen, turns):
    """Prints the table; the number of kernels that miss what is wanted."""
    known = subprocess.run([side.path, PROGRAM], check=True, capture_output=True, text=True).stdout.split()
    kernels = [k for k in known if not chosen or k in chosen or k.partition("_")[0] in chosen]
    if not kernels or [c for c in chosen if c not in known and c not in WANTED]:
        sys.exit(f"the kernels are {', '.join(known)}; their groups are {', '.join(WANTED)}")
    columns = ("1 thread", "2 threads", "2 processes", "of 1", "of 2 p.", "CPU: of 1", "of 2 p.", "others")
    print(f"{'rounds a second':<20}", *(f"{name:>11}" for name in columns[:3]), *(f"{name:>9}" for name in columns[3:]))
    missed, group = 0, None
    for kernel in kernels:
        if kernel.partition("_")[0] != group:
            group = kernel.partition("_")[0]
            print(f"\n{TITLES[group]}: at least {WANTED[group]:.2f} of {'one thread' if group == 'both' else 'two processes'}")
        found = measure(side.path, kernel, turns)
        others = max(each[2] for each in found)
        ratios = []
        for clock in (0, 1):
            one, two, processes = (each[clock] for each in found)
            ratios += [two / one, two / processes]
        of = 0 if group == "both" else 1
        misses = ratios[of if others <= QUIET else of + 2] < WANTED[group]
        missed += misses
        rates, cells = (f"{each[0]:>11.1f}" for each in found), (f"{ratio:>9.2f}" for ratio in ratios)
        print(f"{kernel:<20}", *rates, *cells, f"{others:>9.2f}" + (" *" if misses else ""), flush=True)
    return missed
