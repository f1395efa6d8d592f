"""Go: random playouts on a small board; points with references, groups joined by find and union, liberties, captures."""

SIZE = 9
EMPTY, BLACK, WHITE = 0, 1, 2


class Random:
    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self.state >> 8) % n


class Group:
    __slots__ = ("colour", "stones", "liberties")

    def __init__(self, colour, point):
        self.colour = colour
        self.stones = [point]
        self.liberties = {other.index for other in point.neighbours if other.colour == EMPTY}

    def merge(self, other):
        self.stones.extend(other.stones)
        self.liberties |= other.liberties
        for point in other.stones:
            point.group = self


class Point:
    def __init__(self, index):
        self.index = index
        self.neighbours = []
        self.clear()

    def clear(self):
        self.colour = EMPTY
        self.group = None

    def connect(self, board):
        x, y = self.index % SIZE, self.index // SIZE
        for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            if 0 <= x + dx < SIZE and 0 <= y + dy < SIZE:
                self.neighbours.append(board.points[x + dx + (y + dy) * SIZE])

    def eye_of(self, colour):
        return all(other.colour == colour for other in self.neighbours)


class Board:
    def __init__(self, random):
        self.random = random
        self.points = [Point(i) for i in range(SIZE * SIZE)]
        for point in self.points:
            point.connect(self)
        self.reset()

    def reset(self):
        for point in self.points:
            point.clear()
        self.free = list(range(SIZE * SIZE))
        self.captured = {BLACK: 0, WHITE: 0}
        self.ko = None
        self.moves = 0

    def legal(self, point, colour):
        if point.colour != EMPTY or point.index == self.ko or point.eye_of(colour):
            return False
        for other in point.neighbours:
            if other.colour == EMPTY:
                return True
            own = other.colour == colour
            alone = len(other.group.liberties) == 1
            if own != alone:
                return True
        return False

    def play(self, point, colour):
        self.moves += 1
        self.ko = None
        point.colour = colour
        self.free.remove(point.index)
        group = point.group = Group(colour, point)
        taken = []
        for other in point.neighbours:
            if other.colour == EMPTY:
                continue
            other.group.liberties.discard(point.index)
            if other.colour == colour:
                if other.group is not point.group:
                    big, small = point.group, other.group
                    if len(big.stones) < len(small.stones):
                        big, small = small, big
                    big.merge(small)
            elif not other.group.liberties:
                taken.append(other.group)
        group = point.group
        group.liberties.discard(point.index)
        for victim in taken:
            self.capture(victim, colour)
        if len(taken) == 1 and len(taken[0].stones) == 1 and len(group.stones) == 1 and len(group.liberties) == 1:
            self.ko = taken[0].stones[0].index

    def capture(self, group, colour):
        if group.stones[0].colour == EMPTY:
            return
        self.captured[colour] += len(group.stones)
        for stone in group.stones:
            stone.clear()
            self.free.append(stone.index)
        for stone in group.stones:
            for other in stone.neighbours:
                if other.group is not None:
                    other.group.liberties.add(stone.index)

    def choose(self, colour):
        free = self.free
        if not free:
            return None
        start = self.random.below(len(free))
        for i in range(len(free)):
            point = self.points[free[(start + i) % len(free)]]
            if self.legal(point, colour):
                return point
        return None

    def playout(self):
        self.reset()
        colour, passes = BLACK, 0
        while passes < 2 and self.moves < 3 * SIZE * SIZE:
            point = self.choose(colour)
            if point is None:
                passes += 1
            else:
                passes = 0
                self.play(point, colour)
            colour = BLACK + WHITE - colour
        return self.score()

    def score(self):
        totals = {EMPTY: 0, BLACK: 0, WHITE: 0}
        for point in self.points:
            owner = point.colour
            if owner == EMPTY:
                owner = next((c for c in (BLACK, WHITE) if point.eye_of(c)), EMPTY)
            totals[owner] += 1
        return totals[BLACK] - totals[WHITE]


def main(games):
    board = Board(Random(42))
    scores = [board.playout() for _ in range(games)]
    return sum(scores), max(scores), min(scores), board.captured, sum(1 for score in scores if score > 0)


print(main(700))
