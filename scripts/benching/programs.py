"""The programs of interpreter/benches and their groups.

The line after a program's docstring names its group, where it is not the interpreter alone:

    # native: _pickle     leans on native modules, these where they are named
    # process             whole processes are what it measures
    # memory              not timed
"""
import dataclasses
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BENCHES = os.path.join(TOP, "interpreter", "benches")
PURE, NATIVE, APART, PROCESS = "pure", "native", "apart", "process"
TITLES = {
    PURE: "pure interpreter",
    NATIVE: "leans on native modules",
    APART: "leans on native modules that Krait lacks",
    PROCESS: "whole process",
}
HEADER = re.compile(r'"""(?P<about>.*)"""\n(?:# (?P<group>native|process|memory)(?:: (?P<needs>.*))?\n)?')


@dataclasses.dataclass
class Program:
    name: str
    group: str
    needs: list
    about: str

    @property
    def path(self):
        return os.path.join(BENCHES, self.name + ".py")


def load(name):
    with open(os.path.join(BENCHES, name + ".py"), encoding="utf-8") as file:
        header = HEADER.match(file.read())
    if header is None:
        sys.exit(f"interpreter/benches/{name}.py does not open with a docstring of one line")
    needs = (header["needs"] or "").split(", ") if header["needs"] else []
    return Program(name, header["group"] or PURE, needs, header["about"])


def every():
    names = sorted(name.removesuffix(".py") for name in os.listdir(BENCHES) if name.endswith(".py"))
    return [program for program in map(load, names) if program.group in TITLES]


def chosen(names):
    """The programs of these names, all if there are none, in the order of their groups."""
    programs = every()
    known = {program.name: program for program in programs}
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"no program {', '.join(unknown)} in interpreter/benches; `scripts/bench --list` has them all")
    return in_groups([known[name] for name in names] if names else programs)


def in_groups(programs):
    order = list(TITLES)
    return sorted(programs, key=lambda program: (order.index(program.group), program.name))


def print_list():
    group = None
    for program in chosen([]):
        if program.group != group:
            group = program.group
            print(f"{TITLES[group]}:")
        print(f"  {program.name:<22} {program.about}")
