/* The score stage: the labelled training images, shared out over ranks and threads, are counted at
 * two resolutions in one pass. What is counted is integers: order does not matter. At the features'
 * stride the ground truth is made as small as the labels, at full resolution the labels are looked
 * up for each pixel of the ground truth. Figures are computed once, from the sums of all ranks. */
#include "src/app/clusters/score.h"

#include "io/hdf5/labels.h"
#include "mpi/shard.h"
#include "mpi/stop_watch.h"
#include "src/app/clusters/score_record.h"
#include "src/app/stage/image_list.h"
#include "src/app/stage/partial.h"
#include "src/app/stage/setup.h"
#include "src/app/stage/stage.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <math.h>
#include <omp.h>
#include <stdatomic.h>
#include <string.h>

/* Counts up with what is recorded, so that what an older program left out is computed. */
enum { FIGURES = 2 };

/* A labelling and its tables, filled in one pass over the labelled images. */
typedef struct scorer {
    stage *t;
    const labels *aux;
    int classes, images;
    score_table table[SCORE_RESOLUTIONS];
    partial part;      /* of the images to score; its sums are the tables, one after the other */
    atomic_bool leave; /* no thread takes another image */
} scorer;

/* Tables of both resolutions: a rank's own, added over ranks at the end. */
static status scorer_create(scorer *r) {
    status st = STATUS_OK;
    for (int at = 0; at < SCORE_RESOLUTIONS && st == STATUS_OK; at++)
        st = score_create(&r->table[at], labels_about(r->aux).k, r->classes);
    return st;
}

/* Of zeros: nothing. */
static void scorer_destroy(scorer *r) {
    for (int at = 0; at < SCORE_RESOLUTIONS; at++) score_destroy(&r->table[at]);
    partial_destroy(&r->part);
}

static score_map map_of(const labelmap *m) {
    return (score_map){m->data, m->height, m->width};
}

/* One image at one resolution, into the table that all threads share: counted outside of the lock,
 * added under it. Integers: the order in which threads add does not matter. */
static status count(scorer *r, score_resolution at, score_image *counts, const labelmap *label,
    const labelmap *truth) {
    status st = score_count(counts, map_of(label), map_of(truth));
    if (st != STATUS_OK) return st;
#pragma omp critical(score)
    score_add(&r->table[at], counts);
    return STATUS_OK;
}

/* Counts image i in both tables; counts: this thread's, for one image at a time. The image itself
 * is not read. A label map that does not fit is named here, where the image is known. */
static status add_image(scorer *r, int i, score_image *counts) {
    labelmap truth = {0}, small = {0}, label = {0};
    status st = dataset_load_label(r->t->d, i, r->t->s->dataset.scale, &truth);
    if (st == STATUS_OK) st = labels_load(r->aux, i, &label);
    if (st == STATUS_OK) st = labelmap_resize(&truth, label.height, label.width, &small);
    if (st == STATUS_OK) st = count(r, SCORE_STRIDE, counts, &label, &small);
    if (st == STATUS_OK) st = count(r, SCORE_FULL, counts, &label, &truth);
    if (st == STATUS_DATA) log_error("score: image %s", dataset_get(r->t->d, i).name);
    labelmap_destroy(&truth);
    labelmap_destroy(&small);
    labelmap_destroy(&label);
    return st;
}

/* The rank's images list[begin] .. that are not counted yet, threads taking them. A thread that
 * fails takes no more, the others finish: one may not leave an OpenMP loop. The main thread alone
 * hears of other ranks. */
static status add_list(scorer *r, const int *list, int begin, int end, stop_watch *watch) {
    int threads = setup_threads(r->t->s);
    status worst = STATUS_OK;
#pragma omp parallel num_threads(threads)
    {
        score_image counts;
        bool main_thread = omp_get_thread_num() == 0;
        status mine = score_image_create(&counts, labels_about(r->aux).k, r->classes);
#pragma omp for schedule(dynamic)
        for (int i = begin; i < end; i++) {
            if (mine != STATUS_OK || r->part.done[i] || atomic_load(&r->leave)) continue;
            mine = add_image(r, list[i], &counts);
            r->part.done[i] = mine == STATUS_OK;
            if (main_thread) mine = stop_watch_ask(watch, mine);
            if (mine != STATUS_OK) atomic_store(&r->leave, true);
        }
        if (mine != STATUS_OK) {
#pragma omp critical(worst)
            worst = status_worse(worst, mine);
        }
        score_image_destroy(&counts);
    }
    return worst;
}

/* Labelled training images; those whose labels trained the extractor are left out. */
static status images_to_score(const stage *t, image_list *out) {
    image_list used = {0};
    status st = images_of_split(out, t->d, SPLIT_TRAIN, true);
    if (st != STATUS_OK || !stage_extracts_finetuned(t->s, t->round)) return st;
    st = images_labelled(&used, t->d, t->s);
    int kept = 0, u = 0;
    for (int i = 0; st == STATUS_OK && i < out->count; i++) {
        /* Both lists ascend. */
        while (u < used.count && used.member[u] < out->member[i]) u++;
        if (u == used.count || used.member[u] != out->member[i])
            out->member[kept++] = out->member[i];
    }
    out->count = kept;
    memory_free(used.member);
    return st;
}

/* Between the tables and the sums that are kept. */
static void copy_tables(scorer *r, bool to_sums) {
    int64_t *at = r->part.sum;
    for (int k = 0; k < SCORE_RESOLUTIONS; k++) {
        score_table *table = &r->table[k];
        size_t bytes = table->words * sizeof *at;
        memcpy(to_sums ? (void *)at : table->block, to_sums ? table->block : (void *)at, bytes);
        at += table->words;
    }
}

/* Which images are left out is a matter of settings that are none of this stage's groups: a
 * fraction, a list. */
static status hash_images(const stage *t, uint64_t *hash) {
    image_list list = {0};
    status st = images_to_score(t, &list);
    if (st == STATUS_OK) *hash = hash_bytes(list.member, (size_t)list.count * sizeof *list.member);
    memory_free(list.member);
    return comm_agree(t->c, st);
}

/* This rank's share of the images to score, and what other starts have counted. Collective. */
static status count_images(scorer *r, const image_list *list) {
    const comm *c = r->t->c;
    size_t words = 0;
    for (int k = 0; k < SCORE_RESOLUTIONS; k++) words += r->table[k].words;
    status st = partial_create(&r->part, r->t, words, list->count);
    if (st != STATUS_OK) return st;
    copy_tables(r, false);
    int begin = (int)shard_begin(list->count, comm_rank(c), comm_size(c));
    int end = (int)shard_begin(list->count, comm_rank(c) + 1, comm_size(c));
    stop_watch watch = stop_watch_begin(c);
    return stop_watch_end(&watch, add_list(r, list->member, begin, end, &watch));
}

/* All images of all ranks in both tables. Collective. */
static status add_images(scorer *r) {
    image_list list = {0};
    double now = timer_now();
    status st = images_agree(r->t->c, &list, r->t->s, images_to_score(r->t, &list));
    if (st == STATUS_OK) st = count_images(r, &list);
    now = timer_lap(&r->t->time, PHASE_READ, now);
    r->images = list.count;
    memory_free(list.member);
    if (st == STATUS_OK || st == STATUS_STOPPED) copy_tables(r, true);
    st = partial_end(&r->part, st);
    if (st == STATUS_OK) copy_tables(r, false);
    timer_lap(&r->t->time, PHASE_EXCHANGE, now);
    return st;
}

/* Pixels of both resolutions count as work that was done. */
static status finish_score(stage *t, const scorer *r) {
    double seconds = timer_now() - t->began, pixels = 0;
    status st = STATUS_OK;
    log_detail("score over %d images", r->images);
    for (int at = 0; at < SCORE_RESOLUTIONS && st == STATUS_OK; at++) {
        const score_table *table = &r->table[at];
        pixels += (double)(*table->pixels + *table->ignored);
        st = score_record(t, (score_resolution)at, table);
    }
    st = comm_agree(t->c, st);
    if (st != STATUS_OK) return st;
    return stage_finish(t, &(stage_result){.fom = pixels / seconds, .unit = "pixels/s"});
}

/* The stage itself. What an earlier labelling has left goes first: if this one fails, nothing old
 * is shown as its score. Where no image is left to compare with the stage is not recorded as done,
 * and is no failure. */
static status score_stage(stage *t) {
    char path[FILE_PATH];
    labels *aux = NULL;
    scorer r = {.t = t, .classes = dataset_classes(t->d)};
    status st = stage_path(t, path, "labels.h5");
    score_forget(t);
    if (st == STATUS_OK) st = comm_agree(t->c, t->record ? run_record_save(t->record) : STATUS_OK);
    if (st == STATUS_OK) st = labels_open(t->c, path, &aux);
    r.aux = aux;
    if (st == STATUS_OK) st = comm_agree(t->c, scorer_create(&r));
    if (st == STATUS_OK) st = add_images(&r);
    if (st == STATUS_OK && r.images == 0) {
        log_info("score: no labelled image is left to compare with");
        st = stage_finish(t, &(stage_result){.fom = NAN});
    } else if (st == STATUS_OK) {
        st = finish_score(t, &r);
    }
    if (st == STATUS_OK) partial_clear(&r.part);
    scorer_destroy(&r);
    labels_close(aux);
    return st;
}

/* The key holds the labels', the images that are compared, and the number of figures. */
status score_labels(const comm *c, const settings *s, int round) {
    stage t;
    bool done = false;
    uint64_t input[] = {0, FIGURES, 0};
    status st = stage_begin(&t, c, s, STAGE_SCORE, round);
    if (st == STATUS_OK) st = stage_input(&t, STAGE_CLUSTER, &input[0]);
    if (st == STATUS_OK) st = hash_images(&t, &input[2]);
    if (st == STATUS_OK) st = stage_key(&t, NULL, hash_bytes(input, sizeof input));
    if (st == STATUS_OK) st = stage_done(&t, &done);
    if (st == STATUS_OK && !done) st = score_stage(&t);
    stage_end(&t);
    return st;
}

status command_score(const comm *c, const settings *s) {
    return score_labels(c, s, 1);
}
