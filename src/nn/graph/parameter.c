/* Tensors by name in two flat blocks, so that an optimiser is one loop, a message a range, and a
 * checkpoint one write; and their initial values.
 *
 * Names are searched from the front: some hundreds of items, when a network is made or loaded. */
#include "src/nn/graph/parameter.h"

#include "src/base/hash.h"
#include "src/base/memory.h"
#include "src/base/random.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Elements drawn from one random stream: large tensors are initialised by several threads. */
enum { INIT_CHUNK = 1 << 16 };

static size_t element_count(const parameter *item) {
    size_t count = 1;
    for (int i = 0; i < item->dims; i++) count *= (size_t)item->shape[i];
    return count;
}

/* Appends the declared items of one kind and gives them their places in its block; returns the
 * block's size. Names must be unique: files and graphs find tensors by them. */
static size_t append(parameters *p, const parameter *declared, int n, bool trainable) {
    size_t end = 0;
    for (int i = 0; i < n; i++) {
        if (declared[i].trainable != trainable) continue;
        assert(parameters_find(p, declared[i].name) < 0);
        parameter *item = &p->item[p->items++];
        *item = declared[i];
        item->count = element_count(item);
        item->offset = end;
        end += item->count;
    }
    return end;
}

/* Two passes over what is declared, so that trainable items come first and the first `count` floats
 * are all that an optimiser and an exchange of gradients need to see. memory_alloc clears: values
 * are zero until they are initialised or loaded. */
status parameters_from(parameters **out, const parameter *declared, int n) {
    parameters *p = memory_alloc(1, sizeof *p, "parameters");
    if (!p) return STATUS_FAILED;
    p->item = memory_alloc((size_t)n, sizeof *p->item, "parameters");
    if (!p->item) goto done;
    p->count = append(p, declared, n, true);
    p->trainable = p->items;
    p->buffers = append(p, declared, n, false);
    p->value = memory_alloc(p->count, sizeof *p->value, "parameters");
    p->buffer = memory_alloc(p->buffers, sizeof *p->buffer, "norm statistics");
done:
    if (!p->item || !p->value || !p->buffer) {
        parameters_destroy(p);
        return STATUS_FAILED;
    }
    *out = p;
    return STATUS_OK;
}

void parameters_destroy(parameters *p) {
    if (!p) return;
    memory_free(p->item);
    memory_free(p->value);
    memory_free(p->buffer);
    memory_free(p);
}

/* Where the item's elements stand: the first `trainable` items in `value`, the others in `buffer`.
 */
static float *elements(const parameters *p, const parameter *item) {
    return (item->trainable ? p->value : p->buffer) + item->offset;
}

/* Both are PyTorch's: He's normal for convolutions of an encoder, uniform for heads. */
static void draw(const parameter *item, random_stream *r, float *x, size_t n) {
    if (item->init == INIT_KAIMING) {
        double deviation = sqrt(2.0 / item->fan_out);
        for (size_t i = 0; i < n; i++) x[i] = (float)(deviation * random_normal(r));
    } else {
        double bound = 1.0 / sqrt((double)item->fan_in);
        for (size_t i = 0; i < n; i++) x[i] = (float)random_between(r, -bound, bound);
    }
}

/* A stream of its own for every INIT_CHUNK elements, keyed by a hash of the name: the same values
 * for any number of threads, and whichever graph the tensor stands in. */
static void initialize(const parameter *item, uint64_t seed, float *x) {
    if (item->init == INIT_ZERO || item->init == INIT_ONE) {
        float v = item->init == INIT_ONE ? 1.0f : 0.0f;
        for (size_t i = 0; i < item->count; i++) x[i] = v;
        return;
    }
    assert(item->fan_in > 0 && item->fan_out > 0);
    uint64_t key = hash_bytes(item->name, strlen(item->name));
#pragma omp parallel for schedule(dynamic)
    for (size_t begin = 0; begin < item->count; begin += INIT_CHUNK) {
        size_t rest = item->count - begin;
        random_stream r = random_begin(seed, RANDOM_INIT, begin / INIT_CHUNK, key);
        draw(item, &r, x + begin, rest < INIT_CHUNK ? rest : INIT_CHUNK);
    }
}

void parameters_initialize(parameters *p, uint64_t seed) {
    for (int i = 0; i < p->items; i++) initialize(&p->item[i], seed, elements(p, &p->item[i]));
    p->batches_tracked = 0;
}

int parameters_find(const parameters *p, const char *name) {
    for (int i = 0; i < p->items; i++)
        if (strcmp(p->item[i].name, name) == 0) return i;
    return -1;
}

/* A statistic and a weight may share a name in files that others have written: kinds must agree. */
static bool same_shape(const parameter *a, const parameter *b) {
    return a->trainable == b->trainable && a->dims == b->dims &&
           memcmp(a->shape, b->shape, (size_t)a->dims * sizeof *a->shape) == 0;
}

/* Statistics are copied, too. Nothing is said of what does not match: the caller compares the
 * number. */
int parameters_copy(parameters *to, const parameters *from) {
    int copied = 0;
    for (int i = 0; i < to->items; i++) {
        const parameter *item = &to->item[i];
        int j = parameters_find(from, item->name);
        if (j < 0 || !same_shape(item, &from->item[j])) continue;
        memcpy(elements(to, item), elements(from, &from->item[j]), item->count * sizeof(float));
        copied++;
    }
    if (copied > 0) to->batches_tracked = from->batches_tracked;
    return copied;
}

/* Offsets are of the part's own blocks: its first item of each kind is where they begin. */
static void take_part(parameters *part, const parameters *p, const char *prefix, bool within) {
    size_t skipped = within ? strlen(prefix) : 0;
    for (int i = 0; i < p->items; i++) {
        const char *name = p->item[i].name;
        if ((strncmp(name, prefix, strlen(prefix)) == 0) != within) continue;
        parameter *item = &part->item[part->items++];
        *item = p->item[i];
        memcpy(item->name, name + skipped, strlen(name + skipped) + 1);
        float **block = item->trainable ? &part->value : &part->buffer;
        size_t *count = item->trainable ? &part->count : &part->buffers;
        if (*count == 0) *block = elements(p, item);
        item->offset = *count;
        /* Else another network's item stands between. */
        assert(*block + item->offset == elements(p, &p->item[i]));
        *count += item->count;
        if (item->trainable) part->trainable = part->items;
    }
}

status parameters_part(parameters **out, const parameters *p, const char *prefix, bool within) {
    parameters *part = memory_alloc(1, sizeof *part, "parameters");
    if (!part) return STATUS_FAILED;
    part->item = memory_alloc((size_t)p->items, sizeof *part->item, "parameters");
    if (!part->item) {
        memory_free(part);
        return STATUS_FAILED;
    }
    take_part(part, p, prefix, within);
    part->batches_tracked = p->batches_tracked;
    *out = part;
    return STATUS_OK;
}

void parameters_part_destroy(parameters *part) {
    if (!part) return;
    memory_free(part->item);
    memory_free(part);
}
