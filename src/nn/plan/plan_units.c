/* As many units at once as there are slots, each of which holds a unit's sum; their pieces are
 * dealt among all threads, and no dealing changes the arithmetic of a piece. The sum over images
 * runs inside of a piece, which stays in a core's cache meanwhile: a slot an image (plan_slots.c)
 * costs a write and two reads of the whole gradient for every image, which tells where maps are
 * small or the processor multiplies fast. */
#include "src/nn/plan/plan_units.h"

#include "src/nn/plan/plan_slots.h"

#include <omp.h>

/* Units that are computed together. */
typedef struct unit_set {
    int first, images; /* of all of them */
    int each, count;   /* images of a unit, but perhaps of the last; units */
} unit_set;

/* Of all images of the set. By one thread. */
static void find_maps(plan *p, value v, const unit_set *u) {
    const layer *l = &p->layer[v];
    for (int i = 0; i < u->images; i++) {
        p->unit_x[i] = plan_saved(p, l->n->input[0], u->first + i, 0);
        p->unit_dy[i] = plan_gradient(p, v, u->first + i);
    }
}

/* Image by image, as with slots; the memory behind the sum is the image's. */
static void add_bias(const plan *p, const layer *l, const conv_images *unit, float *packed) {
    size_t pixels = (size_t)l->height * (size_t)l->width, channels = (size_t)l->n->channels;
    float *sum = packed + convolution_gradient_count(l->backward_weights), *image = sum + channels;
    for (int i = 0; i < unit->count; i++) {
        layer_channel_sums(unit->dy[i], pixels, l->n->channels, p->o.type, i == 0 ? sum : image);
        if (i > 0) layer_accumulate(sum, image, channels, true);
    }
}

/* Piece `piece` of unit `number`; the one behind the weights' is the bias. */
static status add_piece(
    const plan *p, const layer *l, const unit_set *u, int number, int piece, const team *alone) {
    int begin = number * u->each, left = u->images - begin;
    const conv_images unit = {
        left < u->each ? left : u->each, p->unit_x + begin, p->unit_dy + begin};
    float *packed = plan_slot(p, number);
    if (piece < convolution_unit_pieces(l->backward_weights))
        return convolution_run_unit(l->backward_weights, alone, piece, &unit, packed);
    if (l->n->bias >= 0) add_bias(p, l, &unit, packed);
    return STATUS_OK;
}

/* This thread's pieces of the set. */
static status add_pieces(plan *p, const layer *l, const unit_set *u, const step_context *c) {
    int thread = omp_get_thread_num(), pieces = convolution_unit_pieces(l->backward_weights) + 1;
    team alone = team_alone(thread, p->worker[thread].scratch);
    status worst = STATUS_OK;
#pragma omp for schedule(dynamic) nowait
    for (int i = 0; i < u->count * pieces; i++) {
        status st = add_piece(p, l, u, i / pieces, i % pieces, &alone);
        if (st != STATUS_OK) worst = st;
        if (thread == 0 && c->poll) c->poll(c->poll_context);
    }
    return worst;
}

/* Every unit's sum goes on in the order of units. Those who meet in plan_finish_unit have done all
 * pieces of the set. */
status plan_add_units(plan *p, value v, int images, const step_context *c, gradient *total) {
    const layer *l = &p->layer[v];
    int thread = omp_get_thread_num(), each = plan_unit_images(p), most = p->slots * each;
    status worst = STATUS_OK;
    for (int first = 0; first < images; first += most) {
        unit_set u = {first, images - first < most ? images - first : most, each, 0};
        u.count = (u.images + each - 1) / each;
#pragma omp single
        find_maps(p, v, &u);
        double now = plan_lap(p, thread, v, WEIGHTS_PASS, 0);
        status st = add_pieces(p, l, &u, c);
        plan_lap(p, thread, v, WEIGHTS_PASS, now);
        if (st != STATUS_OK) worst = st;
        for (int i = 0; i < u.count; i++) {
            st = plan_finish_unit(p, l, plan_slot(p, i), total);
            if (st != STATUS_OK) worst = st;
        }
    }
    return worst;
}
