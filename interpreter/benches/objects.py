"""Object-oriented code: attributes, methods, inheritance, properties, slots; a small event simulation."""


class Vector:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)

    def dot(self, other):
        return self.x * other.x + self.y * other.y


class Account:
    count = 0

    def __init__(self, owner, balance=0):
        self.owner = owner
        self._balance = balance
        self.log = []
        Account.count += 1

    @property
    def balance(self):
        return self._balance

    def deposit(self, amount):
        self._balance += amount
        self.log.append(amount)

    def fee(self):
        return 1


class Savings(Account):
    def __init__(self, owner, balance=0, rate=3):
        super().__init__(owner, balance)
        self.rate = rate

    def deposit(self, amount):
        super().deposit(amount + amount * self.rate // 100)

    def fee(self):
        return 0


class Task:
    def __init__(self, name, priority):
        self.name = name
        self.priority = priority
        self.runs = 0
        self.next = None

    def run(self, scheduler):
        self.runs += 1
        self.priority = (self.priority * 7 + scheduler.tick) % 11
        return self.priority > 5


class Scheduler:
    def __init__(self, n):
        self.tick = 0
        self.hits = 0
        head = None
        for i in range(n):
            task = Task(f"task{i}", i)
            task.next = head
            head = task
        self.head = head

    def step(self):
        task = self.head
        while task is not None:
            if task.run(self):
                self.hits += 1
            task = task.next
        self.tick += 1


def main(rounds):
    position, speed = Vector(0, 0), Vector(3, 4)
    accounts = [Account("a"), Savings("b"), Savings("c", rate=5)]
    dot = 0
    for i in range(rounds):
        position = position + speed
        dot += position.dot(speed) & 7
        account = accounts[i % 3]
        account.deposit(i & 63)
        dot += account.fee() + (account.balance & 1)
    scheduler = Scheduler(100)
    for _ in range(rounds // 100):
        scheduler.step()
    return position.x, dot, [a.balance for a in accounts], Account.count, scheduler.hits


print(main(560_000))
