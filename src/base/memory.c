/* Every block of the program comes from here: zeroed, so that no result can hang on what was in
 * memory before; aligned to a cache line, which is also the widest vector; and a product that
 * overflows is a message, not a short block. The peak is what a user sizes a job by. */
#include "src/base/memory.h"

#include "src/base/hook.h"
#include "src/base/log.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

/* Blocks of a few large pages at least: for a smaller one, the rest of a page would be lost. */
enum { ALIGNMENT = 64, HUGE_PAGE = 2 << 20, HUGE_PAGES = 4 };

static hook no_memory = {.name = "MEMORY"};

void *memory_alloc(size_t count, size_t size, const char *what) {
    if (size != 0 && count > (SIZE_MAX - ALIGNMENT) / size) {
        log_error("%s: %zu x %zu bytes do not fit the address space", what, count, size);
        return NULL;
    }
    size_t bytes = (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (bytes == 0) bytes = ALIGNMENT;
    /* Weights and activations are read with strides of pages: large ones miss fewer of them. */
    bool large = bytes >= (size_t)HUGE_PAGES * HUGE_PAGE;
    void *p;
    if (hook_now(&no_memory) || posix_memalign(&p, large ? HUGE_PAGE : ALIGNMENT, bytes) != 0) {
        log_error("%s: out of memory (%zu bytes)", what, bytes);
        return NULL;
    }
#ifdef MADV_HUGEPAGE
    if (large) madvise(p, bytes, MADV_HUGEPAGE); /* advice: no matter if it is refused */
#endif
    memset(p, 0, bytes);
    return p;
}

void memory_free(void *p) {
    free(p);
}

/* Asked of the kernel by taking it, as nothing else tells what it counts; untouched, it costs no
 * memory. */
bool memory_room(size_t bytes, const char *what) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return true;
    void *p = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p != MAP_FAILED) {
        munmap(p, bytes);
        return true;
    }
    log_error("%s: out of memory: %zu bytes of address space are wanted, which is limited to %llu "
              "(ulimit -v)",
        what, bytes, (unsigned long long)limit.rlim_cur);
    return false;
}

/* In KiB under Linux. What the kernel counts since the process began, or since the count was last
 * begun anew. */
static size_t counted_peak(void) {
    struct rusage u;
    if (getrusage(RUSAGE_SELF, &u) != 0) return 0;
    return (size_t)u.ru_maxrss * 1024;
}

static size_t earlier_peak; /* of the spans before this one */
static bool span_known;

size_t memory_peak(void) {
    size_t peak = counted_peak();
    return peak > earlier_peak ? peak : earlier_peak;
}

/* Begins a stage's count. The kernel's counter is the only one there is, and setting it back loses
 * the process' own peak, which is kept here. */
void memory_span_begin(void) {
    earlier_peak = memory_peak();
    /* Linux: "5" sets the highest resident memory to the present one. */
    FILE *f = fopen("/proc/self/clear_refs", "we");
    span_known = f && fputs("5", f) >= 0;
    if (f && fclose(f) != 0) span_known = false;
}

size_t memory_span_peak(void) {
    return span_known ? counted_peak() : 0;
}
