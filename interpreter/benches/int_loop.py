"""Integer arithmetic in loops: sieve, Collatz, gcd, bit counting."""


def sieve(limit):
    flags = [True] * (limit + 1)
    for i in range(2, int(limit**0.5) + 1):
        if flags[i]:
            j = i * i
            while j <= limit:
                flags[j] = False
                j += i
    return sum(flags) - 2


def collatz(limit):
    longest = 0
    for start in range(1, limit):
        n, steps = start, 0
        while n != 1:
            n = n // 2 if n % 2 == 0 else 3 * n + 1
            steps += 1
        if steps > longest:
            longest = steps
    return longest


def gcd(a, b):
    while b:
        a, b = b, a % b
    return a


def bits(limit):
    total = 0
    for i in range(limit):
        while i:
            i &= i - 1
            total += 1
    return total


print(sieve(2_000_000), collatz(26_000), sum(gcd(i, 360) for i in range(120_000)), bits(120_000))
