"""Long arithmetic loops with hardly a call: the cheapest for a call hook, the
dearest for a hook on each instruction."""
import sys

BODIES = [
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 39.5],
    [4.8, -1.2, -0.1, 0.6, 2.8, -0.02, 0.038],
    [8.3, 4.1, -0.4, -1.0, 1.8, 0.008, 0.011],
    [12.9, -15.1, -0.2, 1.1, 0.9, -0.01, 0.0017],
    [15.4, -25.9, 0.2, 1.0, 0.6, -0.03, 0.002],
]


def advance(bodies, steps, dt):
    for _ in range(steps):
        for i, a in enumerate(bodies):
            for b in bodies[i + 1:]:
                dx = a[0] - b[0]
                dy = a[1] - b[1]
                dz = a[2] - b[2]
                mag = dt / (dx * dx + dy * dy + dz * dz) ** 1.5
                bm = b[6] * mag
                am = a[6] * mag
                a[3] -= dx * bm
                a[4] -= dy * bm
                a[5] -= dz * bm
                b[3] += dx * am
                b[4] += dy * am
                b[5] += dz * am
        for body in bodies:
            body[0] += dt * body[3]
            body[1] += dt * body[4]
            body[2] += dt * body[5]


def main(n):
    bodies = [list(body) for body in BODIES]
    advance(bodies, n, 0.01)
    return round(sum(body[0] for body in bodies), 9)


if __name__ == "__main__":
    print(main(int(sys.argv[1])))
