#include "io/dataset/dataset_check.h"

#include "io/codecs/image_file.h"
#include "io/files/file.h"
#include "mpi/shard.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { NAMED = 5 }; /* repeated images that are named */

typedef struct checking {
    const comm *c;
    const settings *s;
    const layout *l;
    const dataset_table *t;
    const uint8_t *known;
    finding *found; /* [items] */
    int begin, end; /* this rank's items */
    int64_t *count; /* [LABEL_IDS], pixels of each id */
    int64_t empty;  /* label maps without a labelled pixel */
} checking;

static int64_t pixel_limit(const settings *s) {
    return (int64_t)(s->dataset.max_megapixels * 1e6);
}

static status unknown_id(const checking *k, const labelmap *m, size_t at, const char *path) {
    log_error("%s: label id %d at row %zu, column %zu is neither a class (0 to %d), nor "
              "dataset.ignore = %d, nor in dataset.label_map",
        path, m->data[at], at / (size_t)m->width, at % (size_t)m->width, k->t->classes - 1,
        k->t->ignore);
    return STATUS_DATA;
}

/* Ids of a label map are counted, unless one is unknown. */
static status check_ids(checking *k, const labelmap *m, const char *path) {
    int64_t labelled = 0;
    size_t n = (size_t)m->height * (size_t)m->width;
    for (size_t i = 0; i < n; i++)
        if (!k->known[m->data[i]]) return unknown_id(k, m, i, path);
    for (size_t i = 0; i < n; i++) {
        k->count[m->data[i]]++;
        labelled += k->t->map[m->data[i]] != LABEL_IGNORE;
    }
    if (labelled == 0) {
        log_warn("%s: no pixel has a class", path);
        k->empty++;
    }
    return STATUS_OK;
}

static void note(finding *f, int blob, const void *bytes, size_t size, int height, int width) {
    f->shape[blob][0] = (uint32_t)height;
    f->shape[blob][1] = (uint32_t)width;
    f->bytes[blob] = size;
    f->hash[blob] = hash_bytes(bytes, size);
}

static status check_image(checking *k, const layout_item *x, finding *f) {
    void *bytes = NULL;
    size_t size;
    image rgb = {0};
    status st = file_read(x->image, DATASET_FILE_LIMIT, &bytes, &size);
    if (st == STATUS_OK) st = image_file_decode(bytes, size, x->image, pixel_limit(k->s), &rgb);
    if (st == STATUS_OK) note(f, BLOB_IMAGES, bytes, size, rgb.height, rgb.width);
    image_destroy(&rgb);
    memory_free(bytes);
    return st;
}

static status check_label(checking *k, const layout_item *x, finding *f) {
    void *bytes = NULL;
    size_t size;
    labelmap m = {0};
    status st = file_read(x->label, DATASET_FILE_LIMIT, &bytes, &size);
    if (st == STATUS_OK) st = image_file_labels(bytes, size, x->label, pixel_limit(k->s), &m);
    if (st == STATUS_OK &&
        (m.height != (int)f->shape[BLOB_IMAGES][0] || m.width != (int)f->shape[BLOB_IMAGES][1])) {
        log_error("%s: %d x %d pixels, but its image %s has %u x %u", x->label, m.width, m.height,
            x->image, f->shape[BLOB_IMAGES][1], f->shape[BLOB_IMAGES][0]);
        st = STATUS_DATA;
    }
    if (st == STATUS_OK) st = check_ids(k, &m, x->label);
    if (st == STATUS_OK) note(f, BLOB_ANNOTATIONS, bytes, size, m.height, m.width);
    labelmap_destroy(&m);
    memory_free(bytes);
    return st;
}

/* This rank's block. A bad image is an error, or noted where it shall be skipped. */
static status check_items(checking *k) {
    bool skip = k->s->dataset.on_bad_image == DATASET_ON_BAD_IMAGE_SKIP;
    progress bar = progress_begin("pack", "images", 0, k->end - k->begin);
    status st = STATUS_OK;
    int i = k->begin;
    for (; i < k->end && st == STATUS_OK; i++) {
        const layout_item *x = &k->l->item[i];
        st = check_image(k, x, &k->found[i]);
        if (st == STATUS_OK && x->label) st = check_label(k, x, &k->found[i]);
        if (st == STATUS_DATA && skip) {
            k->found[i] = (finding){.bad = 1};
            st = STATUS_OK;
        }
        progress_update(&bar, i + 1 - k->begin, "");
    }
    progress_end(&bar, i - k->begin, "");
    return comm_agree(k->c, st);
}

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
        comm_sum_i64(k->c, k->count, LABEL_IDS);
        comm_sum_i64(k->c, &k->empty, 1);
    }
    memory_free(bytes);
    memory_free(all);
    return st;
}

static void print_histogram(const checking *k) {
    int64_t total = 0;
    for (int id = 0; id < LABEL_IDS; id++) total += k->count[id];
    if (total == 0) {
        log_info("pack: no image has a label map");
        return;
    }
    log_info("pack: label ids in the files:");
    for (int id = 0; id < LABEL_IDS; id++) {
        if (k->count[id] == 0) continue;
        bool class = k->t->map[id] != LABEL_IGNORE;
        log_info("  %5d  %-24s %12" PRId64 " pixels  %5.1f %%", id,
            class ? k->t->class_name[k->t->map[id]] : "(ignored)", k->count[id],
            100 * (double)k->count[id] / (double)total);
    }
    if (k->empty > 0) log_info("pack: %" PRId64 " label maps without a class", k->empty);
}

typedef struct twin {
    uint64_t hash;
    int item;
} twin;

static int compare_twins(const void *a, const void *b) {
    const twin *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return x->item - y->item;
}

/* Rank 0. The same picture in training and validation would flatter the result. */
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

status dataset_check(const comm *c, const settings *s, const layout *l, const dataset_table *t,
    const uint8_t *known, finding *found) {
    checking k = {.c = c, .s = s, .l = l, .t = t, .known = known, .found = found};
    k.begin = (int)shard_begin(l->items, comm_rank(c), comm_size(c));
    k.end = (int)shard_begin(l->items, comm_rank(c) + 1, comm_size(c));
    k.count = memory_alloc(LABEL_IDS, sizeof *k.count, "label ids");
    status st = comm_agree(c, k.count ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK) st = check_items(&k);
    if (st == STATUS_OK) st = gather_findings(&k);
    if (st == STATUS_OK) {
        print_histogram(&k);
        st = comm_agree(c, comm_root(c) ? report_twins(&k) : STATUS_OK);
    }
    memory_free(k.count);
    return st;
}
