/* A score's figures by their names: what goes to run.json, what an earlier labelling has left there
 * and must go, and what is printed. Names are part of the format of run.json (io/files/README.md):
 * the report and other programs look figures up by them. A group that is added here must be added
 * to `tables`, too, or what it holds would outlive its labelling. */
#include "src/app/clusters/score_record.h"

#include "src/base/log.h"
#include "src/base/memory.h"

#include <math.h>
#include <stdio.h>

/* One place for the names, which the report reads. */
void score_group(char *text, const char *name, score_resolution at, const char *table) {
    snprintf(text, SCORE_GROUP, "%s%s%s%s", name, at == SCORE_FULL ? "/full" : "",
        table[0] ? "/" : "", table);
}

/* After the empty name: per cluster, then per class. */
static const char *const tables[] = {"", "precision", "chance", "share", "purity", "majority",
    "class_precision", "class_chance", "class_share", "recall", "recall_chance"};

/* Names of clusters and classes that are no more would stay beside the new ones. */
void score_forget(stage *t) {
    char group[SCORE_GROUP];
    for (int at = 0; t->record && at < SCORE_RESOLUTIONS; at++)
        for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
            score_group(group, t->name, (score_resolution)at, tables[i]);
            run_record_clear_group(t->record, group);
        }
}

/* A line; with run.verbose a table that fits a terminal: precisions beside their chance. */
static void print_score(
    const char *name, score_resolution at, const score_table *table, const score_result *r) {
    const char *where = at == SCORE_FULL ? "at full resolution" : "at feature stride";
    log_info("%s %s: positive precision %.4f (chance %.4f), purity %.4f, NMI %.4f, ARI %.4f", name,
        where, r->positive, r->positive_chance, r->purity, r->nmi, r->ari);
    log_detail("score %s, %lld labelled pixels:", where, (long long)*table->pixels);
    log_detail(
        "  pairs of pixels of different images            by pairs  (chance)   mean over labels"
        "  (chance)");
    log_detail("  positive precision P(same class|same label)    %.4f  (%.4f)             %.4f"
               "  (%.4f)",
        r->positive, r->positive_chance, r->positive_mean, r->positive_mean_chance);
    log_detail("  negative precision P(other class|other label)  %.4f  (%.4f)             %.4f"
               "  (%.4f)",
        r->negative, r->negative_chance, r->negative_mean, r->negative_mean_chance);
    log_detail(
        "  purity %.4f  NMI %.4f  ARI %.4f  coverage %.4f", r->purity, r->nmi, r->ari, r->coverage);
}

/* The figures of the whole labelling, by the names that run.json has. */
static status record_whole(stage *t, score_resolution at, const score_result *r) {
    const struct {
        const char *name;
        double figure;
    } row[] = {{"positive", r->positive}, {"positive_chance", r->positive_chance},
        {"positive_mean", r->positive_mean}, {"positive_mean_chance", r->positive_mean_chance},
        {"negative", r->negative}, {"negative_chance", r->negative_chance},
        {"negative_mean", r->negative_mean}, {"negative_mean_chance", r->negative_mean_chance},
        {"purity", r->purity}, {"nmi", r->nmi}, {"ari", r->ari}, {"coverage", r->coverage}};
    char group[SCORE_GROUP];
    status st = STATUS_OK;
    score_group(group, t->name, at, "");
    for (size_t i = 0; i < sizeof row / sizeof *row && st == STATUS_OK; i++)
        st = stage_figure(t, group, row[i].name, row[i].figure);
    return st;
}

/* One figure of each group beside it. */
typedef struct entry {
    const char *table;
    double figure;
} entry;

/* One name in several groups, a figure in each. */
static status record_entries(
    stage *t, score_resolution at, const entry *e, size_t entries, const char *name) {
    char group[SCORE_GROUP];
    status st = STATUS_OK;
    for (size_t i = 0; i < entries && st == STATUS_OK; i++) {
        score_group(group, t->name, at, e[i].table);
        st = stage_figure(t, group, name, e[i].figure);
    }
    return st;
}

/* By number. A cluster without pixels has no class: no figure, which is null in the file, as -1
 * would pass for a class. */
static status record_clusters(stage *t, score_resolution at, const score_cluster *c, int k) {
    char name[16];
    status st = STATUS_OK;
    for (int a = 0; a < k && st == STATUS_OK; a++) {
        const entry e[] = {{"precision", c[a].precision}, {"chance", c[a].chance},
            {"share", c[a].share}, {"purity", c[a].purity},
            {"majority", c[a].majority < 0 ? (double)NAN : (double)c[a].majority}};
        snprintf(name, sizeof name, "%d", a);
        st = record_entries(t, at, e, sizeof e / sizeof *e, name);
    }
    return st;
}

/* By name, as numbers of classes mean nothing to a reader. */
static status record_classes(stage *t, score_resolution at, const score_class *c, int classes) {
    status st = STATUS_OK;
    for (int y = 0; y < classes && st == STATUS_OK; y++) {
        const entry e[] = {{"class_precision", c[y].precision},
            {"class_chance", c[y].precision_chance}, {"class_share", c[y].share},
            {"recall", c[y].recall}, {"recall_chance", c[y].recall_chance}};
        st = record_entries(t, at, e, sizeof e / sizeof *e, dataset_class_name(t->d, y));
    }
    return st;
}

/* Printed and recorded from the same numbers. table: of all ranks; every rank calls, as all finish
 * the same table alike, and rank 0's record is the one there is. */
status score_record(stage *t, score_resolution at, const score_table *table) {
    score_cluster *cluster =
        memory_alloc((size_t)table->k, sizeof *cluster, "score of each cluster");
    score_class *class = memory_alloc((size_t)table->classes, sizeof *class, "score of each class");
    status st = cluster && class ? STATUS_OK : STATUS_FAILED;
    if (st == STATUS_OK) {
        score_result r = score_finish(table, cluster, class);
        print_score(t->name, at, table, &r);
        st = record_whole(t, at, &r);
    }
    if (st == STATUS_OK) st = record_clusters(t, at, cluster, table->k);
    if (st == STATUS_OK) st = record_classes(t, at, class, table->classes);
    memory_free(cluster);
    memory_free(class);
    return st;
}
