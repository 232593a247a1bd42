/* Weights in safetensors: the header alone and the whole file, with its checksums. */
#include "io/weights/safetensors.h"

#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

/* Every byte that the reader says is there is read. */
static unsigned touch(const safetensors *f) {
    unsigned sum = 0;
    for (int i = 0; i < safetensors_count(f); i++) {
        tensor_info t = safetensors_get(f, i);
        if (safetensors_find(f, t.name) < 0) abort();
        for (size_t b = 0; b < t.bytes; b++) sum += ((const unsigned char *)t.data)[b];
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *path = fuzz_file(data, size), *key, *value;
    static volatile unsigned sink;
    safetensors *f = NULL;
    bool checked;
    if (safetensors_read_header(&f, path) == STATUS_OK) safetensors_verify_header(f);
    safetensors_close(f);
    f = NULL;
    if (safetensors_read(&f, path) == STATUS_OK) {
        safetensors_verify(f, &checked);
        for (int i = 0; safetensors_metadata_at(f, i, &key, &value); i++)
            sink += (unsigned char)*key ^ (unsigned char)*value;
        sink += touch(f);
    }
    safetensors_close(f);
    return 0;
}
