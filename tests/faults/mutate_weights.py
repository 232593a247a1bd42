#!/usr/bin/env python3
"""mutate_weights.py READ_WEIGHTS SEEDS N [FILE...]: hostile files of weights, read by tests/faults/read_weights.c.

From each of SEEDS (a folder with torch_zip.pth and torch_legacy.pth: tests/fixtures) and the files given, N mutated
pickles (within an archive whose checksums are right again, or in the older format) and N mutated archives (any bytes):
bits, bytes, numbers made large, pieces cut, doubled, moved. Then files made to do harm: bombs, names of paths, cycles,
a crowded memo, storages that overlap or lie, strides beyond them, big-endian numbers; safetensors headers that lie.
Ends with 1 if one crashes, takes over 4 s or over 256 MB, or ends in another way than being read or refused; the
longest time is printed."""
import io
import os
import random
import struct
import subprocess
import sys
import tempfile
import zipfile

reader, seeds, n = sys.argv[1], sys.argv[2], int(sys.argv[3])


def archive(entries, method=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        for name, data in entries:
            z.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def entries_of(data):
    with zipfile.ZipFile(io.BytesIO(data)) as z:
        return [(name, z.read(name)) for name in z.namelist()]


def mutate(data, rng):
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        if not data:
            break
        at, kind = rng.randrange(len(data)), rng.randrange(8)
        size = min(rng.choice((1, 2, 4, 8, 64)), len(data) - at)
        if kind == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at] = rng.randrange(256)
        elif kind == 2:
            data[at:at + size] = rng.choice((b"\xff", b"\x00", b"\x7f", b"\x80")) * size
        elif kind == 3:
            del data[at:at + size]
        elif kind == 4:
            data[at:at] = data[at:at + size] * rng.choice((1, 3, 50))
        elif kind == 5:
            other = rng.randrange(len(data))
            data[at:at + size] = data[other:other + size]
        elif kind == 6:
            data[at:at] = bytes(rng.choice(b"].}()ltdaseuqrhjcRbQ0(KMJX\x80\x85\x86\x87\x88\x8a\x8c\x94") for _ in range(size))
        else:
            del data[at:]
    return bytes(data)


def mutated_pickle(data, rng):
    if data[:2] != b"PK":
        # The pickles stand in front of the storages.
        return mutate(data[:2000], rng) + data[2000:]
    return archive([(name, mutate(x, rng) if name.endswith("data.pkl") else x) for name, x in entries_of(data)])


def text(s):
    return b"X" + struct.pack("<I", len(s)) + s.encode()


def tensor(storage, first=0, sizes=(2,), strides=(1,), count=4):
    """_rebuild_tensor_v2 of a storage of that many floats."""
    def number(x):
        return b"\x8a\x08" + struct.pack("<q", x)
    ints = [b"(" + b"".join(map(number, t)) + b"t" for t in (sizes, strides)]
    return (b"ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + b"ctorch\nFloatStorage\n" + text(storage) +
            text("cpu") + number(count) + b"tQ" + number(first) + ints[0] + ints[1] + b"\x89ccollections\nOrderedDict\n)RtR")


def named(tensors, order="little", data=b"\x00" * 16, extra=(), method=zipfile.ZIP_STORED):
    body = b"\x80\x02}(" + b"".join(text(name) + t for name, t in tensors) + b"u."
    return archive([("a/data.pkl", body), ("a/byteorder", order), ("a/data/0", data), *extra], method)


def hostile():
    big, deep = 1 << 62, 20000
    yield named([("w", tensor("0"))], order="big")
    yield named([("w", tensor("0", sizes=(big, 4), strides=(4, 1)))])
    yield named([("w", tensor("0", sizes=(2, 2), strides=(big, 1)))])
    yield named([("w", tensor("0", sizes=(1 << 31, 1 << 31), strides=(0, 0)))])
    yield named([("w", tensor("0", first=big))])
    yield named([("w", tensor("0", sizes=(-1,)))])
    yield named([("w", tensor("0", count=big))])
    yield named([("w", tensor("0", count=4)), ("v", tensor("0", count=2))])
    yield named([("w", tensor("../../../etc/passwd"))])
    yield named([("w", tensor("0"))], extra=[("../../etc/passwd", b"x"), ("/etc/passwd", b"y")])
    yield named([(f"w{i}", tensor("0", sizes=(4,), strides=(1,))) for i in range(3000)])
    yield named([("w", tensor("0", count=1 << 28))], data=bytes(1 << 30 >> 4), method=zipfile.ZIP_DEFLATED)
    yield named([("w", tensor("0")), ("w", tensor("0"))])
    yield named([("w\x1b[2Jx", tensor("0"))])
    bodies = [b"}q\x00" + text("a") + b"h\x00s.",                                    # a dictionary in itself
              b"]q\x00h\x00a" * deep + b".", b"(" * 1000000 + b".", b"]" * 1000000 + b".",
              b"}" + text("a") + b"]q\x01" + b"h\x01a" * 5000 + b"s.",
              b"]q\x00" + b"".join(b"](h" + bytes([k]) + b"h" + bytes([k]) + b"eq" + bytes([k + 1]) for k in range(200)) + b".",
              b"r\xff\xff\xff\x7f.", b"]r\xff\xff\xff\x7f.", b"]" + b"\x94" * 1000000 + b".",
              b"\x8b\xff\xff\xff\xff.", b"X\xff\xff\xff\x7f.", b"\x8d" + b"\xff" * 8 + b".",
              b"cos\nsystem\n(" + text("true") + b"tR.", b"cbuiltins\neval\n(" + text("1") + b"tR.",
              b"ctorch._utils\n_rebuild_tensor_v2\n)R.", b"\x95" + b"\xff" * 8 + b"N."]
    for body in bodies:
        yield archive([("a/data.pkl", b"\x80\x02" + body)])
        yield b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03." + b"\x80\x02" + body
    one = '"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
    for header in ("", "{", "[]", "{}", "{" + one, '{"w":{"dtype":"F32","shape":[%d,%d],"data_offsets":[0,4]}}' % (big, 4),
                   "{" + one + "," + one + "}", "{" + one + "," + one.replace('"w"', '"v"') + "}",
                   '{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', "[" * 100000, '{"a":' * 100000,
                   '{"w":{"dtype":"F32","shape":[%s],"data_offsets":[0,0]}}' % ",".join("0" * 100000),
                   "{" + ",".join('"%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}' % i for i in range(100000)) + "}"):
        yield struct.pack("<Q", len(header)) + header.encode() + bytes(4)
    yield b"{" + b" " * 7 + b"}" + bytes(114)
    yield struct.pack("<Q", (1 << 64) - 1) + b"{}"


def run(folder, what, files):
    paths = []
    for i, data in enumerate(files):
        paths.append(os.path.join(folder, f"{what}-{i}"))
        with open(paths[-1], "wb") as f:
            f.write(data)
    failed = 0
    for i in range(0, len(paths), 500):
        result = subprocess.run([reader, *paths[i:i + 500]], stdout=subprocess.PIPE, text=True)
        print(f"{what}: {result.stdout.strip()}", flush=True)
        failed += result.returncode != 0
    for path in paths if not failed else ():
        os.remove(path)
    return failed


inputs = []
for path in [os.path.join(seeds, "torch_zip.pth"), os.path.join(seeds, "torch_legacy.pth"), *sys.argv[4:]]:
    with open(path, "rb") as f:
        inputs.append(f.read())
rng = random.Random(1)
with tempfile.TemporaryDirectory() as folder:
    failed = run(folder, "made", hostile())
    failed += run(folder, "pickles", (mutated_pickle(inputs[i % len(inputs)], rng) for i in range(n)))
    failed += run(folder, "archives", (mutate(inputs[i % len(inputs)], rng) for i in range(n)))
sys.exit(1 if failed else 0)
