"""A little operating system: tasks of several classes exchange packets through
queues under a scheduler.  Many short methods, attributes, isinstance."""
import sys


class Packet:
    def __init__(self, kind, value):
        self.kind = kind
        self.value = value
        self.next = None


class Queue:
    def __init__(self):
        self.first = None
        self.last = None
        self.length = 0

    def put(self, packet):
        packet.next = None
        if self.last is None:
            self.first = packet
        else:
            self.last.next = packet
        self.last = packet
        self.length += 1

    def take(self):
        packet = self.first
        self.first = packet.next
        if self.first is None:
            self.last = None
        self.length -= 1
        return packet

    def is_empty(self):
        return self.first is None


class Task:
    def __init__(self, system, name, priority):
        self.system = system
        self.name = name
        self.priority = priority
        self.inbox = Queue()
        self.held = False
        self.runs = 0
        system.add(self)

    def ready(self):
        return not self.held and not self.inbox.is_empty()

    def run(self):
        self.runs += 1
        self.handle(self.inbox.take())

    def send(self, name, packet):
        self.system.deliver(name, packet)

    def handle(self, packet):
        raise NotImplementedError


class Worker(Task):
    def __init__(self, system, name, priority, out):
        super().__init__(system, name, priority)
        self.out = out
        self.sum = 0

    def mix(self, value):
        return (value * 1103515245 + 12345) & 0x7FFFFFFF

    def handle(self, packet):
        packet.value = self.mix(packet.value)
        self.sum = (self.sum + packet.value) & 0xFFFF
        self.send(self.out, packet)


class Device(Task):
    def __init__(self, system, name, priority, out):
        super().__init__(system, name, priority)
        self.out = out
        self.pending = []

    def handle(self, packet):
        if packet.kind == "write":
            self.pending.append(packet)
            if len(self.pending) >= 4:
                self.flush()
        else:
            self.send(self.out, packet)

    def flush(self):
        for packet in self.pending:
            packet.kind = "read"
            self.send(self.out, packet)
        self.pending.clear()


class Source(Task):
    def __init__(self, system, name, priority, workers, budget):
        super().__init__(system, name, priority)
        self.workers = workers
        self.budget = budget

    def choose(self, value):
        return self.workers[value % len(self.workers)]

    def handle(self, packet):
        if self.budget == 0:
            return
        self.budget -= 1
        packet.kind = "write" if packet.value & 1 else "read"
        self.send(self.choose(packet.value), packet)


class System:
    def __init__(self):
        self.tasks = []
        self.by_name = {}
        self.steps = 0

    def add(self, task):
        self.by_name[task.name] = task
        self.tasks.append(task)
        self.tasks.sort(key=lambda task: -task.priority)

    def deliver(self, name, packet):
        self.by_name[name].inbox.put(packet)

    def next_task(self):
        for task in self.tasks:
            if task.ready():
                return task
        return None

    def run(self):
        while (task := self.next_task()) is not None:
            self.steps += 1
            task.run()


def main(n):
    total = 0
    for seed in range(n):
        system = System()
        source = Source(system, "source", 1, ["a", "b", "c"], 400)
        workers = [Worker(system, name, 3, out)
                   for name, out in (("a", "disk"), ("b", "net"), ("c", "b"))]
        Device(system, "disk", 5, "source")
        Device(system, "net", 4, "source")
        for i in range(8):
            source.inbox.put(Packet("read", seed * 8 + i))
        system.run()
        total += system.steps + sum(worker.sum for worker in workers)
    return total


if __name__ == "__main__":
    print(main(int(sys.argv[1])))
