/* Photographs: header, whole and reduced decoding. PNG comes here, too, as the first bytes decide.
 */
#include "io/codecs/image_file.h"
#include "tests/fuzz/fuzz.h"

enum { MOST_PIXELS = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    image_header h;
    image m;
    if (image_file_header(data, size, NULL, &h) != STATUS_OK) return 0;
    if (image_file_decode(data, size, "input", MOST_PIXELS, &m) == STATUS_OK) image_destroy(&m);
    if (image_file_decode_reduced(data, size, "input", MOST_PIXELS, 5, 7, &m) == STATUS_OK)
        image_destroy(&m);
    image_file_ends(&h, data + (size > 16 ? size - 16 : 0), size > 16 ? 16 : size);
    return 0;
}
