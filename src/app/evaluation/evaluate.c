/* A model against ground truth: predictions of every labelled image of a split go into one
 * confusion matrix of integers, from which all figures follow, the same for any number of ranks.
 * Ranks share the list of images in contiguous blocks, each counts its own, and one sum at the end
 * joins them: nothing else is exchanged, but the word that one of them must leave. Images are
 * compared at dataset.scale, as the network was trained, with label maps scaled alike. The matrix
 * [K, K] has rows by ground truth. */
#include "src/app/evaluation/evaluate.h"

#include "mpi/shard.h"
#include "mpi/stop_watch.h"
#include "src/app/evaluation/class_maps.h"
#include "src/app/evaluation/confusion_file.h"
#include "src/app/stage/image_list.h"
#include "src/app/stage/partial.h"
#include "src/app/stage/setup.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/segment/confusion.h"

#include <stdio.h>

/* Loaded, predicted, counted. map [2 * count]: ground truth in the first half, predictions in the
 * second. */
status evaluate_images(stage *t, inference *net, const int *list, int count, int64_t *matrix) {
    status st = STATUS_OK;
    double now = timer_now();
    image *rgb = memory_alloc((size_t)count, sizeof *rgb, "images");
    labelmap *map = memory_alloc(2 * (size_t)count, sizeof *map, "label maps");
    if (!rgb || !map) st = STATUS_FAILED;
    for (int i = 0; st == STATUS_OK && i < count; i++)
        st = dataset_load(t->d, list[i], t->s->dataset.scale, &rgb[i], &map[i]);
    now = timer_lap(&t->time, PHASE_READ, now);
    if (st == STATUS_OK)
        st = class_maps_predict(t, net, list, rgb, count, rgb->height, rgb->width, map + count);
    for (int i = 0; i < count && rgb && map; i++) {
        if (st == STATUS_OK)
            confusion_add(matrix, dataset_classes(t->d), map[i].data, map[count + i].data,
                (size_t)rgb[i].height * (size_t)rgb[i].width);
        image_destroy(&rgb[i]);
        labelmap_destroy(&map[i]);
        labelmap_destroy(&map[count + i]);
    }
    timer_lap(&t->time, PHASE_FORWARD, now);
    memory_free(rgb);
    memory_free(map);
    return st;
}

/* This rank's block of the list, in runs of images that are not done yet. The others learn of a
 * rank that has failed or was told to stop, and leave with it: all agree before the sum, which none
 * may enter alone. Collective. */
static status evaluate_list(stage *t, inference *net, const image_list *list, partial *p) {
    int begin = (int)shard_begin(list->count, comm_rank(t->c), comm_size(t->c));
    int end = (int)shard_begin(list->count, comm_rank(t->c) + 1, comm_size(t->c));
    status st = STATUS_OK;
    stop_watch watch = stop_watch_begin(t->c);
    progress bar = progress_begin_share(t->name, "images", end - begin, list->count);
    for (int i = begin, count; st == STATUS_OK && i < end; i += count) {
        count = 1;
        if (p->done[i]) continue;
        count = class_maps_count(
            t, net, list->member, i, partial_next_done(p, i, end), t->s->dataset.scale);
        st = evaluate_images(t, net, list->member + i, count, p->sum);
        for (int k = i; st == STATUS_OK && k < i + count; k++) p->done[k] = 1;
        st = stop_watch_ask(&watch, st);
        progress_update(&bar, i + count - begin, "");
    }
    progress_end(&bar, end - begin, "");
    return stop_watch_end(&watch, st);
}

/* The confusion matrix over the labelled images of the split: integers, exact over ranks. p is the
 * caller's to clear and destroy; its sums are the matrix. *images: of all ranks. Collective. */
static status fill_matrix(stage *t, inference *net, partial *p, int *images) {
    image_list list = {0};
    size_t classes = (size_t)dataset_classes(t->d);
    status st = comm_agree(t->c, images_of_split(&list, t->d, t->s->evaluate.split, true));
    if (st == STATUS_OK) st = partial_create(p, t, classes * classes, list.count);
    if (st == STATUS_OK) st = evaluate_list(t, net, &list, p);
    double now = timer_now();
    st = partial_end(p, st);
    timer_lap(&t->time, PHASE_EXCHANGE, now);
    *images = list.count;
    memory_free(list.member);
    return st;
}

/* The groups of a model: its figures, and one figure of each class in each of two tables. */
static void forget_figures(stage *t, const char *group) {
    static const char *const part[] = {"", "/IoU", "/Acc"};
    char table[STAGE_NAME + 16];
    for (size_t i = 0; t->record && i < sizeof part / sizeof *part; i++) {
        snprintf(table, sizeof table, "%s%s", group, part[i]);
        run_record_clear_group(t->record, table);
    }
}

/* Logs and records what the matrix says; per [2, K]: IoU, then accuracy of each class. Old figures
 * go first: classes may have other names now. */
static status record_figures(stage *t, const char *group, const int64_t *matrix, double *per) {
    int classes = dataset_classes(t->d);
    char table[STAGE_NAME + 16];
    segment_scores r = confusion_scores(matrix, classes, per, per + classes);
    log_info(
        "%s: mIoU %.4f  mAcc %.4f  aAcc %.4f", t->name, r.mean_iou, r.mean_accuracy, r.accuracy);
    forget_figures(t, group);
    status st = stage_figure(t, group, "mIoU", r.mean_iou);
    if (st == STATUS_OK) st = stage_figure(t, group, "mAcc", r.mean_accuracy);
    if (st == STATUS_OK) st = stage_figure(t, group, "aAcc", r.accuracy);
    for (int y = 0; y < classes && st == STATUS_OK; y++) {
        const char *name = dataset_class_name(t->d, y);
        log_detail("  %-24s IoU %.4f  Acc %.4f", name, per[y], per[classes + y]);
        snprintf(table, sizeof table, "%s/IoU", group);
        st = stage_figure(t, table, name, per[y]);
        snprintf(table, sizeof table, "%s/Acc", group);
        if (st == STATUS_OK) st = stage_figure(t, table, name, per[classes + y]);
    }
    return comm_agree(t->c, st);
}

/* From the matrix to the record; `group`: under which name the figures stand. */
static status finish_evaluation(
    stage *t, const char *group, const partial *p, int images, double began) {
    char path[FILE_PATH];
    size_t classes = (size_t)dataset_classes(t->d);
    double *per = memory_alloc(2 * classes, sizeof *per, "figures per class");
    status st = comm_agree(t->c, per ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK) st = record_figures(t, group, p->sum, per);
    if (st == STATUS_OK) st = confusion_file_write(t, group, p->sum, path);
    uint64_t hash = hash_bytes(p->sum, p->sums * sizeof *p->sum);
    stage_result r = {path, hash, (images - p->before) / (timer_now() - began), "images/s", 0};
    if (st == STATUS_OK) st = stage_finish(t, &r);
    if (st == STATUS_OK) partial_clear(p);
    memory_free(per);
    return st;
}

/* The stage from the weights to the record. Without classes there is nothing to measure, which is
 * found before a network is made of none. */
static status evaluate_stage(stage *t, const char *group, const char *weights) {
    inference *net = NULL;
    partial p = {0};
    int images = 0;
    double began = timer_now();
    bool classes = dataset_classes(t->d) > 0;
    status st = STATUS_OK;
    inference_options o = {.end = NETWORK_CLASSIFIER, .weights = weights, .how = t->how};
    if (classes) st = inference_create(&net, t->c, t->s, t->d, &o);
    if (st == STATUS_OK && classes) st = fill_matrix(t, net, &p, &images);
    if (st == STATUS_OK && images == 0) {
        if (comm_root(t->c))
            log_error(
                "evaluate.split = \"%s\": no labelled image", split_words[t->s->evaluate.split]);
        st = STATUS_DATA;
    }
    if (st == STATUS_OK) st = finish_evaluation(t, group, &p, images, began);
    inference_destroy(net);
    partial_destroy(&p);
    return st;
}

/* Two models of a run are measured alike, under names of their own, so that both stand in the
 * record. The round is part of the figures' names here, as the file's and the report's names are
 * made of the group. Skipped if done. Collective. */
status evaluate_model(
    const comm *c, const settings *s, const char *group, int round, const char *weights) {
    stage t;
    bool done = false;
    char base[STAGE_NAME], results[STAGE_NAME];
    snprintf(base, sizeof base, "evaluate-%s", group);
    snprintf(results, sizeof results, round > 1 ? "%s-%d" : "%s", group, round);
    status st = stage_begin_as(&t, c, s, STAGE_EVALUATE, base, round);
    if (st == STATUS_OK) st = stage_key(&t, weights, 0);
    if (st == STATUS_OK) st = stage_done(&t, &done);
    if (st == STATUS_OK && !done) st = evaluate_stage(&t, results, weights);
    stage_end(&t);
    return st;
}

/* Whether evaluate.weights is a model of this run, by one of its names. */
static bool is_model(const settings *s, const char *file) {
    char path[FILE_PATH];
    return setup_path(path, s, file, 1) == STATUS_OK && file_same(path, s->evaluate.weights);
}

/* Figures of other weights are none of this run's models': a report, or a comparison of runs, would
 * take them for its result. */
status command_evaluate(const comm *c, const settings *s) {
    enum { OTHER, FINETUNED, BASELINE };
    static const char *const group[] = {"weights", "finetuned", "baseline"};
    char weights[FILE_PATH];
    int32_t which = OTHER;
    if (comm_root(c) && is_model(s, "finetuned.safetensors")) which = FINETUNED;
    if (comm_root(c) && is_model(s, "baseline.safetensors")) which = BASELINE;
    comm_broadcast(c, &which, sizeof which);
    if (s->evaluate.weights[0]) return evaluate_model(c, s, group[which], 1, s->evaluate.weights);
    status st = comm_agree(c, setup_path(weights, s, "finetuned.safetensors", 1));
    return st == STATUS_OK ? evaluate_model(c, s, group[FINETUNED], 1, weights) : st;
}
