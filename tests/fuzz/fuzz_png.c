/* Checksums of PNG: without them every mutation would end at the first one that libpng compares. */
#include "tests/fuzz/fuzz_png.h"

#include <string.h>
#include <zlib.h>

static uint32_t big_endian(const uint8_t *b) {
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

void fuzz_png_seal(uint8_t *data, size_t size) {
    for (size_t at = 8; at + 12 <= size;) {
        uint32_t length = big_endian(data + at);
        if (length > size - at - 12) return;
        uint32_t crc = (uint32_t)crc32(0, data + at + 4, length + 4);
        for (int i = 0; i < 4; i++)
            data[at + 8 + length + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
        at += 12 + (size_t)length;
    }
}
