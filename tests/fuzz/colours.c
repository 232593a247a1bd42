/* Tables of label colours. */
#include "io/dataset/colour_file.h"

#include "io/dataset/label_colours.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    colour_file f;
    if (colour_file_read(fuzz_file(data, size), &f) != STATUS_OK) return 0;
    if (f.rows < 1 || f.rows > LABEL_COLOURS_MOST) abort();
    for (int i = 0; i < f.rows; i++)
        if (!memchr(f.row[i].name, 0, sizeof f.row[i].name)) abort();
    colour_file_destroy(&f);
    return 0;
}
