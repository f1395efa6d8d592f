import math
import sys
print(7 // -2, 7 % -2, divmod(-7, 2), -7 // 2.0, 2 ** -1, (-8) ** (1 / 3))
print(round(2.5), round(3.5), round(-2.5), round(1234.5678, -2), round(2675, -1))
print(5 >> 0, 5 << True, 1 << 70, -1 >> 100, 0b1010 & ~0b10)
print(1e16, 1e15, 1e-5, 0.1 + 0.2, float("1e400"), -0.0, 5e-324)
print(complex(1, -0.0), 1j ** 2, abs(3 + 4j), complex("1+2j"))
print(int("0x1f", 16), int("-0b11", 0), int(" 12 "), f"{255:#x} {255:08b} {1e10:,.2f} {0.5:.0%}")
print((10).to_bytes(2, "big"), int.from_bytes(b"\xff\xfe", "little", signed=True), (255).bit_count())
for text in ("1_000", "1__0", "", "0x", "9" * 20):
    try:
        print(int(text))
    except ValueError as exc:
        print(exc)
# So large that they are multiplied piece by piece.
huge, prime = 3 ** 2_000_000, 2 ** 89 - 1
print(huge % prime == pow(3, 2_000_000, prime), huge * -huge % prime == -pow(9, 2_000_000, prime) % prime)
print((huge * 7 ** 300_000) % prime == pow(3, 2_000_000, prime) * pow(7, 300_000, prime) % prime)
print(math.gcd(15 ** 400, 21 ** 300) == 3 ** 300, math.gcd(2 ** 300 + 1, 2 ** 200 + 1), math.gcd(10 ** 30, 0))
print(divmod(-huge, 7 ** 300_000 + 1) == (-(huge // (7 ** 300_000 + 1)) - 1, 7 ** 300_000 + 1 - huge % (7 ** 300_000 + 1)))
quotient, rest = divmod(huge, 5 - 7 ** 300_000)
print(quotient * (5 - 7 ** 300_000) + rest == huge, 5 - 7 ** 300_000 < rest <= 0)
for root in huge, 10 ** 9_900 + 7, 2 ** 16_384, 2 ** 40_001 - 1:
    square = root * root
    print([math.isqrt(n) - root for n in (square - 1, square, square + 2 * root, square + 2 * root + 1)])
print(math.lcm(-15 ** 400, 21 ** 300) == 3 ** 400 * 5 ** 400 * 7 ** 300, math.lcm(0, huge), math.lcm(), math.lcm(-4, 6))
sys.set_int_max_str_digits(0)
text = str(-7 ** 60_000)
print(len(text), text[:9], text[-9:], int(text) == -7 ** 60_000, int("1_0" * 5_000) % 997, int("z" * 9_000, 36) == 36 ** 9_000 - 1)
1 // 0
