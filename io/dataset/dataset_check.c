/* What packing looks at before it writes: each rank decodes its block of images and label maps,
 * then all know what was found of every one. The histogram of ids and the pictures that are there
 * twice are for the user's eyes: they are mistakes that no rule can tell from intent. Collective
 * throughout: what one rank finds decides for all, so ranks agree after the look at the files and
 * once more after the exchange. */
#include "io/dataset/dataset_check.h"

#include "io/dataset/label_oddities.h"
#include "mpi/shard.h"
#include "mpi/stop_watch.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* NAMED: repeated images that are named. LOOK_ON: images of a rank that are looked at once it is
 * clear that packing will end with a mistake in the labels. */
enum { NAMED = 5, LOOK_ON = 200 };

/* count is this rank's until gather_findings adds those of all. */
typedef struct checking {
    const comm *c;
    const settings *s;
    const layout *l;
    item_rules rules;
    finding *found; /* [items], the state's */
    int begin, end; /* this rank's items */
    id_count count;
} checking;

/* The first bad image ends it: the setting by which the run would go on is named here, as what was
 * wrong has been named where it was found. */
static status stop_at_bad(const layout_item *x) {
    log_error(
        "%s is a bad image: packing stops; dataset.on_bad_image = \"skip\" leaves such images "
        "out, with their label maps",
        x->name);
    return STATUS_DATA;
}

/* This rank's block: images differ in size, but contiguous blocks keep neighbours of the list,
 * which often lie beside each other on the disk, on one rank. A bad image is an error, or noted
 * where it shall be skipped. Label maps that hold what means nothing end the look, too, but not at
 * the first: what is wrong shows in how many there are. */
static status check_items(checking *k) {
    bool skip = k->s->dataset.on_bad_image == DATASET_ON_BAD_IMAGE_SKIP;
    progress bar = progress_begin_share("pack", "images", k->end - k->begin, k->l->items);
    status st = STATUS_OK;
    stop_watch watch = stop_watch_begin(k->c);
    int left = k->end - k->begin;
    /* i outlives the loop: the last line of progress says how far it came. */
    int i = k->begin;
    for (; i < k->end && left > 0 && st == STATUS_OK; i++, left--) {
        finding f = {.bad = 0};
        if (k->found[i].done) continue; /* by an earlier start */
        st = item_decode(&k->rules, k->l, i, &f, &k->count);
        if (st == STATUS_DATA && (skip || f.bad == FINDING_UNKNOWN)) {
            f = (finding){.bad = f.bad};
            if (!skip && left > LOOK_ON) left = LOOK_ON;
            st = STATUS_OK;
        }
        if (st == STATUS_DATA) st = stop_at_bad(&k->l->item[i]);
        /* What means nothing is kept by no stop, and so looked at again. */
        f.done = st == STATUS_OK && f.bad != FINDING_UNKNOWN;
        k->found[i] = f;
        st = stop_watch_ask(&watch, st);
        progress_update(&bar, i + 1 - k->begin, "");
    }
    progress_end(&bar, i - k->begin, "");
    return stop_watch_end(&watch, st);
}

/* What means nothing, of all ranks, named by rank 0. An error unless such images are left out. */
static status report_unknown(checking *k) {
    bool skip = k->s->dataset.on_bad_image == DATASET_ON_BAD_IMAGE_SKIP;
    int ranks = comm_size(k->c);
    size_t *bytes = memory_alloc((size_t)ranks, sizeof *bytes, "label ids");
    unknown_values *all = memory_alloc((size_t)ranks, sizeof *all, "label ids");
    status st = comm_agree(k->c, bytes && all ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK) {
        for (int r = 0; r < ranks; r++) bytes[r] = sizeof *all;
        comm_gather(k->c, &k->count.unknown, bytes, all);
        for (int r = 1; r < ranks; r++) unknown_values_merge(&all[0], &all[r]);
        if (comm_root(k->c)) unknown_values_report(&all[0], k->rules.t, k->l, skip);
        k->count.unknown = all[0];
        if (all[0].maps > 0 && !skip) st = STATUS_DATA;
    }
    memory_free(bytes);
    memory_free(all);
    return st;
}

/* All ranks know of all images afterwards: each then writes its part of the same file. Counts are
 * whole numbers, so that the order of ranks changes nothing. comm_gather leaves the blocks of all
 * ranks on every rank, in the order of ranks, which is the order of items. */
static status gather_findings(checking *k) {
    int ranks = comm_size(k->c);
    size_t *bytes = memory_alloc((size_t)ranks, sizeof *bytes, "findings");
    finding *all = memory_alloc((size_t)k->l->items, sizeof *all, "findings");
    status st = comm_agree(k->c, bytes && all ? STATUS_OK : STATUS_FAILED);
    for (int r = 0; st == STATUS_OK && r < ranks; r++)
        bytes[r] =
            (size_t)(shard_begin(k->l->items, r + 1, ranks) - shard_begin(k->l->items, r, ranks)) *
            sizeof *all;
    if (st == STATUS_OK) {
        comm_gather(k->c, k->found + k->begin, bytes, all);
        memcpy(k->found, all, (size_t)k->l->items * sizeof *all);
        comm_sum_i64(k->c, k->count.pixels, LABEL_IDS);
        comm_sum_i64(k->c, &k->count.empty, 1);
    }
    memory_free(bytes);
    memory_free(all);
    return st;
}

/* A class that is hardly there, or an ignored id that most pixels have, is seen at a glance. Ids
 * are those in the files, before the map: that is where a wrong map is seen. Details go to the
 * detailed log. */
static void print_histogram(const checking *k) {
    const dataset_table *t = k->rules.t;
    const int64_t *pixels = k->count.pixels;
    int64_t total = 0;
    for (int id = 0; id < LABEL_IDS; id++) total += pixels[id];
    if (total == 0) {
        log_info("pack: no image has a label map");
        return;
    }
    log_detail("pack: label ids in the files:");
    for (int id = 0; id < LABEL_IDS; id++) {
        if (pixels[id] == 0) continue;
        bool class = t->map[id] != LABEL_IGNORE;
        log_detail("  %5d  %-24s %12" PRId64 " pixels  %5.1f %%", id,
            class ? t->class_name[t->map[id]] : "(ignored)", pixels[id],
            100 * (double)pixels[id] / (double)total);
    }
    if (k->count.empty > 0)
        log_info("pack: %" PRId64 " label maps without a class", k->count.empty);
}

/* Label maps whose size fits both ways, on every rank alike: all know all findings. Those that lie
 * as stored are turned as their image is. */
static status settle_orientations(checking *k) {
    orientation_count n = {0};
    bool stored = false;
    for (int i = 0; i < k->l->items; i++)
        if (!k->found[i].bad)
            orientation_add(&n, k->found[i].orientation[BLOB_IMAGES], (label_lie)k->found[i].lie,
                k->l->item[i].name);
    status st = comm_root(k->c) ? orientation_decide(k->s, &n, &stored) : STATUS_OK;
    st = comm_agree(k->c, st);
    comm_broadcast(k->c, &stored, sizeof stored);
    for (int i = 0; st == STATUS_OK && stored && i < k->l->items; i++)
        if (k->found[i].lie == LABEL_LIES_EITHER)
            k->found[i].orientation[BLOB_ANNOTATIONS] = k->found[i].orientation[BLOB_IMAGES];
    return st;
}

/* What every viewer reads whole is read here, too: one line a kind, so that a million files of one
 * camera are no million lines. */
static void print_warnings(const checking *k) {
    for (int kind = 0; kind < IMAGE_WARNINGS; kind++) {
        int files = 0, first = -1;
        for (int i = 0; i < k->l->items; i++) {
            if (!(k->found[i].warnings & 1u << kind)) continue;
            if (files++ == 0) first = i;
        }
        if (files > 0)
            log_info("pack: %d JPEG file%s with %s: read whole; the first is %s", files,
                files > 1 ? "s" : "", image_warning_text(kind), k->l->item[first].name);
    }
}

/* Rank 0 warns of labels that can hardly be meant. */
static status report_oddities(const checking *k) {
    const dataset_table *t = k->rules.t;
    label_oddity odd[LABEL_ODDITIES];
    int64_t *pixels = memory_alloc((size_t)t->classes + 1, sizeof *pixels, "counts of pixels");
    if (!pixels) return STATUS_FAILED;
    for (int id = 0; id < LABEL_IDS; id++)
        pixels[t->map[id] == LABEL_IGNORE ? t->classes : t->map[id]] += k->count.pixels[id];
    label_shares shares = {pixels, t->classes, t->ignore, (const char *const *)t->class_name};
    int n = label_oddities(&shares, odd);
    for (int i = 0; i < n; i++) log_warn("labels: %s", odd[i]);
    memory_free(pixels);
    return STATUS_OK;
}

typedef struct twin {
    uint64_t hash;
    int item;
} twin;

/* Equal pictures beside each other, in the order of the list. */
static int compare_twins(const void *a, const void *b) {
    const twin *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return x->item - y->item;
}

/* Rank 0. The same picture in training and validation would flatter the result. The bytes of files
 * are compared, by their hashes: the same picture encoded twice is not found. Warnings only:
 * whether it is meant is for the user to say. */
static status report_twins(const checking *k) {
    int repeated = 0, across = 0, n = 0;
    twin *t = memory_alloc((size_t)k->l->items, sizeof *t, "checksums");
    if (!t) return STATUS_FAILED;
    for (int i = 0; i < k->l->items; i++)
        if (!k->found[i].bad) t[n++] = (twin){k->found[i].hash[BLOB_IMAGES], i};
    qsort(t, (size_t)n, sizeof *t, compare_twins);
    for (int i = 1; i < n; i++) {
        if (t[i].hash != t[i - 1].hash) continue;
        const layout_item *x = &k->l->item[t[i - 1].item], *y = &k->l->item[t[i].item];
        across += x->split != y->split;
        if (repeated++ < NAMED)
            log_warn("%s (%s) and %s (%s) are the same file", x->name, split_words[x->split],
                y->name, split_words[y->split]);
    }
    if (repeated > 0)
        log_warn("pack: %d images repeat another one, %d of them one of another split", repeated,
            across);
    memory_free(t);
    return STATUS_OK;
}

/* A stop is agreed on like a failure, but then everyone's findings are gathered all the same: rank
 * 0 keeps them. */
status dataset_check(
    const comm *c, const settings *s, const layout *l, const item_rules *rules, pack_state *state) {
    checking k = {.c = c, .s = s, .l = l, .rules = *rules, .found = state->found};
    k.begin = (int)shard_begin(l->items, comm_rank(c), comm_size(c));
    k.end = (int)shard_begin(l->items, comm_rank(c) + 1, comm_size(c));
    k.count = (id_count){.pixels = state->pixels, .empty = *state->empty};
    status went = check_items(&k);
    status st = went == STATUS_STOPPED ? STATUS_OK : went;
    if (st == STATUS_OK) st = gather_findings(&k);
    *state->empty = k.count.empty;
    if (st != STATUS_OK || went != STATUS_OK) return st == STATUS_OK ? went : st;
    st = report_unknown(&k);
    if (st == STATUS_OK) st = settle_orientations(&k);
    if (st != STATUS_OK) return st;
    print_histogram(&k);
    print_warnings(&k);
    st = comm_root(c) ? report_oddities(&k) : STATUS_OK;
    if (st == STATUS_OK && comm_root(c)) st = report_twins(&k);
    return comm_agree(c, st);
}
