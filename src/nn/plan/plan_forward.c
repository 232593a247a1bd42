/* The forward pass: segments of nodes, each run by all images before the next one begins, for a
 * norm after a segment needs the statistics of all of them.
 *
 * In PLAN_INFER, and with frozen norms, the whole network is one segment.
 *
 * After an error no image is run any more, but exchanges of statistics are still entered: other
 * ranks wait in them, and the ranks agree on the error afterwards. */
#include "src/nn/plan/plan_forward.h"

#include "src/base/rows.h"
#include "src/nn/plan/plan_again.h"
#include "src/nn/plan/plan_norm.h"
#include "src/nn/plan/plan_operators.h"
#include "src/nn/plan/plan_pack.h"
#include "src/nn/plan/plan_team.h"

#include <assert.h>
#include <omp.h>

/* The outputs that node v has computed, as fp32. A value may be an output and be written by another
 * node, which has it fused in: asked for is the writer. */
static void keep_outputs(plan *p, value v, const turn *r) {
    for (int i = 0; i < p->g->outputs; i++) {
        const plan_output_data *o = &p->output[i];
        const layer *l = &p->layer[o->v];
        if (l->writer != v) continue;
        float *to = o->data + (size_t)r->image * l->elements;
        size_t begin, end;
        team_share(r->t, l->elements, PLAN_SHARE, &begin, &end);
        const void *from = plan_data(p, o->v, r->image, r->t->leader);
        layer_convert_out(row_at(from, begin, p->o.type), to + begin, end - begin, p->o.type);
        team_meet(r->t);
    }
}

/* Nodes begin .. end - 1. */
typedef struct segment {
    value begin, end;
} segment;

/* A segment for an image; then its statistics for the norm that follows, if any. */
static status run_image(plan *p, int image, const team *t, const void *job, const step_context *c) {
    const segment *g = job;
    turn r = {.image = image, .t = t, .c = c};
    status worst = STATUS_OK;
    double now = plan_lap(p, t->thread, g->begin, FORWARD_PASS, 0);
    for (value v = g->begin; v < g->end; v++) {
        if (!p->layer[v].alive || p->layer[v].writer != v) continue;
        status st = p->layer[v].op->forward(p, v, &r);
        if (st != STATUS_OK) worst = st;
        team_meet(t);
        keep_outputs(p, v, &r);
        now = plan_lap(p, t->thread, v, FORWARD_PASS, now);
    }
    if (g->end == p->nodes) return worst;
    norm_measure(p, g->end, image, t);
    plan_lap(p, t->thread, g->end, FORWARD_PASS, now);
    return worst;
}

/* The same again for the backward pass, where a node has a place for it. */
static status run_image_again(
    plan *p, int image, const team *t, const void *job, const step_context *c) {
    const segment *g = job;
    turn r = {.image = image, .t = t, .c = c, .again = true};
    status worst = STATUS_OK;
    double now = plan_lap(p, t->thread, g->begin, FORWARD_PASS, 0);
    for (value v = g->begin; v < g->end; v++) {
        if (p->layer[v].again < 0 || plan_again_alone(p, v)) continue;
        status st = p->layer[v].op->forward(p, v, &r);
        if (st != STATUS_OK) worst = st;
        team_meet(t);
        now = plan_lap(p, t->thread, v, FORWARD_PASS, now);
    }
    return worst;
}

/* One parallel region a segment: packing, images, and the meeting at its end. Packed weights of the
 * segment before may be overwritten here: no thread reads them any more. A thread's error is kept,
 * and the others go on to the meetings. */
static status run_images(plan *p, plan_work *work, segment g, int images, const step_context *c) {
    status worst = STATUS_OK;
#pragma omp parallel num_threads(p->o.threads)
    {
        omp_set_num_threads(1); /* oneDNN's, onednn.c */
        status packed = plan_pack_forward(p, g.begin, g.end);
        status st = plan_each_image(p, 0, images, work, &g, c);
        if (packed != STATUS_OK) st = packed;
        if (st != STATUS_OK) {
#pragma omp critical(plan_forward)
            worst = st;
        }
    }
    return worst;
}

/* In the segments of the first time, though no statistics are taken: each norm's still stand. */
status plan_run_again(plan *p, value v, int images, const step_context *c) {
    status st = STATUS_OK;
    for (value begin = p->layer[v].block, end; begin < v && st == STATUS_OK; begin = end) {
        end = plan_next_norm(p, begin + 1);
        if (end > v) end = v;
        st = run_images(p, run_image_again, (segment){begin, end}, images, c);
    }
    return st;
}

status plan_forward(plan *p, int images, const step_context *c) {
    static const step_context none = {.seed = 0};
    assert(images >= 0 && images <= p->o.images);
    if (!c) c = &none;
    p->images = images;
    bool batch = plan_batch_statistics(p);
    for (value v = 0; v < p->nodes && !batch; v++)
        if (plan_is_norm(p, v)) norm_combine(p, v, images, c);
    status st = STATUS_OK;
    for (value begin = 0, end; begin < p->nodes; begin = end) {
        end = plan_next_norm(p, begin + 1);
        /* After an error the exchanges go on: other ranks wait in them. */
        status run =
            st == STATUS_OK ? run_images(p, run_image, (segment){begin, end}, images, c) : st;
        if (st == STATUS_OK) st = run;
        if (end < p->nodes) norm_combine(p, end, images, c);
    }
    return st;
}
