/* Pseudo-labels (Lee 2013; the threshold and the plain and strong views are FixMatch's, Sohn et al.
 * 2020, arXiv:2001.07685): a model that was fine-tuned on the labelled share labels the other
 * images, and pixels of which it is sure are learned like labelled ones. The teacher is another
 * model and stays as it is, as in self-training (ST, Yang et al. 2022, arXiv:2106.05095), so that
 * what a model learns wrongly does not come back as its own label; it labels each view anew, where
 * ST labels whole images once, which needs no second copy of the data set. */
#include "src/app/training/finetune_step.h"

#include "io/weights/weights.h"
#include "src/app/stage/model_setup.h"
#include "src/base/log.h"

#include <string.h>

/* Both networks are one graph and see the same pixels: weights of another convention would be read,
 * and label nonsense. Collective. */
static status same_convention(finetuning *x, const char *weights) {
    const model_setup *own = &x->t->model;
    model_setup taught;
    char wanted[IMAGE_INPUT_TEXT], has[IMAGE_INPUT_TEXT];
    status st = model_setup_read(x->t->c, x->t->s, weights, own->network.classes, &taught);
    if (st != STATUS_OK) return st;
    image_input_text(&own->input, wanted);
    image_input_text(&taught.input, has);
    if (strcmp(wanted, has) == 0 && own->network.stride_first == taught.network.stride_first &&
        own->network.deep_stem == taught.network.deep_stem)
        return STATUS_OK;
    if (comm_root(x->t->c))
        log_error("%s: as a teacher it must be a network of the same kind, that is given images in "
                  "the same way, as the one that is trained: it takes \"%s\", that one \"%s\"",
            weights, has, wanted);
    return STATUS_DATA;
}

/* The trained network with the teacher's weights. */
static status load_teacher(finetuning *x, const char *weights, parameters **out) {
    status same = same_convention(x, weights);
    if (same != STATUS_OK) return same;
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
