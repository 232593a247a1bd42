/* Files that say which class an id of the label files is. */
#include "io/dataset/dataset_classes.h"

#include "src/base/memory.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t known[LABEL_IDS];
    static settings s;
    dataset_table t = {0};
    memset(known, 0, sizeof known);
    settings_set_defaults(&s);
    s.dataset.layout = DATASET_LAYOUT_PAIRS;
    s.dataset.classes = 19;
    s.dataset.ignore = 255;
    snprintf(s.dataset.label_map, sizeof s.dataset.label_map, "%s", fuzz_file(data, size));
    if (dataset_classes_read(&s, layout_variant_at(&s, 0), true, &t, known) == STATUS_OK)
        for (int i = 0; i < LABEL_IDS; i++)
            if (t.map[i] >= t.classes && t.map[i] != LABEL_IGNORE) abort();
    memory_free(t.map);
    memory_free(t.class_name);
    return 0;
}
