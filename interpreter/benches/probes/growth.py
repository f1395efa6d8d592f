"""Seconds that one operation takes at one size, by the process's CPU clock. Usage: growth.py OPERATION SIZE [LEAST SECONDS]."""
import sys
import time

sys.set_int_max_str_digits(0)


def numbers(n, seed=1):
    values = []
    for _ in range(n):
        seed = (seed * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        values.append(seed >> 16)
    return values


# Each operation is a function from what its `prepare` makes to nothing; only the function is timed.


def list_append(n):
    items = []
    for i in range(n):
        items.append(i)


def dict_insert(n):
    table = {}
    for i in range(n):
        table[i] = i


def dict_insert_text(keys):
    table = {}
    for key in keys:
        table[key] = key


def string_join(parts):
    ",".join(parts)


def string_add(n):
    text = ""
    for i in range(n):
        text += "ab"


def sort_random(values):
    sorted(values)


def sort_text(texts):
    sorted(texts)


def recursion(n):
    def down(n):
        return n and down(n - 1)

    down(n)


def set_operations(pair):
    left, right = pair
    left | right, left & right, left - right, left ^ right, left <= right


def int_multiply(pair):
    pair[0] * pair[1]


def int_to_text(value):
    str(value)


def text_to_int(text):
    int(text)


def digits(n, first):
    return int((first * (n // len(first) + 1))[:n])


def prepare_recursion(n):
    sys.setrecursionlimit(n + 1000)
    return n


def prepare_sets(n):
    values = numbers(n)
    return set(values), set(values[: n // 2] + numbers(n // 2, seed=9))


OPERATIONS = {
    "list_append": (int, list_append),
    "dict_insert": (int, dict_insert),
    "dict_insert_text": (lambda n: [f"key {value}" for value in numbers(n)], dict_insert_text),
    "string_join": (lambda n: [f"part {i}" for i in range(n)], string_join),
    "string_add": (int, string_add),
    "sort_random": (numbers, sort_random),
    "sort_text": (lambda n: [f"text {value}" for value in numbers(n)], sort_text),
    "recursion": (prepare_recursion, recursion),
    "set_operations": (prepare_sets, set_operations),
    "int_multiply": (lambda n: (digits(n, "1234567"), digits(n, "7654321")), int_multiply),
    "int_to_text": (lambda n: digits(n, "1234567"), int_to_text),
    "text_to_int": (lambda n: "1234567" * (n // 7 + 1), text_to_int),
}


def best(operation, argument, least):
    """The shortest of at least three samples, or of one that is very long; a sample repeats what is too short for the clock."""
    repeat = 1
    while True:
        start = time.process_time()
        for _ in range(repeat):
            operation(argument)
        taken = time.process_time() - start
        if taken >= least / 10 or repeat >= 1 << 20:
            break
        repeat *= 4
    shortest, total, samples = taken, taken, 1
    while (total < least or samples < 3) and total < 40 * least:
        start = time.process_time()
        for _ in range(repeat):
            operation(argument)
        taken = time.process_time() - start
        shortest = min(shortest, taken)
        total += taken
        samples += 1
    return shortest / repeat


if __name__ == "__main__":
    name, size, *least = sys.argv[1:]
    prepare, operation = OPERATIONS[name]
    print(best(operation, prepare(int(size)), float(least[0]) if least else 0.05))
