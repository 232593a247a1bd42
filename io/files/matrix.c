/* Rows of matrices in the formats of numpy and of two collections of benchmarks. All of them keep
 * a row's elements together and every row as far from the next, so that a file is told by four
 * numbers and any rank reads its own rows with pread. What a file says of itself is held against
 * its size before anything is allocated for it. */
#include "io/files/matrix.h"

#include "io/files/file.h"
#include "io/files/npy.h"
#include "src/base/float16.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/mapped.h"
#include "src/base/memory.h"
#include "src/base/text.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

enum { COUNT = sizeof(int32_t) }; /* bytes before a row of .fvecs and .bvecs */
enum { PIECE = 1 << 20 };         /* bytes that are read at once */

typedef enum family { NPY, VECS, BIN } family;

typedef struct kind {
    const char *ending;
    family family;
    matrix_element element;
} kind;

static const kind kinds[] = {{".npy", NPY, MATRIX_F32}, {".fvecs", VECS, MATRIX_F32},
    {".bvecs", VECS, MATRIX_U8}, {".fbin", BIN, MATRIX_F32}, {".u8bin", BIN, MATRIX_U8},
    {".i8bin", BIN, MATRIX_I8}};

static const struct {
    const char *name, *npy;
    size_t size;
} elements[] = {[MATRIX_F32] = {"float32", "<f4", 4},
    [MATRIX_F16] = {"float16", "<f2", 2},
    [MATRIX_U8] = {"uint8", "|u1", 1},
    [MATRIX_I8] = {"int8", "|i1", 1}};
enum { ELEMENTS = sizeof elements / sizeof *elements };

const char *matrix_element_name(matrix_element e) {
    return elements[e].name;
}

static status refuse(const char *path, const char *why) {
    log_error("%s: %s", path, why);
    return STATUS_DATA;
}

static status about_npy(const char *path, matrix_info *m) {
    npy_info a;
    status st = npy_about(path, &a);
    if (st != STATUS_OK) return st;
    if (a.dimensions != 2) return refuse(path, "an array of two dimensions is needed");
    if (a.fortran) return refuse(path, "in Fortran order: write it with numpy.ascontiguousarray");
    int e = 0;
    while (e < ELEMENTS && strcmp(a.type, elements[e].npy) != 0) e++;
    if (e == ELEMENTS) {
        log_error("%s: elements are \"%s\"; float32, float16, uint8 and int8 are read: write it "
                  "with X.astype(numpy.float32)",
            path, a.type);
        return STATUS_DATA;
    }
    if (a.shape[0] > INT64_MAX || a.shape[1] > INT_MAX) return refuse(path, "beyond all limits");
    m->element = (matrix_element)e;
    m->rows = (int64_t)a.shape[0];
    m->d = (int64_t)a.shape[1];
    m->begin = a.begin;
    m->stride = (uint64_t)m->d * elements[e].size;
    return STATUS_OK;
}

/* Of .fvecs and .bvecs the first row says how long all are; each says it again. */
static status about_vecs(int fd, const char *path, uint64_t bytes, matrix_info *m) {
    int32_t d;
    if (bytes < sizeof d) return refuse(path, "too short for a row");
    status st = file_read_at(fd, path, 0, &d, sizeof d);
    if (st != STATUS_OK) return st;
    if (d <= 0) return refuse(path, "damaged: its first row has no elements");
    m->d = d;
    m->counted = true;
    m->begin = COUNT;
    m->stride = COUNT + (uint64_t)d * elements[m->element].size;
    if (bytes % m->stride != 0) {
        log_error("%s: damaged: rows of %d elements take %llu bytes each, and the file has %llu",
            path, d, (unsigned long long)m->stride, (unsigned long long)bytes);
        return STATUS_DATA;
    }
    m->rows = (int64_t)(bytes / m->stride);
    return STATUS_OK;
}

static status about_bin(int fd, const char *path, uint64_t bytes, matrix_info *m) {
    uint32_t shape[2];
    if (bytes < sizeof shape) return refuse(path, "too short for its two numbers");
    status st = file_read_at(fd, path, 0, shape, sizeof shape);
    if (st != STATUS_OK) return st;
    m->rows = shape[0];
    m->d = shape[1];
    m->begin = sizeof shape;
    m->stride = (uint64_t)shape[1] * elements[m->element].size;
    uint64_t needed; /* 2^32 rows of 2^34 bytes may wrap */
    if (__builtin_mul_overflow(m->stride, (uint64_t)shape[0], &needed) ||
        needed != bytes - sizeof shape) {
        log_error("%s: damaged: %u x %u elements, but %llu bytes of them", path, shape[0], shape[1],
            (unsigned long long)(bytes - sizeof shape));
        return STATUS_DATA;
    }
    return STATUS_OK;
}

status matrix_about(const char *path, matrix_info *out) {
    size_t i = 0, n = sizeof kinds / sizeof *kinds;
    while (i < n && !text_ends_with(path, kinds[i].ending)) i++;
    if (i == n)
        return refuse(path, "must end with .npy, .fvecs, .bvecs, .fbin, .u8bin or .i8bin, which "
                            "says what it is");
    matrix_info m = {.element = kinds[i].element};
    int fd;
    uint64_t bytes;
    status st = file_open(path, &fd, &bytes);
    if (st != STATUS_OK) return st;
    if (kinds[i].family == NPY)
        st = about_npy(path, &m);
    else
        st = (kinds[i].family == VECS ? about_vecs : about_bin)(fd, path, bytes, &m);
    close(fd);
    if (st == STATUS_OK && (m.rows < 1 || m.d < 1)) st = refuse(path, "has no rows, or no columns");
    if (st == STATUS_OK) *out = m;
    return st;
}

/* Exact: every value of these types is a float32. */
static void widen(const unsigned char *from, matrix_element e, size_t n, float *to) {
    switch (e) {
    case MATRIX_F32:
        memcpy(to, from, n * sizeof *to);
        return;
    case MATRIX_F16:
        for (size_t i = 0; i < n; i++) {
            uint16_t half;
            memcpy(&half, from + i * sizeof half, sizeof half);
            to[i] = float16_to_float(half);
        }
        return;
    case MATRIX_U8:
        for (size_t i = 0; i < n; i++) to[i] = (float)from[i];
        return;
    case MATRIX_I8:
        for (size_t i = 0; i < n; i++) to[i] = (float)(int8_t)from[i];
        return;
    }
}

/* Rows of a piece [rows, stride] that begins with the count before its first row, if there is one.
 */
static status take_rows(const char *path, const matrix_info *m, const unsigned char *piece,
    int64_t first, size_t rows, float *to) {
    size_t d = (size_t)m->d, before = m->counted ? COUNT : 0;
    for (size_t r = 0; r < rows; r++, piece += m->stride, to += d) {
        int32_t count = 0;
        if (m->counted) memcpy(&count, piece, sizeof count);
        if (m->counted && count != (int32_t)m->d) {
            log_error("%s: row %lld has %d elements, the first one %lld", path,
                (long long)(first + (int64_t)r), count, (long long)m->d);
            return STATUS_DATA;
        }
        widen(piece + before, m->element, d, to);
    }
    return STATUS_OK;
}

/* Some rows at a time: what is converted is never in memory whole beside its floats. */
status matrix_read(const char *path, const matrix_info *m, int64_t first, int64_t rows, float *to) {
    int fd;
    uint64_t bytes, before = m->counted ? COUNT : 0;
    int64_t together = (int64_t)(PIECE / m->stride) + 1;
    unsigned char *piece = memory_alloc((size_t)together, m->stride, "rows of a file");
    if (!piece) return STATUS_FAILED;
    status st = file_open(path, &fd, &bytes);
    if (st != STATUS_OK) goto done;
    for (int64_t i = 0; st == STATUS_OK && i < rows; i += together) {
        int64_t n = rows - i < together ? rows - i : together;
        uint64_t at = m->begin - before + (uint64_t)(first + i) * m->stride;
        st = file_read_at(fd, path, at, piece, (size_t)n * m->stride);
        if (st == STATUS_OK) st = take_rows(path, m, piece, first + i, (size_t)n, to + i * m->d);
    }
    close(fd);
done:
    memory_free(piece);
    return st;
}

/* Headers of .npy files may have any length; numpy's own begin elements at a multiple of 64. */
bool matrix_plain(const matrix_info *m) {
    return m->element == MATRIX_F32 && !m->counted && m->begin % sizeof(float) == 0;
}

/* A mapping begins at a page, before the first row. */
status matrix_map(const char *path, const matrix_info *m, int64_t first, int64_t rows,
    void **mapping, size_t *bytes, float **to) {
    int fd;
    uint64_t size, page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t begin = m->begin + (uint64_t)first * m->stride, low = begin / page * page;
    status st = file_open(path, &fd, &size);
    if (st != STATUS_OK) return st;
    *bytes = (size_t)(begin + (uint64_t)rows * m->stride - low);
    void *all;
    st = low + *bytes <= size ? mapped_create(path, fd, low, *bytes, &all)
                              : refuse(path, "it ends too early");
    close(fd);
    if (st != STATUS_OK) return st;
    *mapping = all;
    *to = (float *)(void *)((char *)all + (begin - low));
    return STATUS_OK;
}

/* The first and the last bytes, and places in between at equal distances. */
status matrix_glance(const char *path, uint64_t *hash) {
    enum { PLACES = 64, EACH = 256 };
    char bytes[EACH];
    uint64_t size;
    int fd;
    status st = file_open(path, &fd, &size);
    if (st != STATUS_OK) return st;
    uint64_t most = size > EACH ? size - EACH : 0, n = size - most,
             h = hash_bytes(&size, sizeof size);
    for (int i = 0; i < PLACES && st == STATUS_OK; i++) {
        uint64_t at = most / (PLACES - 1) * (uint64_t)i;
        if (i == PLACES - 1) at = most;
        st = file_read_at(fd, path, at, bytes, n);
        if (st == STATUS_OK) h = hash_append(h, bytes, n);
    }
    close(fd);
    if (st == STATUS_OK) *hash = h;
    return st;
}
