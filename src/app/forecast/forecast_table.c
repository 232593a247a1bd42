/* A forecast's results: forecast.csv in the columns of a study's scaling.csv as far as there is
 * something to say, the same as a table, and in words where a curve bends and why. */
#include "src/app/forecast/forecast_plan.h"
#include "src/base/log.h"

#include <stdio.h>
#include <stdlib.h>

/* Of k-means a study times whole clusterings, a forecast one iteration: in rows, not in pixels
 * times iterations. */
static const char *unit_of(stage_id stage) {
    return stage == STAGE_CLUSTER ? "rows/s" : "images/s";
}

static bool trains(stage_id stage) {
    return stage >= STAGE_PRETRAIN;
}

/* In the order of the head that write_csv puts. */
static void put_row(FILE *f, const forecast_plan *p, stage_id stage, const forecast_point *at,
    const forecast_point *first) {
    int threads = (int)p->cores / at->ranks;
    double work = forecast_work(p, stage, at->nodes);
    fprintf(f, "%s,%d,%d,%d,%d,%d,%s,", stage_id_words[stage], at->nodes, at->ranks,
        at->nodes * at->ranks, threads, at->nodes * (int)p->cores,
        trains(stage) ? "weak" : "strong");
    /* Images, not views of them, as it is set. */
    if (trains(stage)) fprintf(f, "%d", (int)p->batch * at->nodes);
    fprintf(f, ",%.9g,%.9g,%.9g,%s,%.9g,%.9g,%.9g,%.9g,%.9g\n", at->seconds, work,
        work / at->seconds, unit_of(stage), at->efficiency * at->nodes / first->nodes,
        at->efficiency, at->exchange / at->seconds, at->sent, at->memory);
}

/* In memory first, as in a study's: a table that is cut off would pass for a smaller one. */
static status write_csv(const forecast_plan *p, const forecast_point *point) {
    char path[FILE_PATH], *text = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&text, &bytes);
    status st = f ? file_path(path, p->out, "forecast.csv") : STATUS_FAILED;
    if (!f) return STATUS_FAILED;
    fputs("stage,nodes,ranks_per_node,ranks,threads,cores,scaling,global_batch,time_median,work,"
          "fom,fom_unit,speedup,efficiency,communication,bytes_sent,exchange_memory_mib\n",
        f);
    for (int s = 0; s < p->stages; s++)
        for (int i = 0; i < p->points; i++)
            put_row(f, p, p->stage[s], &point[s * p->points + i], &point[s * p->points]);
    if (fclose(f) != 0) st = STATUS_FAILED;
    if (st == STATUS_OK) st = file_write(path, text, bytes);
    free(text);
    return st;
}

/* The first point below `limit`, and what took the time there that the first point did not take. */
static void tell_bend(const forecast_plan *p, stage_id stage, const forecast_point *at) {
    static const double limit = 0.95;
    int i = 0;
    while (i < p->points && at[i].efficiency >= limit) i++;
    if (i == p->points) {
        printf("%s: no bend up to %d nodes: %.1f %% there\n", stage_id_words[stage],
            at[p->points - 1].nodes, 100 * at[p->points - 1].efficiency);
        return;
    }
    double ideal = at[i].seconds * at[i].efficiency, lost = at[i].seconds - ideal;
    double more = at[i].exchange - at[0].exchange;
    double waiting = more > lost ? lost : more > 0 ? more : 0;
    printf("%s: bends at %d nodes (%.1f %%): of %.3g s lost a %s %.0f %% are waiting for other "
           "ranks, %.0f %% %s\n",
        stage_id_words[stage], at[i].nodes, 100 * at[i].efficiency, lost,
        stage == STAGE_EXTRACT   ? "run"
        : stage == STAGE_CLUSTER ? "iteration"
                                 : "step",
        100 * waiting / lost, 100 - 100 * waiting / lost,
        stage == STAGE_EXTRACT ? "parts that do not fill a node's cores"
                               : "the exchange's own arithmetic and what every rank repeats");
}

/* The fastest of the splits that were tried; where several are alike, that of fewer ranks. */
static void tell_split(const forecast_plan *p, stage_id stage, const forecast_point *splits) {
    int best = 0;
    for (int i = 1; i < FORECAST_SPLITS; i++)
        if (splits[i].nodes > 0 && splits[i].seconds < splits[best].seconds) best = i;
    if (splits[0].nodes == 0) return;
    printf(
        "%s: best split of %d cores at %d nodes: %d ranks x %d threads (%.4g s; 1 rank %.4g s)\n",
        stage_id_words[stage], (int)p->cores, splits[best].nodes, splits[best].ranks,
        (int)p->cores / splits[best].ranks, splits[best].seconds, splits[0].seconds);
}

status forecast_table(
    const forecast_plan *p, const forecast_point *point, const forecast_point *splits) {
    for (int s = 0; s < p->stages; s++) {
        const forecast_point *at = point + (size_t)s * (size_t)p->points;
        printf("\n%s, %s; %s\n%8s %8s %8s %12s %12s %8s %10s %10s\n", stage_id_words[p->stage[s]],
            trains(p->stage[s]) ? "the same images a node" : "the same data set",
            unit_of(p->stage[s]), "nodes", "ranks", "threads", "seconds", "rate", "effic.",
            "waiting", "MiB");
        for (int i = 0; i < p->points; i++)
            printf("%8d %8d %8d %12.5g %12.5g %6.1f %% %8.1f %% %10.1f\n", at[i].nodes,
                at[i].nodes * at[i].ranks, (int)p->cores / at[i].ranks, at[i].seconds,
                forecast_work(p, p->stage[s], at[i].nodes) / at[i].seconds, 100 * at[i].efficiency,
                100 * at[i].exchange / at[i].seconds, at[i].memory);
    }
    putchar('\n');
    for (int s = 0; s < p->stages; s++) {
        tell_bend(p, p->stage[s], point + (size_t)s * (size_t)p->points);
        tell_split(p, p->stage[s], splits + (size_t)s * FORECAST_SPLITS);
    }
    fflush(stdout);
    status st = write_csv(p, point);
    if (st == STATUS_OK) log_info("forecast: %s: forecast.csv", p->out);
    return st;
}
