/* Aligned, overflow-checked memory. Not collective. */
#ifndef AUXSEG_BASE_MEMORY_H
#define AUXSEG_BASE_MEMORY_H

#include <stddef.h>

/* count * size bytes, zeroed, aligned to 64 bytes; owned by the caller, freed with memory_free.
 * NULL, with a message that names `what`, when there is not enough memory or the product overflows.
 * count == 0 gives a pointer that may only be freed. */
void *memory_alloc(size_t count, size_t size, const char *what);

/* NULL-safe. */
void memory_free(void *p);

/* Highest resident memory of this process so far, in bytes. */
size_t memory_peak(void);

#endif
