"""Numerical kernels over lists of floats: LU, successive over-relaxation, FFT, sparse products, Monte Carlo, power iteration."""
import cmath
import math


def generator(seed):
    while True:
        seed = (seed * 16807) % 2147483647
        yield seed / 2147483647


def factorise(a):
    n = len(a)
    pivots = []
    for j in range(n):
        pivot = max(range(j, n), key=lambda i: abs(a[i][j]))
        pivots.append(pivot)
        a[j], a[pivot] = a[pivot], a[j]
        scale = 1.0 / a[j][j]
        top = a[j]
        for i in range(j + 1, n):
            row = a[i]
            factor = row[j] * scale
            row[j] = factor
            for k in range(j + 1, n):
                row[k] -= factor * top[k]
    return pivots


def relax(grid, omega, rounds):
    quarter, rest = omega * 0.25, 1.0 - omega
    for _ in range(rounds):
        for i in range(1, len(grid) - 1):
            above, row, below = grid[i - 1], grid[i], grid[i + 1]
            for j in range(1, len(row) - 1):
                row[j] = quarter * (above[j] + below[j] + row[j - 1] + row[j + 1]) + rest * row[j]


def fft(values):
    n = len(values)
    if n == 1:
        return values
    even, odd = fft(values[::2]), fft(values[1::2])
    turned = [cmath.exp(-2j * cmath.pi * k / n) * odd[k] for k in range(n // 2)]
    return [e + t for e, t in zip(even, turned)] + [e - t for e, t in zip(even, turned)]


def sparse(rows, columns, values, x, rounds):
    y = [0.0] * (len(rows) - 1)
    for _ in range(rounds):
        for i in range(len(rows) - 1):
            total = 0.0
            for k in range(rows[i], rows[i + 1]):
                total += x[columns[k]] * values[k]
            y[i] = total
    return y


def monte_carlo(numbers, rounds):
    under = 0
    for _ in range(rounds):
        x, y = next(numbers), next(numbers)
        if x * x + y * y <= 1.0:
            under += 1
    return 4.0 * under / rounds


def norm(n, rounds):
    """The spectral norm of 1 / ((i + j) (i + j + 1) / 2 + i + 1), by power iteration."""
    matrix = [[1.0 / ((i + j) * (i + j + 1) // 2 + i + 1) for j in range(n)] for i in range(n)]
    columns = list(zip(*matrix))
    u = [1.0] * n
    for _ in range(rounds):
        v = [sum(a * b for a, b in zip(row, u)) for row in matrix]
        v = [sum(a * b for a, b in zip(row, v)) for row in columns]
        u, v = v, u
    length = math.sqrt(sum(a * a for a in u))
    last = [a / length for a in u]
    image = [sum(a * b for a, b in zip(row, last)) for row in matrix]
    return math.sqrt(sum(a * a for a in image))


numbers = generator(113)
matrix = [[next(numbers) for _ in range(160)] for _ in range(160)]
pivots = factorise(matrix)
grid = [[next(numbers) for _ in range(90)] for _ in range(90)]
relax(grid, 1.25, 90)
wave = fft([complex(next(numbers), 0.0) for _ in range(16384)])
rows = list(range(0, 4001, 4))
product = sparse(rows, [i * 31 % 1000 for i in range(4000)], [next(numbers) for _ in range(4000)], [1.0] * 1000, 220)
print(
    sum(pivots),
    f"{matrix[159][159]:.9f} {grid[45][45]:.9f} {abs(wave[100]):.9f} {sum(product):.6f}",
    f"{monte_carlo(numbers, 500_000):.6f} {norm(120, 20):.9f}",
)
