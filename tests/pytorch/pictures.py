"""Pictures for comparisons that go through the program: made by a formula, written as PNG without a library."""
import zlib

import numpy


def write_png(path, rgb):
    def chunk(kind, data):
        return (len(data).to_bytes(4, "big") + kind + data +
                zlib.crc32(kind + data).to_bytes(4, "big"))

    height, width = rgb.shape[:2]
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    rows = b"".join(b"\0" + row.tobytes() for row in rgb)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) +
                   chunk(b"IEND", b""))


def picture(height, width):
    """Colours that change slowly, with noise: neighbouring patches resemble each other but are not alike."""
    noise = numpy.random.default_rng(height * 10007 + width)
    y, x, c = numpy.ogrid[:height, :width, :3]
    wave = numpy.sin(y / 23.0 + c) + numpy.cos(x / 31.0 - 2 * c)
    return numpy.clip(128 + 50 * wave + noise.normal(0, 20, (height, width, 3)), 0, 255).astype(numpy.uint8)
