import gc; gc.disable()


def primes(n):
    found = []
    for candidate in range(2, n):
        for prime in found:
            if candidate % prime == 0:
                break
        else:
            found.append(candidate)
    return found


def collatz(n):
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
        if steps > 1000:
            break
    else:
        return steps
    return -1


def logic(a, b, c):
    return (a and b or c, not a or (b and not c), a if b else c,
            1 < a < 10 <= b, a is None or b is not None)


def nested():
    total = 0
    for i in range(5):
        for j in range(5):
            if j > i:
                continue
            if i * j == 12:
                break
            total += (i ^ j) + (i << 1) - (j >> 1)
        else:
            total += 100
    return total


print(primes(60), collatz(27), nested())
print([logic(a, b, c) for a in (0, 5) for b in (0, 20) for c in (0, None)])
matrix = [[i * j for j in range(6)] for i in range(6)]
print(sum(matrix[i][-i - 1] for i in range(6)), matrix[2][1:4:2])
text = ""
for i, (a, b) in enumerate(zip("abc", "xyz")):
    text += a * i + b
del matrix[0][0]
matrix[1][2] = matrix[1][2] or 7
print(text, (n := len(text)) > 3 and n, *matrix[0])
