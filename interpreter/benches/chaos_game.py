"""The chaos game on a curve: points and vectors of floats as objects, splines with property access, a grid of counts."""
import math


class Point:
    def __init__(self, x, y, z=0.0):
        self.x = x
        self.y = y
        self.z = z

    def distance(self, other):
        return math.sqrt((self.x - other.x) ** 2 + (self.y - other.y) ** 2 + (self.z - other.z) ** 2)

    def mix(self, other, weight):
        rest = 1.0 - weight
        return Point(self.x * rest + other.x * weight, self.y * rest + other.y * weight, self.z * rest + other.z * weight)

    def __sub__(self, other):
        return Point(self.x - other.x, self.y - other.y, self.z - other.z)

    def __eq__(self, other):
        return isinstance(other, Point) and (self.x, self.y, self.z) == (other.x, other.y, other.z)

    def __repr__(self):
        return f"({self.x:.6f}, {self.y:.6f}, {self.z:.6f})"


class Curve:
    """A B-spline of any degree, evaluated by repeated mixing."""

    def __init__(self, controls, degree=3):
        self.controls = list(controls)
        self.degree = degree
        inner = len(self.controls) - degree
        self.knots = [0.0] * degree + [float(i) for i in range(inner + 1)] + [float(inner)] * degree

    @property
    def domain(self):
        return self.knots[self.degree], self.knots[len(self.knots) - 1 - self.degree]

    def span(self, u):
        low, high = self.domain
        if u >= high:
            return len(self.controls) - 1
        i = self.degree
        while self.knots[i + 1] <= u:
            i += 1
        return i

    def __call__(self, u):
        degree, knots = self.degree, self.knots
        k = self.span(u)
        points = [self.controls[k - degree + j] for j in range(degree + 1)]
        for r in range(1, degree + 1):
            for j in range(degree, r - 1, -1):
                i = k - degree + j
                weight = (u - knots[i]) / (knots[i + degree - r + 1] - knots[i])
                points[j] = points[j - 1].mix(points[j], weight)
        return points[degree]


class Game:
    def __init__(self, curves, size):
        self.curves = curves
        self.size = size
        self.grid = [[0] * size for _ in range(size)]
        self.state = 12345
        self.lengths = [self.measure(curve) for curve in curves]

    def random(self):
        self.state = (self.state * 69069 + 1) & 0xFFFFFFFF
        return self.state / 4294967296.0

    def measure(self, curve, steps=200):
        low, high = curve.domain
        total, last = 0.0, curve(low)
        for i in range(1, steps + 1):
            point = curve(low + (high - low) * i / steps)
            total += last.distance(point)
            last = point
        return total

    def pick(self):
        left = self.random() * sum(self.lengths)
        for curve, length in zip(self.curves, self.lengths):
            left -= length
            if left <= 0:
                return curve
        return self.curves[-1]

    def step(self, point):
        curve = self.pick()
        low, high = curve.domain
        target = curve(low + (high - low) * (point.x % 1.0))
        slope = curve(min(high, low + (high - low) * (point.x % 1.0) + 0.01)) - target
        return target.mix(Point(point.y, target.x, slope.y), 0.3)

    def play(self, rounds):
        point = Point(0.5, 0.5)
        for _ in range(rounds):
            point = self.step(point)
            column, row = int(point.x * self.size) % self.size, int(point.y * self.size) % self.size
            self.grid[row][column] += 1
        return point


curves = [
    Curve([Point(1.0, 0.3), Point(0.4, 0.1), Point(0.3, 0.3), Point(0.1, 0.7), Point(0.5, 0.6), Point(0.9, 0.7)]),
    Curve([Point(0.2, 0.9), Point(0.6, 0.8), Point(0.7, 0.2), Point(0.3, 0.4)], degree=2),
    Curve([Point(0.1, 0.1), Point(0.9, 0.2), Point(0.2, 0.5), Point(0.6, 0.3), Point(0.8, 0.9)]),
]
game = Game(curves, 40)
last = game.play(60_000)
print(last, sum(1 for row in game.grid for cell in row if cell), max(map(max, game.grid)), f"{sum(game.lengths):.6f}")
