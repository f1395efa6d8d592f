# Functions of modules that come from stored code: what is seen of them before and after they first run.
import gc
import importlib
import os
import py_compile
import sys
import tempfile
import traceback

SOURCE = '''
"""Module."""
def outer(a, b=2, *args, key=None, **rest):
    "Adds up."
    total = a + b + len(args)
    def inner(x):
        return x + total
    return inner
def plain(x):
    y = x * 2
    return y
def broken(x):
    z = 1
    return z / x
def counting(n):
    """Counts."""
    try:
        for i in range(n):
            yield i
    finally:
        print("closed")
async def waiting():
    return 1
def member(x):
    return x in {1, "two", (3, 4)}
class Kind:
    """A kind."""
    field = 1
    def method(self):
        "Of the class."
        return self.field
    @property
    def value(self):
        return self.method() + 1
square = lambda n: n * n
'''

folder = tempfile.mkdtemp()
path = os.path.join(folder, "late_module.py")
with open(path, "w") as file:
    file.write(SOURCE)
py_compile.compile(path)
sys.path.insert(0, folder)
m = importlib.import_module("late_module")

print("Adds up." in gc.get_referents(m.outer), m.outer in gc.get_referrers(m.outer.__doc__), "Of the class." in gc.get_referents(m.Kind.method))
print(m.outer.__doc__, m.plain.__doc__, m.counting.__doc__, m.Kind.method.__doc__, m.Kind.__doc__)
code = m.outer.__code__
print(code.co_varnames, code.co_cellvars, code.co_freevars, code.co_argcount, code.co_kwonlyargcount, code.co_flags)
print(code.co_name, code.co_qualname, code.co_firstlineno, os.path.basename(code.co_filename))
print([c.co_qualname for c in code.co_consts if hasattr(c, "co_name")])
print(code == m.outer.__code__, hash(code) == hash(m.outer.__code__), code != m.plain.__code__)
print(m.outer(1)(3), m.outer(1, 2, 3, 4, key=5, other=6)(1), m.square(7), m.member((3, 4)), m.member(5))
print(m.Kind().value, m.Kind.value.fget.__qualname__)

# A doc string stays when the code goes.
m.plain.__doc__ = "given"
print(m.plain.__doc__)
del m.plain.__doc__
print(m.plain.__doc__)
m.Kind.method.__code__ = (lambda self: 5).__code__
print(m.Kind.method.__doc__, m.Kind().value)

# Exceptions in the first call, and before the first instruction.
try:
    m.broken(0)
except ZeroDivisionError as e:
    print([(frame.name, frame.lineno) for frame in traceback.extract_tb(e.__traceback__)][1:])
waits = m.counting(3)
try:
    waits.throw(KeyError("early"))
except KeyError as e:
    print(e, e.__traceback__.tb_next.tb_lineno, e.__traceback__.tb_next.tb_frame.f_code.co_name)
print(list(m.counting(2)))
coroutine = m.waiting()
try:
    coroutine.send(None)
except StopIteration as e:
    print(e.value)

# Tracing sees the first call as any other.
importlib.reload(m)
seen = []
def trace(frame, event, argument):
    if frame.f_code.co_filename == path:
        seen.append((event, frame.f_code.co_name, frame.f_lineno))
        return trace
sys.settrace(trace)
m.plain(1)
next(m.counting(1))
sys.settrace(None)
print(seen)
