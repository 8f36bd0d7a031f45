"""One-way constraints with strengths over chained variables: plan, then
propagate; a solver in the manner of the classic object-oriented one."""
import sys

REQUIRED, STRONG, MEDIUM, WEAK = range(4)


class Variable:
    def __init__(self, name, value=0):
        self.name = name
        self.value = value
        self.constraints = []
        self.decided_by = None
        self.strength = WEAK
        self.mark = 0

    def add(self, constraint):
        self.constraints.append(constraint)

    def consumers(self):
        return [c for c in self.constraints
                if c is not self.decided_by and c.is_satisfied()]


class Constraint:
    def __init__(self, strength, *variables):
        self.strength = strength
        self.variables = variables
        self.output = None
        for variable in variables:
            variable.add(self)

    def is_satisfied(self):
        return self.output is not None

    def inputs(self):
        return (v for v in self.variables if v is not self.output)

    def choose(self, mark):
        for variable in self.candidates():
            if variable.mark != mark and self.beats(variable):
                return variable
        return None

    def candidates(self):
        return self.variables

    def beats(self, variable):
        return (variable.decided_by is None
                or self.strength < variable.strength)

    def satisfy(self, mark):
        self.output = self.choose(mark)
        if self.output is None:
            return None
        for variable in self.inputs():
            variable.mark = mark
        overridden = self.output.decided_by
        if overridden is not None:
            overridden.output = None
        self.output.decided_by = self
        self.output.strength = self.walk_strength()
        self.output.mark = mark
        return overridden

    def walk_strength(self):
        weakest = self.strength
        for variable in self.inputs():
            weakest = max(weakest, variable.strength)
        return weakest

    def execute(self):
        pass


class Stay(Constraint):
    pass


class Edit(Constraint):
    pass


class Equal(Constraint):
    def execute(self):
        for variable in self.inputs():
            self.output.value = variable.value


class Scale(Constraint):
    def __init__(self, strength, source, factor, offset, target):
        super().__init__(strength, source, target)
        self.factor = factor
        self.offset = offset

    def execute(self):
        source, target = self.variables
        if self.output is target:
            target.value = source.value * self.factor + self.offset
        else:
            source.value = (target.value - self.offset) // self.factor


class Planner:
    def __init__(self):
        self.mark = 0

    def next_mark(self):
        self.mark += 1
        return self.mark

    def add(self, constraint):
        mark = self.next_mark()
        overridden = constraint.satisfy(mark)
        while overridden is not None:
            overridden = overridden.satisfy(mark)

    def remove(self, constraint):
        output = constraint.output
        for variable in constraint.variables:
            variable.constraints.remove(constraint)
        if output is not None:
            output.decided_by = None
            output.strength = WEAK
            for other in list(output.constraints):
                if not other.is_satisfied():
                    self.add(other)

    def plan(self, sources):
        mark = self.next_mark()
        todo, plan = list(sources), []
        while todo:
            constraint = todo.pop()
            if constraint.is_satisfied() and constraint.output.mark != mark:
                plan.append(constraint)
                constraint.output.mark = mark
                todo.extend(constraint.output.consumers())
        return plan


def chain(length):
    planner = Planner()
    variables = [Variable("v%d" % i) for i in range(length)]
    for left, right in zip(variables, variables[1:]):
        planner.add(Equal(REQUIRED, left, right))
    planner.add(Stay(MEDIUM, variables[-1]))
    edit = Edit(STRONG, variables[0])
    planner.add(edit)
    plan = planner.plan([edit])
    for value in range(10):
        variables[0].value = value
        for constraint in plan:
            constraint.execute()
    planner.remove(edit)
    return variables[-1].value


def project(length):
    planner = Planner()
    total = 0
    for i in range(length):
        source, target = Variable("s%d" % i, i), Variable("t%d" % i, i)
        planner.add(Stay(WEAK, source))
        planner.add(Scale(REQUIRED, source, 10, 1000, target))
        edit = Edit(STRONG, source)
        planner.add(edit)
        for constraint in planner.plan([edit]):
            constraint.execute()
        total += target.value
        planner.remove(edit)
    return total


def main(n):
    return sum(chain(60) + project(60) for _ in range(n))


if __name__ == "__main__":
    print(main(int(sys.argv[1])))
