/* The labellings of the same images side by side: what a plan's cells take for one thing. Two views
 * of each: the clusters in their own colours, which show how finely a labelling cuts an image (a
 * colour means something within one picture's cell alone), and each cluster in the colour of its
 * commonest class, which can be compared from cell to cell.
 *
 * A run is read from its folder as the report reads it, and never changed. Cells that differ in
 * their training alone have the same labels, by the hash that labels.h5 carries: one picture with
 * all their names says so better than several alike. */
#include "src/app/compare/labellings.h"

#include "io/dataset/dataset_colours.h"
#include "io/hdf5/labels.h"
#include "src/app/report/drawing.h"
#include "src/app/report/label_quality.h"
#include "src/app/report/spaced.h"
#include "src/app/stage/setup.h"
#include "src/base/memory.h"
#include "src/image/palette.h"

#include <stdio.h>
#include <string.h>

enum {
    LONGER = 440, /* most pixels of a picture's longer side: some twelve stand on the page */
    ROUNDS = 100, /* beyond, nobody looks for labels */
    CAPTION = 256,
    BEFORE = 2 /* pictures of an image before those of the runs: itself, ground truth */
};

/* One labelling, of one run or several. */
typedef struct labelling {
    labels *l;
    label_quality quality;
    char *caption; /* [CAPTION], in texts */
} labelling;

typedef struct gallery {
    settings s; /* with the folder of the run that is looked at */
    dataset *d; /* of the first run that has labels */
    labelling *of;
    int n;
    palette colours;
    labellings *out;
    bool classes; /* whether a score has told any cluster's class */
} gallery;

static status folder_path(gallery *g, const char *folder, const char *name, int round, char *path) {
    snprintf(g->s.run.dir, sizeof g->s.run.dir, "%s", folder);
    return setup_path(path, &g->s, name, round);
}

/* Path of the labels of the run's last round; *round 0: it has none. */
static status find_labels(gallery *g, const char *folder, char *path, int *round) {
    char next[FILE_PATH];
    *round = 0;
    for (int r = 1; r <= ROUNDS; r++) {
        status st = folder_path(g, folder, "labels.h5", r, next);
        if (st != STATUS_OK) return st;
        if (!file_exists(next)) break;
        memcpy(path, next, sizeof next);
        *round = r;
    }
    return STATUS_OK;
}

/* Whether an earlier run has the same labels; its caption then names this one too. */
static bool is_known(gallery *g, const labels *l, const char *name) {
    for (int i = 0; i < g->n; i++) {
        if (labels_hash(g->of[i].l) != labels_hash(l)) continue;
        size_t n = strlen(g->of[i].caption);
        snprintf(g->of[i].caption + n, CAPTION - n, "; %s", name);
        return true;
    }
    return false;
}

/* The classes of its clusters, as the run's record has them. */
static status read_quality(gallery *g, labelling *of, const char *folder, int round) {
    char path[FILE_PATH];
    run_record *record = NULL;
    status st = folder_path(g, folder, "run.json", 1, path);
    if (st == STATUS_OK) st = run_record_look(&record, path);
    const stage t = {.d = g->d, .record = record};
    if (st == STATUS_OK) st = label_quality_create(&of->quality, &t, round, labels_about(of->l).k);
    for (int i = 0; st == STATUS_OK && i < of->quality.k; i++)
        g->classes = g->classes || of->quality.majority[i] >= 0;
    run_record_close(record);
    return st;
}

static status add_run(gallery *g, const labelling_run *run) {
    char path[FILE_PATH];
    int round;
    labels *l = NULL;
    status st = find_labels(g, run->folder, path, &round);
    if (st != STATUS_OK || round == 0) return st;
    st = labels_open(NULL, path, &l);
    if (st == STATUS_OK && !g->d) st = setup_dataset(NULL, &g->s, &g->d);
    if (st != STATUS_OK || labels_about(l).dataset != dataset_hash(g->d) ||
        is_known(g, l, run->name)) {
        labels_close(l);
        return st;
    }
    labelling *of = &g->of[g->n++];
    of->l = l;
    snprintf(of->caption, CAPTION, "%s", run->name);
    return read_quality(g, of, run->folder, round);
}

/* Behind the pictures so far; the strip is the last one. */
static page_picture *next_picture(gallery *g) {
    labellings *o = g->out;
    o->strip[o->strips - 1].pictures++;
    return &o->picture[o->pictures++];
}

static void next_strip(gallery *g, const char *title) {
    labellings *o = g->out;
    o->strip[o->strips++] = (page_strip){.title = title, .picture = o->picture + o->pictures};
}

/* One image's labels of every labelling; classes: by the clusters' classes, of those that have any.
 */
static status draw_labels(gallery *g, const image *rgb, int index, bool classes) {
    status st = STATUS_OK;
    for (int i = 0; i < g->n && st == STATUS_OK; i++) {
        labelmap map = {0};
        page_picture p = {0};
        st = labels_load(g->of[i].l, index, &map);
        bool drawn = !classes;
        if (st == STATUS_OK && classes) drawn = drawing_classes(&map, g->of[i].quality.majority);
        if (st == STATUS_OK && drawn)
            st = drawing_overlay(rgb, &map,
                classes ? (const uint8_t(*)[3])g->colours : palette_classes(), g->of[i].caption,
                &p);
        if (st == STATUS_OK && drawn) *next_picture(g) = p;
        labelmap_destroy(&map);
    }
    return st;
}

/* Both strips of an image. title [CAPTION]: room for its name, which the data set takes with it. */
static status draw_image(gallery *g, int index, char *title) {
    image rgb = {0};
    labelmap truth = {0};
    page_picture p = {0};
    status st = dataset_load(g->d, index, g->s.dataset.scale, &rgb, &truth);
    if (st == STATUS_OK) st = drawing_shrink(&rgb, LONGER);
    snprintf(title, CAPTION, "%s", dataset_get(g->d, index).name);
    next_strip(g, title);
    if (st == STATUS_OK) st = drawing_image(&rgb, "image", &p);
    if (st == STATUS_OK) *next_picture(g) = p;
    if (st == STATUS_OK && truth.data) {
        st = drawing_overlay(&rgb, &truth, (const uint8_t(*)[3])g->colours, "ground truth", &p);
        if (st == STATUS_OK) *next_picture(g) = p;
    }
    if (st == STATUS_OK) st = draw_labels(g, &rgb, index, false);
    if (st == STATUS_OK && g->classes) {
        next_strip(g, "each cluster as its commonest class");
        st = draw_labels(g, &rgb, index, true);
    }
    image_destroy(&rgb);
    labelmap_destroy(&truth);
    return st;
}

/* titles [LABELLINGS_IMAGES, CAPTION]. */
static status draw_all(gallery *g, char *titles) {
    int count = setup_training(g->d), wanted = g->s.report.overlays;
    if (wanted > LABELLINGS_IMAGES) wanted = LABELLINGS_IMAGES;
    if (wanted > count) wanted = count;
    size_t pictures = (size_t)wanted * (size_t)(BEFORE + 2 * g->n);
    g->out->strip = memory_alloc(2 * (size_t)wanted, sizeof *g->out->strip, "pictures");
    g->out->picture = memory_alloc(pictures, sizeof *g->out->picture, "pictures");
    if (!g->out->strip || !g->out->picture) return STATUS_FAILED;
    status st = dataset_colours(g->d, g->colours);
    for (int i = 0; i < wanted && st == STATUS_OK; i++)
        st = draw_image(g, spaced(i, wanted, count), titles + (size_t)i * CAPTION);
    return st;
}

status labellings_create(labellings *out, const settings *s, const labelling_run *run, int runs) {
    gallery g = {.s = *s, .out = out};
    *out = (labellings){0};
    g.of = memory_alloc((size_t)runs, sizeof *g.of, "labellings");
    out->texts = memory_alloc((size_t)runs + LABELLINGS_IMAGES, CAPTION, "labellings");
    status st = g.of && out->texts ? STATUS_OK : STATUS_FAILED;
    for (int i = 0; i < runs && st == STATUS_OK; i++) {
        g.of[g.n].caption = out->texts + (size_t)g.n * CAPTION;
        st = add_run(&g, &run[i]);
    }
    if (st == STATUS_OK && g.n > 0) st = draw_all(&g, out->texts + (size_t)runs * CAPTION);
    for (int i = 0; i < g.n; i++) {
        labels_close(g.of[i].l);
        label_quality_destroy(&g.of[i].quality);
    }
    memory_free(g.of);
    dataset_close(g.d);
    return st;
}

void labellings_destroy(labellings *l) {
    for (int i = 0; i < l->pictures; i++) drawing_free(&l->picture[i]);
    memory_free(l->picture);
    memory_free(l->strip);
    memory_free(l->texts);
    *l = (labellings){0};
}
