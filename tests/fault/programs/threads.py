"""threads.py: a thousand short threads, then 300 at once, then daemons that
are still running at the end, through threading and _thread."""
import _thread
import threading
import time


def step(i):
    return i + 1


def short(n):
    for i in range(n):
        step(i)


def parallel(n):
    gate.wait()
    for i in range(n):
        other(i)


def other(i):
    return i - 1


def raw(n):
    for i in range(n):
        third(i)
    done.append(n)


def third(i):
    return -i


def forever():
    while True:
        time.sleep(0.01)


def before():
    return 0


done = []
gate = threading.Barrier(300)
for _ in range(1000):
    thread = threading.Thread(target=short, args=(10,))
    thread.start()
    thread.join()
threads = [threading.Thread(target=parallel, args=(50,)) for _ in range(300)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for _ in range(20):
    _thread.start_new_thread(raw, (5,))
while len(done) < 20:
    time.sleep(0.001)
for _ in range(5):
    threading.Thread(target=forever, daemon=True).start()
before()
print("end")
