/* Predictions of a split as palette PNG files in run.dir/predictions, for people and for the
 * servers of benchmarks: at the images' own size, under the images' names, in the classes' own
 * colours, with the ids of training or those of the data set's label files. Names and ids are
 * computed by every rank for all images, alike, so that a rank needs nothing from another to write
 * its share. The stage is never taken for done: run.json names one output of a stage, and these are
 * many. */
#include "src/app/evaluation/predict.h"

#include "io/codecs/image_file.h"
#include "io/dataset/dataset_colours.h"
#include "mpi/shard.h"
#include "mpi/stop_watch.h"
#include "src/app/evaluation/class_maps.h"
#include "src/app/stage/prediction_names.h"
#include "src/app/stage/image_list.h"
#include "src/app/stage/partial.h"
#include "src/app/stage/setup.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <stdio.h>
#include <string.h>

enum { LARGEST_ID = 254 }; /* of an 8-bit file, in which 255 is no class */

/* How predictions become files. */
typedef struct prediction_files {
    char folder[FILE_PATH];
    char **name;   /* [images of the split], owned */
    int *id;       /* [classes], what a class is in the file; owned */
    palette shown; /* by that id */
} prediction_files;

static void files_destroy(prediction_files *f) {
    memory_free(f->name);
    memory_free(f->id);
}

/* Names of all images of the split, whether they are predicted or not. */
static status name_files(const stage *t, const image_list *list, prediction_files *f) {
    const char **own = memory_alloc((size_t)list->count, sizeof *own, "names of images");
    if (!own) return STATUS_FAILED;
    for (int i = 0; i < list->count; i++) own[i] = dataset_get(t->d, list->member[i]).name;
    status st = prediction_names(own, list->count, &f->name);
    memory_free(own);
    return st;
}

/* The id of each class in the files, by evaluate.ids. A class without an id, or with one that no
 * 8-bit file holds, is an error of settings, found before the first prediction. */
static status choose_ids(const stage *t, prediction_files *f) {
    int classes = dataset_classes(t->d);
    bool own = t->s->evaluate.ids == EVALUATE_IDS_DATASET;
    f->id = memory_alloc((size_t)classes, sizeof *f->id, "ids of classes");
    if (!f->id) return STATUS_FAILED;
    for (int y = 0; y < classes; y++) {
        int id = f->id[y] = own ? dataset_label_id(t->d, y) : y;
        if (id >= 0 && id <= LARGEST_ID) continue;
        if (id < 0)
            log_error("evaluate.ids = \"dataset\": no id of the label files is class %d, %s "
                      "(dataset.label_map)",
                y, dataset_class_name(t->d, y));
        else
            log_error("predictions: class %d, %s, has id %d: an 8-bit PNG holds 0 to %d", y,
                dataset_class_name(t->d, y), id, LARGEST_ID);
        return STATUS_USAGE;
    }
    return STATUS_OK;
}

/* Ids that are no class are black. */
static status choose_colours(const stage *t, prediction_files *f) {
    palette of_class;
    memset(f->shown, 0, sizeof f->shown);
    status st = dataset_colours(t->d, of_class);
    for (int y = 0; st == STATUS_OK && y < dataset_classes(t->d); y++)
        memcpy(f->shown[f->id[y]], of_class[y], sizeof of_class[y]);
    return st;
}

/* Folder, names, ids and colours. Rank 0 goes first and alone, so that one message is written where
 * all would write the same; the others then repeat what cannot fail any more but for memory.
 * Colours are sent, as they may come from files of the data set. Collective. */
static status files_create(const stage *t, const image_list *list, prediction_files *f) {
    status st = setup_path(f->folder, t->s, "predictions", 1);
    if (st == STATUS_OK && comm_root(t->c)) st = file_make_folder(f->folder);
    if (st == STATUS_OK && comm_root(t->c)) st = name_files(t, list, f);
    if (st == STATUS_OK && comm_root(t->c)) st = choose_ids(t, f);
    if (st == STATUS_OK && comm_root(t->c)) st = choose_colours(t, f);
    st = comm_agree(t->c, st);
    if (st != STATUS_OK) return st;
    if (!comm_root(t->c)) st = name_files(t, list, f);
    if (!comm_root(t->c) && st == STATUS_OK) st = choose_ids(t, f);
    st = comm_agree(t->c, st);
    comm_broadcast(t->c, f->shown, sizeof f->shown);
    return st;
}

/* Prediction i of the split; map's classes become the ids of the files, in place. Every pixel has a
 * class: ignored regions are known to the ground truth alone. */
static status write_prediction(const prediction_files *f, int i, labelmap *map) {
    char path[FILE_PATH];
    void *bytes = NULL;
    size_t size, pixels = (size_t)map->height * (size_t)map->width;
    for (size_t p = 0; p < pixels; p++) map->data[p] = (uint16_t)f->id[map->data[p]];
    status st = file_path(path, f->folder, f->name[i]);
    if (st == STATUS_OK) st = image_file_encode_labels(map, f->shown, &bytes, &size);
    if (st == STATUS_OK) st = file_write(path, bytes, size);
    memory_free(bytes);
    return st;
}

/* Images list[first] .. of one shape. The network sees the image as in training, at dataset.scale;
 * the file has the size that the image has. One shape at both scales: class_maps_count has seen to
 * it. */
static status predict_run(
    stage *t, inference *net, const prediction_files *f, const int *list, int first, int count) {
    int height, width;
    status st = STATUS_OK;
    double now = timer_now();
    image *rgb = memory_alloc((size_t)count, sizeof *rgb, "images");
    labelmap *map = memory_alloc((size_t)count, sizeof *map, "predictions");
    if (!rgb || !map) st = STATUS_FAILED;
    dataset_shape(t->d, list[first], 1, &height, &width);
    for (int i = 0; st == STATUS_OK && i < count; i++)
        st = dataset_load(t->d, list[first + i], t->s->dataset.scale, &rgb[i], NULL);
    now = timer_lap(&t->time, PHASE_READ, now);
    if (st == STATUS_OK)
        st = class_maps_predict(t, net, list + first, rgb, count, height, width, map);
    now = timer_lap(&t->time, PHASE_FORWARD, now);
    for (int i = 0; st == STATUS_OK && i < count; i++) st = write_prediction(f, first + i, &map[i]);
    timer_lap(&t->time, PHASE_WRITE, now);
    for (int i = 0; i < count && rgb && map; i++) {
        image_destroy(&rgb[i]);
        labelmap_destroy(&map[i]);
    }
    memory_free(rgb);
    memory_free(map);
    return st;
}

/* A file that somebody has removed since is written again. */
static bool is_done(const partial *p, const prediction_files *f, int i) {
    char path[FILE_PATH];
    return p->done[i] && file_path(path, f->folder, f->name[i]) == STATUS_OK && file_exists(path);
}

/* This rank's share of the first p->images: a contiguous block, in runs of images of one shape. The
 * names in f are by the place in the list, which is what `i` counts. Collective. */
static status predict_list(
    stage *t, inference *net, const prediction_files *f, const image_list *list, partial *p) {
    status st = STATUS_OK;
    stop_watch watch = stop_watch_begin(t->c);
    int begin = (int)shard_begin(p->images, comm_rank(t->c), comm_size(t->c));
    int end = (int)shard_begin(p->images, comm_rank(t->c) + 1, comm_size(t->c));
    for (int i = begin; i < end; i++) p->done[i] = is_done(p, f, i);
    for (int i = begin, count; st == STATUS_OK && i < end; i += count) {
        count = 1;
        if (p->done[i]) continue;
        count = class_maps_count(t, net, list->member, i, partial_next_done(p, i, end), 1);
        st = predict_run(t, net, f, list->member, i, count);
        for (int k = i; st == STATUS_OK && k < i + count; k++) p->done[k] = 1;
        st = stop_watch_ask(&watch, st);
    }
    return stop_watch_end(&watch, st);
}

/* Files that are written are left by a stop, with the word that they are; *before: how many were
 * when this start began. Collective. */
static status predict_images(stage *t, inference *net, const prediction_files *f,
    const image_list *list, int wanted, int *before) {
    partial p = {0};
    status st = partial_create(&p, t, 0, wanted);
    *before = p.before;
    if (st == STATUS_OK) st = predict_list(t, net, f, list, &p);
    st = partial_end(&p, st);
    if (st == STATUS_OK) {
        partial_clear(&p);
        log_info("%d predictions in %s", wanted, f->folder);
    }
    partial_destroy(&p);
    return st;
}

/* Every image of evaluate.split. */
static status find_images(const stage *t, image_list *list) {
    const char *word = split_words[t->s->evaluate.split];
    status st = images_of_split(list, t->d, t->s->evaluate.split, false);
    if (st != STATUS_OK || list->count > 0) return comm_agree(t->c, st);
    if (comm_root(t->c))
        log_error(
            "evaluate.split = \"%s\": the data set has no such image (dataset.%s)", word, word);
    return comm_agree(t->c, STATUS_DATA);
}

/* What can be wrong with names, ids and the split is found before the network is loaded. A wanted
 * number below zero means all. */
static status predict_stage(stage *t, const char *weights) {
    image_list list = {0};
    prediction_files f = {.name = NULL};
    inference *net = NULL;
    double began = timer_now();
    inference_options o = {.end = NETWORK_CLASSIFIER, .weights = weights, .how = t->how};
    status st = find_images(t, &list);
    if (st == STATUS_OK) st = files_create(t, &list, &f);
    if (st == STATUS_OK) st = inference_create(&net, t->c, t->s, t->d, &o);
    int wanted = t->s->evaluate.predictions, before = 0;
    if (wanted < 0 || wanted > list.count) wanted = list.count;
    if (st == STATUS_OK) st = predict_images(t, net, &f, &list, wanted, &before);
    stage_result r = {.fom = (wanted - before) / (timer_now() - began), .unit = "images/s"};
    if (st == STATUS_OK) st = stage_finish(t, &r);
    inference_destroy(net);
    files_destroy(&f);
    memory_free(list.member);
    return st;
}

status command_predict(const comm *c, const settings *s) {
    char weights[FILE_PATH];
    stage t;
    status st = stage_begin_as(&t, c, s, STAGE_EVALUATE, "predict", 1);
    if (st == STATUS_OK && s->evaluate.weights[0])
        snprintf(weights, sizeof weights, "%s", s->evaluate.weights);
    else if (st == STATUS_OK)
        st = stage_path(&t, weights, "finetuned.safetensors");
    /* What is left of a stopped start must be written in the same numbers. */
    if (st == STATUS_OK) st = stage_key(&t, weights, (uint64_t)s->evaluate.ids);
    if (st == STATUS_OK) st = predict_stage(&t, weights);
    stage_end(&t);
    return st;
}
