/* The report of a run: what run.json and metrics.csv hold, and pictures of labels and predictions.
 */
#include "io/report.h"

#include "io/labels.h"
#include "src/app/commands.h"
#include "src/app/evaluate.h"
#include "src/app/order.h"
#include "src/app/report_pictures.h"
#include "src/app/setup.h"
#include "src/app/stage.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SCORES = 6, MEASURES = 3 };

/* Everything that the page borrows. */
typedef struct page {
    stage *t;
    int round; /* the last one that is there */
    report_measure measure[MEASURES], *class_iou;
    report_score score[SCORES];
    report_table table[2];
    const char **class_name, **cluster_name;
    char (*cluster_text)[24];
    double *class_value, *cluster_value;
    report_pictures overlays, predictions;
    report_data data;
} page;

static double figure(const page *g, const char *group, const char *name) {
    return run_record_get_result(g->t->record, group, name);
}

/* "score" or "score-2": results of the last round. text [STAGE_NAME]. */
static void group_name(const page *g, const char *base, const char *table, char *text) {
    char name[STAGE_NAME - 16];
    if (g->round > 1)
        snprintf(name, sizeof name, "%s-%d", base, g->round);
    else
        snprintf(name, sizeof name, "%s", base);
    snprintf(text, STAGE_NAME, "%s%s", name, table);
}

static int last_round(const stage *t) {
    char group[STAGE_NAME];
    int last = 1;
    for (int r = 2; r <= t->s->run.rounds; r++) {
        snprintf(group, sizeof group, "score-%d", r);
        if (!isnan(run_record_get_result(t->record, group, "purity"))) last = r;
    }
    return last;
}

static status fill_measures(page *g) {
    static const char *const name[MEASURES] = {"mIoU", "mAcc", "aAcc"};
    char group[STAGE_NAME], table[STAGE_NAME];
    int classes = dataset_classes(g->t->d);
    group_name(g, "finetuned", "", group);
    group_name(g, "finetuned", "/IoU", table);
    for (int i = 0; i < MEASURES; i++)
        g->measure[i] =
            (report_measure){name[i], figure(g, "baseline", name[i]), figure(g, group, name[i])};
    g->class_iou = memory_alloc((size_t)classes, sizeof *g->class_iou, "report");
    if (!g->class_iou) return STATUS_FAILED;
    for (int y = 0; y < classes; y++) {
        const char *class = dataset_class_name(g->t->d, y);
        g->class_iou[y] =
            (report_measure){class, figure(g, "baseline/IoU", class), figure(g, table, class)};
    }
    if (isnan(g->measure[0].baseline) && isnan(g->measure[0].finetuned)) return STATUS_OK;
    g->data.measure = g->measure;
    g->data.measures = MEASURES;
    g->data.class_iou = g->class_iou;
    g->data.classes = classes;
    return STATUS_OK;
}

static void fill_scores(page *g) {
    static const struct {
        const char *name, *key, *chance, *note;
    } row[SCORES] = {
        {"Positive precision, by pairs", "positive", "positive_chance",
            "P(same class | same label), pixels of different images"},
        {"Positive precision, mean over labels", "positive_mean", "positive_mean_chance",
            "every label counts the same, as the loss samples them"},
        {"Negative precision, by pairs", "negative", "negative_chance",
            "P(other class | other label)"},
        {"Negative precision, mean over labels", "negative_mean", "negative_mean_chance", NULL},
        {"Purity", "purity", NULL, "share of pixels that have their cluster's commonest class"},
        {"NMI", "nmi", NULL, "normalised mutual information"},
    };
    char group[STAGE_NAME];
    group_name(g, "score", "", group);
    if (isnan(figure(g, group, "purity"))) return;
    for (int i = 0; i < SCORES; i++)
        g->score[i] = (report_score){NULL, row[i].name, figure(g, group, row[i].key),
            row[i].chance ? figure(g, group, row[i].chance) : NAN, row[i].note};
    g->data.score = g->score;
    g->data.scores = SCORES;
}

static status fill_class_table(page *g) {
    static const report_column column[] = {{"Same label", REPORT_SHARE}};
    char recall[STAGE_NAME];
    int classes = dataset_classes(g->t->d);
    group_name(g, "score", "/recall", recall);
    g->class_name = memory_alloc((size_t)classes, sizeof *g->class_name, "report");
    g->class_value = memory_alloc((size_t)classes, sizeof *g->class_value, "report");
    if (!g->class_name || !g->class_value) return STATUS_FAILED;
    for (int y = 0; y < classes; y++) {
        g->class_name[y] = dataset_class_name(g->t->d, y);
        g->class_value[y] = figure(g, recall, g->class_name[y]);
    }
    g->table[0] =
        (report_table){"Classes", "P(same label | same class), pixels of different images", "Class",
            g->class_name, column, classes, 1, g->class_value};
    return STATUS_OK;
}

static status fill_cluster_table(page *g) {
    static const report_column column[] = {{"Precision", REPORT_SHARE}, {"Pixels", REPORT_SHARE}};
    char precision[STAGE_NAME], share[STAGE_NAME];
    size_t k = (size_t)g->t->s->cluster.k;
    group_name(g, "score", "/precision", precision);
    group_name(g, "score", "/share", share);
    g->cluster_name = memory_alloc(k, sizeof *g->cluster_name, "report");
    g->cluster_text = memory_alloc(k, sizeof *g->cluster_text, "report");
    g->cluster_value = memory_alloc(2 * k, sizeof *g->cluster_value, "report");
    if (!g->cluster_name || !g->cluster_text || !g->cluster_value) return STATUS_FAILED;
    for (size_t a = 0; a < k; a++) {
        snprintf(g->cluster_text[a], sizeof g->cluster_text[a], "%zu", a);
        g->cluster_name[a] = g->cluster_text[a];
        g->cluster_value[2 * a] = figure(g, precision, g->cluster_text[a]);
        g->cluster_value[2 * a + 1] = figure(g, share, g->cluster_text[a]);
    }
    g->table[1] =
        (report_table){"Clusters", "P(same class | same label), and share of labelled pixels",
            "Cluster", g->cluster_name, column, (int)k, 2, g->cluster_value};
    return STATUS_OK;
}

/* Tables and pictures; which of them there are depends on the stages that have run. */
static status fill_page(page *g) {
    status st = fill_measures(g);
    fill_scores(g);
    if (st == STATUS_OK && g->data.scores > 0) {
        st = fill_class_table(g);
        if (st == STATUS_OK) st = fill_cluster_table(g);
        g->data.table = g->table;
        g->data.tables = 2;
    }
    if (st == STATUS_OK) st = report_overlays(g->t, g->round, &g->overlays);
    if (st == STATUS_OK) st = report_predictions(g->t, g->round, &g->predictions);
    g->data.overlay = g->overlays.strip;
    g->data.overlays = g->overlays.strips;
    g->data.prediction = g->predictions.strip;
    g->data.predictions = g->predictions.strips;
    return st;
}

static void page_destroy(page *g) {
    report_pictures_destroy(&g->overlays);
    report_pictures_destroy(&g->predictions);
    memory_free(g->class_iou);
    memory_free(g->class_name);
    memory_free(g->class_value);
    memory_free(g->cluster_name);
    memory_free(g->cluster_text);
    memory_free(g->cluster_value);
}

/* Rank 0. */
static status write_page(stage *t) {
    char metrics_path[FILE_PATH], title[256];
    page g = {.t = t, .round = last_round(t)};
    snprintf(title, sizeof title, "auxseg: %.200s", t->s->run.dir);
    status st = setup_path(metrics_path, t->s, "metrics.csv", 1);
    g.data = (report_data){.title = title, .settings = t->s, .record = t->record};
    if (file_exists(metrics_path)) g.data.metrics = metrics_path;
    if (st == STATUS_OK) st = fill_page(&g);
    if (st == STATUS_OK) st = report_write(t->s->run.dir, &g.data);
    page_destroy(&g);
    return st;
}

status command_report(const comm *c, const settings *s) {
    stage t;
    status st = stage_begin(&t, c, s, "report", 1);
    /* Networks for the pictures are loaded by rank 0 alone, without a communicator. */
    if (st == STATUS_OK && comm_root(c)) {
        t.c = NULL;
        st = write_page(&t);
        t.c = c;
    }
    st = comm_agree(c, st);
    stage_end(&t);
    return st;
}
