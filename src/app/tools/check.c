#include "src/app/tools/check.h"

#include "io/files/file.h"
#include "io/weights/safetensors.h"
#include "io/weights/weights.h"
#include "src/app/features/extract.h"
#include "src/app/stage/setup.h"
#include "src/base/log.h"
#include "src/model/network.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* The first mistake's kind is the exit code. */
static void note(status *first, status st) {
    if (*first == STATUS_OK) *first = st;
}

/* Where the data set's own number is not in the settings, a classifier of some classes stands for
 * it. */
static network_options network_of(const settings *s) {
    enum { SOME_CLASSES = 2 };
    return setup_network(s, s->dataset.classes > 0 ? s->dataset.classes : SOME_CLASSES);
}

/* The parameter that a tensor of a file is meant for, with or without "backbone."; -1: none. */
static int parameter_of(const parameters *p, const char *name) {
    char full[PARAMETER_NAME];
    int i = parameters_find(p, name);
    if (i >= 0) return i;
    int length = snprintf(full, sizeof full, "backbone.%s", name);
    return length < (int)sizeof full ? parameters_find(p, full) : -1;
}

static status match_weights(const char *path, const parameters *p) {
    safetensors *f = NULL;
    int matched = 0;
    status st = safetensors_read_header(&f, path);
    if (st != STATUS_OK) return st;
    for (int i = 0; i < safetensors_count(f); i++) {
        tensor_info t = safetensors_get(f, i);
        int at = parameter_of(p, t.name);
        if (at < 0) continue;
        matched++;
        /* A classifier of other classes is the commonest mistake; weights_load would refuse it. */
        if (weights_same_shape(&t, &p->item[at])) continue;
        log_error("%s: %s has another shape than the network's", path, t.name);
        st = STATUS_DATA;
    }
    if (matched == 0) {
        log_error("%s: no tensor has the name of one of the network's", path);
        st = STATUS_DATA;
    }
    if (st == STATUS_OK) log_info("%s: %d of the network's %d tensors", path, matched, p->items);
    safetensors_close(f);
    return st;
}

status check_weights(const settings *s, int64_t *values) {
    const char *const file[] = {
        s->model.weights, s->extract.weights, s->finetune.weights, s->evaluate.weights};
    network_options o = network_of(s);
    graph *g = NULL;
    parameters *p = NULL;
    *values = 0;
    status st = network_create(&g, &o, NETWORK_CLASSIFIER, "");
    if (st != STATUS_OK) return st;
    p = parameters_create(g);
    if (!p) st = STATUS_FAILED;
    for (size_t i = 0; p && i < sizeof file / sizeof *file; i++)
        if (file[i][0]) note(&st, match_weights(file[i], p));
    if (p) *values = (int64_t)p->count;
    parameters_destroy(p);
    graph_destroy(g);
    return st;
}

/* The nearest folder above `path`, or itself, that exists: folder [FILE_PATH]. */
static void existing_folder(const char *path, char *folder) {
    snprintf(folder, FILE_PATH, "%s", path);
    while (access(folder, F_OK) != 0) {
        char *slash = strrchr(folder, '/');
        if (!slash)
            strcpy(folder, ".");
        else if (slash == folder)
            folder[1] = '\0';
        else
            *slash = '\0';
        if (!slash || slash == folder) break;
    }
}

/* Channels of the features and pixels of a row between two of them. */
static bool feature_shape(const settings *s, int *channels, int *stride) {
    char layers[64];
    network_options o = network_of(s);
    graph *g = NULL;
    extract_layers(layers, s, 1);
    if (network_create(&g, &o, NETWORK_FEATURES, layers) != STATUS_OK) return false;
    *channels = 0;
    *stride = 0;
    for (int i = 0; i < graph_outputs(g); i++) {
        value v = graph_output_value(g, i);
        *channels += graph_channels(g, v);
        if (*stride == 0 || graph_stride(g, v) < *stride) *stride = graph_stride(g, v);
    }
    graph_destroy(g);
    return true;
}

static double gib(double bytes) {
    return bytes / (1 << 30);
}

/* Features stay in their file. */
static bool streamed(const settings *s) {
    return s->extract.memory == EXTRACT_MEMORY_STREAM;
}

/* What a run leaves behind, and its checkpoints. */
static double disk_needed(const settings *s, const check_images *images, int64_t values,
    double pixels, double feature_bytes) {
    enum { LABEL = 2, WEIGHT = 4, WEIGHT_FILES = 3, CHECKPOINTS = 3, CHECKPOINT_WEIGHTS = 2 };
    double weights = (double)values * WEIGHT;
    return (double)images->bytes + (s->extract.keep || streamed(s) ? feature_bytes : 0) +
           s->run.rounds * (pixels * LABEL + WEIGHT_FILES * weights) +
           CHECKPOINTS * CHECKPOINT_WEIGHTS * weights;
}

static status check_disk(const char *folder, double needed) {
    struct statvfs about;
    if (statvfs(folder, &about) != 0) {
        log_error("%s: %s", folder, strerror(errno));
        return STATUS_OUTPUT;
    }
    double available = (double)about.f_bavail * (double)about.f_frsize;
    log_info("disk: about %.2f GiB needed, %.2f GiB free", gib(needed), gib(available));
    if (needed <= available) return STATUS_OK;
    log_error(
        "%s: about %.2f GiB are needed, %.2f GiB are free", folder, gib(needed), gib(available));
    return STATUS_OUTPUT;
}

status check_space(const settings *s, const check_images *images, int64_t values) {
    char folder[FILE_PATH];
    int channels, stride;
    status st = STATUS_OK;
    existing_folder(s->run.dir, folder);
    if (access(folder, W_OK | X_OK) != 0) {
        log_error("run.dir = \"%s\": %s: %s", s->run.dir, folder, strerror(errno));
        st = STATUS_OUTPUT;
    }
    if (!feature_shape(s, &channels, &stride)) return STATUS_USAGE;
    double pixels = (double)images->train * images->height / stride * images->width / stride;
    if (s->extract.pca > channels) {
        log_error("extract.pca = %d: the features have %d dimensions", s->extract.pca, channels);
        st = STATUS_USAGE;
    }
    double stored = (double)(s->extract.dtype == DTYPE_BF16 ? sizeof(uint16_t) : sizeof(float));
    double kept = pixels * stored * (s->extract.pca > 0 ? s->extract.pca : channels);
    /* What the projection takes and gives is float32. */
    double feature_bytes =
        s->extract.pca > 0 ? pixels * (double)sizeof(float) * (channels + s->extract.pca) : kept;
    if (streamed(s)) {
        /* A projection is made of a file of its own. */
        if (s->extract.pca > 0) kept += pixels * (double)sizeof(float) * channels;
        note(&st, check_disk(folder, disk_needed(s, images, values, pixels, kept)));
        return st;
    }
    note(&st, check_disk(folder, disk_needed(s, images, values, pixels, kept)));
    double memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    log_info("memory: about %.2f GiB for features over all ranks, %.2f GiB on this host",
        gib(feature_bytes), gib(memory));
    if (feature_bytes > memory)
        log_warn("the features of all images need about %.2f GiB: as many nodes must share them",
            gib(feature_bytes));
    return st;
}

static status check_start(const settings *s) {
    if (!s->cluster.start[0] || file_exists(s->cluster.start)) return STATUS_OK;
    log_error("cluster.start = \"%s\": no such file", s->cluster.start);
    return STATUS_DATA;
}

status command_check(const settings *s) {
    check_images images = {0};
    int64_t values = 0;
    status st = check_dataset(s, &images);
    note(&st, check_weights(s, &values));
    note(&st, check_start(s));
    note(&st, check_space(s, &images, values));
    if (st == STATUS_OK) log_info("%s", "check: no mistake found");
    return st;
}
