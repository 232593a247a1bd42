#include "src/label/score.h"

#include "io/labels.h"
#include "mpi/shard.h"
#include "src/app/commands.h"
#include "src/app/extract.h"
#include "src/app/order.h"
#include "src/app/score.h"
#include "src/app/setup.h"
#include "src/app/stage.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <math.h>
#include <stdio.h>

/* Truth and auxiliary labels of image i, at the features' resolution. */
static status add_image(const stage *t, const labels *aux, int i, score_table *table) {
    image rgb = {0};
    labelmap truth = {0}, small = {0}, label = {0};
    status st = dataset_load(t->d, i, t->s->dataset.scale, &rgb, &truth);
    if (st == STATUS_OK) st = labels_load(aux, i, &label);
    if (st == STATUS_OK) st = labelmap_resize(&truth, label.height, label.width, &small);
    if (st == STATUS_OK)
        st = score_add(table, label.data, small.data, (size_t)label.height * (size_t)label.width);
    image_destroy(&rgb);
    labelmap_destroy(&truth);
    labelmap_destroy(&small);
    labelmap_destroy(&label);
    return st;
}

/* Labelled training images; those whose labels trained the extractor are left out. */
static status images_to_score(const stage *t, image_list *out) {
    image_list used = {0};
    status st = images_of_split(out, t->d, SPLIT_TRAIN, true);
    if (st != STATUS_OK || !extract_from_finetuned(t->s, t->round)) return st;
    st = images_labelled(&used, t->d, t->s);
    int kept = 0, u = 0;
    for (int i = 0; st == STATUS_OK && i < out->count; i++) {
        while (u < used.count && used.member[u] < out->member[i]) u++;
        if (u == used.count || used.member[u] != out->member[i])
            out->member[kept++] = out->member[i];
    }
    out->count = kept;
    memory_free(used.member);
    return st;
}

static status add_images(const stage *t, const labels *aux, score_table *table, int *images) {
    image_list list = {0};
    status st = images_to_score(t, &list);
    int64_t begin = shard_begin(list.count, comm_rank(t->c), comm_size(t->c));
    int64_t end = shard_begin(list.count, comm_rank(t->c) + 1, comm_size(t->c));
    for (int64_t i = begin; st == STATUS_OK && i < end; i++)
        st = add_image(t, aux, list.member[i], table);
    *images = list.count;
    memory_free(list.member);
    st = comm_agree(t->c, st);
    if (st == STATUS_OK) comm_sum_i64(t->c, table->block, table->words);
    return st;
}

static void print_score(const score_result *r, int images) {
    log_info("score over %d images, cross-image pairs:     by pairs  (chance)   mean over labels"
             "  (chance)",
        images);
    log_info("  positive precision P(same class|same label)    %.4f  (%.4f)             %.4f"
             "  (%.4f)",
        r->positive, r->positive_chance, r->positive_mean, r->positive_mean_chance);
    log_info("  negative precision P(other class|other label)  %.4f  (%.4f)             %.4f"
             "  (%.4f)",
        r->negative, r->negative_chance, r->negative_mean, r->negative_mean_chance);
    log_info(
        "  purity %.4f  NMI %.4f  ARI %.4f  coverage %.4f", r->purity, r->nmi, r->ari, r->coverage);
}

static status record_score(stage *t, const score_result *r) {
    const struct {
        const char *name;
        double figure;
    } row[] = {{"positive", r->positive}, {"positive_chance", r->positive_chance},
        {"positive_mean", r->positive_mean}, {"positive_mean_chance", r->positive_mean_chance},
        {"negative", r->negative}, {"negative_chance", r->negative_chance},
        {"negative_mean", r->negative_mean}, {"negative_mean_chance", r->negative_mean_chance},
        {"purity", r->purity}, {"nmi", r->nmi}, {"ari", r->ari}, {"coverage", r->coverage}};
    status st = STATUS_OK;
    for (size_t i = 0; i < sizeof row / sizeof *row && st == STATUS_OK; i++)
        st = stage_figure(t, t->name, row[i].name, row[i].figure);
    return st;
}

/* Per cluster and per class, for the report. */
static status record_tables(stage *t, const score_table *table, const double *precision,
    const double *share, const double *recall) {
    char group[STAGE_NAME + 16], name[16];
    status st = STATUS_OK;
    for (int a = 0; a < table->k && st == STATUS_OK; a++) {
        snprintf(name, sizeof name, "%d", a);
        snprintf(group, sizeof group, "%s/precision", t->name);
        st = stage_figure(t, group, name, precision[a]);
        snprintf(group, sizeof group, "%s/share", t->name);
        if (st == STATUS_OK) st = stage_figure(t, group, name, share[a]);
    }
    snprintf(group, sizeof group, "%s/recall", t->name);
    for (int y = 0; y < table->classes && st == STATUS_OK; y++)
        st = stage_figure(t, group, dataset_class_name(t->d, y), recall[y]);
    return st;
}

/* Figures of an earlier labelling, which may have had more clusters, go first. */
static void forget_score(stage *t) {
    static const char *const table[] = {"", "/precision", "/share", "/recall"};
    char group[STAGE_NAME + 16];
    for (size_t i = 0; t->record && i < sizeof table / sizeof *table; i++) {
        snprintf(group, sizeof group, "%s%s", t->name, table[i]);
        run_record_clear_group(t->record, group);
    }
}

static status finish_score(stage *t, const score_table *table, int images) {
    size_t k = (size_t)table->k;
    double *per = memory_alloc(2 * k + (size_t)table->classes, sizeof *per, "score per cluster");
    int *majority = memory_alloc(k, sizeof *majority, "score per cluster");
    status st = comm_agree(t->c, per && majority ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK) {
        score_result r = score_finish(table, per, per + k, majority, per + 2 * k);
        print_score(&r, images);
        st = record_score(t, &r);
        if (st == STATUS_OK) st = record_tables(t, table, per, per + k, per + 2 * k);
        st = comm_agree(t->c, st);
    }
    memory_free(per);
    memory_free(majority);
    return st == STATUS_OK ? stage_finish(t, &(stage_result){.fom = NAN}) : st;
}

static status score_stage(stage *t) {
    char path[FILE_PATH];
    labels *aux = NULL;
    score_table table = {0};
    int images = 0;
    status st = stage_path(t, path, "labels.h5");
    forget_score(t);
    if (st == STATUS_OK) st = labels_open(t->c, path, &aux);
    if (st == STATUS_OK)
        st = comm_agree(t->c, score_create(&table, labels_about(aux).k, dataset_classes(t->d)));
    if (st == STATUS_OK) st = add_images(t, aux, &table, &images);
    if (st == STATUS_OK && images == 0)
        log_info("score: no labelled image is left to compare with");
    else if (st == STATUS_OK)
        st = finish_score(t, &table, images);
    score_destroy(&table);
    labels_close(aux);
    return st;
}

status score_labels(const comm *c, const settings *s, int round) {
    stage t;
    uint64_t labels_hash = 0;
    status st = stage_begin(&t, c, s, "score", round);
    if (st == STATUS_OK) st = stage_input(&t, "cluster", &labels_hash);
    if (st == STATUS_OK) st = stage_key(&t, "dataset", NULL, labels_hash);
    if (st == STATUS_OK && !stage_done(&t)) st = score_stage(&t);
    stage_end(&t);
    return st;
}

status command_score(const comm *c, const settings *s) {
    return score_labels(c, s, 1);
}
