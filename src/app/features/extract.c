/* Where the clustering's features come from: a file that holds just these, the network, or files of
 * another program. The key
 * decides, a hash of everything that they depend on: what was made with other images, weights or
 * settings is made anew. */
#include "src/app/features/extract.h"

#include "io/files/file.h"
#include "io/files/npy_rows.h"
#include "src/app/features/extract_compute.h"
#include "src/app/features/extract_files.h"
#include "src/app/features/extract_kept.h"
#include "src/app/stage/extractor.h"
#include "src/app/stage/setup.h"
#include "src/app/stage/store.h"
#include "src/base/log.h"

#include <stdio.h>
#include <string.h>

/* One place says it, as check, keys and the stage must mean the same file. */
status extract_weights_path(char *path, const settings *s, int round) {
    /* Later rounds extract with what the round before has learnt. */
    if (round > 1) return setup_path(path, s, "finetuned.safetensors", round - 1);
    if (stage_extracts_finetuned(s, round)) return setup_path(path, s, "baseline.safetensors", 1);
    path[0] = '\0';
    if (stage_extracts_files(s, round)) return STATUS_OK;
    const char *given = s->extract.weights[0] ? s->extract.weights : s->model.weights;
    if (strlen(given) >= FILE_PATH) {
        log_error("%s: path too long", given);
        return STATUS_USAGE;
    }
    strcpy(path, given);
    return STATUS_OK;
}

/* A model that was trained on labels is deepest before its classifier; of an ImageNet network the
 * last stage that is asked for. Layers of a transformer mean nothing to the model of later
 * rounds. */
void extract_layers(char *text, const settings *s, int round) {
    bool own = stage_extracts_finetuned(s, round);
    bool transformer = s->extract.backbone == EXTRACT_BACKBONE_VIT;
    if (stage_extracts_files(s, round))
        snprintf(text, EXTRACT_LAYERS, "files");
    else if (s->extract.layers[0] && !(own && transformer))
        snprintf(text, EXTRACT_LAYERS, "%.255s", s->extract.layers);
    else if (own)
        snprintf(text, EXTRACT_LAYERS, "head");
    else if (transformer)
        snprintf(text, EXTRACT_LAYERS, "norm");
    else {
        network_options n = setup_network(s, 0);
        extractor_word(&n, s);
        snprintf(text, EXTRACT_LAYERS, "layer%d", network_stages(&n));
    }
}

status extract_inputs_find(const stage *t, extract_inputs *out) {
    out->files = 0;
    status st = comm_agree(t->c, extract_weights_path(out->weights, t->s, t->round));
    if (st == STATUS_OK && stage_extracts_files(t->s, t->round))
        st = extract_files_hash(t, &out->files);
    return st;
}

/* Features of other stages than this one have the same key: a copy of the stage computes it. */
static status extract_key(const stage *t, const extract_inputs *in, uint64_t *key) {
    stage copy = *t;
    copy.id = STAGE_EXTRACT;
    status st = stage_key(&copy, in->weights, in->files);
    *key = copy.key;
    return st;
}

/* extract.npy is written where the features are computed, and whenever they are asked for. */
static status write_npy(const stage *t, const features *x, bool computed) {
    const char *path = t->s->extract.npy;
    if (!path[0] || t->round > 1) return STATUS_OK;
    if (!computed && t->id != STAGE_EXTRACT) return STATUS_OK;
    status st = npy_write_rows(t->c, path, x);
    if (st == STATUS_OK) log_info("extract: features written to %s", path);
    return st;
}

/* An entry of its own, also where the clustering has the features computed. features.h5 has no hash
 * of its contents: its key stands for them. file: whether it was written. */
static status record_extraction(stage *t, const extract_request *q, bool file) {
    double seconds = timer_now() - t->began;
    stage_result r = {
        file ? q->file : NULL, file ? q->key : 0, setup_training(t->d) / seconds, "images/s", 0};
    return stage_finish(t, &r);
}

/* Features are computed as a stage of its own within the caller's, so that their time and figure
 * are not the clustering's. */
static status make_features(stage *part, const extract_request *q, features *x) {
    bool file = q->keep || q->stream;
    stage_clock(part);
    status st = stage_extracts_files(part->s, part->round) ? extract_files(part, q, x, &file)
                                                           : extract_compute(part, q, x);
    return st == STATUS_OK ? record_extraction(part, q, file) : st;
}

/* In features.h5, or taken from another run that keeps its features, if this one is to keep them.
 * Collective. */
static status features_find(stage *part, const extract_request *q, bool *found) {
    status st = extract_kept_whole(part, q->file, q->key, found);
    if (st != STATUS_OK || *found || !q->keep || !stage_take(part)) return st;
    return extract_kept_whole(part, q->file, q->key, found);
}

/* Of a file that turns out to be damaged nothing is kept; one that the system does not give may be
 * whole. Collective. */
static status read_kept(const stage *t, const extract_request *q, features *x, bool *kept) {
    status st = (q->stream ? features_map : features_read)(t->c, q->file, q->key, x);
    if (st == STATUS_OK) log_info("extract: features of %s read from %s", q->layers, q->file);
    bool damaged = st == STATUS_OUTPUT || st == STATUS_DATA;
    int32_t unknown = damaged && file_unreadable(q->file) != 0;
    comm_max_i32(t->c, &unknown, 1);
    *kept = !damaged || unknown;
    if (*kept) return unknown ? STATUS_FAILED : st;
    if (comm_root(t->c)) log_warn("%s: damaged and made anew", q->file);
    return STATUS_OK;
}

status extract_features(stage *t, const extract_inputs *in, bool keep, features *out) {
    extract_request q = {.keep = keep, .stream = t->s->extract.memory == EXTRACT_MEMORY_STREAM};
    features x = {0};
    extract_layers(q.layers, t->s, t->round);
    q.own = stage_extracts_finetuned(t->s, t->round);
    strcpy(q.weights, in->weights);
    status st = stage_path(t, q.file, "features.h5");
    if (st == STATUS_OK) st = extract_key(t, in, &q.key);
    if (st != STATUS_OK) return st;

    /* A kept file is read whole or not at all: a part of the images would be another key. */
    stage part = stage_within(t, STAGE_EXTRACT, q.key);
    bool kept = false;
    st = features_find(&part, &q, &kept);
    if (st == STATUS_OK && kept) st = read_kept(t, &q, &x, &kept);
    if (st == STATUS_OK && !kept) st = make_features(&part, &q, &x);
    store_leave(&part);
    if (st == STATUS_OK) st = write_npy(t, &x, !kept);
    if (st == STATUS_OK)
        *out = x;
    else
        features_destroy(&x);
    return st;
}

/* Features that are asked for by themselves are kept, else there would be nothing to show. */
status command_extract(const comm *c, const settings *s) {
    stage t;
    extract_inputs in;
    features x = {0};
    status st = stage_begin(&t, c, s, STAGE_EXTRACT, 1);
    if (st == STATUS_OK) st = extract_inputs_find(&t, &in);
    if (st == STATUS_OK) st = extract_features(&t, &in, true, &x);
    if (st == STATUS_OK && t.record) st = run_record_save(t.record);
    st = comm_agree(c, st);
    features_destroy(&x);
    stage_end(&t);
    return st;
}
