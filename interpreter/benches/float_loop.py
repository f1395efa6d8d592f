"""Float arithmetic: n-body, Mandelbrot set, numerical integration."""
import math

PAIRS = []
BODIES = [
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 39.47841760435743],
    [4.84143144246472, -1.16032004402743, -0.10362204447112, 0.606326392995832, 2.81198684491626, -0.02521836165988, 0.03769367487],
    [8.34336671824458, 4.12479856412431, -0.40352341711432, -1.01077434617879, 1.82566237123041, 0.008415761376584, 0.01128632613],
    [12.8943695621391, -15.1111514016986, -0.22330757889266, 1.08279100644154, 0.868713018169608, -0.01083263740136, 0.0017237240],
    [15.3796971148509, -25.9193146099879, 0.179258772950371, 0.979090732243898, 0.594698998647676, -0.03475595555078, 0.0020336868],
]


def nbody(steps, dt=0.01):
    pairs = [(a, b) for i, a in enumerate(BODIES) for b in BODIES[i + 1 :]]
    for _ in range(steps):
        for a, b in pairs:
            dx = a[0] - b[0]
            dy = a[1] - b[1]
            dz = a[2] - b[2]
            scale = dt / (dx * dx + dy * dy + dz * dz) ** 1.5
            ma = a[6] * scale
            mb = b[6] * scale
            a[3] -= dx * mb
            a[4] -= dy * mb
            a[5] -= dz * mb
            b[3] += dx * ma
            b[4] += dy * ma
            b[5] += dz * ma
        for body in BODIES:
            body[0] += dt * body[3]
            body[1] += dt * body[4]
            body[2] += dt * body[5]
    return BODIES[1][0]


def mandelbrot(size):
    inside = 0
    for row in range(size):
        y = 2.0 * row / size - 1.0
        for column in range(size):
            x = 3.0 * column / size - 2.0
            a = b = 0.0
            for _ in range(50):
                a, b = a * a - b * b + x, 2.0 * a * b + y
                if a * a + b * b > 4.0:
                    break
            else:
                inside += 1
    return inside


def integral(steps):
    width = 1.0 / steps
    total = 0.0
    for i in range(steps):
        x = (i + 0.5) * width
        total += math.sqrt(1.0 - x * x)
    return 4.0 * total * width


print(f"{nbody(40_000):.9f} {mandelbrot(270)} {integral(2_600_000):.9f}")
