"""Exceptions: raised and caught near and far, try/finally, with, chained, custom."""


class Problem(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.code = code


class Guard:
    def __init__(self):
        self.entered = self.caught = 0

    def __enter__(self):
        self.entered += 1
        return self

    def __exit__(self, kind, value, traceback):
        if kind is not None:
            self.caught += 1
        return True


def deep(n):
    if n == 0:
        raise Problem(7)
    return deep(n - 1)


def convert(text):
    try:
        return int(text)
    except ValueError:
        return -1
    finally:
        convert.calls += 1


convert.calls = 0


def main(rounds):
    total = 0
    table = {"a": 1}
    guard = Guard()
    for i in range(rounds):
        try:
            total += table["a" if i % 2 else "b"]
        except KeyError:
            total += 2
        total += convert("12" if i % 3 else "x")
        with guard:
            if i % 4 == 0:
                raise Problem(i)
        if i % 10 == 0:
            try:
                deep(8)
            except Problem as problem:
                total += problem.code
        try:
            try:
                None.missing
            except AttributeError as error:
                if i % 5 == 0:
                    raise RuntimeError("chained") from error
        except RuntimeError as error:
            total += error.__cause__ is not None
    return total, guard.entered, guard.caught, convert.calls


print(main(260_000))
