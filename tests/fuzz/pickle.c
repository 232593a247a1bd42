/* Pickles by themselves, by the rules of PyTorch's files; every value is looked at. */
#include "io/weights/pickle.h"

#include "io/weights/torch_names.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

static unsigned look(const pickle *p, const pickle_value *v) {
    unsigned sum = 0;
    switch (v->kind) {
    case PICKLE_TEXT:
    case PICKLE_BYTES:
    case PICKLE_LONG:
        for (uint32_t i = 0; i < v->count; i++) sum += (unsigned char)v->text[i];
        break;
    case PICKLE_LIST:
    case PICKLE_TUPLE:
    case PICKLE_DICT:
        for (uint32_t i = 0; i < v->count; i++)
            if (v->item[i] >= pickle_values(p)) abort();
        break;
    case PICKLE_CALL:
    case PICKLE_PERSISTENT:
        if (v->item[0] >= pickle_values(p)) abort();
        break;
    default:
        break;
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static volatile unsigned sink;
    const pickle_rules rules = torch_rules("input");
    pickle *p;
    size_t used;
    if (pickle_read(&p, &rules, data, size, &used) != STATUS_OK) return 0;
    if (used > size || pickle_root(p) >= pickle_values(p)) abort();
    for (uint32_t i = 0; i < pickle_values(p); i++) sink += look(p, pickle_get(p, i));
    pickle_free(p);
    return 0;
}
