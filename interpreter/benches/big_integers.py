"""Big integers: digits of pi, factorials, modular powers, Fibonacci numbers, conversion to and from text."""
# native
import sys

sys.set_int_max_str_digits(0)


def pi_digits(count):
    digits = []
    q, r, t, k, n, l = 1, 0, 1, 1, 3, 3
    while len(digits) < count:
        if 4 * q + r - t < n * t:
            digits.append(str(n))
            q, r, n = 10 * q, 10 * (r - n * t), 10 * (3 * q + r) // t - 10 * n
        else:
            q, r, t, k, n, l = q * k, (2 * q + r) * l, t * l, k + 1, (q * (7 * k + 2) + r * l) // (t * l), l + 2
    return "".join(digits)


def factorial(n):
    result = 1
    for i in range(2, n + 1):
        result *= i
    return result


def fibonacci(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


prime = 2**521 - 1
powers = sum(pow(3, prime - 1 - i, prime) & 0xFF for i in range(500))
text = str(factorial(3000))
product = 1
for i in range(40):
    product = product * (7**2000 + i) % 11**1500
print(pi_digits(2200)[-10:], len(text), int(text) == factorial(3000), powers, fibonacci(60_000) % 10**10, product & 0xFFFF)
