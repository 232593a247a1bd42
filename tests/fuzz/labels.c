/* Label maps: grey values and palette indices of 1 to 16 bits, looked at as packing does, with the
 * right checksums. */
#include "io/codecs/image_file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_png.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_PIXELS = 1 << 16 };

static void decode(const uint8_t *data, size_t size) {
    image_header h;
    labelmap m, small;
    if (image_file_header(data, size, "input", &h) != STATUS_OK) return;
    if (image_file_labels(data, size, "input", MOST_PIXELS, &m) != STATUS_OK) return;
    if (image_file_check_labels(&h, "input", MOST_PIXELS) != STATUS_OK) abort();
    if (m.height != h.height || m.width != h.width) abort();
    if (labelmap_resize(&m, (m.height + 1) / 2, (m.width + 1) / 2, &small) == STATUS_OK)
        labelmap_destroy(&small);
    labelmap_destroy(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *sealed = malloc(size + 1);
    if (!sealed) abort();
    memcpy(sealed, data, size);
    fuzz_png_seal(sealed, size);
    decode(sealed, size);
    free(sealed);
    return 0;
}
