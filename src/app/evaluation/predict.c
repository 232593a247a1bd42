/* Predictions of a split as palette PNG files: run.dir/predictions. */
#include "src/app/evaluation/predict.h"

#include "io/codecs/image_file.h"
#include "mpi/shard.h"
#include "src/app/evaluation/evaluate.h"
#include "src/app/stage/image_list.h"
#include "src/app/stage/setup.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/image/palette.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* predictions/NAME.png: slashes of the image's name become underscores, so that no name leaves the
 * folder. */
static status prediction_path(const stage *t, int i, char *path) {
    char folder[FILE_PATH], name[FILE_PATH];
    int n = snprintf(name, sizeof name, "%s.png", dataset_get(t->d, i).name);
    if (n < 0 || (size_t)n >= sizeof name) {
        log_error("%s: name too long", dataset_get(t->d, i).name);
        return STATUS_OUTPUT;
    }
    for (char *p = name; *p; p++)
        if (*p == '/') *p = '_';
    status st = setup_path(folder, t->s, "predictions", 1);
    return st == STATUS_OK ? file_path(path, folder, name) : st;
}

static status write_prediction(const stage *t, int i, const labelmap *map) {
    char path[FILE_PATH];
    void *bytes = NULL;
    size_t size;
    status st = prediction_path(t, i, path);
    if (st == STATUS_OK) st = image_file_encode_labels(map, palette_classes(), &bytes, &size);
    if (st == STATUS_OK) st = file_write(path, bytes, size);
    memory_free(bytes);
    return st;
}

static status predict_run(const stage *t, inference *net, const int *list, int count) {
    status st = STATUS_OK;
    image *rgb = memory_alloc((size_t)count, sizeof *rgb, "images");
    labelmap *map = memory_alloc((size_t)count, sizeof *map, "predictions");
    if (!rgb || !map) st = STATUS_FAILED;
    for (int i = 0; st == STATUS_OK && i < count; i++)
        st = dataset_load(t->d, list[i], t->s->dataset.scale, &rgb[i], NULL);
    if (st == STATUS_OK) st = evaluate_predict(t, net, rgb, count, map);
    for (int i = 0; st == STATUS_OK && i < count; i++) st = write_prediction(t, list[i], &map[i]);
    for (int i = 0; i < count && rgb && map; i++) {
        image_destroy(&rgb[i]);
        labelmap_destroy(&map[i]);
    }
    memory_free(rgb);
    memory_free(map);
    return st;
}

static status predict_images(const stage *t, inference *net) {
    char folder[FILE_PATH];
    image_list list = {0};
    status st = setup_path(folder, t->s, "predictions", 1);
    if (st == STATUS_OK && comm_root(t->c)) st = file_make_folder(folder);
    st = comm_agree(t->c, st);
    if (st == STATUS_OK) st = images_of_split(&list, t->d, t->s->evaluate.split, false);
    int wanted = t->s->evaluate.predictions;
    if (wanted >= 0 && wanted < list.count) list.count = wanted;
    int begin = (int)shard_begin(list.count, comm_rank(t->c), comm_size(t->c));
    int end = (int)shard_begin(list.count, comm_rank(t->c) + 1, comm_size(t->c));
    for (int i = begin, count; st == STATUS_OK && i < end; i += count) {
        count = evaluate_count(t, net, list.member, i, end);
        st = predict_run(t, net, list.member + i, count);
    }
    log_info("%d predictions in %s", list.count, folder);
    memory_free(list.member);
    return comm_agree(t->c, st);
}

status command_predict(const comm *c, const settings *s) {
    char weights[FILE_PATH];
    inference *net = NULL;
    stage t;
    status st = stage_begin_as(&t, c, s, STAGE_EVALUATE, "predict", 1);
    if (st == STATUS_OK && s->evaluate.weights[0])
        snprintf(weights, sizeof weights, "%s", s->evaluate.weights);
    else if (st == STATUS_OK)
        st = stage_path(&t, weights, "finetuned.safetensors");
    if (st == STATUS_OK) st = stage_key(&t, weights, 0);
    inference_options o = {.end = NETWORK_CLASSIFIER, .weights = weights, .how = t.how};
    if (st == STATUS_OK) st = inference_create(&net, c, s, t.d, &o);
    if (st == STATUS_OK) st = predict_images(&t, net);
    if (st == STATUS_OK) st = stage_finish(&t, &(stage_result){.fom = NAN});
    inference_destroy(net);
    stage_end(&t);
    return st;
}
