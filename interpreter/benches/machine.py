"""A stack machine interpreted: decoding by `match`, by chains of comparisons and through a table of methods."""

PUSH, LOAD, STORE, ADD, SUB, MUL, LESS, JUMP, BRANCH, DUP, HALT = range(11)

# The sum of i * i for i below n, which stands in slot 0.
PROGRAM = [
    (PUSH, 0), (STORE, 1), (PUSH, 0), (STORE, 2),
    (LOAD, 1), (LOAD, 0), (LESS, None), (BRANCH, 17),
    (LOAD, 1), (DUP, None), (MUL, None), (LOAD, 2), (ADD, None), (STORE, 2),
    (LOAD, 1), (PUSH, 1), (JUMP, 18),
    (HALT, None),
    (ADD, None), (STORE, 1), (JUMP, 4),
]  # fmt: skip


def by_match(program, n):
    stack, slots, at = [], [n, 0, 0], 0
    while True:
        instruction = program[at]
        at += 1
        match instruction:
            case (0, value):
                stack.append(value)
            case (1, slot):
                stack.append(slots[slot])
            case (2, slot):
                slots[slot] = stack.pop()
            case (3, None):
                right = stack.pop()
                stack[-1] += right
            case (5, None):
                right = stack.pop()
                stack[-1] *= right
            case (6, None):
                right = stack.pop()
                stack[-1] = stack[-1] < right
            case (7, target):
                at = target
            case (8, target):
                if not stack.pop():
                    at = target
            case (9, None):
                stack.append(stack[-1])
            case _:
                return slots[2]


def by_comparison(program, n):
    stack, slots, at = [], [n, 0, 0], 0
    push, pop = stack.append, stack.pop
    while True:
        code, argument = program[at]
        at += 1
        if code == PUSH:
            push(argument)
        elif code == LOAD:
            push(slots[argument])
        elif code == STORE:
            slots[argument] = pop()
        elif code == ADD:
            right = pop()
            stack[-1] += right
        elif code == MUL:
            right = pop()
            stack[-1] *= right
        elif code == LESS:
            right = pop()
            stack[-1] = stack[-1] < right
        elif code == JUMP:
            at = argument
        elif code == BRANCH:
            if not pop():
                at = argument
        elif code == DUP:
            push(stack[-1])
        else:
            return slots[2]


class Machine:
    def __init__(self, program, n):
        self.stack = []
        self.slots = [n, 0, 0]
        self.at = 0
        self.running = True
        names = {PUSH: "push", LOAD: "load", STORE: "store", ADD: "add", MUL: "mul", LESS: "less"}
        names |= {JUMP: "jump", BRANCH: "branch", DUP: "dup", HALT: "halt"}
        self.steps = [(getattr(self, names[code]), argument) for code, argument in program]

    def push(self, value):
        self.stack.append(value)

    def load(self, slot):
        self.stack.append(self.slots[slot])

    def store(self, slot):
        self.slots[slot] = self.stack.pop()

    def add(self, _):
        right = self.stack.pop()
        self.stack[-1] += right

    def mul(self, _):
        right = self.stack.pop()
        self.stack[-1] *= right

    def less(self, _):
        right = self.stack.pop()
        self.stack[-1] = self.stack[-1] < right

    def jump(self, target):
        self.at = target

    def branch(self, target):
        if not self.stack.pop():
            self.at = target

    def dup(self, _):
        self.stack.append(self.stack[-1])

    def halt(self, _):
        self.running = False

    def run(self):
        while self.running:
            method, argument = self.steps[self.at]
            self.at += 1
            method(argument)
        return self.slots[2]


n = 90_000
print(by_match(PROGRAM, n), by_comparison(PROGRAM, n), Machine(PROGRAM, n).run())
