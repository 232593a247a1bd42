/* A look is an evaluation on the way, in integers that ranks add, so that the figure, and all that
 * is decided by it, is the same for any ranks and threads. What decides is a part of checkpoints:
 * the best weights, their step and figure, and how many looks have passed since. A training that
 * was killed thus ends with the weights of one that was not. Looks take no random number and leave
 * the training alone: without keep = "best" and patience it is the same bits, and checkpoints are
 * those of a training without looks, so that either goes on from the other's; what its looks have
 * found then stands in metrics.csv alone. */
#include "src/app/training/validation.h"

#include "mpi/shard.h"
#include "src/app/evaluation/class_maps.h"
#include "src/app/evaluation/evaluate.h"
#include "src/app/stage/inference_memory.h"
#include "src/app/stage/output.h"
#include "src/app/stage/setup.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/segment/confusion.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Marks: numbers of 64 bits take two of a checkpoint's integers. */
enum { MARK_LOOKS, MARK_SINCE, MARK_STEP, MARK_FIGURE = 4, MARK_TRACKED = 6 };

static double best_figure(const validation *v) {
    double x;
    memcpy(&x, &v->mark[MARK_FIGURE], sizeof x);
    return x;
}

/* The settings of the looks: not those of [evaluate], on which no key of a fine-tuning rests. */
static status own_settings(validation *v, const stage *t) {
    settings *own = memory_alloc(1, sizeof *own, "settings of a validation");
    if (!own) return STATUS_FAILED;
    *own = *t->s;
    strcpy(own->evaluate.scales, "1");
    own->evaluate.flip = false;
    v->look = *t;
    v->look.s = v->own = own;
    return STATUS_OK;
}

static bool chooses(const validation *v) {
    return v->own->finetune.keep == FINETUNE_KEEP_BEST || v->own->finetune.patience > 0;
}

static split looked_at(const settings *s) {
    bool beside =
        s->dataset.held_out > 0 && s->dataset.held_out_for == DATASET_HELD_OUT_FOR_VALIDATE;
    return beside ? SPLIT_HELD_OUT : SPLIT_VAL;
}

status validation_create(validation *v, const stage *t, trainer_options *o) {
    split which = looked_at(t->s);
    status st = own_settings(v, t);
    if (st == STATUS_OK) st = images_of_split(&v->list, t->d, which, true);
    if (st == STATUS_OK && v->list.count == 0) {
        if (comm_root(t->c))
            log_error("finetune.validate: no labelled image of split \"%s\"", split_words[which]);
        st = STATUS_DATA;
    }
    st = comm_agree(t->c, st);
    if (st != STATUS_OK) return st;
    o->validation = v;
    log_info("%s: %d images of split \"%s\" are looked at every %d steps", t->name, v->list.count,
        split_words[which], t->s->finetune.validate);
    return STATUS_OK;
}

/* What would be written. Of two networks both are kept: a part of their values would be as much to
 * write as the whole is to hold. */
static parameters *judged(const trainer *t) {
    return t->average ? t->average : t->p;
}

status validation_room(validation *v, trainer *t) {
    if (!v || !chooses(v)) return STATUS_OK;
    size_t n = t->p->count + t->p->buffers;
    v->extra[0] = (checkpoint_extra){
        .name = "validation.marks", .type = "I32", .data = v->mark, .n = VALIDATION_MARKS};
    t->o.extra = v->extra;
    t->o.extras = 1;
    if (t->s->finetune.keep != FINETUNE_KEEP_BEST) return STATUS_OK;
    v->best = memory_alloc(n, sizeof *v->best, "weights of the best step");
    v->extra[1] =
        (checkpoint_extra){.name = "validation.best", .type = "F32", .data = v->best, .n = n};
    t->o.extras = 2;
    return v->best ? STATUS_OK : STATUS_FAILED;
}

/* Norms are folded into the weights of a plan: each look packs anew what earlier ones have made. */
static status ready_network(validation *v, const trainer *t) {
    if (v->net) return inference_pack(v->net);
    inference_network n = {t->g, judged(t), &t->model.input, t->o.how};
    return inference_create_over(&v->net, t->s, &n);
}

/* Of the list: this rank's images [first, returned). */
static int share(const validation *v, int *first) {
    const comm *c = v->look.c;
    *first = (int)shard_begin(v->list.count, comm_rank(c), comm_size(c));
    return (int)shard_begin(v->list.count, comm_rank(c) + 1, comm_size(c));
}

/* A list is in the order of the data set, where images of another split or without labels may lie
 * between: these are counted, too, as if they were looked at. */
status validation_bytes(validation *v, const trainer *t, size_t *bytes) {
    double plans = 0;
    int first, end = v ? share(v, &first) : 0;
    *bytes = 0;
    if (!v) return STATUS_OK;
    status st = ready_network(v, t);
    if (st == STATUS_OK && first < end) {
        int from = v->list.member[first];
        inference_views views = {from, v->list.member[end - 1] - from + 1, v->own->dataset.scale,
            v->own->evaluate.scales};
        st = inference_memory(v->net, v->look.d, &views, &plans);
    }
    validation_leave(v);
    size_t kept = v->best ? (t->p->count + t->p->buffers) * sizeof *v->best : 0;
    *bytes = (size_t)plans + kept;
    log_detail("%s: looks take %.1f MiB", t->o.stage, (double)*bytes / 1048576);
    return st;
}

/* This rank's images; matrix [classes, classes]. */
static status count_images(validation *v, int64_t *matrix) {
    int first, end = share(v, &first);
    status st = STATUS_OK;
    for (int i = first, n; i < end && st == STATUS_OK; i += n) {
        n = class_maps_count(&v->look, v->net, v->list.member, i, end, v->own->dataset.scale);
        st = evaluate_images(&v->look, v->net, v->list.member + i, n, matrix);
    }
    return st;
}

/* A figure that is none (no labelled pixel) is never the best. */
static void mark_look(validation *v, const trainer *t, double miou) {
    const parameters *p = judged(t);
    bool first = v->mark[MARK_LOOKS]++ == 0;
    v->mark[MARK_SINCE]++;
    if (!first && !(miou > best_figure(v))) return;
    int64_t step = t->step;
    v->mark[MARK_SINCE] = 0;
    memcpy(&v->mark[MARK_STEP], &step, sizeof step);
    memcpy(&v->mark[MARK_FIGURE], &miou, sizeof miou);
    memcpy(&v->mark[MARK_TRACKED], &p->batches_tracked, sizeof p->batches_tracked);
    if (!v->best) return;
    memcpy(v->best, p->value, p->count * sizeof *v->best);
    memcpy(v->best + p->count, p->buffer, p->buffers * sizeof *v->best);
}

/* Counts, their sum, the figure. */
static status look(validation *v, const trainer *t, double *miou) {
    int classes = dataset_classes(v->look.d);
    size_t cells = (size_t)classes * (size_t)classes;
    int64_t *matrix = memory_alloc(cells, sizeof *matrix, "confusion matrix");
    double *per = memory_alloc(2 * (size_t)classes, sizeof *per, "figures of classes");
    status st = matrix && per ? ready_network(v, t) : STATUS_FAILED;
    if (st == STATUS_OK) st = count_images(v, matrix);
    st = comm_agree(t->c, st);
    if (st == STATUS_OK) {
        comm_sum_i64(t->c, matrix, cells);
        *miou = confusion_scores(matrix, classes, per, per + classes).mean_iou;
    }
    memory_free(matrix);
    memory_free(per);
    return st;
}

/* The last step is looked at, too: it may be the best. */
status validation_look(validation *v, const trainer *t, double *miou) {
    if (!v || (t->step % t->s->finetune.validate != 0 && t->step < t->o.steps)) return STATUS_OK;
    status st = look(v, t, miou);
    if (st != STATUS_OK) return st;
    mark_look(v, t, *miou);
    log_info("%s: step %" PRId64 ": validation mIoU %.4f%s", t->o.stage, t->step, *miou,
        v->mark[MARK_SINCE] == 0 ? ", the best so far" : "");
    if (validation_ends(v))
        log_info("%s: ends after step %" PRId64 " of %d: %d validations without a rise "
                 "(finetune.patience)",
            t->o.stage, t->step, t->o.steps, v->mark[MARK_SINCE]);
    return STATUS_OK;
}

bool validation_ends(const validation *v) {
    int patience = v ? v->look.s->finetune.patience : 0;
    return patience > 0 && v->mark[MARK_SINCE] >= patience;
}

void validation_restore(const validation *v, trainer *t) {
    if (!v || !v->best || v->mark[MARK_LOOKS] == 0) return;
    parameters *p = judged(t);
    int64_t step;
    memcpy(&step, &v->mark[MARK_STEP], sizeof step);
    memcpy(&p->batches_tracked, &v->mark[MARK_TRACKED], sizeof p->batches_tracked);
    memcpy(p->value, v->best, p->count * sizeof *v->best);
    memcpy(p->buffer, v->best + p->count, p->buffers * sizeof *v->best);
    log_info("%s: the weights of step %" PRId64 " are written, with the best validation mIoU, %.4f",
        t->o.stage, step, best_figure(v));
}

/* As the file of metrics has it: of all starts of the training. Its rows have nine digits. Rank
 * 0. */
static status best_row(const stage *t, metrics_row *best) {
    char path[FILE_PATH];
    metrics_row *row = NULL;
    int rows = 0;
    status st = setup_path(path, t->s, "metrics.csv", 1);
    if (st == STATUS_OK) st = metrics_read(path, &row, &rows);
    for (int i = 0; st == STATUS_OK && i < rows; i++)
        if (strcmp(row[i].stage, t->base) == 0 && row[i].round == t->round && !isnan(row[i].miou) &&
            !(row[i].miou <= best->miou))
            *best = row[i];
    memory_free(row);
    return st;
}

status validation_record(const validation *v, stage *t, const trainer *x) {
    char group[OUTPUT_GROUP];
    metrics_row best = METRICS_EMPTY("", 1, 0);
    status st = STATUS_OK;
    if (!t->record) return STATUS_OK;
    output_looks_group(t->name, group);
    run_record_clear_group(t->record, group);
    if (!v) return STATUS_OK;
    if (chooses(v)) {
        best.miou = best_figure(v);
        memcpy(&best.step, &v->mark[MARK_STEP], sizeof best.step);
    } else {
        st = metrics_sync(x->metrics);
        if (st == STATUS_OK) st = best_row(t, &best);
    }
    if (st == STATUS_OK) st = stage_figure(t, group, "mIoU", best.miou);
    return st == STATUS_OK ? stage_figure(t, group, "step", (double)best.step) : st;
}

void validation_leave(validation *v) {
    inference_destroy(v->net);
    v->net = NULL;
}

void validation_destroy(validation *v) {
    memory_free(v->list.member);
    memory_free(v->best);
    memory_free(v->own);
    *v = (validation){0};
}
