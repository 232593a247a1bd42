/* Weights, then record, then the checkpoints go: a kill in between finds enough to go on. */
#include "src/app/training/training_end.h"

status training_end(stage *t, trainer *x, const char *path) {
    uint64_t hash;
    status st = trainer_finish(x, path, &hash);
    if (st != STATUS_OK) return st;
    t->time = x->time;
    t->sent = x->sent;
    if (t->record) st = run_record_set_hash(t->record, t->name, hash);
    if (st == STATUS_OK) st = stage_images(t, &x->model.input);
    st = comm_agree(t->c, st);
    stage_result r = {path, hash, trainer_images_per_second(x), "images/s", x->step};
    if (st == STATUS_OK) st = stage_finish(t, &r);
    if (st == STATUS_OK) trainer_forget(x);
    return st;
}
