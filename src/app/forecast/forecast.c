/* A forecast: what computing takes is measured here, on one core, and what ranks exchange is
 * simulated with the program's own exchanges (mpi/forecast/), a number of nodes after another. The
 * best split of a node into ranks and threads is looked for at a number of nodes in the middle,
 * where the exchange counts and a simulation is short. */
#include "src/app/forecast/forecast.h"

#include "src/app/forecast/forecast_plan.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/stop.h"

#include <stdlib.h>

enum { SPLIT_RANKS = 32 }; /* of all nodes together */

static bool trains(stage_id stage) {
    return stage >= STAGE_PRETRAIN;
}

/* Ranks of 1, 2, 4 ... a node, as far as the cores can be divided and images go round. */
static status try_splits(
    const forecast_plan *p, const char *profile, stage_id stage, forecast_point *splits) {
    int nodes = 1, n = 0;
    for (int i = 0; i < p->points && p->nodes[i] <= 4; i++) nodes = p->nodes[i];
    status st = STATUS_OK;
    for (int ranks = 1; st == STATUS_OK && ranks <= p->cores && n < FORECAST_SPLITS; ranks *= 2) {
        if (p->cores % ranks != 0 || (trains(stage) && ranks > p->batch)) break;
        if (nodes * ranks > SPLIT_RANKS) break;
        st = forecast_run(p, profile, stage, nodes, ranks, &splits[n++]);
    }
    return st;
}

/* Weak scaling of a training: a node's images stay; the other stages share out what there is. */
static double efficiency(stage_id stage, const forecast_point *first, const forecast_point *at) {
    double ideal = first->seconds;
    if (!trains(stage)) ideal *= (double)first->nodes / at->nodes;
    return ideal / at->seconds;
}

/* One simulation after another: one of thousands of ranks takes gigabytes and a core. */
static status simulate(
    const forecast_plan *p, const char *profile, forecast_point *point, forecast_point *splits) {
    status st = STATUS_OK;
    for (int s = 0; s < p->stages; s++) {
        forecast_point *at = point + (size_t)s * (size_t)p->points;
        for (int i = 0; i < p->points && st == STATUS_OK; i++) {
            if (stop_requested()) return STATUS_STOPPED;
            st = forecast_run(p, profile, p->stage[s], p->nodes[i], (int)p->ranks, &at[i]);
            if (st == STATUS_OK) at[i].efficiency = efficiency(p->stage[s], at, &at[i]);
            if (st == STATUS_OK)
                log_info("forecast: %s, %d nodes: %.4g s, %.1f %%", stage_id_words[p->stage[s]],
                    at[i].nodes, at[i].seconds, 100 * at[i].efficiency);
        }
        if (st == STATUS_OK)
            st = try_splits(p, profile, p->stage[s], splits + (size_t)s * FORECAST_SPLITS);
    }
    return st;
}

/* A profile that is given is only read: forecasts of several clusters have the same. */
static status forecast(const forecast_plan *p) {
    char profile[FILE_PATH], program[FILE_PATH];
    size_t n = (size_t)p->stages;
    forecast_point *point = memory_alloc(n * (size_t)p->points, sizeof *point, "forecast");
    forecast_point *splits = memory_alloc(n * FORECAST_SPLITS, sizeof *splits, "forecast");
    status st = forecast_program(program);
    if (st == STATUS_OK) st = point && splits ? file_make_folder(p->out) : STATUS_FAILED;
    if (st == STATUS_OK)
        st = p->profile ? file_path(profile, "", p->profile)
                        : file_path(profile, p->out, "profile.txt");
    if (st == STATUS_OK)
        st = p->profile ? forecast_profile_check(p, profile) : forecast_profile_make(p, profile);
    /* Not before: a measurement has nothing to save, and ends at once when it is told to. */
    stop_install();
    if (st == STATUS_OK) st = simulate(p, profile, point, splits);
    if (st == STATUS_OK) st = forecast_table(p, point, splits);
    memory_free(point);
    memory_free(splits);
    return st;
}

status command_forecast(int argc, char **argv) {
    forecast_plan *p = memory_alloc(1, sizeof *p, "forecast");
    status st = p ? forecast_plan_read(p, argc, argv) : STATUS_FAILED;
    if (st == STATUS_OK) {
        st = forecast(p);
        log_result(st);
    }
    if (p) forecast_plan_destroy(p);
    memory_free(p);
    return st;
}
