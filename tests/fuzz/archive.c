/* PyTorch's archives whose entries are sound by their checksums, so that mutations reach what is in
 * them: the first two bytes say how long the pickle is, the rest are the numbers of storage 0. */
#include "io/weights/torch_file.h"
#include "src/base/memory.h"
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <zip.h>

static bool add(zip_t *z, const char *name, const void *data, size_t size) {
    zip_source_t *s = zip_source_buffer(z, data, size, 0);
    zip_int64_t i = s ? zip_file_add(z, name, s, 0) : -1;
    if (i < 0) zip_source_free(s);
    return i >= 0 && zip_set_file_compression(z, (zip_uint64_t)i, ZIP_CM_STORE, 0) == 0;
}

/* Owned by the caller (free). */
static void *archive(const uint8_t *data, size_t pickle, size_t size, size_t *bytes) {
    zip_source_t *s = zip_source_buffer_create(NULL, 0, 0, NULL);
    if (!s) abort();
    zip_source_keep(s);
    zip_t *z = zip_open_from_source(s, ZIP_TRUNCATE, NULL);
    void *all;
    zip_stat_t about;
    if (!z || !add(z, "a/data.pkl", data, pickle) || !add(z, "a/byteorder", "little", 6) ||
        !add(z, "a/data/0", data + pickle, size - pickle) || zip_close(z) != 0)
        abort();
    if (zip_source_open(s) != 0 || zip_source_stat(s, &about) != 0) abort();
    all = malloc(about.size);
    if (!all || zip_source_read(s, all, about.size) != (zip_int64_t)about.size) abort();
    zip_source_close(s);
    zip_source_free(s);
    *bytes = about.size;
    return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static volatile unsigned sink;
    torch_file *f = NULL;
    size_t bytes;
    if (size < 2) return 0;
    size_t pickle = (size_t)(data[0] | data[1] << 8);
    if (pickle > size - 2) pickle = size - 2;
    void *all = archive(data + 2, pickle, size - 2, &bytes);
    if (torch_file_read(&f, fuzz_file(all, bytes)) == STATUS_OK)
        for (int i = 0; i < torch_file_count(f); i++) {
            tensor_info t = torch_file_get(f, i);
            for (size_t b = 0; b < t.bytes; b++) sink += ((const unsigned char *)t.data)[b];
        }
    torch_file_close(f);
    free(all);
    return 0;
}
