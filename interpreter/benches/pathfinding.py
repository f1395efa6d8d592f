"""Shortest paths with heapq: A* and Dijkstra on a grid with walls, on a graph of dicts; breadth first with deque."""
import collections
import heapq


def grid(width, height, seed=7):
    walls = set()
    for y in range(height):
        for x in range(width):
            seed = (seed * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
            if (seed >> 33) % 100 < 28 and 1 < x + y < width + height - 3:
                walls.add((x, y))
    return walls


def neighbours(node, width, height, walls):
    x, y = node
    for other in ((x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)):
        if 0 <= other[0] < width and 0 <= other[1] < height and other not in walls:
            yield other


def a_star(width, height, walls):
    start, goal = (0, 0), (width - 1, height - 1)
    costs, parents = {start: 0}, {start: None}
    heap = [(0, 0, start)]
    closed = set()
    pushes = 0
    while heap:
        _, _, node = heapq.heappop(heap)
        if node == goal:
            break
        if node in closed:
            continue
        closed.add(node)
        for other in neighbours(node, width, height, walls):
            cost = costs[node] + 1
            if other not in costs or cost < costs[other]:
                costs[other] = cost
                parents[other] = node
                pushes += 1
                distance = abs(goal[0] - other[0]) + abs(goal[1] - other[1])
                heapq.heappush(heap, (cost + distance, pushes, other))
    path, node = [], goal if goal in parents else None
    while node is not None:
        path.append(node)
        node = parents[node]
    return len(path), len(closed), pushes


class Edge:
    def __init__(self, target, weight):
        self.target = target
        self.weight = weight


class Entry:
    """Compared by cost alone, through `__lt__`."""

    __slots__ = ("cost", "node")

    def __init__(self, cost, node):
        self.cost = cost
        self.node = node

    def __lt__(self, other):
        return self.cost < other.cost


def graph(count):
    edges = {i: [] for i in range(count)}
    for i in range(count):
        for k in (1, 7, 31, 113):
            edges[i].append(Edge((i * k + k) % count, (i * k) % 17 + 1 + k / 100))
    return edges


def dijkstra(edges, start):
    costs = {start: 0.0}
    heap = [Entry(0.0, start)]
    while heap:
        entry = heapq.heappop(heap)
        if entry.cost > costs[entry.node]:
            continue
        for edge in edges[entry.node]:
            cost = entry.cost + edge.weight
            if cost < costs.get(edge.target, float("inf")):
                costs[edge.target] = cost
                heapq.heappush(heap, Entry(cost, edge.target))
    return costs


def breadth_first(width, height, walls):
    queue = collections.deque([((0, 0), 0)])
    seen = {(0, 0)}
    last = 0
    while queue:
        node, last = queue.popleft()
        for other in neighbours(node, width, height, walls):
            if other not in seen:
                seen.add(other)
                queue.append((other, last + 1))
    return len(seen), last


walls = grid(230, 230)
costs = dijkstra(graph(25_000), 0)
print(a_star(230, 230, walls), len(costs), f"{sum(costs.values()):.3f}", breadth_first(230, 230, walls))
