/* The gradient without its numbers, in place of src/nn/graph/exact_gradient.c: as many chunks of
 * the same lengths, whose sums all lie in one piece of memory that no rank reads. What
 * gradient_sync.c asks of it is what it would be in a step that goes well. Converting and adding
 * take no time here: they are part of the times between parameters, as these were measured. */
#include "mpi/forecast/simulated.h"
#include "src/base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE = GRADIENT_CHUNK / sizeof(int64_t) };

/* Places and lengths alone, in the order in which they become ready. */
parameters *simulated_parameters(const profile *p) {
    parameters *q = memory_alloc(1, sizeof *q, "parameters");
    parameter *item = memory_alloc((size_t)p->parameters + 1, sizeof *item, "parameters");
    if (!q || !item) return NULL;
    for (int i = 0; i < p->parameters; i++) {
        item[i].offset = p->ready[i].offset;
        item[i].count = p->ready[i].count;
        q->count += item[i].count;
    }
    q->item = item;
    q->items = q->trainable = p->parameters;
    return q;
}

gradient *gradient_create(const parameters *p, size_t bytes) {
    gradient *g = memory_alloc(1, sizeof *g, "gradient");
    size_t piece = bytes / sizeof(int64_t), items = (size_t)p->trainable;
    if (!g) return NULL;
    g->parameters = p;
    g->chunks.count = (int)((p->count + piece - 1) / piece);
    g->chunks.at = memory_alloc((size_t)g->chunks.count, sizeof *g->chunks.at, "gradient");
    g->chunks.memory = memory_alloc(piece, sizeof *g->chunks.memory, "gradient");
    g->exponent = memory_alloc(items, sizeof *g->exponent, "gradient");
    g->nonfinite = memory_alloc(items, sizeof *g->nonfinite, "gradient");
    if (!g->chunks.at || !g->chunks.memory || !g->exponent || !g->nonfinite) return NULL;
    /* From the end, as the program cuts it. */
    size_t end = p->count;
    for (int k = 0; k < g->chunks.count; k++) {
        size_t count = end < piece ? end : piece;
        end -= count;
        g->chunks.at[k] = (gradient_chunk){.offset = end, .count = count};
    }
    return g;
}

void gradient_destroy(gradient *g) {
    if (!g) return;
    memory_free(g->chunks.at);
    memory_free(g->chunks.memory);
    memory_free(g->exponent);
    memory_free(g->nonfinite);
    memory_free(g);
}

void gradient_begin(gradient *g, int units) {
    g->units = units;
    g->chunks.held = 0;
    for (int k = 0; k < g->chunks.count; k++) {
        g->chunks.at[k].sum = NULL;
        g->chunks.at[k].done = g->chunks.at[k].complete = false;
    }
}

/* As the program: the hook comes before memory that none has had before. */
void gradient_open_chunk(gradient *g, int k) {
    gradient_chunk *c = &g->chunks.at[k];
    if (c->sum || c->done) return;
    if (g->chunks.held == g->chunks.most && g->growing) g->growing(g->context);
    c->sum = g->chunks.memory;
    g->chunks.held++;
    if (g->chunks.held > g->chunks.most) g->chunks.most = g->chunks.held;
}

void gradient_open(gradient *g, int item) {
    const parameter *p = &g->parameters->item[item];
    for (int k = 0; k < g->chunks.count; k++) {
        const gradient_chunk *c = &g->chunks.at[k];
        if (p->offset < c->offset + c->count && c->offset < p->offset + p->count)
            gradient_open_chunk(g, k);
    }
}

void gradient_ready(gradient *g, int item) {
    const parameter *p = &g->parameters->item[item];
    if (g->ready) g->ready(g->context, p->offset, p->count);
}

/* Back to the memory that all chunks have. */
void gradient_convert(gradient *g, int k, size_t begin, size_t end) {
    (void)begin, (void)end;
    if (g->chunks.at[k].sum) g->chunks.held--;
    g->chunks.at[k].sum = NULL;
    g->chunks.at[k].done = true;
}

void gradient_complete(gradient *g, int k) {
    g->chunks.at[k].complete = true;
}

/* Which has room for as many floats. */
float *gradient_values(const gradient *g, int k) {
    (void)k;
    return (float *)g->chunks.memory;
}

/* Scales always fit: a step that is done again is rare after the first. */
bool gradient_rescale(gradient *g) {
    (void)g;
    return false;
}

status gradient_finish(gradient *g) {
    (void)g;
    return STATUS_OK;
}
