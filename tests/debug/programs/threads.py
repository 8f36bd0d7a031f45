"""Threads that wait for each other, and call back out of C."""
import functools
import threading


def square(n):
    return n * n


def work(lock, n):
    for i in range(n):
        with lock:
            list(map(square, range(i)))
    return functools.reduce(lambda a, b: a + b, range(n), 0)


def main():
    lock = threading.Lock()
    threads = [threading.Thread(target=work, args=(lock, n)) for n in (3, 5)]
    for thread in threads:
        thread.start()
    work(lock, 4)
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
