"""Binary trees made and dropped, as tuples, as objects and with links to the parent (cycles): the allocator and the collector."""


class Node:
    __slots__ = ("left", "right", "parent")

    def __init__(self, left, right):
        self.left = left
        self.right = right
        self.parent = None


def as_tuples(depth):
    return (as_tuples(depth - 1), as_tuples(depth - 1)) if depth else (None, None)


def count_tuples(tree):
    left, right = tree
    return 1 if left is None else 1 + count_tuples(left) + count_tuples(right)


def as_objects(depth, linked):
    if depth == 0:
        return Node(None, None)
    node = Node(as_objects(depth - 1, linked), as_objects(depth - 1, linked))
    if linked:
        node.left.parent = node.right.parent = node
    return node


def count_objects(node):
    return 1 if node.left is None else 1 + count_objects(node.left) + count_objects(node.right)


class Search:
    """An unbalanced search tree."""

    def __init__(self):
        self.root = None
        self.size = 0

    def insert(self, key):
        if self.root is None:
            self.root = [key, None, None]
            self.size = 1
            return
        node = self.root
        while True:
            if key == node[0]:
                return
            side = 1 if key < node[0] else 2
            if node[side] is None:
                node[side] = [key, None, None]
                self.size += 1
                return
            node = node[side]

    def __iter__(self):
        stack, node = [], self.root
        while stack or node is not None:
            while node is not None:
                stack.append(node)
                node = node[1]
            node = stack.pop()
            yield node[0]
            node = node[2]


def main(depth):
    kept = as_tuples(depth)
    total = 0
    for _ in range(6):
        total += count_tuples(as_tuples(depth))
        total += count_objects(as_objects(depth - 1, False))
        total += count_objects(as_objects(depth - 1, True))
    search, key = Search(), 1
    for _ in range(30_000):
        key = (key * 69069 + 12345) & 0xFFFFF
        search.insert(key >> 3)
    keys = list(search)
    return total, count_tuples(kept), search.size, keys == sorted(keys)


print(main(15))
