/* Patches as rows of a matrix, a block of them at a time in the thread's memory, times the packed
 * weights; what is added to each token (its position, the bias, for the first ones the token
 * itself) is one row a token, made when weights are packed.
 *
 * The convolution that this is has few channels, a large kernel and no overlap: as a product it
 * runs at the rate of one, and no element of the image is rounded. An image that is no multiple of
 * the patch is filled up with zeros, right and below. */
#include "src/nn/kernels/embedding.h"

#include "src/base/memory.h"
#include "src/base/rows.h"
#include "src/base/vector.h"
#include "src/nn/kernels/lanes.h"
#include "src/nn/kernels/matrix.h"
#include "src/nn/kernels/positions.h"

#include <string.h>

enum { COLOURS = 3, BLOCK = 64 }; /* patches of a block, about */

struct embedding {
    embedding_shape s;
    size_t high, wide, tokens; /* patches of the image, and tokens in all */
    size_t inner, rows;        /* of a product: elements of a patch, patches of a block */
    float *weight;             /* [ceil(C / PANEL), inner, PANEL] */
    float *added;              /* [tokens, C] */
};

static size_t weight_floats(const embedding *e) {
    return matrix_columns((size_t)e->s.channels) * e->inner;
}

static size_t added_floats(const embedding *e) {
    return e->tokens * (size_t)e->s.channels;
}

status embedding_create(embedding **out, const embedding_shape *s) {
    embedding *e = memory_alloc(1, sizeof *e, "patch embedding");
    if (!e) return STATUS_FAILED;
    size_t patch = (size_t)s->patch;
    *e = (embedding){.s = *s,
        .high = ((size_t)s->height + patch - 1) / patch,
        .wide = ((size_t)s->width + patch - 1) / patch,
        .inner = COLOURS * patch * patch,
        .rows = matrix_rows(BLOCK)};
    e->tokens = (size_t)s->prefix + e->high * e->wide;
    e->weight = memory_alloc(weight_floats(e), sizeof *e->weight, "patch embedding");
    e->added = memory_alloc(added_floats(e), sizeof *e->added, "positions");
    if (!e->weight || !e->added) {
        embedding_destroy(e);
        return STATUS_FAILED;
    }
    *out = e;
    return STATUS_OK;
}

void embedding_destroy(embedding *e) {
    if (!e) return;
    memory_free(e->weight);
    memory_free(e->added);
    memory_free(e);
}

size_t embedding_bytes(const embedding *e) {
    return (weight_floats(e) + added_floats(e)) * sizeof(float);
}

/* A block of patches, and what it becomes. */
size_t embedding_scratch(const embedding *e) {
    return e->rows * (matrix_stride(e->inner) + matrix_columns((size_t)e->s.channels)) *
           sizeof(float);
}

/* [O, 3, p, p] to panels of outputs; a patch's elements in the image's order, colours last. */
static void pack_weight(embedding *e, const float *weight) {
    size_t area = (size_t)e->s.patch * (size_t)e->s.patch;
    for (size_t o = 0; o < (size_t)e->s.channels; o++) {
        float *panel = e->weight + o / MATRIX_PANEL * e->inner * MATRIX_PANEL + o % MATRIX_PANEL;
        for (size_t c = 0; c < COLOURS; c++)
            for (size_t i = 0; i < area; i++)
                panel[(i * COLOURS + c) * MATRIX_PANEL] = weight[(o * COLOURS + c) * area + i];
    }
}

/* DINOv2 gives its registers no position, and models that came after it the class token none
 * either. */
status embedding_pack(embedding *e, const embedding_weights *w) {
    size_t c = (size_t)e->s.channels, prefix = (size_t)e->s.prefix;
    const float *position = w->position + (e->s.class_position ? c : 0);
    float *patches = e->added + prefix * c;
    pack_weight(e, w->weight);
    for (size_t i = 0; i < c; i++)
        e->added[i] = w->first[i] + (e->s.class_position ? w->position[i] : 0);
    if (w->registers) memcpy(e->added + c, w->registers, (prefix - 1) * c * sizeof *e->added);
    status st = positions_resize(
        position, e->s.grid, patches, (int)e->high, (int)e->wide, e->s.channels, e->s.antialias);
    for (size_t i = 0; st == STATUS_OK && i < e->high * e->wide * c; i++)
        patches[i] += w->bias[i % c];
    return st;
}

/* Patch n of the image to a row. */
static void gather(const embedding *e, const float *image, size_t n, float *row) {
    size_t patch = (size_t)e->s.patch, height = (size_t)e->s.height, width = (size_t)e->s.width;
    size_t top = n / e->wide * patch, left = n % e->wide * patch;
    size_t high = height - top < patch ? height - top : patch;
    size_t wide = width - left < patch ? width - left : patch;
    if (high < patch || wide < patch) memset(row, 0, e->inner * sizeof *row);
    for (size_t y = 0; y < high; y++)
        memcpy(row + y * patch * COLOURS, image + ((top + y) * width + left) * COLOURS,
            wide * COLOURS * sizeof *row);
}

LANES_INLINE void add_rows(const float *x, size_t stride, const float *added, void *y, size_t rows,
    size_t channels, dtype t) {
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < channels; c += LANES)
            lanes_store(y, r * channels + c,
                lanes_load(x, r * stride + c, DTYPE_F32) +
                    lanes_load(added, r * channels + c, DTYPE_F32),
                t);
}

VECTOR_CLONES static void store_rows(const float *x, size_t stride, const float *added, void *y,
    size_t rows, size_t channels, dtype t) {
    ROW_TYPED(t, add_rows, x, stride, added, y, rows, channels);
}

/* Threads share out patches, not blocks: an element of a product is the same in any block. The
 * leader has the first tokens, which are no image's. Rows of a block that has no patches left
 * still hold those of the block before, and are not stored. */
void embedding_run(const embedding *e, const team *t, const float *image, void *y) {
    size_t begin, end, c = (size_t)e->s.channels, prefix = (size_t)e->s.prefix;
    size_t stride = matrix_columns(c);
    float *patch = t->scratch, *product = patch + e->rows * matrix_stride(e->inner);
    matrix_shape m = {.rows = e->rows, .inner = e->inner, .columns = c};
    if (t->rank == 0)
        for (size_t i = 0; i < prefix * c; i++) row_put(y, i, e->added[i], e->s.type);
    team_share(t, e->high * e->wide, e->rows, &begin, &end);
    for (size_t n = begin; n < end; n += e->rows) {
        size_t rows = end - n < e->rows ? end - n : e->rows;
        for (size_t i = 0; i < rows; i++)
            gather(e, image, n + i, patch + i * matrix_stride(e->inner));
        matrix_product(&m, patch, e->weight, product);
        store_rows(product, stride, e->added + (prefix + n) * c,
            row_at(y, (prefix + n) * c, e->s.type), rows, c, e->s.type);
    }
}
