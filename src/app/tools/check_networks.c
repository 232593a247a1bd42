/* Weights, initial centroids and the shape of features, for `auxseg check`: each file is read into
 * the very network that a stage would read it into, so that names, shapes, types and values that
 * are not finite are refused as there. Sizes for check_space.c fall off on the way: how many values
 * the network has, how many channels and rows its features. */
#include "io/files/file.h"
#include "io/weights/weights.h"
#include "src/app/clusters/cluster_start.h"
#include "src/app/features/extract.h"
#include "src/app/stage/extractor.h"
#include "src/app/stage/model_setup.h"
#include "src/app/stage/setup.h"
#include "src/app/tools/check_state.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/model/network.h"
#include "src/nn/plan/plan.h"

#include <stdio.h>
#include <string.h>

enum { SOME_CLASSES = 2 }; /* of a classifier while the data set's own number is not known */

/* A file's use in a run. complete is wanted where the stage refuses initial values in place of what
 * a file lacks (inference.c); training takes them. */
typedef struct weights_use {
    const char *path;
    network_end end;
    const char *layers; /* NETWORK_FEATURES only */
    bool complete;      /* the network must find everything in it */
    bool contrast;      /* it has the head of embeddings beside the classifier */
} weights_use;

static int some_classes(const check *k) {
    return k->classes > 0 ? k->classes : SOME_CLASSES;
}

static network_options options_of(const check *k) {
    return setup_network(k->s, some_classes(k));
}

/* As inference and training read it, without a communicator. A file for another number of classes
 * is accepted where training would leave its classifier out by name; model.weights_strict forbids
 * that here as it does there. */
static status read_into(const check *k, const weights_use *u) {
    model_setup m;
    graph *g = NULL;
    parameters *p = NULL;
    weights_match match = {0};
    status st = model_setup_read(NULL, k->s, u->path, some_classes(k), &m);
    if (st == STATUS_OK && u->end == NETWORK_FEATURES)
        st = extractor_network(&m.network, NULL, k->s, u->path);
    m.network.contrast = u->contrast;
    if (st == STATUS_OK) st = network_create(&g, &m.network, u->end, u->layers);
    if (st == STATUS_OK && !(p = parameters_create(g))) st = STATUS_FAILED;
    const char *replaced =
        u->complete || k->s->model.weights_strict ? NULL : network_classifier(&m.network);
    if (st == STATUS_OK) st = weights_load(NULL, u->path, replaced, p, &match);
    if (st == STATUS_OK && u->complete && match.missing > 0) {
        log_error("%s lacks %d of the network's tensors", u->path, match.missing);
        st = STATUS_DATA;
    }
    parameters_destroy(p);
    graph_destroy(g);
    return st;
}

/* A file that is wrong for one use is not read for the next: once is enough. The order is that of
 * the run. Files that the run makes for itself are not there yet and not looked for. The network
 * for model.weights ends in a classifier only where a baseline is wanted and the number of classes
 * is known. */
static void check_files(check *k) {
    char extractor[FILE_PATH], layers[EXTRACT_LAYERS];
    const settings *s = k->s;
    bool given = !stage_extracts_finetuned(s, 1) && k->cluster;
    bool taught = s->finetune.method == FINETUNE_METHOD_PSEUDO_LABELS;
    network_end plain = k->baseline && k->classes > 0 ? NETWORK_CLASSIFIER : NETWORK_PROJECTION;
    status st = given ? extract_weights_path(extractor, s, 1) : STATUS_OK;
    check_note(k, st);
    extract_layers(layers, s, 1);
    const weights_use use[] = {{s->model.weights, plain, NULL, false, false},
        {given && st == STATUS_OK ? extractor : "", NETWORK_FEATURES, layers, true, false},
        {s->finetune.weights, NETWORK_CLASSIFIER, NULL, false, s->finetune.contrast_weight > 0},
        {taught ? s->finetune.teacher : "", NETWORK_CLASSIFIER, NULL, true, false},
        {s->evaluate.weights, NETWORK_CLASSIFIER, NULL, true, false}};
    const char *bad = "";
    for (size_t i = 0; i < sizeof use / sizeof *use; i++) {
        if (!use[i].path[0] || strcmp(use[i].path, bad) == 0) continue;
        st = read_into(k, &use[i]);
        if (st != STATUS_OK) bad = use[i].path;
        check_note(k, st);
    }
}

/* Float32 values of the network in all. */
static double count_values(check *k) {
    network_options o = options_of(k);
    graph *g = NULL;
    o.contrast = k->s->finetune.contrast_weight > 0;
    status st = network_create(&g, &o, NETWORK_CLASSIFIER, NULL);
    parameters *p = st == STATUS_OK ? parameters_create(g) : NULL;
    double values = p ? (double)p->count : 0;
    if (!p) check_note(k, st == STATUS_OK ? STATUS_FAILED : st);
    parameters_destroy(p);
    graph_destroy(g);
    return values;
}

/* Channels of the features, and pixels from a row to the next. */
static bool feature_shape(const check *k, int *channels, int *stride) {
    char layers[EXTRACT_LAYERS], weights[FILE_PATH];
    network_options o = options_of(k);
    graph *g = NULL;
    bool own = stage_extracts_finetuned(k->s, 1);
    extract_layers(layers, k->s, 1);
    if (!own && (extract_weights_path(weights, k->s, 1) != STATUS_OK ||
                    extractor_network(&o, NULL, k->s, weights) != STATUS_OK))
        return false;
    if (network_create(&g, &o, NETWORK_FEATURES, layers) != STATUS_OK) return false;
    value v = graph_output_value(g, 0);
    *channels = graph_channels(g, v);
    *stride = graph_stride(g, v);
    graph_destroy(g);
    return true;
}

/* Rows of features of all training images; those of unknown size count as the mean of the others.
 */
static double count_rows(const check *k, int stride, bool *exact) {
    double rows = 0;
    int known = 0;
    for (int i = 0; i < k->train && k->height && k->width; i++) {
        if (k->height[i] == 0) continue;
        int h = check_scaled(k, k->height[i]), w = check_scaled(k, k->width[i]);
        rows += (double)((h + stride - 1) / stride) * ((w + stride - 1) / stride);
        known++;
    }
    *exact = known == k->train;
    return known > 0 ? rows / known * k->train : 0;
}

/* It is read as the clustering reads it: type and shape are part of what can be wrong. */
static void check_start(check *k, int d) {
    float *start = NULL;
    uint64_t hash;
    if (!k->s->cluster.start[0]) return;
    /* DBSCAN reads it for the stage's key alone. */
    status st = k->s->cluster.method == CLUSTER_METHOD_DBSCAN
                    ? file_hash(k->s->cluster.start, &hash)
                    : cluster_start_read(NULL, k->s, d, &start);
    memory_free(start);
    check_note(k, st);
}

/* What depends on the features' shape: components, initial centroids, how many rows there are. */
static void check_clusters(check *k, bool exact) {
    const settings *s = k->s;
    int channels = k->channels;
    int d = s->extract.pca > 0 ? s->extract.pca : channels;
    if (s->extract.pca > channels) {
        log_error("extract.pca = %d: the features have %d dimensions", s->extract.pca, channels);
        check_note(k, STATUS_USAGE);
        return;
    }
    check_start(k, d);
    /* Skipped images leave fewer rows, unknown ones more or fewer. */
    if (!exact || s->cluster.method == CLUSTER_METHOD_DBSCAN || k->rows >= s->cluster.k) return;
    log_error("k-means: %.0f rows of %d features cannot make %d clusters (cluster.k)", k->rows, d,
        s->cluster.k);
    check_note(k, STATUS_USAGE);
}

/* A login node's processor may be another one than the compute nodes', where it matters. */
static void warn_arithmetic(const settings *s) {
    if (s->model.dtype != MODEL_DTYPE_BF16 || plan_supports(DTYPE_BF16)) return;
    log_warn("model.dtype = \"bf16\": this host's processor has no such instructions: a run on it "
             "is refused");
}

void check_networks(check *k) {
    int stride;
    warn_arithmetic(k->s);
    bool exact;
    check_files(k);
    k->values = count_values(k);
    if (stage_extracts_files(k->s, 1)) {
        if (k->cluster) check_features(k);
        if (k->channels > 0) check_clusters(k, true);
        return;
    }
    if (!feature_shape(k, &k->channels, &stride)) {
        check_note(k, STATUS_USAGE);
        return;
    }
    k->rows = count_rows(k, stride, &exact);
    if (k->cluster && k->train > 0) check_clusters(k, exact);
}
