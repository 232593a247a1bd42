#include "src/app/stage/setup.h"

#include "src/base/log.h"
#include "src/base/memory.h"

#include <omp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

status setup_path(char *path, const settings *s, const char *name, int round) {
    char file[256];
    const char *dot = strrchr(name, '.');
    int n = round > 1 && dot
                ? snprintf(file, sizeof file, "%.*s-%d%s", (int)(dot - name), name, round, dot)
                : snprintf(file, sizeof file, "%s", name);
    if (n < 0 || (size_t)n >= sizeof file) {
        log_error("%s: name too long", name);
        return STATUS_USAGE;
    }
    return file_path(path, s->run.dir, file);
}

status setup_folder(const comm *c, const settings *s) {
    char path[FILE_PATH];
    status st = setup_path(path, s, "checkpoints", 1);
    if (st == STATUS_OK && comm_root(c)) st = file_make_folder(path);
    return comm_agree(c, st);
}

status setup_dataset(const comm *c, const settings *s, dataset **out) {
    char path[FILE_PATH];
    status st = comm_agree(c, setup_path(path, s, "dataset.h5", 1));
    return st == STATUS_OK ? dataset_open(c, path, out) : st;
}

int setup_training(const dataset *d) {
    int n = 0;
    while (n < dataset_count(d) && dataset_get(d, n).split == SPLIT_TRAIN) n++;
    return n;
}

int setup_threads(const settings *s) {
    return s->run.threads > 0 ? s->run.threads : omp_get_max_threads();
}

network_options setup_network(const settings *s, int classes) {
    return (network_options){.backbone = model_backbone_words[s->model.backbone],
        .stages = s->model.stages,
        .output_stride = s->model.output_stride,
        .head = model_head_words[s->model.head],
        .head_channels = s->model.head_channels,
        .classes = classes,
        .projection = s->model.projection};
}

norm_mode setup_norm(const settings *s) {
    switch (s->model.norm) {
    case MODEL_NORM_GROUP:
        return NORM_GROUP;
    case MODEL_NORM_SYNC:
        return NORM_SYNC;
    case MODEL_NORM_FROZEN:
        break;
    }
    return NORM_FROZEN;
}

recompute_mode setup_recompute(const settings *s) {
    switch (s->model.recompute) {
    case MODEL_RECOMPUTE_BLOCKS:
        return RECOMPUTE_BLOCKS;
    case MODEL_RECOMPUTE_NONE:
        break;
    }
    return RECOMPUTE_NONE;
}

schedule_kind setup_schedule(training_schedule s) {
    switch (s) {
    case TRAINING_SCHEDULE_CONSTANT:
        return SCHEDULE_CONSTANT;
    case TRAINING_SCHEDULE_POLYNOMIAL:
        return SCHEDULE_POLYNOMIAL;
    case TRAINING_SCHEDULE_COSINE:
        break;
    }
    return SCHEDULE_COSINE;
}

static optimizer_kind optimizer_of(update_optimizer o) {
    switch (o) {
    case UPDATE_OPTIMIZER_LARS:
        return OPTIMIZER_LARS;
    case UPDATE_OPTIMIZER_ADAMW:
        return OPTIMIZER_ADAMW;
    case UPDATE_OPTIMIZER_SGD:
        break;
    }
    return OPTIMIZER_SGD;
}

optimizer_options setup_optimizer(const optimizer_settings *s) {
    return (optimizer_options){.kind = optimizer_of(s->optimizer),
        .decay = s->weight_decay,
        .clip = s->clip,
        .momentum = s->momentum,
        .trust = s->trust,
        .beta1 = s->beta1,
        .beta2 = s->beta2,
        .epsilon = s->epsilon};
}

size_t setup_cache_bytes(const comm *c) {
    enum { SHARE = 4 };
    size_t bytes = memory_available("");
    bool known = bytes < SIZE_MAX / 2;
    return known ? bytes / SHARE / (size_t)comm_node_size(c) : 0;
}
