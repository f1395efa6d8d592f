"""One run of a program on one interpreter, and the interpreters themselves."""
import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile

from benching.programs import TOP


class Failure(Exception):
    """A program that does not run through."""


@dataclasses.dataclass
class Side:
    label: str
    path: str

    def version(self):
        code = "import sys; print(' '.join(sys.version.split()))"
        return subprocess.run([self.path, "-c", code], check=True, capture_output=True, text=True).stdout.strip()

    def lacks(self, module):
        return subprocess.run([self.path, "-c", f"import {module}"], capture_output=True, env=environment()).returncode != 0


def build():
    subprocess.run(["cargo", "build", "--release", "--quiet", "-p", "krait"], cwd=TOP, check=True)
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(TOP, "target"))
    return os.path.join(target, "release", "krait")


def krait(options):
    """The interpreter to measure: what is named, what scripts/dist made, or the release build."""
    if options.krait or not options.dist:
        return Side("krait", options.krait or build())
    path = os.path.join(TOP, "target", "dist", "krait")
    if not os.path.exists(path):
        subprocess.run([os.path.join(TOP, "scripts", "dist")], check=True)
    return Side("krait", path)


def find_reference():
    found = subprocess.run([os.path.join(TOP, "scripts", "reference")], capture_output=True, text=True)
    if found.returncode:
        sys.exit(found.stderr)
    return found.stdout.strip()


def sides(options):
    """Krait, the reference and what `--also` names, in this order."""
    found = [krait(options), Side("reference", options.reference or find_reference())]
    labels = {"krait", "reference"}
    for path in options.also:
        label = os.path.basename(path)
        while label in labels:
            label += "'"
        labels.add(label)
        found.append(Side(label, path))
    for side in found:
        path = shutil.which(side.path)
        if path is None:
            sys.exit(f"{side.path}: no such command")
        side.path = os.path.abspath(path)
    for side in found[1:]:
        # What stands on PATH may be a shim, whose own time is not Python's.
        code = "import sys; print(sys.executable)"
        side.path = subprocess.run([side.path, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    return found


def environment():
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return env | {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"}


def run(command):
    """CPU seconds of one run with its children, what it printed, and its standard error."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment())
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode:
            text = err.read().decode(errors="replace").strip()
            raise Failure(f"{' '.join(command)}: exit code {process.returncode}\n{text}")
        return usage.ru_utime + usage.ru_stime, out.read(), err.read().decode(errors="replace")


def back_and_forth(count, rounds):
    """The numbers below `count` in turn, `rounds` times, every second time backwards: drift hits all alike."""
    for number in range(rounds):
        yield from range(count) if number % 2 == 0 else reversed(range(count))
