/* What a plan says of itself: the algorithms of its convolutions; and the times of its operators,
 * for benchmarks.
 *
 * Times are kept by thread and node and added here, so that taking them needs no lock; a plan that
 * is not timed does not read the clock at all. */
#include "src/base/log.h"
#include "src/nn/plan/plan_operators.h"

#include <stdio.h>
#include <string.h>

void plan_time(plan *p, bool on) {
    p->timed = on;
    for (int t = 0; t < p->o.threads; t++)
        memset(p->worker[t].seconds, 0, (size_t)p->nodes * sizeof *p->worker[t].seconds);
}

/* Of node v in one pass, over all threads; seconds. */
static double total(const plan *p, value v, node_pass pass) {
    double sum = 0;
    for (int t = 0; t < p->o.threads; t++) sum += p->worker[t].seconds[v][pass];
    return sum;
}

/* seconds [PASSES], of `steps` steps; printed are milliseconds of one. */
static void print_row(const char *name, const double *seconds, int steps) {
    double sum = 0;
    printf("%-64s", name);
    for (int k = 0; k < PASSES; k++) {
        printf(" %10.3f", 1e3 * seconds[k] / steps);
        sum += seconds[k];
    }
    printf(" %10.3f\n", 1e3 * sum / steps);
}

/* "3x3 x 2, 64>128 on 32x32: winograd 4 winograd 4 taps": kernel, dilation, channels, map, passes.
 * text is cut off where it does not fit. A plan without a backward pass has one algorithm. */
static void describe_conv(const layer *l, char *text, size_t size) {
    const conv_shape *c = &l->conv;
    const convolution *pass[] = {l->forward, l->backward_data, l->backward_weights};
    char step[24] = "";
    if (c->stride > 1) snprintf(step, sizeof step, " / %d", c->stride);
    if (c->dilation > 1) snprintf(step, sizeof step, " x %d", c->dilation);
    int at = snprintf(text, size, "  %dx%d%s, %d>%d on %dx%d:", c->kernel, c->kernel, step,
        c->channels, c->out_channels, c->height, c->width);
    for (int i = 0; i < 3 && at >= 0 && (size_t)at < size; i++) {
        if (!pass[i]) continue;
        char name[16];
        convolution_describe(pass[i], name, sizeof name);
        at += snprintf(text + at, size - (size_t)at, " %s", name);
    }
}

/* Equal lines are counted, not repeated: ResNet-50 has 53 convolutions of 20 kinds. */
void plan_log(const plan *p) {
    char text[128], other[128];
    for (value v = 0; v < p->nodes; v++) {
        if (!p->layer[v].forward) continue;
        describe_conv(&p->layer[v], text, sizeof text);
        int count = 0;
        for (value j = 0; j < p->nodes; j++) {
            if (!p->layer[j].forward) continue;
            describe_conv(&p->layer[j], other, sizeof other);
            if (strcmp(text, other) != 0) continue;
            if (j < v) break; /* it has been logged there */
            count++;
        }
        if (count > 0) log_detail("%s (%d)", text, count);
    }
}

/* A line for each convolution, then one for each kind of operator, its convolutions among them;
 * times of threads are added, so a step of two busy threads counts twice its length. */
void plan_print_times(const plan *p, int steps) {
    double kind[NODE_KINDS][PASSES] = {{0}}, all[PASSES] = {0};
    const char *name[NODE_KINDS] = {NULL};
    char text[128];
    printf("milliseconds a step, all threads added %26s %10s %10s %10s %10s\n", "", "forward",
        "backward", "weights", "sum");
    for (value v = 0; v < p->nodes; v++) {
        const layer *l = &p->layer[v];
        double seconds[PASSES];
        name[l->n->kind] = l->op->name;
        for (node_pass k = 0; k < PASSES; k++) {
            seconds[k] = total(p, v, k);
            kind[l->n->kind][k] += seconds[k];
            all[k] += seconds[k];
        }
        if (!plan_has_role(p, v, OPERATOR_WEIGHTS)) continue;
        describe_conv(l, text, sizeof text);
        print_row(text, seconds, steps);
    }
    for (int k = 0; k < NODE_KINDS; k++)
        if (kind[k][FORWARD_PASS] + kind[k][BACKWARD_PASS] > 0) print_row(name[k], kind[k], steps);
    print_row("all", all, steps);
}
