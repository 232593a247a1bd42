/* What every stage needs of the settings, derived in one place, so that two stages cannot read one
 * setting in two ways: paths, the network, its arithmetic, the optimiser. Nothing here has a state.
 * Functions that read settings alone are cheap and asked again where they are needed, rather than
 * kept. */
#include "src/app/stage/setup.h"

#include "src/app/stage/choices.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <omp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Round 1 has the plain names: who runs one round, and most do, never sees a number. Which file it
 * is decides what later stages find: the names are a part of the program's contract with the user,
 * as the README has them. */
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

/* One rank makes it: many at once are a storm on a shared file system. */
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

/* Packing puts them first, so that a stage's rows are a block of the data set. */
int setup_training(const dataset *d) {
    int n = 0;
    while (n < dataset_count(d) && dataset_get(d, n).split == SPLIT_TRAIN) n++;
    return n;
}

/* OpenMP's number obeys OMP_NUM_THREADS, and the cores that a batch system has given the rank. */
int setup_threads(const settings *s) {
    return s->run.threads > 0 ? s->run.threads : omp_get_max_threads();
}

network_options setup_network(const settings *s, int classes) {
    return (network_options){.backbone = s->model.backbone,
        .stages = s->model.stages,
        .output_stride = s->model.output_stride,
        .head = s->model.head,
        .head_channels = s->model.head_channels,
        .classes = classes,
        .projection = s->model.projection};
}

optimizer_options setup_optimizer(const optimizer_settings *s) {
    return (optimizer_options){.kind = choices_optimizer(s->optimizer),
        .decay = s->weight_decay,
        .clip = s->clip,
        .momentum = s->momentum,
        .trust = s->trust,
        .beta1 = s->beta1,
        .beta2 = s->beta2,
        .epsilon = s->epsilon};
}

/* -1: as jitter says. */
static double or_jitter(const view_settings *v, double change) {
    return change < 0 ? v->jitter : change;
}

/* Settings have words and defaults that depend on others; the arithmetic of views has numbers. */
augment_options setup_views(const view_settings *v, int crop) {
    return (augment_options){.crop = crop,
        .rule = choices_crop(v->crop_by),
        .scale_min = v->scale_min,
        .scale_max = v->scale_max,
        .area_min = v->area_min,
        .area_max = v->area_max,
        .aspect_min = v->aspect_min,
        .aspect_max = v->aspect_max,
        .flip = v->flip,
        .colours = choices_colours(v->colours),
        .jitter = v->jitter_probability,
        .brightness = or_jitter(v, v->brightness),
        .contrast = or_jitter(v, v->contrast),
        .saturation = or_jitter(v, v->saturation),
        .hue = v->hue,
        .grey = v->grey,
        .blur = v->blur,
        .blur_min = v->blur_min,
        .blur_max = v->blur_max};
}

/* A quarter: activations and the gradient's sums come later and must find room, and the operating
 * system's own cache of dataset.h5 is worth as much. Decides how fast images come, never which. */
size_t setup_cache_bytes(const comm *c) {
    enum { SHARE = 4 };
    size_t bytes = memory_available("");
    bool known = bytes < SIZE_MAX / 2;
    return known ? bytes / SHARE / (size_t)comm_node_size(c) : 0;
}
