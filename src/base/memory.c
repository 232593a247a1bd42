#include "src/base/memory.h"

#include "src/base/log.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { ALIGNMENT = 64 };

void *memory_alloc(size_t count, size_t size, const char *what) {
    if (size != 0 && count > (SIZE_MAX - ALIGNMENT) / size) {
        log_error("%s: %zu x %zu bytes do not fit the address space", what, count, size);
        return NULL;
    }
    size_t bytes = (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (bytes == 0) bytes = ALIGNMENT;
    void *p = aligned_alloc(ALIGNMENT, bytes);
    if (!p) {
        log_error("%s: out of memory (%zu bytes)", what, bytes);
        return NULL;
    }
    memset(p, 0, bytes);
    return p;
}

void memory_free(void *p) {
    free(p);
}

size_t memory_peak(void) {
    struct rusage u;
    if (getrusage(RUSAGE_SELF, &u) != 0) return 0;
    return (size_t)u.ru_maxrss * 1024;
}
