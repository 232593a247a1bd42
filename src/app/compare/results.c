/* From run.json of each run to the figures of a comparison. A run that has failed or has not come
 * to its end counts with nothing, whatever its record already holds: a mean over some seeds of one
 * cell and others of another would not be seen to be one. */
#include "src/app/compare/results.h"

#include "io/files/file.h"
#include "io/files/run_record.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const compare_score_names[COMPARE_SCORES] = {
    "positive", "positive_mean", "negative", "purity", "nmi", "ari", "coverage"};

/* A setting of the run as its record has it; "" if that has not. */
static const char *setting_of(const run_record *r, const char *wanted) {
    const char *key, *text;
    for (int i = 0; run_record_fact(r, "settings", i, &key, &text); i++)
        if (strcmp(key, wanted) == 0) return text;
    return "";
}

/* "finetune-teacher-2" is work of finetune. Longest first is not needed: no stage's name begins
 * with another's. */
static stage_id stage_of(const char *name) {
    for (int id = STAGE_FIRST; id < STAGE_COUNT; id++) {
        size_t n = strlen(stage_id_words[id]);
        if (strncmp(name, stage_id_words[id], n) == 0 && (!name[n] || name[n] == '-'))
            return (stage_id)id;
    }
    return STAGE_NONE;
}

static double batch_of(const run_record *r, const char *stage, const char *wanted) {
    const char *key, *text;
    for (int i = 0; run_record_stage_setting(r, stage, i, &key, &text); i++)
        if (strcmp(key, wanted) == 0) return atof(text);
    return 0;
}

/* What a stage took, and what it showed its network. */
static void add_stage(compare_run *run, const run_record *r, const stage_record *s, bool counts) {
    stage_id id = stage_of(s->name);
    bool contrast = id == STAGE_PRETRAIN || strstr(s->name, "-contrast");
    if (id == STAGE_NONE) return;
    if (isnan(run->seconds[id])) run->seconds[id] = 0;
    run->seconds[id] += s->seconds;
    if (!counts) return;
    run->seconds_in_all += s->seconds;
    double rows = (double)s->rows;
    if (contrast)
        run->contrastive_images += rows * batch_of(r, s->name, "pretrain.batch");
    else if (id == STAGE_FINETUNE || id == STAGE_BASELINE)
        run->finetune_images += rows * batch_of(r, s->name, "finetune.batch");
}

/* Auxiliary labels are of this method alone; "": a record from before there were others. */
static bool has_labels(const run_record *r) {
    const char *method = setting_of(r, "pretrain.method");
    return !*method || strcmp(method, "pixel") == 0;
}

/* Whether a training took its auxiliary labels: else a score of them says nothing of the result. */
static bool uses_labels(const run_record *r) {
    bool kept = strtod(setting_of(r, "finetune.contrast_weight"), NULL) > 0;
    bool compared = strcmp(setting_of(r, "pretrain.positives"), "augmentation") != 0;
    return has_labels(r) && (compared || kept);
}

/* As stage_extracts_finetuned: whether the labels that count come from features of the baseline. */
static bool extracts_baseline(const run_record *r) {
    const char *source = setting_of(r, "extract.source");
    if (!uses_labels(r)) return false;
    if (strcmp(source, "finetuned") == 0) return true;
    return strcmp(source, "auto") == 0 && !*setting_of(r, "extract.files") &&
           !*setting_of(r, "extract.weights") && !*setting_of(r, "model.weights");
}

/* baseline: it is what the run was for, or what its labels come from. */
static void read_stages(compare_run *run, const run_record *r, bool baseline) {
    stage_record s;
    run->seconds_in_all = run->contrastive_images = run->finetune_images = 0;
    for (int i = 0; run_record_stage(r, i, &s, NULL); i++) {
        bool of_baseline =
            stage_of(s.name) == STAGE_BASELINE || strncmp(s.name, "evaluate-baseline", 17) == 0;
        add_stage(run, r, &s, baseline || !of_baseline);
    }
}

/* "finetuned-2": text [64]. */
static void in_round(char *text, const char *name, int round) {
    snprintf(text, 64, round > 1 ? "%s-%d" : "%s", name, round);
}

/* As stage_rounds: a run that ends at a stage does so in its first round. */
static int rounds_of(const run_record *r) {
    const char *until = setting_of(r, "run.until");
    bool all = !*until || strcmp(until, "report") == 0;
    return all ? atoi(setting_of(r, "run.rounds")) : 1;
}

static void read_figures(compare_run *run, const run_record *r) {
    bool baseline = strcmp(setting_of(r, "run.until"), "baseline") == 0;
    int round = rounds_of(r);
    char model[64], score[64], weights[64];
    uint64_t hash;
    in_round(model, baseline ? "baseline" : "finetuned", baseline ? 1 : round);
    in_round(weights, baseline ? "baseline" : "finetune", baseline ? 1 : round);
    in_round(score, "score", round);
    run->miou = run_record_get_result(r, model, "mIoU");
    run->macc = run_record_get_result(r, model, "mAcc");
    run->aacc = run_record_get_result(r, model, "aAcc");
    run->baseline = run_record_get_result(r, "baseline", "mIoU");
    for (int i = 0; i < COMPARE_SCORES && !baseline && uses_labels(r); i++)
        run->score[i] = run_record_get_result(r, score, compare_score_names[i]);
    if (run_record_get_hash(r, weights, &hash)) hash_text(hash, run->weights);
    read_stages(run, r, baseline || extracts_baseline(r));
}

/* NAN, not 0: a mean takes what is finite, and a figure that is lacking is no bad one. */
static void forget(compare_run *run) {
    run->miou = run->macc = run->aacc = run->baseline = run->gain = NAN;
    for (int i = 0; i < COMPARE_SCORES; i++) run->score[i] = NAN;
    for (int i = 0; i < STAGE_COUNT; i++) run->seconds[i] = NAN;
    run->seconds_in_all = run->contrastive_images = run->finetune_images = NAN;
    run->weights[0] = '\0';
}

/* A record that is gone makes the run an unfinished one; one that is damaged is an error, as its
 * figures would otherwise be missing without a word. */
static status read_run(compare_run *run) {
    char path[FILE_PATH];
    run_record *r = NULL;
    forget(run);
    if (run->code != STATUS_OK) return STATUS_OK;
    status st = file_path(path, run->folder, "run.json");
    if (st == STATUS_OK) st = run_record_look(&r, path);
    if (st == STATUS_OK && r)
        read_figures(run, r);
    else if (st == STATUS_OK)
        run->code = COMPARE_UNFINISHED;
    run_record_close(r);
    return st;
}

static const compare_run *run_of_seed(const compare_cell *cell, int64_t seed) {
    for (int i = 0; i < cell->runs; i++)
        if (cell->run[i].seed == seed) return &cell->run[i];
    return NULL;
}

/* A mean of what is finite; NAN of nothing. x [n] with a stride in bytes. */
static double mean_of(const double *x, int n, size_t stride) {
    double sum = 0;
    int count = 0;
    for (int i = 0; i < n; i++) {
        double v = *(const double *)((const char *)x + (size_t)i * stride);
        if (!isfinite(v)) continue;
        sum += v;
        count++;
    }
    return count > 0 ? sum / count : NAN;
}

/* x: room for a figure of each run. A pair needs both of its runs; where one is lacking the other
 * still counts for its own cell's mean. */
static void reckon_cell(compare_results *r, compare_cell *cell, double *x) {
    const compare_cell *reference = cell->reference >= 0 ? &r->cell[cell->reference] : NULL;
    compare_run *run = cell->run;
    for (int i = 0; i < cell->runs; i++) x[i] = run[i].miou;
    cell->miou = interval_of(x, cell->runs);
    for (int i = 0; i < cell->runs; i++) {
        const compare_run *other = reference ? run_of_seed(reference, run[i].seed) : NULL;
        x[i] = run[i].gain = other ? run[i].miou - other->miou : NAN;
    }
    cell->gain = interval_of(x, cell->runs);
    if (cell->runs == 0) return;
    for (int k = 0; k < COMPARE_SCORES; k++)
        cell->score[k] = mean_of(&run->score[k], cell->runs, sizeof *run);
    cell->seconds = mean_of(&run->seconds_in_all, cell->runs, sizeof *run);
    cell->contrastive_images = mean_of(&run->contrastive_images, cell->runs, sizeof *run);
    cell->finetune_images = mean_of(&run->finetune_images, cell->runs, sizeof *run);
}

/* A cell that has fewer results than another of its group is not told apart from it by its mean: it
 * is not the best one yet. */
static void find_best(compare_results *r) {
    for (int i = 0; i < r->cells; i++) {
        compare_cell *c = &r->cell[i];
        c->best = c->group && c->group[0] && c->miou.n > 0;
        for (int k = 0; k < r->cells && c->best; k++) {
            const compare_cell *o = &r->cell[k];
            if (k == i || !o->group || strcmp(o->group, c->group) != 0) continue;
            bool higher = o->miou.mean > c->miou.mean || (o->miou.mean == c->miou.mean && k < i);
            if (o->miou.n > c->miou.n || (o->miou.n == c->miou.n && higher)) c->best = false;
        }
    }
}

/* Over cells: a labelling's mean score against the mean mIoU that it leads to. */
static status reckon_scores(compare_results *r) {
    double *x = memory_alloc(2 * (size_t)r->cells, sizeof *x, "scores");
    status st = x ? STATUS_OK : STATUS_FAILED;
    for (int k = 0; k < COMPARE_SCORES && st == STATUS_OK; k++) {
        for (int i = 0; i < r->cells; i++) {
            x[i] = r->cell[i].score[k];
            x[r->cells + i] = r->cell[i].miou.mean;
        }
        st = rank_correlation_of(x, x + r->cells, r->cells, &r->predicts[k]);
    }
    memory_free(x);
    return st;
}

status compare_results_fill(compare_results *r) {
    int most = 1;
    status st = STATUS_OK;
    for (int i = 0; i < r->cells; i++) {
        compare_cell *cell = &r->cell[i];
        if (cell->runs > most) most = cell->runs;
        if (cell->reference >= 0) r->cell[cell->reference].referred = true;
        for (int k = 0; k < cell->runs && st == STATUS_OK; k++) st = read_run(&cell->run[k]);
    }
    double *x = memory_alloc((size_t)most, sizeof *x, "figures of a cell");
    if (st == STATUS_OK && !x) st = STATUS_FAILED;
    for (int i = 0; i < r->cells && st == STATUS_OK; i++) reckon_cell(r, &r->cell[i], x);
    memory_free(x);
    find_best(r);
    return st == STATUS_OK ? reckon_scores(r) : st;
}

static void destroy_cell(compare_cell *cell, int varying) {
    for (int i = 0; i < cell->runs; i++) {
        for (int k = 0; cell->run[i].value && k < varying; k++) memory_free(cell->run[i].value[k]);
        memory_free(cell->run[i].value);
        memory_free(cell->run[i].folder);
    }
    memory_free(cell->run);
    memory_free(cell->name);
    memory_free(cell->about);
    memory_free(cell->settings);
    memory_free(cell->group);
}

void compare_results_destroy(compare_results *r) {
    for (int i = 0; i < r->cells; i++) destroy_cell(&r->cell[i], r->varying);
    for (int i = 0; i < r->varying; i++) memory_free(r->key[i]);
    memory_free(r->key);
    memory_free(r->cell);
    memory_free(r->name);
    memory_free(r->about);
    memory_free(r->folder);
    *r = (compare_results){0};
}
