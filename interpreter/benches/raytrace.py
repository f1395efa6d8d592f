"""A ray tracer: vectors of floats as objects with operators, spheres and a plane, shadows, reflections."""
import math


class Vector:
    __slots__ = ("x", "y", "z")

    def __init__(self, x, y, z):
        self.x = x
        self.y = y
        self.z = z

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y, self.z + other.z)

    def __sub__(self, other):
        return Vector(self.x - other.x, self.y - other.y, self.z - other.z)

    def __mul__(self, factor):
        return Vector(self.x * factor, self.y * factor, self.z * factor)

    def dot(self, other):
        return self.x * other.x + self.y * other.y + self.z * other.z

    def length(self):
        return math.sqrt(self.dot(self))

    def unit(self):
        return self * (1.0 / self.length())

    def mirrored(self, normal):
        return self - normal * (2.0 * self.dot(normal))


class Ray:
    def __init__(self, origin, direction):
        self.origin = origin
        self.direction = direction.unit()

    def at(self, distance):
        return self.origin + self.direction * distance


class Surface:
    def __init__(self, colour, shine=0.3):
        self.colour = colour
        self.shine = shine

    def colour_at(self, point):
        return self.colour


class Checked(Surface):
    def colour_at(self, point):
        return self.colour if (math.floor(point.x) + math.floor(point.z)) % 2 else self.colour * 0.4


class Sphere:
    def __init__(self, centre, radius, surface):
        self.centre = centre
        self.radius = radius
        self.surface = surface

    def hit(self, ray):
        towards = self.centre - ray.origin
        along = towards.dot(ray.direction)
        under = self.radius * self.radius - towards.dot(towards) + along * along
        if under < 0:
            return None
        distance = along - math.sqrt(under)
        return distance if distance > 1e-6 else None

    def normal(self, point):
        return (point - self.centre).unit()


class Plane:
    def __init__(self, height, surface):
        self.height = height
        self.surface = surface
        self.up = Vector(0.0, 1.0, 0.0)

    def hit(self, ray):
        slope = ray.direction.y
        if slope > -1e-6:
            return None
        distance = (self.height - ray.origin.y) / slope
        return distance if distance > 1e-6 else None

    def normal(self, point):
        return self.up


class Scene:
    def __init__(self, things, light):
        self.things = things
        self.light = light
        self.rays = 0

    def nearest(self, ray):
        self.rays += 1
        found, best = None, math.inf
        for thing in self.things:
            distance = thing.hit(ray)
            if distance is not None and distance < best:
                found, best = thing, distance
        return found, best

    def lit(self, point):
        towards = self.light - point
        _, distance = self.nearest(Ray(point, towards))
        return distance > towards.length()

    def trace(self, ray, depth=0):
        thing, distance = self.nearest(ray)
        if thing is None:
            return Vector(0.2, 0.3, 0.5) * (1.0 - abs(ray.direction.y))
        point = ray.at(distance)
        normal = thing.normal(point)
        point = point + normal * 1e-4
        brightness = 0.15
        if self.lit(point):
            brightness += max(0.0, normal.dot((self.light - point).unit()))
        colour = thing.surface.colour_at(point) * brightness
        if depth < 3 and thing.surface.shine > 0:
            reflected = self.trace(Ray(point, ray.direction.mirrored(normal)), depth + 1)
            colour = colour * (1.0 - thing.surface.shine) + reflected * thing.surface.shine
        return colour


def render(scene, width, height):
    eye = Vector(0.0, 1.5, -9.0)
    total = Vector(0.0, 0.0, 0.0)
    pixels = bytearray()
    for row in range(height):
        for column in range(width):
            direction = Vector((column - width / 2) / width * 2, (height / 2 - row) / height * 1.4, 2.0)
            colour = scene.trace(Ray(eye, direction))
            total = total + colour
            pixels += bytes(min(255, int(255 * part)) for part in (colour.x, colour.y, colour.z))
    return total, sum(pixels)


things = [Sphere(Vector(i * 1.4 - 3.5, 0.8 + (i % 2), i * 0.5), 0.9, Surface(Vector(1.0, i / 6, 0.5), i / 10)) for i in range(6)]
scene = Scene([Plane(0.0, Checked(Vector(0.9, 0.9, 0.9))), *things], Vector(8.0, 12.0, -8.0))
total, checksum = render(scene, 180, 128)
print(f"{total.x:.6f} {total.y:.6f} {total.z:.6f} {checksum} {scene.rays}")
