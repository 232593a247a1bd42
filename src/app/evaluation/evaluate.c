#include "src/app/evaluation/evaluate.h"

#include "mpi/shard.h"
#include "src/app/evaluation/confusion_file.h"
#include "src/app/stage/image_list.h"
#include "src/app/stage/setup.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/segment/confusion.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Mirrors the rows of a normalised image [H, W, 3]. */
static void mirror(float *x, int height, int width) {
    for (int y = 0; y < height; y++) {
        float *row = x + (size_t)y * (size_t)width * 3;
        for (int a = 0, b = width - 1; a < b; a++, b--)
            for (int j = 0; j < 3; j++) {
                float t = row[3 * a + j];
                row[3 * a + j] = row[3 * b + j];
                row[3 * b + j] = t;
            }
    }
}

/* A pass over images of one shape: magnified by `scale`, mirrored if `flip`. */
typedef struct pass {
    double scale;
    bool flip;
} pass;

static status pass_input(const image *rgb, const pass *a, int height, int width, float *input) {
    image resized = {0};
    status st = image_resize(rgb, height, width, &resized);
    if (st == STATUS_OK) image_normalize(&resized, input);
    if (st == STATUS_OK && a->flip) mirror(input, height, width);
    image_destroy(&resized);
    return st;
}

/* Adds a pass's class probabilities at the images' own size: probability [count, H, W, K]. */
static status add_pass(
    inference *net, const pass *a, const image *rgb, int count, float *probability) {
    plan *p = NULL;
    int h, w, classes, threads = inference_threads(net);
    int height = (int)fmax(1, floor(rgb->height * a->scale + 0.5));
    int width = (int)fmax(1, floor(rgb->width * a->scale + 0.5));
    status worst = STATUS_OK, st = inference_plan(net, height, width, &p);
    if (st != STATUS_OK) return st;
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int i = 0; i < count; i++) {
        status mine = pass_input(&rgb[i], a, height, width, plan_input(p, i));
        if (mine != STATUS_OK) {
#pragma omp critical(worst)
            worst = mine;
        }
    }
    if (worst == STATUS_OK) worst = plan_forward(p, count, &(step_context){0});
    if (worst != STATUS_OK) return worst;
    plan_output_shape(p, 0, &h, &w, &classes);
    size_t size = (size_t)rgb->height * (size_t)rgb->width * (size_t)classes;
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int i = 0; i < count; i++) {
        status mine = segment_accumulate(plan_output(p, 0, i), h, w, classes, a->flip, rgb->height,
            rgb->width, probability + (size_t)i * size);
        if (mine != STATUS_OK) {
#pragma omp critical(worst)
            worst = mine;
        }
    }
    return worst;
}

/* The next number of a list "0.75, 1.0"; 1 where the list is empty. */
static bool next_scale(const char **list, double *scale) {
    if (!*list) return false;
    char *end;
    *scale = strtod(*list, &end);
    if (end == *list) *scale = 1;
    end += strspn(end, " ,");
    *list = *end && end != *list ? end : NULL;
    return true;
}

status evaluate_predict(
    const stage *t, inference *net, const image *rgb, int count, labelmap *out) {
    size_t pixels = (size_t)rgb->height * (size_t)rgb->width;
    int classes = inference_channels(net);
    const char *list = t->s->evaluate.scales;
    pass a = {0};
    float *probability = memory_alloc(
        (size_t)count * pixels, sizeof *probability * (size_t)classes, "class probabilities");
    status st = probability ? STATUS_OK : STATUS_FAILED;
    for (int i = 0; st == STATUS_OK && i < count; i++)
        st = labelmap_create(&out[i], rgb->height, rgb->width);
    while (st == STATUS_OK && next_scale(&list, &a.scale)) {
        a.flip = false;
        st = add_pass(net, &a, rgb, count, probability);
        a.flip = true;
        if (st == STATUS_OK && t->s->evaluate.flip) st = add_pass(net, &a, rgb, count, probability);
    }
    for (int i = 0; st == STATUS_OK && i < count; i++)
        segment_predict(
            probability + (size_t)i * pixels * (size_t)classes, classes, pixels, out[i].data);
    memory_free(probability);
    return st;
}

int evaluate_count(const stage *t, const inference *net, const int *list, int first, int end) {
    enum { BYTES = 1 << 30 };
    int height, width, count = inference_run(net, t->d, list, first, end, t->s->dataset.scale);
    dataset_shape(t->d, list[first], t->s->dataset.scale, &height, &width);
    int64_t image_bytes =
        (int64_t)height * width * inference_channels(net) * (int64_t)sizeof(float);
    while (count > 1 && count * image_bytes > BYTES) count--;
    return count;
}

/* Images list[first] .. of one shape: loaded, predicted, counted. */
static status evaluate_run(
    const stage *t, inference *net, const int *list, int count, int64_t *matrix) {
    status st = STATUS_OK;
    image *rgb = memory_alloc((size_t)count, sizeof *rgb, "images");
    labelmap *map = memory_alloc(2 * (size_t)count, sizeof *map, "label maps");
    if (!rgb || !map) st = STATUS_FAILED;
    for (int i = 0; st == STATUS_OK && i < count; i++)
        st = dataset_load(t->d, list[i], t->s->dataset.scale, &rgb[i], &map[i]);
    if (st == STATUS_OK) st = evaluate_predict(t, net, rgb, count, map + count);
    for (int i = 0; i < count && rgb && map; i++) {
        if (st == STATUS_OK)
            confusion_add(matrix, dataset_classes(t->d), map[i].data, map[count + i].data,
                (size_t)rgb[i].height * (size_t)rgb[i].width);
        image_destroy(&rgb[i]);
        labelmap_destroy(&map[i]);
        labelmap_destroy(&map[count + i]);
    }
    memory_free(rgb);
    memory_free(map);
    return st;
}

/* The confusion matrix over the labelled images of the split: integers, exact over ranks. */
static status fill_matrix(stage *t, inference *net, int64_t *matrix, int *images) {
    image_list list = {0};
    int classes = dataset_classes(t->d);
    double now = timer_now();
    status st = images_of_split(&list, t->d, t->s->evaluate.split, true);
    int begin = (int)shard_begin(list.count, comm_rank(t->c), comm_size(t->c));
    int end = (int)shard_begin(list.count, comm_rank(t->c) + 1, comm_size(t->c));
    progress bar = progress_begin_share(t->name, "images", end - begin, list.count);
    for (int i = begin, count; st == STATUS_OK && i < end; i += count) {
        count = evaluate_count(t, net, list.member, i, end);
        st = evaluate_run(t, net, list.member + i, count, matrix);
        progress_update(&bar, i + count - begin, "");
    }
    progress_end(&bar, end - begin, "");
    *images = list.count;
    memory_free(list.member);
    st = comm_agree(t->c, st);
    timer_lap(&t->time, PHASE_FORWARD, now);
    if (st == STATUS_OK) comm_sum_i64(t->c, matrix, (size_t)classes * (size_t)classes);
    return st;
}

static void forget_figures(stage *t, const char *group) {
    static const char *const part[] = {"", "/IoU", "/Acc"};
    char table[STAGE_NAME + 16];
    for (size_t i = 0; t->record && i < sizeof part / sizeof *part; i++) {
        snprintf(table, sizeof table, "%s%s", group, part[i]);
        run_record_clear_group(t->record, table);
    }
}

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

static status evaluate_stage(stage *t, const char *group, const char *weights) {
    char path[FILE_PATH];
    size_t classes = (size_t)dataset_classes(t->d);
    inference *net = NULL;
    int images = 0;
    double began = timer_now();
    int64_t *matrix = memory_alloc(classes * classes, sizeof *matrix, "confusion matrix");
    double *per = memory_alloc(2 * classes, sizeof *per, "figures per class");
    status st = comm_agree(t->c, matrix && per ? STATUS_OK : STATUS_FAILED);
    inference_options o = {.end = NETWORK_CLASSIFIER, .weights = weights, .how = t->how};
    if (st == STATUS_OK && classes > 0) st = inference_create(&net, t->c, t->s, t->d, &o);
    if (st == STATUS_OK && classes > 0) st = fill_matrix(t, net, matrix, &images);
    if (st == STATUS_OK && images == 0) {
        if (comm_root(t->c))
            log_error(
                "evaluate.split = \"%s\": no labelled image", split_words[t->s->evaluate.split]);
        st = STATUS_DATA;
    }
    if (st == STATUS_OK) st = record_figures(t, group, matrix, per);
    if (st == STATUS_OK) st = confusion_file_write(t, group, matrix, path);
    uint64_t hash = hash_bytes(matrix, matrix ? classes * classes * sizeof *matrix : 0);
    stage_result r = {path, hash, images / (timer_now() - began), "images/s"};
    if (st == STATUS_OK) st = stage_finish(t, &r);
    inference_destroy(net);
    memory_free(matrix);
    memory_free(per);
    return st;
}

status evaluate_model(
    const comm *c, const settings *s, const char *group, int round, const char *weights) {
    stage t;
    char base[STAGE_NAME], results[STAGE_NAME];
    snprintf(base, sizeof base, "evaluate-%s", group);
    snprintf(results, sizeof results, round > 1 ? "%s-%d" : "%s", group, round);
    status st = stage_begin_as(&t, c, s, STAGE_EVALUATE, base, round);
    if (st == STATUS_OK) st = stage_key(&t, weights, 0);
    if (st == STATUS_OK && !stage_done(&t)) st = evaluate_stage(&t, results, weights);
    stage_end(&t);
    return st;
}

status command_evaluate(const comm *c, const settings *s) {
    char weights[FILE_PATH];
    if (s->evaluate.weights[0]) return evaluate_model(c, s, "finetuned", 1, s->evaluate.weights);
    status st = comm_agree(c, setup_path(weights, s, "finetuned.safetensors", 1));
    return st == STATUS_OK ? evaluate_model(c, s, "finetuned", 1, weights) : st;
}
