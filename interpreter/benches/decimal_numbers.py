"""decimal: bills rounded to the cent, contexts, digits of pi and e, square roots, logarithms, comparison, text both ways."""
# native: _decimal
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal, getcontext, localcontext

CENT = Decimal("0.01")


def bills(count):
    basic, tax, surcharge = Decimal("0.0013"), Decimal("0.0675"), Decimal("0.0341")
    total = taxes = Decimal(0)
    texts = 0
    for i in range(count):
        price = (Decimal(i * 37 % 4096) * basic).quantize(CENT, ROUND_HALF_EVEN)
        own = (price * tax).quantize(CENT, ROUND_DOWN)
        amount = price + own
        if i & 1:
            amount += (price * surcharge).quantize(CENT, ROUND_DOWN)
        total += amount
        taxes += own
        texts += len(str(amount))
    return total, taxes, texts


def pi(digits):
    with localcontext() as context:
        context.prec = digits + 2
        three = Decimal(3)
        last, t, s, n, na, d, da = 0, three, three, 1, 0, 0, 24
        while s != last:
            last = s
            n, na = n + na, na + 8
            d, da = d + da, da + 32
            t = (t * n) / d
            s += t
    with localcontext() as context:
        context.prec = digits
        return +s


def functions(count):
    total = Decimal(0)
    for i in range(1, count):
        x = Decimal(i) / 7
        total += x.sqrt() + x.ln() - (x / 100).exp() + x.log10()
    return total


def mixed(count):
    values = [Decimal(f"{i * 7919 % 10007}.{i % 1000:03}") * (-1 if i % 3 == 0 else 1) for i in range(count)]
    ordered = sorted(values)
    total = sum(values, Decimal(0))
    whole = sum(int(value) for value in values)
    parts = sum(value.as_tuple().exponent for value in values)
    remainders = sum((value % 7 for value in values), Decimal(0))
    texts = [format(value, ",.2f") + f"{value:e}" for value in values[:2000]]
    return ordered[0], total, whole, parts, remainders, len("".join(texts)), len(set(values)), max(values, key=abs)


getcontext().prec = 28
print(bills(190_000), str(pi(1200))[-10:], functions(3200), *mixed(45_000))
