/* Weights in PyTorch's files: pickles and archives, the header alone and whole. */
#include "io/weights/torch_file.h"

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *path = fuzz_file(data, size);
    static volatile unsigned sink;
    torch_file *f = NULL;
    if (size < 8 || !torch_file_is(data)) return 0;
    torch_file_read_header(&f, path);
    torch_file_close(f);
    f = NULL;
    if (torch_file_read(&f, path) == STATUS_OK) {
        for (int i = 0; i < torch_file_count(f); i++) {
            tensor_info t = torch_file_get(f, i);
            for (size_t b = 0; b < t.bytes; b++) sink += ((const unsigned char *)t.data)[b];
        }
        sink += (unsigned char)torch_file_place(f)[0];
    }
    torch_file_close(f);
    return 0;
}
