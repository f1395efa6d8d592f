import contextvars
import warnings

variables = [contextvars.ContextVar(f"v{i}", default=-1) for i in range(300)]
empty = contextvars.copy_context()


def fill(step):
    for i in range(0, 300, step):
        variables[i].set((i, step))
    return contextvars.copy_context()


first = empty.run(fill, 1)
second = first.copy()
second.run(fill, 7)
print(len(empty), len(first), len(second))
print(first[variables[7]], second[variables[7]], second[variables[8]], variables[7].get())
print(sorted(first.values()) == [(i, 1) for i in range(300)], set(first) == set(variables))
print(first == first.copy(), first == second, variables[0] in empty, first.get(variables[3]))


def undo():
    tokens = [v.set("new") for v in variables]
    before = contextvars.copy_context()
    for v, token in zip(variables, tokens):
        v.reset(token)
    return before


gone = contextvars.copy_context()
made = gone.run(undo)
print(len(gone), len(made), set(made.values()))


class Bound:
    __get__ = staticmethod(lambda *args: len(args)).__func__


class Holder:
    attribute = Bound()
    native = type("Native", (), {"__get__": max})()


print(Holder().attribute, Holder.attribute)
try:
    Holder.native
except TypeError as e:
    print(type(e).__name__)


# How often it is asked depends on the seed of the hashes.
heard = set()


class Evil:
    def __hash__(self):
        return hash("name")

    def __eq__(self, other):
        heard.add("asked")
        return False


class Asked:
    name = "of the class"


asked = Asked()
asked.__dict__[Evil()] = 0
print(asked.name, heard)
heard.clear()
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    Odd = type("Odd", (Asked,), {Evil(): 1})
print(Odd.name, Odd().name, heard)

for shape in [2**64], [2**40, 2**30], [-1], [3]:
    try:
        memoryview(bytes(8)).cast("B", shape=shape)
    except Exception as e:
        print(type(e).__name__)


async def never():
    pass


with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    coroutine = never()
    coroutine.cr_frame.clear()
    coroutine.close()
print([str(w.message) for w in caught])
