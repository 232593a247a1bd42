#include "src/label/kmeans.h"

#include <sys/mman.h>
#include <unistd.h>

/* The kernel maps so many bytes around one that is touched (fault_around_bytes), as far as they are
 * in its cache. What other threads may still read behind the newest stretch is released once more,
 * with it. */
enum { WINDOW = 1 << 16, STRETCH = 1 << 20, BEHIND = 16 };

/* Bytes begin .. end - 1 of the rows, outward to whole windows, but within the mapping. */
static void release(const features *x, size_t begin, size_t end) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), window = page > WINDOW ? page : WINDOW;
    uintptr_t data = (uintptr_t)x->data, bytes = x->n * (size_t)x->d * dtype_size(x->type);
    uintptr_t first = data / page * page, last = (data + bytes + page - 1) / page * page;
    uintptr_t low = (data + begin) / window * window;
    uintptr_t high = (data + end + window - 1) / window * window;
    if (low < first) low = first;
    if (high > last) high = last;
    madvise((void *)low, high - low, MADV_DONTNEED);
}

void features_release(const features *x, size_t first, size_t count) {
    size_t row = (size_t)x->d * dtype_size(x->type);
    if (x->mapped && count > 0) release(x, first * row, (first + count) * row);
}

void features_passed(const features *x, size_t first, size_t count) {
    if (!x->mapped) return;
    size_t row = (size_t)x->d * dtype_size(x->type);
    size_t begin = first * row / STRETCH, end = (first + count) * row / STRETCH;
    if (begin == end) return;
    release(x, begin > BEHIND ? (begin - BEHIND) * STRETCH : 0, end * STRETCH);
}
