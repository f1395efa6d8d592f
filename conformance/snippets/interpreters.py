# An interpreter's objects are its own, whatever threads start in another one afterwards.
import gc
import threading

import _interpreters

other = _interpreters.create()
print(_interpreters.exec(other, "class Mark: pass\nkept = [Mark() for _ in range(5)]"))


def marks():
    return sum(type(o).__name__ == "Mark" for o in gc.get_objects())


wake = threading.Event()
threads = [threading.Thread(target=wake.wait) for _ in range(5)]
print(marks())
for thread in threads:
    thread.start()
print(marks())
wake.set()
for thread in threads:
    thread.join()
print(_interpreters.exec(other, "import gc\nassert sum(type(o) is Mark for o in gc.get_objects()) == 5"))
_interpreters.destroy(other)
