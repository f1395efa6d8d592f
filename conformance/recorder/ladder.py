"""How far does an interpreter get with one module: starts, parses, compiles, imports.

    ladder.py NAME PATH

Prints one line for each rung reached, and for the first that is not, what stopped it. It needs nothing but builtins, so
that it speaks where the recorder cannot yet import unittest.
"""

import sys


def stopped(rung, exc):
    where = ""
    tb = exc.__traceback__
    while tb is not None:
        where = "%s|%s|%s" % (tb.tb_frame.f_code.co_filename, tb.tb_frame.f_code.co_name, tb.tb_lineno)
        tb = tb.tb_next
    print("LADDER stopped " + rung)
    print("LADDER type " + type(exc).__name__)
    print("LADDER frame " + where)
    print("LADDER message " + ascii(str(exc))[1:-1])


def main(name, path):
    print("LADDER reached starts")
    rung = "parses"
    try:
        with open(path, "rb") as file:
            source = file.read()
        compile(source, path, "exec", 0x400)
        print("LADDER reached parses")
        rung = "compiles"
        compile(source, path, "exec")
        print("LADDER reached compiles")
        rung = "imports"
        __import__(name)
        print("LADDER reached imports")
    except BaseException as exc:
        stopped(rung, exc)


main(sys.argv[1], sys.argv[2])
