/* numpy's arrays, as matrices of float32 and as lists of int32. */
#include "io/files/npy.h"

#include "src/base/memory.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *path = fuzz_file(data, size);
    static volatile float sink;
    npy_info about;
    float *real;
    int32_t *whole;
    size_t rows, columns;
    npy_about(path, &about);
    if (npy_read_f32(path, &real, &rows, &columns) == STATUS_OK) {
        for (size_t i = 0; i < rows * columns; i++) sink += real[i];
        memory_free(real);
    }
    if (npy_read_i32(path, &whole, &rows) == STATUS_OK) {
        for (size_t i = 0; i < rows; i++) sink += (float)whole[i];
        memory_free(whole);
    }
    return 0;
}
