/* Supervised fine-tuning: every place of a batch has labels, or, where a contrast is kept, every
 * second one may have none. */
#include "src/app/training/finetune_step.h"

/* The stage as the method reads: a batch, its gradient, a step. */
status finetune_supervised(finetuning *x) {
    status st = STATUS_OK;
    while (st == STATUS_OK && trainer_next(x->t)) {
        st = finetune_load(x);
        if (st == STATUS_OK) st = finetune_learn(x);
    }
    return st;
}
