/* PNG as an image and by its palette; once as it is, once with the right checksums. */
#include "io/codecs/image_file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_png.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_PIXELS = 1 << 16 };

static void decode(const uint8_t *data, size_t size) {
    image_header h;
    image m;
    palette colours;
    int count;
    if (image_file_header(data, size, NULL, &h) != STATUS_OK) return;
    if (image_file_decode(data, size, "input", MOST_PIXELS, &m) == STATUS_OK) image_destroy(&m);
    image_file_palette(data, size, "input", colours, &count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *sealed = malloc(size + 1);
    if (!sealed) abort();
    memcpy(sealed, data, size);
    fuzz_png_seal(sealed, size);
    decode(data, size);
    if (memcmp(sealed, data, size) != 0) decode(sealed, size);
    free(sealed);
    return 0;
}
