/* From repetitions to rows, and from rows to what a reader asks: how much faster, how much of that
 * the cores themselves can do, and whether every point did the same work. The last is what the
 * other two rest on: a point whose result is another has computed something else, and its time says
 * nothing. */
#include "src/app/study/study_rows.h"

#include "src/app/stage/child_process.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/median.h"
#include "src/base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Repetitions by their times: the one in the middle stands for the point. */
static int by_time(const void *a, const void *b) {
    const study_measurement *x = a, *y = b;
    return (x->median > y->median) - (x->median < y->median);
}

static bool same_result(const study_measurement *a, const study_measurement *b) {
    return a->hash == b->hash;
}

/* Two points that must have computed the same have not. */
static void tell_difference(const study_row *a, const study_row *b) {
    char left[STUDY_NAME], right[STUDY_NAME], one[17], other[17];
    study_point_name(a->at, left);
    study_point_name(b->at, right);
    hash_text(a->m.hash, one);
    hash_text(b->m.hash, other);
    log_error("study: %s: %s has another result (%s) than %s (%s): their times cannot be compared",
        stage_id_words[b->stage], right, other, left, one);
}

/* A study that goes on elsewhere, or whose jobs come to several kinds of node: how many times
 * faster is then a matter of the machines, too. Processors that are not known are not compared.
 * Returns whether they differ. */
static bool tell_processors(stage_id stage, study_point a, const study_measurement *on,
    study_point b, const study_measurement *other) {
    char left[STUDY_NAME], right[STUDY_NAME];
    if (!on->processor[0] || !other->processor[0] || strcmp(on->processor, other->processor) == 0)
        return false;
    study_point_name(a, left);
    study_point_name(b, right);
    log_warn("study: %s: %s was measured on %s, %s on %s: an efficiency between two kinds of "
             "machine means little",
        stage_id_words[stage], left, on->processor, right, other->processor);
    return true;
}

/* The row of one point: medians over its repetitions. all [repeats] is scratch. */
static void gather(const study_plan *p, study_row *row, study_measurement *all) {
    int n = 0;
    char name[STUDY_NAME];
    for (int64_t k = 0; k < p->repeats; k++)
        n += study_measure_find(p, row->at, row->stage, k, &all[n]);
    row->repeats = n;
    row->same = true;
    if (n == 0) return;
    study_point_name(row->at, name);
    for (int i = 1; i < n; i++)
        if (row->same && !same_result(&all[0], &all[i])) {
            row->same = false;
            log_error("study: %s: %s: its repetitions have different results",
                stage_id_words[row->stage], name);
        }
    for (int i = 1; i < n; i++)
        if (tell_processors(row->stage, row->at, &all[0], row->at, &all[i])) break;
    qsort(all, (size_t)n, sizeof *all, by_time);
    /* Phases, bytes and memory of one and the same repetition belong together; means would not. */
    row->m = all[(n - 1) / 2];
    row->median = (all[(n - 1) / 2].median + all[n / 2].median) / 2;
    row->fastest = all[0].median;
    row->slowest = all[n - 1].median;
    row->least = all[0].least;
    row->most = all[0].most;
    for (int i = 0; i < n; i++) {
        row->least = fmin(row->least, all[i].least);
        row->most = fmax(row->most, all[i].most);
        row->peak = fmax(row->peak, all[i].peak);
    }
    row->fom = row->m.work / row->median;
}

/* By phases: the slowest rank of each, against the mean. The exchange is left out of the first: the
 * others' waiting is a part of it. */
static void judge_phases(study_row *row) {
    double most = 0, mean = 0, exchange = row->m.spread.phase[PHASE_EXCHANGE].mean;
    for (int i = 0; i < PHASE_COUNT; i++) {
        if (i == PHASE_EXCHANGE) continue;
        most += row->m.spread.phase[i].max;
        mean += row->m.spread.phase[i].mean;
    }
    row->imbalance = mean > 0 ? most / mean : NAN;
    row->communication = mean + exchange > 0 ? exchange / (mean + exchange) : NAN;
}

/* More ranks than cores share the cores that there are, and are compared with these: what is lost
 * is then lost to being many. The cores are those of the machine that measured: who collects may
 * sit on another, smaller one. Another launcher's machines are not known here. */
static void judge_place(const study_plan *p, study_row *row) {
    int there = row->m.processors > 0 ? row->m.processors : child_process_processors();
    row->cores = study_point_cores(row->at);
    row->oversubscribed = !p->launch && row->cores > there;
    if (row->oversubscribed) row->cores = there;
}

/* Median of each roof over the repetitions. scratch [3, repeats]. */
static void gather_roof(const study_plan *p, study_row *row, double *scratch) {
    int n = 0;
    double *fp32 = scratch, *bf16 = fp32 + p->repeats, *read = bf16 + p->repeats;
    study_roof one;
    row->roof = (study_roof){NAN, NAN, NAN};
    for (int64_t k = 0; k < p->repeats; k++) {
        if (!study_measure_find_roof(p, row->at, k, &one)) continue;
        fp32[n] = one.fp32;
        bf16[n] = one.bf16;
        read[n++] = one.read;
    }
    if (n > 0)
        row->roof = (study_roof){median_sort(fp32, n), median_sort(bf16, n), median_sort(read, n)};
}

/* The roof that a stage lies under: of the arithmetic that its network is in. */
static double roof_of(const study_plan *p, const study_row *row) {
    const char *type = row->m.arithmetic;
    bool bf16 = type[0] ? strcmp(type, "bf16") == 0 : p->s->model.dtype == MODEL_DTYPE_BF16;
    return bf16 && row->stage != STAGE_CLUSTER && row->roof.bf16 > 0 ? row->roof.bf16
                                                                     : row->roof.fp32;
}

/* Against the first point of the stage. In a weak study the work grows with the ranks, and so does
 * the figure of merit: the same division. */
static void compare(const study_plan *p, study_row *row, const study_row *first) {
    double cores = (double)row->cores / first->cores;
    if (first->repeats == 0 || row->repeats == 0) {
        row->speedup = row->efficiency = row->roof_efficiency = row->of_roof = NAN;
        row->read_efficiency = NAN;
        return;
    }
    row->speedup = row->fom / first->fom;
    row->efficiency = row->speedup / cores;
    row->roof_efficiency = roof_of(p, row) / roof_of(p, first) / cores;
    row->of_roof = row->efficiency / row->roof_efficiency;
    row->read_efficiency = row->roof.read / first->roof.read / cores;
}

/* Of points that did the same work: in a weak study those of as many ranks. */
static void compare_results(const study_plan *p, study_row *rows) {
    for (int i = 0; i < p->points; i++) {
        if (rows[i].repeats == 0) continue;
        for (int k = 0; k < i; k++) {
            if (rows[k].repeats == 0 || (p->weak && rows[k].at.ranks != rows[i].at.ranks)) continue;
            if (!same_result(&rows[k].m, &rows[i].m)) {
                tell_difference(&rows[k], &rows[i]);
                rows[i].same = false;
            }
            break; /* the first that is there stands for all */
        }
    }
}

/* Each point beside the first that is there. */
static void compare_machines(const study_plan *p, const study_row *rows) {
    const study_row *first = NULL;
    for (int i = 0; i < p->points; i++) {
        const study_row *row = &rows[i];
        if (row->repeats == 0) continue;
        if (first) tell_processors(row->stage, first->at, &first->m, row->at, &row->m);
        if (!first) first = row;
    }
}

/* Points that were stopped, or that a job has not come to: with --part collect alone. */
static int tell_missing(const study_plan *p, const study_row *rows) {
    char name[STUDY_NAME];
    int missing = 0;
    for (int i = 0; i < p->points; i++) {
        if (rows[i].repeats == p->repeats) continue;
        study_point_name(rows[i].at, name);
        log_error("study: %s: %s: %d of %lld repetitions are measured with this program, "
                  "settings and launcher",
            stage_id_words[rows[i].stage], name, rows[i].repeats, (long long)p->repeats);
        missing++;
    }
    return missing;
}

/* A stage's first point is the one that others are compared with, so it comes first. Mistakes are
 * told as they are found, and all of them. */
status study_rows_collect(const study_plan *p, study_row **out) {
    size_t points = (size_t)p->points, repeats = (size_t)p->repeats;
    study_row *rows = memory_alloc((size_t)p->stages * points, sizeof *rows, "rows");
    study_measurement *all = memory_alloc(repeats, sizeof *all, "measurements");
    double *roofs = memory_alloc(3 * repeats, sizeof *roofs, "roofs");
    int differ = 0, missing = 0;
    if (!rows || !all || !roofs) {
        memory_free(rows);
        rows = NULL;
    }
    for (int s = 0; rows && s < p->stages; s++) {
        study_row *first = rows + (size_t)s * points;
        for (int i = 0; i < p->points; i++) {
            study_row *row = first + i;
            row->stage = p->stage[s];
            row->at = p->point[i];
            gather(p, row, all);
            judge_place(p, row);
            gather_roof(p, row, roofs);
            judge_phases(row);
            compare(p, row, first);
        }
        compare_results(p, first);
        compare_machines(p, first);
        for (int i = 0; i < p->points; i++) differ += !first[i].same;
        missing += tell_missing(p, first);
    }
    memory_free(all);
    memory_free(roofs);
    *out = rows;
    if (!rows) return STATUS_FAILED;
    return differ > 0 ? STATUS_FAILED : missing > 0 ? STATUS_USAGE : STATUS_OK;
}
