/* Running statistics: what a forward pass leaves of each unit, and the step that they take once the
 * gradient is known to be good. They enter no gradient, but the weights that are written. */
#include "src/nn/plan/plan_norm.h"

#include <string.h>

size_t plan_moments_width(const plan *p) {
    size_t width = 0;
    for (value v = 0; v < p->nodes; v++)
        if (plan_has_role(p, v, OPERATOR_STATISTICS)) width += 2 * (size_t)p->layer[v].n->channels;
    return width;
}

int plan_units(const plan *p, int images) {
    return plan_batch_statistics(p) ? norm_units(p, images) : 0;
}

/* In the order in which plan_commit reads them. */
void plan_moments(const plan *p, double *moments) {
    int units = plan_units(p, p->images);
    for (int u = 0; u < units; u++)
        for (value v = 0; v < p->nodes; v++) {
            const layer *l = &p->layer[v];
            if (!plan_has_role(p, v, OPERATOR_STATISTICS)) continue;
            size_t c = (size_t)l->n->channels, at = (size_t)u * c;
            memcpy(moments, l->norm.mean + at, c * sizeof *moments);
            memcpy(moments + c, l->norm.unbiased + at, c * sizeof *moments);
            moments += 2 * c;
        }
}

void plan_commit(plan *p, const moment_sums *s, int units) {
    size_t at = 0;
    for (value v = 0; v < p->nodes; v++) {
        const layer *l = &p->layer[v];
        if (!plan_has_role(p, v, OPERATOR_STATISTICS)) continue;
        size_t c = (size_t)l->n->channels;
        moment_sums_move(s, at, c, units, plan_parameter(p, l->n->mean));
        moment_sums_move(s, at + c, c, units, plan_parameter(p, l->n->variance));
        at += 2 * c;
    }
    p->p->batches_tracked += units;
}
