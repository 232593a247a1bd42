/* Mean teacher (Tarvainen, Valpola 2017, arXiv:1703.01780) with CutMix (French, Laine, Aila,
 * Mackiewicz, Finlayson 2020, arXiv:1906.01916): the average of a model's weights over its steps
 * labels images for the model itself, which sees them mixed and strongly augmented; the average is
 * what is written. What is learned are the classes of pixels of which the teacher is sure, by the
 * cross-entropy, as in ClassMix (Olsson et al. 2021, arXiv:2007.07936) and most that followed,
 * where French et al. take the squared difference of softmaxes. */
#include "src/app/training/finetune_step.h"

/* The stage as the method reads: a batch, labels of the average for its places without, its
 * gradient, a step, by which the average moves. */
status finetune_mean_teacher(finetuning *x) {
    status st = teacher_create(&x->teacher, x->t, x->t->average);
    while (st == STATUS_OK && trainer_next(x->t)) {
        st = finetune_load(x);
        if (st == STATUS_OK) st = comm_agree(x->t->c, teacher_pack(&x->teacher));
        if (st == STATUS_OK) st = finetune_label(x);
        if (st == STATUS_OK) st = finetune_learn(x);
    }
    teacher_destroy(&x->teacher);
    return st;
}
