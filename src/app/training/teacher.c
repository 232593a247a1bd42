/* A network that labels. It sees plain views, whole ones, a few at a time: nothing of them is kept
 * but labels. Norms take their running statistics, as when the model is used, so that what it says
 * of a view does not depend on the views beside it, nor on ranks, threads and waves. */
#include "src/app/training/teacher.h"

#include "src/base/memory.h"
#include "src/segment/pseudo_label.h"

#include <string.h>

enum { VIEWS = 2 }; /* of a place: its image's, and that of the one that is mixed in */

static size_t view_pixels(const teacher *e) {
    return (size_t)e->t->o.crop * (size_t)e->t->o.crop;
}

static status create(teacher *e, parameters *p) {
    const trainer *t = e->t;
    plan_options o = {.height = t->o.crop,
        .width = t->o.crop,
        .mode = PLAN_INFER,
        .images = e->images,
        .threads = t->threads};
    arithmetic_set(t->o.how, &o);
    e->label = memory_alloc((size_t)e->outputs * (size_t)e->places * view_pixels(e),
        sizeof *e->label, "labels of a teacher");
    return e->label ? plan_create(&e->plan, t->g, p, o) : STATUS_FAILED;
}

/* Both views of a place are in one call, as their labels are mixed. */
status teacher_create(teacher *out, trainer *t, parameters *p) {
    teacher e = {.t = t,
        .images = VIEWS * t->threads,
        .places = (t->first + t->local) / 2 - t->first / 2,
        .outputs = graph_outputs(t->g)};
    status st = comm_agree(t->c, create(&e, p));
    if (st == STATUS_OK)
        *out = e;
    else
        teacher_destroy(&e);
    return st;
}

void teacher_destroy(teacher *e) {
    plan_destroy(e->plan);
    memory_free(e->label);
    *e = (teacher){0};
}

status teacher_pack(teacher *e) {
    return plan_pack(e->plan);
}

const uint16_t *teacher_labels(const teacher *e, int output, int j) {
    return e->label + (size_t)(output * e->places + j) * view_pixels(e);
}

/* Place j, whose `views` are the plan's images from `at` on. */
static status label_place(teacher *e, const batch *b, int j, int at, int views, double confidence) {
    int side = e->t->o.crop;
    status st = STATUS_OK;
    for (int k = 0; k < e->outputs && st == STATUS_OK; k++) {
        logit_map map[VIEWS] = {{0}};
        for (int v = 0; v < views; v++) {
            map[v].data = plan_output(e->plan, k, at + v);
            plan_output_shape(e->plan, k, &map[v].h, &map[v].w, &map[v].classes);
        }
        st = pseudo_labels(&map[0], &map[1], &b->box[j], side, side, confidence,
            e->label + (size_t)(k * e->places + j) * view_pixels(e));
    }
    return st;
}

/* Where nothing is mixed in, the second view would be looked at for nothing. */
static bool is_mixed(const batch *b, int places) {
    for (int j = 0; j < places; j++)
        if (b->box[j].bottom > b->box[j].top) return true;
    return false;
}

/* Places in chunks, in order; which chunk a place is in does not change what is said of it. */
status teacher_label(teacher *e, const batch *b, double confidence) {
    size_t floats = 3 * view_pixels(e);
    int views = is_mixed(b, e->places) ? VIEWS : 1, chunk = e->images / views;
    status worst = STATUS_OK;
    for (int first = 0; first < e->places && worst == STATUS_OK; first += chunk) {
        int count = e->places - first < chunk ? e->places - first : chunk;
        for (int i = 0; i < count * views; i++) {
            const float *from =
                b->plain + (size_t)(VIEWS * (first + i / views) + i % views) * floats;
            memcpy(plan_input(e->plan, i), from, floats * sizeof *from);
        }
        worst = plan_forward(e->plan, count * views, &(step_context){0});
        if (worst != STATUS_OK) break;
#pragma omp parallel for schedule(dynamic) num_threads(e->t->threads)
        for (int i = 0; i < count; i++) {
            status st = label_place(e, b, first + i, i * views, views, confidence);
            if (st != STATUS_OK) {
#pragma omp critical(worst)
                worst = status_worse(worst, st);
            }
        }
    }
    return worst;
}
