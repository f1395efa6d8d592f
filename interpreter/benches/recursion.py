"""Recursion: fib, Ackermann, permutations by recursion."""
import sys


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def ackermann(m, n):
    if m == 0:
        return n + 1
    if n == 0:
        return ackermann(m - 1, 1)
    return ackermann(m - 1, ackermann(m, n - 1))


def queens(n, row, columns, rising, falling):
    if row == n:
        return 1
    count = 0
    for column in range(n):
        if not (columns >> column & 1 or rising >> (row + column) & 1 or falling >> (row - column + n) & 1):
            count += queens(n, row + 1, columns | 1 << column, rising | 1 << row + column, falling | 1 << row - column + n)
    return count


sys.setrecursionlimit(50_000)
print(fib(33), ackermann(2, 600), queens(10, 0, 0, 0, 0))
