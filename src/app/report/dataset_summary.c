/* The data set in numbers. Which classes are rare, and how few labels there are, explains more of a
 * result than any curve.
 *
 * Sizes and labels come from the tables, which every rank has. Pixels of classes are counted on
 * label maps, at most SUMMARY_MAPS of a split, evenly spaced: ranks share them, and sums of
 * integers are the same in any order. Only the splits that have images get a place in the summary.
 */
#include "src/app/report/dataset_summary.h"

#include "mpi/shard.h"
#include "src/app/report/spaced.h"
#include "src/app/stage/image_list.h"
#include "src/app/stage/setup.h"
#include "src/base/memory.h"
#include "src/base/stop.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* With blanks where no line ends. */
#define TIMES "\xC2\xA0\xC3\x97\xC2\xA0"

/* pixels [classes + 1] is added to. The last cell counts pixels without a class. At full size: a
 * share must not depend on dataset.scale. */
static status count_map(const dataset *d, int index, int64_t *pixels) {
    int classes = dataset_classes(d);
    labelmap m = {0};
    status st = dataset_load_label(d, index, 1, &m);
    for (size_t i = 0, n = (size_t)m.height * (size_t)m.width; st == STATUS_OK && i < n; i++)
        pixels[m.data[i] == LABEL_IGNORE ? classes : m.data[i]]++;
    labelmap_destroy(&m);
    return st;
}

/* This rank's part of `wanted` label maps, each thread into counts of its own. Own counts cost a
 * few numbers a class and save a lock for each map; a failure of one thread is told after all have
 * ended, as no thread may leave the loop early. */
static status count_maps(const stage *t, const image_list *list, int wanted, int64_t *pixels) {
    int begin = (int)shard_begin(wanted, comm_rank(t->c), comm_size(t->c));
    int end = (int)shard_begin(wanted, comm_rank(t->c) + 1, comm_size(t->c));
    int threads = setup_threads(t->s);
    size_t cells = (size_t)dataset_classes(t->d) + 1;
    status worst = STATUS_OK;
#pragma omp parallel num_threads(threads)
    {
        int64_t *own = memory_alloc(cells, sizeof *own, "counts of pixels");
        status mine = own ? STATUS_OK : STATUS_FAILED;
#pragma omp for schedule(dynamic)
        for (int i = begin; i < end; i++) {
            if (mine == STATUS_OK && stop_asked()) mine = STATUS_STOPPED;
            if (mine == STATUS_OK)
                mine = count_map(t->d, list->member[spaced(i, wanted, list->count)], own);
        }
#pragma omp critical(dataset_summary)
        {
            for (size_t y = 0; own && y < cells; y++) pixels[y] += own[y];
            worst = status_worse(worst, mine);
        }
        memory_free(own);
    }
    return worst;
}

/* "360 × 480", or "300 × 400 to 512 × 512": the sides' own extremes. Both ends are of one side at a
 * time: no image need have exactly these two sides. */
static void write_sizes(const dataset *d, const image_list *list, char *text, size_t size) {
    int low[2] = {INT32_MAX, INT32_MAX}, high[2] = {0, 0};
    for (int i = 0; i < list->count; i++) {
        dataset_item x = dataset_get(d, list->member[i]);
        const int side[2] = {x.height, x.width};
        for (int k = 0; k < 2; k++) {
            if (side[k] < low[k]) low[k] = side[k];
            if (side[k] > high[k]) high[k] = side[k];
        }
    }
    int n = snprintf(text, size, "%d" TIMES "%d", low[0], low[1]);
    if (low[0] != high[0] || low[1] != high[1])
        snprintf(text + n, size - (size_t)n, " to %d" TIMES "%d", high[0], high[1]);
}

/* Of the label maps that were counted. "": nothing is odd. */
static status write_note(const dataset *d, const int64_t *pixels, label_oddity note) {
    int classes = dataset_classes(d);
    label_oddity odd[LABEL_ODDITIES];
    const char **name = memory_alloc((size_t)classes, sizeof *name, "class names");
    if (!name) return STATUS_FAILED;
    for (int y = 0; y < classes; y++) name[y] = dataset_class_name(d, y);
    label_shares shares = {pixels, classes, dataset_ignore(d), name};
    if (label_oddities(&shares, odd) > 0) memcpy(note, odd[0], sizeof odd[0]);
    memory_free(name);
    return STATUS_OK;
}

/* Collective. Ranks agree before they add their counts; on failure nothing is exchanged, and the
 * summary lacks the split. */
static status add_split(dataset_summary *out, const stage *t, split which) {
    image_list all = {0}, labelled = {0};
    size_t cells = (size_t)dataset_classes(t->d) + 1;
    page_split *s = &out->split[out->splits];
    int64_t *pixels = out->pixels + (size_t)out->splits * cells;
    status st = images_of_split(&all, t->d, which, false);
    if (st == STATUS_OK) st = images_of_split(&labelled, t->d, which, true);
    int wanted = labelled.count < SUMMARY_MAPS ? labelled.count : SUMMARY_MAPS;
    if (st == STATUS_OK) st = count_maps(t, &labelled, wanted, pixels);
    st = comm_agree(t->c, st);
    if (st == STATUS_OK && all.count > 0) {
        comm_sum_i64(t->c, pixels, cells);
        char *note = out->note[out->splits], *sizes = out->sizes[out->splits++];
        write_sizes(t->d, &all, sizes, sizeof out->sizes[0]);
        *s = (page_split){.name = split_words[which],
            .images = all.count,
            .labelled = labelled.count,
            .sizes = sizes,
            .counted = wanted,
            .pixels = pixels,
            .note = note};
        st = comm_agree(t->c, write_note(t->d, pixels, note));
    }
    memory_free(all.member);
    memory_free(labelled.member);
    return st;
}

static bool was_run(const stage *t, const char *name) {
    stage_record r;
    for (int i = 0; run_record_stage(t->record, i, &r, NULL); i++)
        if (strcmp(r.name, name) == 0) return true;
    return false;
}

/* Rank 0, which has the record. -1 stays where no fine-tuning has been recorded. The share is drawn
 * from the seed, so it can be told after the fact. */
static status count_used(dataset_summary *out, const stage *t) {
    image_list used = {0};
    if (!was_run(t, "baseline") && !was_run(t, "finetune")) return STATUS_OK;
    status st = images_labelled(&used, t->d, t->s);
    if (st == STATUS_OK) out->labelled_used = used.count;
    memory_free(used.member);
    return st;
}

status dataset_summary_create(dataset_summary *out, const stage *t) {
    size_t cells = (size_t)dataset_classes(t->d) + 1;
    *out = (dataset_summary){.labelled_used = -1};
    out->pixels = memory_alloc(SPLIT_COUNT * cells, sizeof *out->pixels, "counts of pixels");
    status st = comm_agree(t->c, out->pixels ? STATUS_OK : STATUS_FAILED);
    for (int i = 0; i < SPLIT_COUNT && st == STATUS_OK; i++) st = add_split(out, t, (split)i);
    if (st != STATUS_OK) return st;
    return comm_agree(t->c, comm_root(t->c) ? count_used(out, t) : STATUS_OK);
}

void dataset_summary_destroy(dataset_summary *s) {
    memory_free(s->pixels);
    *s = (dataset_summary){0};
}
