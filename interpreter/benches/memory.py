"""Memory per object: peak resident size over an idle process, one kind of object per process."""
# memory
import subprocess
import sys

KINDS = {
    "ints": "list(range(1_000_000))",
    "floats": "[i / 3 for i in range(1_000_000)]",
    "dict of ints": "{i: i for i in range(1_000_000)}",
    "strings": "[f'text {i}' for i in range(1_000_000)]",
    "instances": "[C(i) for i in range(1_000_000)]",
    "instances with slots": "[S(i) for i in range(1_000_000)]",
    "pairs": "[(i, i) for i in range(1_000_000)]",
}
# The kernel's high-water mark of the process itself: `ru_maxrss` of a child begins at its parent's.
CODE = """
def peak():
    with open('/proc/self/status') as status:
        return int(next(line for line in status if line.startswith('VmHWM')).split()[1])
class C:
    def __init__(self, i): self.a = i; self.b = i
class S:
    __slots__ = 'a', 'b'
    def __init__(self, i): self.a = i; self.b = i
before = peak()
x = {}
print((peak() - before) / 1024)
"""
for name, expression in KINDS.items():
    output = subprocess.run([sys.executable, "-c", CODE.format(expression)], check=True, capture_output=True, text=True)
    print(f"{name}: {float(output.stdout):.1f} MiB", file=sys.stderr)
print("done")
