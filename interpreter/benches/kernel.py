"""An operating system's kernel in objects, richards-like: tasks of several classes hand packets to each other by priority."""

IDLE, WORKER, HANDLER, READER, WRITER = range(5)
READY, WAITING, HELD = "ready", "waiting", "held"


class Packet:
    def __init__(self, kind, owner):
        self.kind = kind
        self.owner = owner
        self.next = None
        self.cursor = 0
        self.data = [0, 0, 0, 0]


class Queue:
    def __init__(self):
        self.first = self.last = None

    def put(self, packet):
        packet.next = None
        if self.first is None:
            self.first = packet
        else:
            self.last.next = packet
        self.last = packet

    def take(self):
        packet = self.first
        if packet is not None:
            self.first = packet.next
            packet.next = None
        return packet

    def empty(self):
        return self.first is None


class Task:
    def __init__(self, kernel, number, priority):
        self.kernel = kernel
        self.number = number
        self.priority = priority
        self.inbox = Queue()
        self.state = READY
        self.runs = 0
        kernel.add(self)

    def runnable(self):
        return self.state == READY or (self.state == WAITING and not self.inbox.empty())

    def run(self):
        self.runs += 1
        self.state = READY
        self.step(self.inbox.take())

    def wait(self):
        self.state = WAITING

    def hold(self):
        self.state = HELD

    def step(self, packet):
        raise NotImplementedError


class Idle(Task):
    def __init__(self, kernel, number, priority, rounds):
        super().__init__(kernel, number, priority)
        self.left = rounds
        self.seed = 1

    def step(self, packet):
        self.left -= 1
        if self.left == 0:
            return self.kernel.stop()
        self.seed = (self.seed * 75 + 74) % 65537
        self.kernel.release(READER if self.seed & 1 else WRITER)


class Worker(Task):
    def __init__(self, kernel, number, priority):
        super().__init__(kernel, number, priority)
        self.target = HANDLER
        self.letter = 0

    def step(self, packet):
        if packet is None:
            return self.wait()
        for i in range(len(packet.data)):
            self.letter = self.letter % 26 + 1
            packet.data[i] = self.letter
        packet.cursor = 0
        self.kernel.send(self.target, packet, self)


class Handler(Task):
    def __init__(self, kernel, number, priority):
        super().__init__(kernel, number, priority)
        self.devices = (READER, WRITER)
        self.turn = 0

    def step(self, packet):
        if packet is None:
            return self.wait()
        if packet.cursor == len(packet.data):
            self.kernel.send(WORKER, packet, self)
            return
        self.turn ^= 1
        self.kernel.send(self.devices[self.turn], packet, self)


class Device(Task):
    def __init__(self, kernel, number, priority):
        super().__init__(kernel, number, priority)
        self.pending = None
        self.total = 0

    def step(self, packet):
        if self.pending is None:
            if packet is None:
                return self.wait()
            self.pending = packet
            return self.hold()
        if packet is not None:
            self.inbox.put(packet)
        done, self.pending = self.pending, None
        self.total += done.data[done.cursor]
        done.cursor += 1
        self.kernel.send(HANDLER, done, self)


class Kernel:
    def __init__(self):
        self.tasks = []
        self.order = []
        self.sent = self.switches = 0
        self.running = True

    def add(self, task):
        self.tasks.append(task)
        self.order = sorted(self.tasks, key=lambda each: -each.priority)

    def send(self, number, packet, sender):
        packet.owner = sender
        self.sent += 1
        self.tasks[number].inbox.put(packet)

    def release(self, number):
        task = self.tasks[number]
        if task.state == HELD:
            task.state = READY

    def stop(self):
        self.running = False

    def loop(self):
        while self.running:
            for task in self.order:
                if task.runnable():
                    self.switches += 1
                    task.run()
                    break


def main(rounds):
    kernel = Kernel()
    Idle(kernel, IDLE, 0, rounds)
    Worker(kernel, WORKER, 10)
    Handler(kernel, HANDLER, 20)
    Device(kernel, READER, 30)
    Device(kernel, WRITER, 40)
    for kind in range(6):
        kernel.send(WORKER, Packet(kind, None), None)
    kernel.loop()
    return kernel.sent, kernel.switches, [task.runs for task in kernel.tasks], kernel.tasks[READER].total, kernel.tasks[WRITER].total


print(main(150_000))
