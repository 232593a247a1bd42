/* Aligned, overflow-checked memory. Not collective. */
#ifndef AUXSEG_BASE_MEMORY_H
#define AUXSEG_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* count * size bytes, zeroed, aligned to 64 bytes; owned by the caller, freed with memory_free.
 * NULL, with a message that names `what`, when there is not enough memory or the product overflows.
 * count == 0 gives a pointer that may only be freed. */
void *memory_alloc(size_t count, size_t size, const char *what);

/* NULL-safe. */
void memory_free(void *p);

/* Whether the address space has `bytes` left, where it is limited (ulimit -v): asked before a
 * library takes memory that does not look whether it gets any. Where there is no limit, it has. A
 * message names `what`, the bytes and the limit. */
bool memory_room(size_t bytes, const char *what);

/* Bytes that new blocks may take on this node before it swaps or kills, and, where the process is
 * confined to less (a batch system's control group), within that. root: where proc and sys stand,
 * "" unless it is tested. Near SIZE_MAX: not known. */
size_t memory_available(const char *root);

/* Highest resident memory of this process so far, in bytes. */
size_t memory_peak(void);
/* A span of time begins: memory_span_peak is the highest resident memory from here on, 0 where the
 * kernel cannot tell. Not thread-safe. */
void memory_span_begin(void);
size_t memory_span_peak(void);

#endif
