/* The scores of the auxiliary labels as tables: run.json has them by name, flat; the page wants
 * rows with their chance beside them, classes and clusters sorted by how often they occur.
 *
 * One resolution is enough for classes and clusters: that of the label maps themselves, SCORE_FULL.
 * What run.json does not have is NAN here, and the page shows a dash: a run of an older version, or
 * one that has not been scored, still gets its page. Names and texts that tables point to are owned
 * by label_quality and live as long as it does. */
#include "src/app/report/label_quality.h"

#include "src/base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { CLASS_COLUMNS = 5, CLUSTER_COLUMNS = 4 };

/* A row of a table and what it is sorted by. qsort is not stable, so the index decides between
 * equal shares. */
typedef struct ranked {
    double share;
    int index;
} ranked;

/* The larger first, then the lower index; NAN last. */
static int compare(const void *a, const void *b) {
    const ranked *p = a, *q = b;
    double s = isnan(p->share) ? -1 : p->share, r = isnan(q->share) ? -1 : q->share;
    if (s != r) return s > r ? -1 : 1;
    return p->index < q->index ? -1 : 1;
}

/* NAN where the score has not been computed, or not at this resolution. table: "" for figures of
 * the whole, else the table of classes or clusters, whose keys are names or numbers. */
static double figure(
    const stage *t, const char *name, score_resolution at, const char *table, const char *key) {
    char group[SCORE_GROUP];
    score_group(group, name, at, table);
    return run_record_get_result(t->record, group, key);
}

/* Titles that the scores borrow. The letter before is put in front according to the round: "At"
 * begins a title, "at" follows "Round 2,". */
static void name_scores(label_quality *q, int round) {
    static const char *const at[] = {"t feature stride", "t full resolution"};
    for (int i = 0; i < SCORE_RESOLUTIONS; i++)
        if (round > 1)
            snprintf(q->title[i], sizeof q->title[i], "Round %d, a%s", round, at[i]);
        else
            snprintf(q->title[i], sizeof q->title[i], "A%s", at[i]);
}

/* Both resolutions have the same figures; one that has none is left out as a whole. Purity stands
 * for all: the score writes its figures together. */
static void fill_scores(label_quality *q, const stage *t, const char *name) {
    static const struct {
        const char *name, *key, *chance;
    } row[QUALITY_SCORES] = {{"Positive precision, by pairs", "positive", "positive_chance"},
        {"Positive precision, mean over labels", "positive_mean", "positive_mean_chance"},
        {"Negative precision, by pairs", "negative", "negative_chance"},
        {"Negative precision, mean over labels", "negative_mean", "negative_mean_chance"},
        {"Purity", "purity", NULL}, {"Normalised mutual information", "nmi", NULL},
        {"Adjusted Rand index", "ari", NULL}, {"Pixels with a label", "coverage", NULL}};
    for (int at = 0; at < SCORE_RESOLUTIONS; at++) {
        if (isnan(figure(t, name, (score_resolution)at, "", "purity"))) continue;
        for (int i = 0; i < QUALITY_SCORES; i++) {
            double chance =
                row[i].chance ? figure(t, name, (score_resolution)at, "", row[i].chance) : NAN;
            q->score[q->scores++] = (page_score){q->title[at], row[i].name,
                figure(t, name, (score_resolution)at, "", row[i].key), chance};
        }
    }
}

/* All classes, the most frequent first: a data set has tens of them, hundreds at most. Values stand
 * row by row, [classes, CLASS_COLUMNS]. The table is added even where memory was short: the caller
 * then throws all of it away. */
static status fill_class_table(label_quality *q, const stage *t, const char *name) {
    static const page_column column[CLASS_COLUMNS] = {{"Precision", NUMBER_SHARE},
        {"Chance", NUMBER_SHARE}, {"Same label", NUMBER_SHARE}, {"Chance", NUMBER_SHARE},
        {"Scored pixels", NUMBER_SHARE}};
    static const char *const table[CLASS_COLUMNS] = {
        "class_precision", "class_chance", "recall", "recall_chance", "class_share"};
    size_t classes = (size_t)dataset_classes(t->d);
    ranked *order = memory_alloc(classes, sizeof *order, "report");
    q->class_name = memory_alloc(classes, sizeof *q->class_name, "report");
    q->class_value = memory_alloc(classes * CLASS_COLUMNS, sizeof *q->class_value, "report");
    status st = order && q->class_name && q->class_value ? STATUS_OK : STATUS_FAILED;
    for (size_t y = 0; st == STATUS_OK && y < classes; y++) {
        const char *class = dataset_class_name(t->d, (int)y);
        order[y] = (ranked){figure(t, name, SCORE_FULL, "class_share", class), (int)y};
    }
    if (st == STATUS_OK) qsort(order, classes, sizeof *order, compare);
    for (size_t i = 0; st == STATUS_OK && i < classes; i++) {
        q->class_name[i] = dataset_class_name(t->d, order[i].index);
        for (int c = 0; c < CLASS_COLUMNS; c++)
            q->class_value[i * CLASS_COLUMNS + (size_t)c] =
                figure(t, name, SCORE_FULL, table[c], q->class_name[i]);
    }
    memory_free(order);
    q->table[q->tables++] = (page_table){.title = "Classes",
        .note = "At full resolution, the most frequent first. The first pixel of a pair has the "
                "class. Precision: P(the second has it | same label); same label: P(same label | "
                "the second has the class).",
        .row_title = "Class",
        .row = q->class_name,
        .bar_title = "Precision, mark at chance",
        .column = column,
        .rows = (int)classes,
        .columns = CLASS_COLUMNS,
        .value = q->class_value};
    return st;
}

/* Of every cluster, in the order of labels. For the rows of the table, for overlays and for the
 * texts beside typical patches. majority [K]: the class, or -1 where no pixel of the cluster has
 * ground truth. */
static status fill_clusters(label_quality *q, const stage *t, const char *name) {
    size_t k = (size_t)q->k;
    char key[16];
    q->cluster = memory_alloc(k, sizeof *q->cluster, "report");
    q->majority = memory_alloc(k, sizeof *q->majority, "report");
    if (!q->cluster || !q->majority) return STATUS_FAILED;
    for (int a = 0; a < q->k; a++) {
        snprintf(key, sizeof key, "%d", a);
        /* Not a number compares false both times: -1 as well. */
        double class = figure(t, name, SCORE_FULL, "majority", key);
        q->majority[a] = class >= 0 && class < dataset_classes(t->d) ? (int)class : -1;
        q->cluster[a] = (cluster_quality){.label = a,
            .share = figure(t, name, SCORE_FULL, "share", key),
            .precision = figure(t, name, SCORE_FULL, "precision", key),
            .chance = figure(t, name, SCORE_FULL, "chance", key),
            .purity = figure(t, name, SCORE_FULL, "purity", key),
            .majority = q->majority[a] < 0 ? NULL : dataset_class_name(t->d, q->majority[a])};
    }
    return STATUS_OK;
}

/* order [K]: the largest first. The note tells how much is left out, so that nobody takes the table
 * for the whole. */
static void fill_cluster_rows(label_quality *q, const ranked *order, int rows) {
    for (int i = 0; i < rows; i++) {
        const cluster_quality *c = &q->cluster[order[i].index];
        double *value = q->cluster_value + (size_t)i * CLUSTER_COLUMNS;
        snprintf(q->cluster_text[i], sizeof q->cluster_text[i], "%d", c->label);
        q->cluster_name[i] = q->cluster_text[i];
        q->cluster_class[i] = c->majority ? c->majority : "";
        value[0] = c->precision;
        value[1] = c->chance;
        value[2] = c->purity;
        value[3] = c->share;
    }
    double rest = 0;
    for (int i = rows; i < q->k; i++) rest += order[i].share > 0 ? order[i].share : 0;
    int n = snprintf(q->cluster_note, sizeof q->cluster_note,
        "At full resolution, the largest first. The first pixel of a pair is in the cluster. "
        "Precision: P(same class | same label); purity: share of its commonest class.");
    if (rows < q->k) {
        char share[NUMBER_TEXT];
        number_fixed(share, 100 * rest, 1);
        snprintf(q->cluster_note + n, sizeof q->cluster_note - (size_t)n,
            " %d smaller clusters are left out; together they hold %.8s %% of the scored pixels.",
            q->k - rows, share);
    }
}

/* The largest clusters; the note says what is left out. At most QUALITY_CLUSTERS rows: thousands of
 * clusters would make the page heavy and nobody reads them. */
static status fill_cluster_table(label_quality *q) {
    static const page_column column[CLUSTER_COLUMNS] = {{"Precision", NUMBER_SHARE},
        {"Chance", NUMBER_SHARE}, {"Purity", NUMBER_SHARE}, {"Scored pixels", NUMBER_SHARE}};
    int rows = q->k < QUALITY_CLUSTERS ? q->k : QUALITY_CLUSTERS;
    size_t n = (size_t)rows;
    ranked *order = memory_alloc((size_t)q->k, sizeof *order, "report");
    q->cluster_name = memory_alloc(n, sizeof *q->cluster_name, "report");
    q->cluster_class = memory_alloc(n, sizeof *q->cluster_class, "report");
    q->cluster_text = memory_alloc(n, sizeof *q->cluster_text, "report");
    q->cluster_value = memory_alloc(n * CLUSTER_COLUMNS, sizeof *q->cluster_value, "report");
    bool all = order && q->cluster_name && q->cluster_class && q->cluster_text && q->cluster_value;
    if (all) {
        for (int a = 0; a < q->k; a++) order[a] = (ranked){q->cluster[a].share, a};
        qsort(order, (size_t)q->k, sizeof *order, compare);
        fill_cluster_rows(q, order, rows);
    }
    memory_free(order);
    q->table[q->tables++] = (page_table){.title = "Clusters",
        .note = q->cluster_note,
        .row_title = "Cluster",
        .row = q->cluster_name,
        .text_title = "Commonest class",
        .text = q->cluster_class,
        .bar_title = "Precision, mark at chance",
        .column = column,
        .rows = rows,
        .columns = CLUSTER_COLUMNS,
        .value = q->cluster_value};
    return all ? STATUS_OK : STATUS_FAILED;
}

status label_quality_create(label_quality *out, const stage *t, int round, int k) {
    char name[STAGE_NAME];
    *out = (label_quality){.k = k};
    snprintf(name, sizeof name, round > 1 ? "score-%d" : "score", round);
    name_scores(out, round);
    fill_scores(out, t, name);
    status st = fill_clusters(out, t, name);
    /* Clusters are filled in any case, their figures NAN: pictures ask for them. */
    if (st != STATUS_OK || isnan(figure(t, name, SCORE_FULL, "", "purity"))) return st;
    st = fill_class_table(out, t, name);
    return st == STATUS_OK ? fill_cluster_table(out) : st;
}

void label_quality_destroy(label_quality *q) {
    memory_free(q->cluster);
    memory_free(q->majority);
    memory_free(q->class_name);
    memory_free(q->class_value);
    memory_free(q->cluster_name);
    memory_free(q->cluster_class);
    memory_free(q->cluster_text);
    memory_free(q->cluster_value);
    *q = (label_quality){0};
}
