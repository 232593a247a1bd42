/* How rows that are mapped from a file give their memory back while loops pass over them: the
 * kernel keeps what a process has read until memory is short, by which time a batch system's limit
 * may have ended the job. */
#include "src/label/features.h"

#include <sys/mman.h>
#include <unistd.h>

/* A read of one page maps those around it that are in the kernel's cache: 64 KiB, or from
 * Linux 6.18 on the whole folio, of at most what one table of pages spans, a window. What other
 * threads may still read of the windows behind the newest is released once more with it. */
enum { WINDOW = 1 << 21, BEHIND = 8 };

/* Windows first .. end - 1 of the address space, within the mapping. */
static void release(const features *x, uintptr_t first, uintptr_t end) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), data = (uintptr_t)x->data;
    uintptr_t low = data / page * page;
    uintptr_t high = (data + x->n * features_row_bytes(x) + page - 1) / page * page;
    if (first * WINDOW > low) low = first * WINDOW;
    if (end * WINDOW < high) high = end * WINDOW;
    madvise((void *)low, high - low, MADV_DONTNEED);
}

/* All windows that the rows touch, those at both ends as a whole. */
void features_release(const features *x, size_t first, size_t count) {
    if (!x->mapped || count == 0) return;
    uintptr_t begin = (uintptr_t)x->data + first * features_row_bytes(x);
    release(x, begin / WINDOW, (begin + count * features_row_bytes(x) - 1) / WINDOW + 1);
}

/* Windows are given back when a loop has left them, with some behind: madvise for every row would
 * cost more than reading it. */
void features_passed(const features *x, size_t first, size_t count) {
    if (!x->mapped) return;
    uintptr_t at = (uintptr_t)x->data + first * features_row_bytes(x);
    uintptr_t begin = at / WINDOW, end = (at + count * features_row_bytes(x)) / WINDOW;
    if (begin < end) release(x, begin - BEHIND, end);
}
