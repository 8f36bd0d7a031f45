import gc; gc.disable()
import threading

lock = threading.Lock()
total = 0


def step(n):
    return n * 2


def work(n):
    global total
    for i in range(n):
        with lock:
            total += step(i)


def failing():
    try:
        raise ValueError("in a thread")
    except ValueError:
        return step(1)


def produce(n):
    for i in range(n):
        yield step(i)


def consume(n):
    return sum(produce(n))


# One after the other: each thread's own events are what is compared.
for target, argument in ((work, 20), (failing, None), (consume, 10), (work, 5)):
    args = () if argument is None else (argument,)
    thread = threading.Thread(target=target, args=args)
    thread.start()
    thread.join()
print(total)
