/* Pseudo-labels (Lee 2013; the threshold and the plain and strong views are FixMatch's, Sohn et al.
 * 2020, arXiv:2001.07685): a model that was fine-tuned on the labelled share labels the other
 * images, and pixels of which it is sure are learned like labelled ones. The teacher is another
 * model and stays as it is, as in self-training (ST, Yang et al. 2022, arXiv:2106.05095), so that
 * what a model learns wrongly does not come back as its own label; it labels each view anew, where
 * ST labels whole images once, which needs no second copy of the data set. */
#include "src/app/training/finetune_step.h"

#include "io/weights/weights.h"
#include "src/base/log.h"

/* The trained network with the teacher's weights. */
static status load_teacher(finetuning *x, const char *weights, parameters **out) {
    weights_match match = {0};
    parameters *p = parameters_create(x->t->g);
    status st = comm_agree(x->t->c, p ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK) st = weights_load(x->t->c, weights, NULL, p, &match);
    if (st == STATUS_OK && match.missing > 0) {
        if (comm_root(x->t->c))
            log_error("%s: lacks %d of the network's tensors: no teacher", weights, match.missing);
        st = STATUS_DATA;
    }
    if (st == STATUS_OK)
        *out = p;
    else
        parameters_destroy(p);
    return st;
}

/* The stage as the method reads: a batch, labels for its places without, its gradient, a step. */
status finetune_pseudo_labels(finetuning *x, const char *weights) {
    parameters *p = NULL;
    status st = load_teacher(x, weights, &p);
    if (st == STATUS_OK) st = teacher_create(&x->teacher, x->t, p);
    while (st == STATUS_OK && trainer_next(x->t)) {
        st = finetune_load(x);
        if (st == STATUS_OK) st = finetune_label(x);
        if (st == STATUS_OK) st = finetune_learn(x);
    }
    teacher_destroy(&x->teacher);
    parameters_destroy(p);
    return st;
}
