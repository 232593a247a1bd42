/* Weight gradients of several images at once, and the order in which they become one.
 *
 * They stand in the layout of the convolution's algorithm as long as they are added; a unit's sum
 * is brought to PyTorch's layout once, before it is rounded. */
#include "src/nn/plan/plan_slots.h"

#include "src/nn/plan/plan_operators.h"

#include <omp.h>

enum { LINE = 16 }; /* floats of a cache line */

/* A thread's share of n elements, in whole cache lines. */
static void share(size_t n, size_t *begin, size_t *end) {
    team all = {.rank = omp_get_thread_num(), .size = omp_get_num_threads()};
    team_share(&all, n, LINE, begin, end);
}

/* The unit's gradient is complete: to PyTorch's layout and to the total. By all threads. The
 * meetings: `packed` is complete; `plain` is complete; `plain` and the slots may be used anew. */
status plan_finish_unit(plan *p, const layer *l, const float *packed, gradient *total) {
    int thread = omp_get_thread_num(), threads = omp_get_num_threads();
    size_t count = p->p->item[p->item[l->n->weight]].count, begin, end;
    status st = STATUS_OK;
#pragma omp barrier
    st = convolution_unpack(l->backward_weights, thread, threads, packed, p->plain);
    if (thread == 0 && l->n->bias >= 0)
        gradient_add(total, p->item[l->n->bias],
            packed + convolution_gradient_count(l->backward_weights), 0, (size_t)l->n->channels);
#pragma omp barrier
    share(count, &begin, &end);
    gradient_add(total, p->item[l->n->weight], p->plain, begin, end);
#pragma omp barrier
    return st;
}

/* Each thread adds its share of the elements, of all images. A share is the same elements in every
 * image, so a thread needs no meeting between images of a unit. The first image of a unit
 * overwrites the unit before. */
status plan_add_slots(plan *p, value v, int first, int end, int images, gradient *total) {
    const layer *l = &p->layer[v];
    int each = plan_unit_images(p);
    size_t begin, stop;
    status worst = STATUS_OK;
    share(l->slot, &begin, &stop);
    for (int i = first; i < end; i++) {
        const float *slot = plan_slot(p, i - first);
        bool last = i % each == each - 1 || i == images - 1;
        const float *sum = slot;
        if (each > 1) {
            layer_accumulate(p->unit_gradient + begin, slot + begin, stop - begin, i % each != 0);
            sum = p->unit_gradient;
        }
        if (last) {
            status st = plan_finish_unit(p, l, sum, total);
            if (st != STATUS_OK) worst = st;
        }
    }
    return worst;
}

/* Memory that holds the weight gradients of several images: at least one a thread, and no more than
 * keep threads busy that finish at different times. */
enum { SLOT_BYTES = 64 << 20, SLOTS_A_THREAD = 4 };

status plan_create_slots(plan *p) {
    size_t plain = 0;
    for (value v = 0; v < p->nodes; v++) {
        layer *l = &p->layer[v];
        if (l->gradient < 0 || !plan_has_role(p, v, OPERATOR_WEIGHTS)) continue;
        /* Of a unit's images at once, one bias gradient stands behind their sum. */
        size_t biases = l->n->bias < 0 ? 0 : l->units ? 2 : 1;
        l->slot = convolution_gradient_count(l->backward_weights) + biases * (size_t)l->n->channels;
        if (l->slot > p->slot_floats) p->slot_floats = l->slot;
        size_t count = p->p->item[p->item[l->n->weight]].count;
        if (count > plain) plain = count;
    }
    p->slot_floats = (p->slot_floats + LINE - 1) / LINE * LINE;
    size_t fit = SLOT_BYTES / (p->slot_floats * sizeof(float) + 1);
    int most = p->o.threads > 1 ? SLOTS_A_THREAD * p->o.threads : 1;
    p->slots = fit < (size_t)most ? (int)fit : most;
    if (p->slots < p->o.threads) p->slots = p->o.threads;
    p->slots -= p->slots % p->o.threads; /* every thread has as many images */
    if (p->slots > p->o.images) p->slots = p->o.images;
    p->slot = plan_alloc(p, (size_t)p->slots, p->slot_floats * sizeof(float), "weight gradients");
    p->unit_gradient = plan_alloc(p, p->slot_floats, sizeof(float), "weight gradients");
    p->plain = plan_alloc(p, plain, sizeof(float), "weight gradients");
    size_t maps = (size_t)p->slots * (size_t)plan_unit_images(p);
    p->unit_x = plan_alloc(p, maps, sizeof *p->unit_x, "plan");
    p->unit_dy = plan_alloc(p, maps, sizeof *p->unit_dy, "plan");
    bool made = p->slot && p->unit_gradient && p->plain && p->unit_x && p->unit_dy;
    return made ? STATUS_OK : STATUS_FAILED;
}
