/* A training that has diverged would go on and mark its stage done: statistics of norms do not
 * enter the loss under norm "group", so that nothing else notices. All tensors are looked at after
 * every step: weights and states by the optimiser as it writes them, and once more for the name if
 * one of them is not finite; norm statistics here. */
#include "src/app/training/divergence.h"

#include "io/weights/tensor_fault.h"
#include "io/weights/weights.h"
#include "src/app/training/saves.h"

#include <inttypes.h>
#include <stdio.h>

/* Item i of the network, or one of the optimiser's states of it. */
static tensor_info part_of(const trainer *t, int i, int state) {
    tensor_info x = weights_tensor(t->p, i);
    if (state >= 0) x.data = t->optimizer.state[state] + t->p->item[i].offset;
    return x;
}

static int states_of(const trainer *t, int i) {
    return t->p->item[i].trainable ? t->optimizer.states : 0;
}

/* The lowest item from `begin` on that has a fault, itself or in a state; or `items`. */
static int first_fault(const trainer *t, int begin) {
    int first = t->p->items;
#pragma omp parallel for schedule(dynamic) num_threads(t->threads) reduction(min : first)
    for (int i = begin; i < t->p->items; i++)
        for (int state = -1; state < states_of(t, i); state++) {
            tensor_info x = part_of(t, i, state);
            if (tensor_fault(&x) >= 0 && i < first) first = i;
        }
    return first;
}

/* The first item in the network's order, its weights before its states: the same tensor on every
 * rank. */
bool divergence_find(const trainer *t, bool finite, char *text) {
    int i = first_fault(t, finite ? t->p->trainable : 0);
    text[0] = '\0';
    if (i == t->p->items) return false;
    for (int state = -1; state < states_of(t, i); state++) {
        char fault[TENSOR_FAULT_TEXT];
        tensor_info x = part_of(t, i, state);
        if (!tensor_fault_text(&x, fault)) continue;
        const char *whose = state < 0 ? "" : optimizer_state_name(&t->optimizer, state);
        snprintf(text, DIVERGENCE_TEXT, "%s%s%s", whose, *whose ? " of " : "", fault);
        return true;
    }
    return false;
}

/* Equal weights diverge on all ranks at once, and one of them is enough to say so; a rank that is
 * alone with it, through a fault of its memory, is the lowest with a text. */
status divergence_report(trainer *t, const char *text) {
    double rank = comm_rank(t->c), speaker = text[0] ? rank : comm_size(t->c);
    char left[64] = "there is no checkpoint";
    comm_min_f64(t->c, &speaker, 1);
    double newest = comm_root(t->c) ? (double)saves_newest(t) : 0;
    comm_max_f64(t->c, &newest, 1);
    if (newest > 0) snprintf(left, sizeof left, "the checkpoint of step %.0f is kept", newest);
    if (speaker == rank)
        log_error("%s: step %" PRId64 ": %s: the training has diverged, nothing is written, %s",
            t->o.stage, t->step + 1, text, left);
    return STATUS_NONFINITE;
}
