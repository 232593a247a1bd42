/* Cross pseudo supervision (Chen, Yuan, Zeng, Wang 2021, arXiv:2106.01226): two networks of one
 * form, from the same weights but for the classifier, whose values are drawn apart; each learns the
 * labels that the other gives to places without any, with CutMix, and both learn the labelled ones.
 * Both stand in one graph, so that they are one model to optimiser, exchange and checkpoint. The
 * first one is what is written. */
#include "src/app/training/finetune_step.h"

/* The stage as the method reads: a batch, labels of both networks for its places without, the
 * gradient of each by the other's, a step. The networks label with the weights of the step. */
status finetune_cross_pseudo(finetuning *x) {
    x->crossed = 1;
    status st = teacher_create(&x->teacher, x->t, x->t->p);
    while (st == STATUS_OK && trainer_next(x->t)) {
        st = finetune_load(x);
        if (st == STATUS_OK) st = comm_agree(x->t->c, teacher_pack(&x->teacher));
        if (st == STATUS_OK) st = finetune_label(x);
        if (st == STATUS_OK) st = finetune_learn(x);
    }
    teacher_destroy(&x->teacher);
    return st;
}
