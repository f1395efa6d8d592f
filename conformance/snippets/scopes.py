x = "global"


def outer(a, /, b, *args, c=3, **kwargs):
    x = "outer"

    def inner():
        nonlocal x
        x += "!"
        return x, [x for x in range(2)], (lambda: x)()

    return inner(), a, b, args, c, kwargs


print(outer(1, 2, 4, c=5, d=6), outer.__defaults__, outer.__kwdefaults__, outer.__code__.co_varnames)
for call in ("outer()", "outer(1, 2, b=3)", "outer(a=1, b=2)", "outer(1, *[2], **{'c': 1, 'c2': 2})", "outer(*1)", "outer(1, 2, **{1: 2})"):
    try:
        print(eval(call))
    except TypeError as exc:
        print(exc)


class Scope:
    x = "class"
    values = [x for _ in range(1)]
    method = lambda self: x


print(Scope.values, Scope().method(), (walrus := 5) + walrus)
exec("y = x + '?'", globals(), scope := {})
print(scope)
del x
print(x)
