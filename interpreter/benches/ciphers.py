"""Ciphers and digests in Python: masked and shifted 32-bit ints, bytes and bytearrays, tables, XOR of streams."""
import hashlib

MASK = 0xFFFFFFFF


def primes(count):
    found, n = [], 2
    while len(found) < count:
        if all(n % p for p in found):
            found.append(n)
        n += 1
    return found


def root_bits(p, power):
    """The first 32 bits of the fraction of the root of p."""
    target = p << 32 * power
    low, high = 0, p << 32
    while low < high:
        middle = (low + high + 1) // 2
        if middle**power <= target:
            low = middle
        else:
            high = middle - 1
    return low & MASK


K = [root_bits(p, 3) for p in primes(64)]
START = [root_bits(p, 2) for p in primes(8)]


def sha256(data):
    state = START[:]
    data = data + b"\x80" + bytes((55 - len(data)) % 64) + (len(data) * 8).to_bytes(8, "big")
    for offset in range(0, len(data), 64):
        w = [int.from_bytes(data[i : i + 4], "big") for i in range(offset, offset + 64, 4)]
        for i in range(16, 64):
            x, y = w[i - 15], w[i - 2]
            s0 = (x >> 7 | x << 25) ^ (x >> 18 | x << 14) ^ x >> 3
            s1 = (y >> 17 | y << 15) ^ (y >> 19 | y << 13) ^ y >> 10
            w.append((w[i - 16] + (s0 & MASK) + w[i - 7] + (s1 & MASK)) & MASK)
        a, b, c, d, e, f, g, h = state
        for i in range(64):
            s1 = ((e >> 6 | e << 26) ^ (e >> 11 | e << 21) ^ (e >> 25 | e << 7)) & MASK
            t1 = h + s1 + (e & f ^ ~e & g) + K[i] + w[i]
            s0 = ((a >> 2 | a << 30) ^ (a >> 13 | a << 19) ^ (a >> 22 | a << 10)) & MASK
            t2 = s0 + (a & b ^ a & c ^ b & c)
            h, g, f, e, d, c, b, a = g, f, e, (d + t1) & MASK, c, b, a, (t1 + t2) & MASK
        state = [(x + y) & MASK for x, y in zip(state, (a, b, c, d, e, f, g, h))]
    return b"".join(x.to_bytes(4, "big") for x in state)


def quarter(x, a, b, c, d):
    x[a] = (x[a] + x[b]) & MASK
    t = x[d] ^ x[a]
    x[d] = (t << 16 | t >> 16) & MASK
    x[c] = (x[c] + x[d]) & MASK
    t = x[b] ^ x[c]
    x[b] = (t << 12 | t >> 20) & MASK
    x[a] = (x[a] + x[b]) & MASK
    t = x[d] ^ x[a]
    x[d] = (t << 8 | t >> 24) & MASK
    x[c] = (x[c] + x[d]) & MASK
    t = x[b] ^ x[c]
    x[b] = (t << 7 | t >> 25) & MASK


def chacha(key, nonce, data):
    constants = [int.from_bytes(b"expand 32-byte k"[i : i + 4], "little") for i in range(0, 16, 4)]
    words = [int.from_bytes(key[i : i + 4], "little") for i in range(0, 32, 4)]
    tail = [int.from_bytes(nonce[i : i + 4], "little") for i in range(0, 12, 4)]
    out = bytearray()
    for counter, offset in enumerate(range(0, len(data), 64)):
        start = constants + words + [counter] + tail
        x = start[:]
        for _ in range(10):
            for i in range(4):
                quarter(x, i, 4 + i, 8 + i, 12 + i)
            for i in range(4):
                quarter(x, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
        stream = b"".join(((a + b) & MASK).to_bytes(4, "little") for a, b in zip(x, start))
        out += bytes(a ^ b for a, b in zip(stream, data[offset : offset + 64]))
    return bytes(out)


def crc_table():
    table = []
    for i in range(256):
        for _ in range(8):
            i = i >> 1 ^ 0xEDB88320 if i & 1 else i >> 1
        table.append(i)
    return table


TABLE = crc_table()


def crc32(data):
    crc = MASK
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ MASK


message = bytes(i * i & 0xFF for i in range(45_000))
digest = sha256(message)
secret = chacha(digest, bytes(12), message)
back = chacha(digest, bytes(12), secret)
print(digest.hex()[:16], digest == hashlib.sha256(message).digest(), secret.hex()[:16], back == message, hex(crc32(message * 55)))
