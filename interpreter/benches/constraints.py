"""A solver of one-way constraints in objects, deltablue-like: strengths, plans, chains of equalities and scaled values."""

REQUIRED, STRONG, NORMAL, WEAK = range(4)
FREE = 4


class Variable:
    def __init__(self, name, value=0):
        self.name = name
        self.value = value
        self.constraints = []
        self.determined_by = None
        self.strength = FREE
        self.mark = 0


class Constraint:
    """Determines one of its variables from the others, unless a stronger one does so."""

    def __init__(self, strength, *variables):
        self.strength = strength
        self.variables = variables
        self.output = None
        for variable in variables:
            variable.constraints.append(self)

    @property
    def satisfied(self):
        return self.output is not None

    def candidates(self):
        return self.variables

    def choose(self, mark):
        """The output: of the variables that are not yet settled, the one that the weakest determines."""
        best, weakest = None, self.strength
        for variable in self.candidates():
            if variable.mark != mark and variable.strength > weakest:
                best, weakest = variable, variable.strength
        return best

    def inputs(self):
        return [variable for variable in self.variables if variable is not self.output]

    def outgoing_strength(self):
        strength = self.strength
        for variable in self.inputs():
            if variable.strength > strength:
                strength = variable.strength
        return strength

    def execute(self):
        raise NotImplementedError


class Stay(Constraint):
    def execute(self):
        pass


class Edit(Constraint):
    def __init__(self, strength, variable):
        super().__init__(strength, variable)
        self.wanted = 0

    def execute(self):
        self.output.value = self.wanted


class Equal(Constraint):
    def execute(self):
        first, second = self.variables
        if self.output is second:
            second.value = first.value
        else:
            first.value = second.value


class Scaled(Constraint):
    """target = source * scale + offset; the scale and offset are read only."""

    def candidates(self):
        return self.variables[:2]

    def execute(self):
        source, target, scale, offset = self.variables
        if self.output is target:
            target.value = source.value * scale.value + offset.value
        else:
            source.value = (target.value - offset.value) // scale.value


class Solver:
    def __init__(self):
        self.mark = 0
        self.added = 0

    def add(self, constraint):
        self.added += 1
        self.mark += 1
        ousted = self.satisfy(constraint)
        while ousted is not None:
            ousted = self.satisfy(ousted)
        return constraint

    def satisfy(self, constraint):
        output = constraint.choose(self.mark)
        if output is None:
            if constraint.strength == REQUIRED:
                raise ValueError("a required constraint cannot be satisfied")
            constraint.output = None
            return None
        for variable in constraint.variables:
            if variable is not output:
                variable.mark = self.mark
        ousted = output.determined_by
        if ousted is not None:
            ousted.output = None
        constraint.output = output
        output.determined_by = constraint
        self.propagate(output)
        output.mark = self.mark
        return ousted

    def propagate(self, variable):
        todo = [variable]
        while todo:
            changed = todo.pop()
            constraint = changed.determined_by
            changed.strength = constraint.outgoing_strength() if constraint is not None else FREE
            if constraint is not None:
                constraint.execute()
            for other in changed.constraints:
                if other is not constraint and other.satisfied:
                    todo.append(other.output)

    def remove(self, constraint):
        output, constraint.output = constraint.output, None
        for variable in constraint.variables:
            variable.constraints.remove(constraint)
        if output is None:
            return
        output.determined_by = None
        self.propagate(output)
        waiting = [other for other in output.constraints if not other.satisfied]
        for other in sorted(waiting, key=lambda each: each.strength):
            self.add(other)

    def plan(self, edit):
        """The constraints downstream of an edit, in the order that executes them."""
        steps, todo = [], [edit]
        while todo:
            constraint = todo.pop()
            steps.append(constraint)
            output = constraint.output
            for other in output.constraints:
                if other is not constraint and other.satisfied and other.output is not output:
                    todo.append(other)
        return steps


def change(solver, variable, values):
    edit = solver.add(Edit(STRONG, variable))
    plan = solver.plan(edit)
    for value in values:
        edit.wanted = value
        for constraint in plan:
            constraint.execute()
    solver.remove(edit)
    return len(plan)


def chain(length):
    solver = Solver()
    variables = [Variable(f"v{i}") for i in range(length + 1)]
    solver.add(Stay(WEAK, variables[-1]))
    for left, right in zip(variables, variables[1:]):
        solver.add(Equal(REQUIRED, left, right))
    steps = change(solver, variables[0], range(60))
    steps += change(solver, variables[-1], range(100, 140))
    return steps, variables[0].value, variables[-1].value, solver.added


def projection(count):
    solver = Solver()
    scale, offset = Variable("scale", 10), Variable("offset", 1000)
    solver.add(Stay(REQUIRED, scale))
    solver.add(Stay(REQUIRED, offset))
    pairs = []
    for i in range(count):
        source, target = Variable(f"s{i}", i), Variable(f"t{i}", i)
        solver.add(Stay(NORMAL, source))
        solver.add(Scaled(REQUIRED, source, target, scale, offset))
        pairs.append((source, target))
    total = 0
    for source, target in pairs[::5]:
        change(solver, source, (17, 18))
        total += target.value
        change(solver, target, (2050, 1050))
        total += source.value
    return total, sum(target.value for _, target in pairs), solver.added


print([chain(length) for length in range(300, 1000, 100)], projection(4000))
