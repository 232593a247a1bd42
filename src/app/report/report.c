/* The stage that makes the page: it gathers what run.json, metrics.csv, labels.h5 and the weights
 * have, draws pictures, and hands all of it to the page. It is made anew at each start, so it has
 * neither a key nor an entry among the stages.
 *
 * Everything that the page shows is borrowed from `content` until it is written: the parts are
 * filled in an order in which each finds what it needs (the quality's majority classes colour the
 * overlays, and name the clusters of the patches), and destroyed together. All ranks count pixels;
 * the rest is rank 0's. */
#include "src/app/report/report.h"

#include "io/dataset/dataset_colours.h"
#include "io/hdf5/labels.h"
#include "io/page/page.h"
#include "src/app/report/dataset_summary.h"
#include "src/app/report/label_quality.h"
#include "src/app/report/pictures.h"
#include "src/app/report/results.h"
#include "src/app/report/typical_patches.h"
#include "src/app/stage/choice_by_validation.h"
#include "src/app/stage/output.h"
#include "src/app/stage/recorded_rows.h"
#include "src/app/stage/setup.h"
#include "src/app/stage/stage.h"
#include "src/app/stage/stage_settings.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <math.h>
#include <stdio.h>

/* Everything that the page borrows. */
typedef struct content {
    stage *t;
    int round;   /* the last one that is there */
    labels *aux; /* NULL: none */
    results results;
    label_quality quality;
    picture_set overlays, predictions;
    typical_patches typical;
    const char **class_name;
    palette colours;
    page_data data;
} content;

/* Known by its score, which each round writes: the settings may ask for more rounds than have been
 * done. */
static int last_round(const stage *t) {
    char group[STAGE_NAME];
    int last = 1;
    for (int r = 2; r <= t->s->run.rounds; r++) {
        snprintf(group, sizeof group, "score-%d", r);
        if (!isnan(run_record_get_result(t->record, group, "purity"))) last = r;
    }
    return last;
}

/* Pointers are set even after a failure: the page is then not written. */
static status fill_results(content *g) {
    status st = results_create(&g->results, g->t, g->round);
    g->data.measure = g->results.measure;
    g->data.measures = g->results.measures;
    g->data.class_result = g->results.class_result;
    g->data.classes = g->results.classes;
    g->data.confusion = g->results.confusion;
    g->data.confusions = g->results.confusions;
    return st;
}

/* None where the clustering has not run, or another file stands in its place: output_find says so.
 */
static status open_labels(content *g) {
    char path[FILE_PATH];
    bool found = false;
    status st = setup_path(path, g->t->s, "labels.h5", g->round);
    if (st == STATUS_OK) st = output_find(g->t->record, path, &found);
    return st == STATUS_OK && found ? labels_open(NULL, path, &g->aux) : st;
}

/* Without labels.h5 the number of clusters is the setting's: figures of run.json may still be
 * there. */
static status fill_quality(content *g) {
    int k = g->aux ? labels_about(g->aux).k : g->t->s->cluster.k;
    status st = label_quality_create(&g->quality, g->t, g->round, k);
    g->data.score = g->quality.score;
    g->data.scores = g->quality.scores;
    g->data.table = g->quality.table;
    g->data.tables = g->quality.tables;
    return st;
}

/* Names and colours of the classes. Colours are the data set's where it has any (dataset_colours).
 */
static status fill_classes(content *g) {
    int classes = dataset_classes(g->t->d);
    g->class_name = memory_alloc((size_t)classes, sizeof *g->class_name, "report");
    if (!g->class_name) return STATUS_FAILED;
    for (int y = 0; y < classes; y++) g->class_name[y] = dataset_class_name(g->t->d, y);
    g->data.class_name = g->class_name;
    g->data.class_names = classes;
    g->data.class_colour = (const uint8_t(*)[3])g->colours;
    return dataset_colours(g->t->d, g->colours);
}

/* As the clustering counted them; run.json of an older version has no such figure. */
static int empty_clusters(const stage *t, int round) {
    char name[STAGE_NAME];
    snprintf(name, sizeof name, round > 1 ? "cluster-%d" : "cluster", round);
    double n = run_record_get_result(t->record, name, "clusters without a pixel");
    return isnan(n) ? -1 : (int)n;
}

/* With more than 255 labels the palette repeats itself, and the note must say so. */
static status fill_labels(content *g) {
    static const char own_colours[] =
        "Auxiliary labels: the same colour in two images is the same label. The other overlays "
        "have the colours of the classes. Outliers and pixels without a class are darkened.";
    static const char shared_colours[] =
        "Auxiliary labels: the same label has the same colour in every image, and with so many, "
        "several share one. The other overlays have the colours of the classes. Outliers and "
        "pixels without a class are darkened.";
    if (!g->aux) return STATUS_OK;
    status st =
        pictures_of_labels(g->t, g->data.class_colour, g->aux, g->quality.majority, &g->overlays);
    if (st == STATUS_OK) st = typical_patches_create(&g->typical, g->t, g->aux, &g->quality);
    g->data.overlay = g->overlays.strip;
    g->data.overlays = g->overlays.strips;
    g->data.empty_clusters = empty_clusters(g->t, g->round);
    g->data.all_clusters = g->quality.k;
    g->data.overlay_note = g->quality.k > 255 ? shared_colours : own_colours;
    g->data.cluster = g->typical.cluster;
    g->data.clusters = g->typical.clusters;
    g->data.cluster_note = g->typical.note;
    return st;
}

/* Tables and pictures; which of them there are depends on the stages that have run. */
static status fill_content(content *g) {
    status st = fill_results(g);
    if (st == STATUS_OK) st = open_labels(g);
    if (st == STATUS_OK) st = fill_quality(g);
    if (st == STATUS_OK) st = fill_classes(g);
    if (st == STATUS_OK) st = fill_labels(g);
    if (st == STATUS_OK)
        st = pictures_of_predictions(g->t, g->data.class_colour, g->round, &g->predictions);
    g->data.prediction = g->predictions.strip;
    g->data.predictions = g->predictions.strips;
    return st;
}

/* Whatever has been filled so far. */
static void content_destroy(content *g) {
    picture_set_destroy(&g->overlays);
    picture_set_destroy(&g->predictions);
    typical_patches_destroy(&g->typical);
    label_quality_destroy(&g->quality);
    labels_close(g->aux);
    results_destroy(&g->results);
    memory_free(g->class_name);
}

/* In a record that is opened anew: the stage's own has this start's settings and ranks at its top,
 * which are to stay those of what was computed. */
static status record_page(const settings *s) {
    char page[FILE_PATH], path[FILE_PATH];
    run_record *r = NULL;
    status st = setup_path(page, s, "report.html", 1);
    if (st == STATUS_OK) st = setup_path(path, s, "run.json", 1);
    if (st == STATUS_OK) st = run_record_open(&r, path);
    if (st == STATUS_OK) st = output_record(r, page);
    if (st == STATUS_OK) st = run_record_save(r);
    run_record_close(r);
    return st;
}

/* Rank 0. A run that has no metrics yet has a page without curves; one that has lost some of a
 * stage that is done has a page with what is left, and a warning. */
static status write_page(stage *t, const dataset_summary *d) {
    char metrics_path[FILE_PATH], title[256];
    content g = {.t = t, .round = last_round(t)};
    snprintf(title, sizeof title, "auxseg: %.200s", t->s->run.dir);
    status st = setup_path(metrics_path, t->s, "metrics.csv", 1);
    g.data = (page_data){.title = title,
        .settings = t->s,
        .derive = stage_settings_derive,
        .record = t->record,
        .split = d->split,
        .splits = d->splits,
        .labelled_used = d->labelled_used,
        .caution = choice_by_validation(t->s)};
    if (file_exists(metrics_path)) g.data.metrics = metrics_path;
    if (st == STATUS_OK && recorded_rows_check(metrics_path, t->record, log_warn) == STATUS_FAILED)
        st = STATUS_FAILED;
    if (st == STATUS_OK) st = fill_content(&g);
    if (st == STATUS_OK) st = page_write(t->s->run.dir, &g.data);
    content_destroy(&g);
    return st == STATUS_OK ? record_page(t->s) : st;
}

status command_report(const comm *c, const settings *s) {
    stage t;
    dataset_summary summary = {0};
    status st = stage_begin(&t, c, s, STAGE_REPORT, 1);
    if (st == STATUS_OK) st = dataset_summary_create(&summary, &t);
    /* Networks for the pictures are loaded by rank 0 alone, without a communicator. */
    if (st == STATUS_OK && comm_root(c)) {
        /* Functions that agree over ranks do nothing then: rank 0 must not wait for ranks that do
         * not come. */
        t.c = NULL;
        st = write_page(&t, &summary);
        t.c = c;
    }
    st = comm_agree(c, st);
    dataset_summary_destroy(&summary);
    stage_end(&t);
    return st;
}
