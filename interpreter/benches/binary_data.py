"""Binary data: struct, array, memoryview, bytes methods, int.from_bytes, base64, zlib and digests of a made-up file format."""
# native: _struct
import array
import base64
import binascii
import hashlib
import struct
import zlib

HEADER = struct.Struct("<4sHHIQ")
ENTRY = struct.Struct(">BxhiqfH")


def pack(count):
    out = bytearray(HEADER.pack(b"KRAT", 1, 2, count, count * 1000))
    for i in range(count):
        out += ENTRY.pack(i & 0xFF, -(i % 1000), i, i * i, i / 4, i & 0xFFFF)
        name = b"entry %d" % i
        out += struct.pack(f"<H{len(name)}s", len(name), name)
    return bytes(out)


def unpack(data):
    magic, major, minor, count, size = HEADER.unpack_from(data)
    view, offset = memoryview(data), HEADER.size
    total = 0
    names = []
    for _ in range(count):
        a, b, c, d, e, f = ENTRY.unpack_from(view, offset)
        offset += ENTRY.size
        (length,) = struct.unpack_from("<H", view, offset)
        offset += 2
        names.append(bytes(view[offset : offset + length]))
        offset += length
        total += a + b + c + d + int(e) + f
    return magic, count, total, len(b"".join(names)), offset == len(data)


def varints(count):
    out = bytearray()
    for i in range(count):
        n = i * i
        while n > 127:
            out.append(n & 127 | 128)
            n >>= 7
        out.append(n)
    value = shift = total = 0
    for byte in out:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            total += value
            value = shift = 0
    return len(out), total


def arrays(count):
    samples = array.array("h", [(i * 37) % 2000 - 1000 for i in range(count)])
    mixed = array.array("d", (sample / 2 for sample in samples))
    raw = samples.tobytes()
    swapped = array.array("h", raw)
    swapped.byteswap()
    words = memoryview(raw).cast("H")
    return sum(samples), sum(mixed), swapped[7], sum(words[::5]), max(samples[100:2000])


def texts(data):
    encoded = base64.b64encode(data)
    packed = zlib.compress(data, 6)
    pieces = data.split(b"entry ")
    return (
        len(encoded),
        base64.b64decode(encoded) == data,
        zlib.decompress(packed) == data,
        len(pieces),
        data.count(b"\x00\x01"),
        data.find(b"entry 999"),
        binascii.hexlify(hashlib.sha256(data).digest()[:4]),
        len(data.replace(b"entry", b"e").translate(None, b"\x00")),
    )


for _ in range(5):
    data = pack(25_000)
    unpacked = unpack(data)
print(*unpacked, varints(180_000), arrays(150_000), *texts(data))
