# Classes go, those that threads made too, and nothing that was learnt of them is taken for what later ones are.
import gc
import threading
import weakref


class Base:
    def first(self):
        return self.a


def make(names, refs):
    cls = type("Local", (Base,), {"method": lambda self: self.b})
    refs.append(weakref.ref(cls))
    thing = cls()
    for value, name in enumerate(names):
        setattr(thing, name, value)
    return thing.first(), thing.method(), list(vars(thing))


def rounds(refs, results):
    for i in range(60):
        results.append(make("abc" if i % 2 else "cba", refs))
        if i % 20 == 0:
            gc.collect()


refs, results = [], []
rounds(refs, results)
print(sorted(set(map(str, results))))
threads = [threading.Thread(target=rounds, args=(refs, results)) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
gc.collect()
print(sorted(set(map(str, results))), len(results))
print(sum(ref() is not None for ref in refs), Base.__subclasses__())


class Old:
    pass


class New:
    pass


def swap(things, count):
    for i in range(count):
        for thing in things:
            thing.__class__ = New if i % 2 else Old
            assert thing.number == 1


things = [Old() for _ in range(10)]
for thing in things:
    thing.number = 1
threads = [threading.Thread(target=swap, args=(things, 100)) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print({type(thing).__name__ for thing in things} == {"New"})
