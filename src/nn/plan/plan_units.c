/* A unit after the other, each shared out among all threads in pieces whose arithmetic no dealing
 * changes. The sum over images runs inside of a piece, which stays in a core's cache meanwhile:
 * slots (plan_slots.c) cost a write and two reads of the whole gradient for every image, which is
 * more than the products where maps are small or the processor multiplies fast. */
#include "src/nn/plan/plan_units.h"

#include "src/nn/plan/plan_slots.h"

#include <omp.h>

/* Of the images from `first` on. By one thread. */
static void find_maps(plan *p, value v, int first, int images) {
    const layer *l = &p->layer[v];
    for (int i = 0; i < images; i++) {
        p->unit_x[i] = plan_saved(p, l->n->input[0], first + i, 0);
        p->unit_dy[i] = plan_gradient(p, v, first + i);
    }
}

/* Image by image, as with slots; the memory behind the sum is the image's. */
static void add_bias(const plan *p, const layer *l, const conv_images *unit) {
    size_t pixels = (size_t)l->height * (size_t)l->width, channels = (size_t)l->n->channels;
    float *sum = p->unit_gradient + convolution_gradient_count(l->backward_weights);
    float *image = sum + channels;
    for (int i = 0; i < unit->count; i++) {
        layer_channel_sums(unit->dy[i], pixels, l->n->channels, p->o.type, i == 0 ? sum : image);
        if (i > 0) layer_accumulate(sum, image, channels, true);
    }
}

/* This thread's pieces of a unit; the last one is the bias. */
static status add_pieces(plan *p, const layer *l, const conv_images *unit, const step_context *c) {
    int thread = omp_get_thread_num(), pieces = convolution_unit_pieces(l->backward_weights);
    team alone = team_alone(thread, p->worker[thread].scratch);
    status worst = STATUS_OK;
#pragma omp for schedule(dynamic) nowait
    for (int i = 0; i <= pieces; i++) {
        status st = STATUS_OK;
        if (i < pieces)
            st = convolution_run_unit(l->backward_weights, &alone, i, unit, p->unit_gradient);
        else if (l->n->bias >= 0)
            add_bias(p, l, unit);
        if (st != STATUS_OK) worst = st;
        if (thread == 0 && c->poll) c->poll(c->poll_context);
    }
    return worst;
}

status plan_add_units(plan *p, value v, int images, const step_context *c, gradient *total) {
    const layer *l = &p->layer[v];
    int each = plan_unit_images(p);
    status worst = STATUS_OK;
    for (int first = 0; first < images; first += each) {
        const conv_images unit = {
            images - first < each ? images - first : each, p->unit_x, p->unit_dy};
#pragma omp single
        find_maps(p, v, first, unit.count);
        double now = plan_lap(p, omp_get_thread_num(), v, WEIGHTS_PASS, 0);
        status st = add_pieces(p, l, &unit, c);
        plan_lap(p, omp_get_thread_num(), v, WEIGHTS_PASS, now);
        if (st != STATUS_OK) worst = st;
        st = plan_finish_unit(p, l, p->unit_gradient, total);
        if (st != STATUS_OK) worst = st;
    }
    return worst;
}
