import warnings


def raises():
    try:
        {}["key"]
    except KeyError as exc:
        exc.add_note("a note")
        raise ValueError("converted") from exc


try:
    raises()
except ValueError as exc:
    print(repr(exc), repr(exc.__cause__), exc.__suppress_context__, exc.__cause__.__notes__)
try:
    raise ExceptionGroup("group", [ValueError(1), ExceptionGroup("inner", [TypeError(2), OSError(3, "text")])])
except* TypeError as group:
    print("types", group.exceptions)
except* (ValueError, OSError) as group:
    print("others", group)
for code in ("f(", "x = = 1", "return 1", "def f(a, a): pass", "'abc", "  x", "a b", "f'{x!z}'", "nonlocal x", "1 = x"):
    try:
        compile(code, "<code>", "exec")
    except SyntaxError as exc:
        print(type(exc).__name__, exc.msg, exc.lineno, exc.offset, exc.end_offset)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    compile("1 is 1", "<code>", "eval")
    warnings.warn("told", DeprecationWarning, stacklevel=1)
    print([(item.category.__name__, str(item.message)) for item in caught])
raises()
