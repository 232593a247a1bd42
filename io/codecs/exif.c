/* One number out of EXIF data: the orientation. EXIF is a TIFF file without a picture: a list of
 * entries of twelve bytes, in either byte order, of which this reads the first list and nothing
 * that an entry points to. A library for EXIF would parse the maker notes of thirty vendors out of
 * bytes that nobody has checked, to tell the same number. Whatever is out of place means 1: a
 * picture without orientation is the usual one, and damaged EXIF data leave the pixels whole. */
#include "io/codecs/exif.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { TAG = 0x0112, BYTE = 1, SHORT = 3, LONG = 4, ENTRY = 12 };

/* Of the TIFF data; read only where `in` says that they reach so far. */
typedef struct tiff {
    const uint8_t *bytes;
    size_t size;
    bool big; /* most significant byte first */
} tiff;

static bool in(const tiff *t, size_t at, size_t n) {
    return at <= t->size && n <= t->size - at;
}

/* n bytes as a number, in the file's byte order. */
static uint32_t number(const tiff *t, size_t at, int n) {
    uint32_t value = 0;
    for (int i = 0; i < n; i++)
        value = value << 8 | t->bytes[at + (size_t)(t->big ? i : n - 1 - i)];
    return value;
}

/* The value of an entry that stands in the entry itself, as one number does. The standard wants
 * SHORT; LONG and BYTE are what some editors write. */
static int orientation_at(const tiff *t, size_t entry) {
    uint32_t type = number(t, entry + 2, 2), count = number(t, entry + 4, 4);
    int bytes = type == SHORT ? 2 : type == LONG ? 4 : type == BYTE ? 1 : 0;
    uint32_t value = bytes && count == 1 ? number(t, entry + 8, bytes) : 0;
    return value >= 1 && value <= 8 ? (int)value : 1;
}

int exif_orientation(const void *bytes, size_t size) {
    static const char mark[6] = "Exif\0";
    size_t skip = size >= sizeof mark && memcmp(bytes, mark, sizeof mark) == 0 ? sizeof mark : 0;
    tiff t = {(const uint8_t *)bytes + skip, size - skip, false};
    if (!in(&t, 0, 8)) return 1;
    t.big = memcmp(t.bytes, "MM\0*", 4) == 0;
    if (!t.big && memcmp(t.bytes, "II*\0", 4) != 0) return 1;
    size_t list = number(&t, 4, 4);
    if (!in(&t, list, 2)) return 1;
    uint32_t entries = number(&t, list, 2);
    for (size_t at = list + 2; entries > 0 && in(&t, at, ENTRY); entries--, at += ENTRY)
        if (number(&t, at, 2) == TAG) return orientation_at(&t, at);
    return 1;
}

/* Bytes between segments are skipped as libjpeg skips them, so that a file which it reads with a
 * warning keeps its orientation. At the first scan the search ends: in the picture's data every
 * second byte may be anything. Segments are walked here rather than kept by the library, which
 * would copy all that a file has of them. */
int exif_orientation_of_jpeg(const void *bytes, size_t size) {
    enum { APP1 = 0xE1, SCAN = 0xDA, END = 0xD9 };
    const uint8_t *b = bytes;
    for (size_t at = 2; at < size;) {
        const uint8_t *mark = memchr(b + at, 0xFF, size - at);
        if (!mark) return 1;
        at = (size_t)(mark - b);
        while (at < size && b[at] == 0xFF) at++;
        if (at >= size || b[at] == SCAN || b[at] == END) return 1;
        if (b[at] == 0 || b[at] == 1 || (b[at] >= 0xD0 && b[at] <= 0xD7)) continue; /* no segment */
        if (size - at < 3) return 1;
        size_t length = (size_t)b[at + 1] << 8 | b[at + 2];
        const uint8_t *text = b + at + 3;
        if (length < 2 || length > size - at - 1) return 1;
        if (b[at] == APP1 && length >= 8 && memcmp(text, "Exif\0\0", 6) == 0)
            return exif_orientation(text, length - 2);
        at += 1 + length;
    }
    return 1;
}
