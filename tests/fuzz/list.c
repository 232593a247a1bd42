/* Lists of images, by both formats of lines. The first byte chooses the layout. */
#include "io/dataset/layout.h"

#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static settings s;
    layout l;
    if (size == 0) return 0;
    const char *path = fuzz_file(data + 1, size - 1);
    settings_set_defaults(&s);
    s.dataset.layout = data[0] & 1 ? DATASET_LAYOUT_CAMVID : DATASET_LAYOUT_PAIRS;
    strcpy(s.dataset.root, "/no/such/folder");
    strcpy(s.dataset.strip_prefix, "/set");
    snprintf(s.dataset.train, sizeof s.dataset.train, "%s", path);
    snprintf(s.dataset.val, sizeof s.dataset.val, "/dev/null");
    if (layout_read(&l, &s) == STATUS_OK) layout_destroy(&l);
    return 0;
}
