/* Feature maps of other programs as rows, a row a pixel. They are read as they lie and converted on
 * the way: what is in memory beside the rows is one image's file. */
#include "io/files/npy_map.h"

#include "io/files/file.h"
#include "src/base/float16.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/unit_length.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

typedef enum element { F16, F32, F64, ELEMENTS } element;

static const struct {
    const char *type;
    size_t size;
    double rounding;
} about[] = {[F16] = {"<f2", 2, UNIT_LENGTH_F16},
    [F32] = {"<f4", 4, UNIT_LENGTH_F32},
    [F64] = {"<f8", 8, UNIT_LENGTH_F32}}; /* becomes float32 */

static element element_of(const npy_info *a) {
    int e = 0;
    while (e < ELEMENTS && strcmp(a->type, about[e].type) != 0) e++;
    return (element)e;
}

status npy_map_check(const char *path, const npy_info *a) {
    const char *why = NULL;
    if (element_of(a) == ELEMENTS) {
        log_error("%s: elements are \"%s\"; float16, float32 and float64 are read", path, a->type);
        return STATUS_DATA;
    }
    if (a->dimensions != 3)
        why = "an array of three dimensions is needed, [h, w, D] or [D, h, w]";
    else if (a->fortran)
        why = "in Fortran order: write it with numpy.ascontiguousarray";
    for (int i = 0; !why && i < 3; i++)
        if (a->shape[i] == 0 || a->shape[i] > INT_MAX) why = "a size of 0, or beyond 2^31";
    if (!why) return STATUS_OK;
    log_error("%s: %s", path, why);
    return STATUS_DATA;
}

double npy_map_rounding(const npy_info *a) {
    return about[element_of(a)].rounding;
}

/* Element i of the file's. It may stand anywhere: a header has any length. */
static inline float get(const char *data, size_t i, element e) {
    uint16_t half;
    double wide;
    float same;
    switch (e) {
    case F16:
        memcpy(&half, data + i * sizeof half, sizeof half);
        return float16_to_float(half);
    case F64:
        memcpy(&wide, data + i * sizeof wide, sizeof wide);
        return (float)wide;
    case F32:
    case ELEMENTS:
        break;
    }
    memcpy(&same, data + i * sizeof same, sizeof same);
    return same;
}

/* Planes to rows: some pixels at a time, so that the rows that are written stay in the cache while
 * one plane after another is read. */
static void turn(const char *data, element e, size_t pixels, size_t d, float *to) {
    enum { TOGETHER = 32 };
    for (size_t p = 0; p < pixels; p += TOGETHER) {
        size_t end = pixels - p < TOGETHER ? pixels : p + TOGETHER;
        for (size_t j = 0; j < d; j++)
            for (size_t i = p; i < end; i++) to[i * d + j] = get(data, j * pixels + i, e);
    }
}

status npy_map_read(const char *path, const npy_info *a, bool channels_first, float *to) {
    int fd;
    uint64_t bytes;
    element e = element_of(a);
    size_t n = (size_t)(a->bytes / about[e].size);
    char *data = memory_alloc((size_t)a->bytes, 1, path);
    status st = data ? file_open(path, &fd, &bytes) : STATUS_FAILED;
    if (st == STATUS_OK) {
        st = file_read_at(fd, path, a->begin, data, (size_t)a->bytes);
        close(fd);
    }
    if (st == STATUS_OK && channels_first) {
        size_t d = (size_t)a->shape[0];
        turn(data, e, n / d, d, to);
    } else if (st == STATUS_OK) {
        for (size_t i = 0; i < n; i++) to[i] = get(data, i, e);
    }
    memory_free(data);
    return st;
}
