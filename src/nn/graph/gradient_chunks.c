/* How the flat block is cut, and a stack of idle pieces of memory: what was given back last is
 * warm, and is taken first.
 *
 * Sums take 8 bytes an element, twice the values. Held all at once they would be the largest thing
 * in memory of a large network; but a chunk is complete, and its memory free, soon after the layers
 * that it belongs to. */
#include "src/nn/graph/gradient_chunks.h"

#include "src/base/log.h"
#include "src/base/memory.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>

enum { SUMS_A_THREAD = 1 << 16 };

/* Chunks of a number of elements, from the end; at: written if not NULL. Returns how many. Called
 * twice: to count, and to fill. */
static int cut(const parameter_blocks *b, size_t elements, gradient_chunk *at) {
    int n = 0;
    for (int end = b->count, begin; end > 0; end = begin, n++) {
        size_t count = 0;
        for (begin = end; begin > 0; begin--) {
            size_t more = b->at[begin - 1].count;
            if (begin < end && count + more > elements) break;
            count += more;
        }
        if (at)
            at[n] = (gradient_chunk){.offset = b->at[begin].offset,
                .count = count,
                .first = begin,
                .blocks = end - begin};
    }
    return n;
}

/* Address space without memory: pages come with their first use. Huge ones save faults, for a chunk
 * is some megabytes. */
static int64_t *reserve(size_t bytes) {
    void *p = mmap(
        NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        log_error("gradient sums: no address space for %zu bytes", bytes);
        return NULL;
    }
#ifdef MADV_HUGEPAGE
    madvise(p, bytes, MADV_HUGEPAGE); /* advice: no matter if it is refused */
#endif
    return p;
}

static size_t reserved_bytes(const gradient_chunks *c) {
    return (size_t)c->count * c->piece * sizeof *c->memory;
}

status gradient_chunks_create(gradient_chunks *c, const parameter_blocks *blocks, size_t bytes) {
    *c = (gradient_chunks){.count = cut(blocks, bytes / sizeof *c->memory, NULL)};
    c->at = memory_alloc((size_t)c->count, sizeof *c->at, "gradient");
    c->idle = memory_alloc((size_t)c->count, sizeof *c->idle, "gradient");
    if (!c->at || !c->idle) goto failed;
    cut(blocks, bytes / sizeof *c->memory, c->at);
    for (int k = 0; k < c->count; k++) {
        if (c->at[k].count > c->piece) c->piece = c->at[k].count;
        c->idle[k] = c->count - 1 - k; /* the first piece is on top */
    }
    if (c->count == 0) return STATUS_OK;
    c->memory = reserve(reserved_bytes(c));
    if (c->memory) return STATUS_OK;
failed:
    gradient_chunks_destroy(c);
    return STATUS_FAILED;
}

void gradient_chunks_destroy(gradient_chunks *c) {
    if (c->memory) munmap(c->memory, reserved_bytes(c));
    memory_free(c->at);
    memory_free(c->idle);
    *c = (gradient_chunks){0};
}

/* Zeroed by all threads: where memory belongs to sockets, pages are spread like the adding threads.
 */
void gradient_chunks_take(gradient_chunks *c, int k) {
    gradient_chunk *chunk = &c->at[k];
    assert(!chunk->sum && c->held < c->count);
    int piece = c->idle[c->count - 1 - c->held++];
    if (c->held > c->most) c->most = c->held;
    chunk->sum = c->memory + (size_t)piece * c->piece;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < chunk->count; i += SUMS_A_THREAD) {
        size_t n = chunk->count - i < SUMS_A_THREAD ? chunk->count - i : SUMS_A_THREAD;
        memset(chunk->sum + i, 0, n * sizeof *chunk->sum);
    }
}

/* Idle pieces are idle[0 .. count - held - 1]; this one goes on top. */
void gradient_chunks_give(gradient_chunks *c, int k) {
    gradient_chunk *chunk = &c->at[k];
    if (!chunk->sum) return;
    c->idle[c->count - c->held--] = (int)((size_t)(chunk->sum - c->memory) / c->piece);
    chunk->sum = NULL;
}
