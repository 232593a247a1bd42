/* The main job: every stage in turn, each skipping what is done for the same inputs and settings.
 */
#include "src/app/run.h"

#include "io/files/file.h"
#include "io/files/run_record.h"
#include "src/app/clusters/cluster.h"
#include "src/app/clusters/score.h"
#include "src/app/evaluation/evaluate.h"
#include "src/app/features/extract.h"
#include "src/app/report/report.h"
#include "src/app/stage/setup.h"
#include "src/app/tools/pack.h"
#include "src/app/training/finetune.h"
#include "src/app/training/pretrain.h"
#include "src/base/log.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct run_step {
    const char *name; /* run.until's */
    status (*run)(const comm *c, const settings *s, int round);
} run_step;

static status step_pack(const comm *c, const settings *s, int round) {
    (void)round;
    return command_pack(c, s);
}

/* The reference: the same fine-tuning from plain initial weights. With extract.source "finetuned"
 * it is the extractor, too. */
static status step_baseline(const comm *c, const settings *s, int round) {
    char weights[FILE_PATH];
    (void)round;
    if (!s->run.compare && !extract_from_finetuned(s, 1)) return STATUS_OK;
    status st = finetune_model(c, s, "baseline", 1, s->model.weights, "baseline.safetensors");
    if (st == STATUS_OK) st = comm_agree(c, setup_path(weights, s, "baseline.safetensors", 1));
    return st == STATUS_OK ? evaluate_model(c, s, "baseline", 1, weights) : st;
}

/* Only where the features are kept: the clustering extracts them by itself. */
static status step_extract(const comm *c, const settings *s, int round) {
    return s->extract.keep && round == 1 ? command_extract(c, s) : STATUS_OK;
}

static status step_finetune(const comm *c, const settings *s, int round) {
    char weights[FILE_PATH];
    status st = comm_agree(c, setup_path(weights, s, "pretrained.safetensors", round));
    return st == STATUS_OK
               ? finetune_model(c, s, "finetune", round, weights, "finetuned.safetensors")
               : st;
}

static status step_evaluate(const comm *c, const settings *s, int round) {
    char weights[FILE_PATH];
    status st = comm_agree(c, setup_path(weights, s, "finetuned.safetensors", round));
    return st == STATUS_OK ? evaluate_model(c, s, "finetuned", round, weights) : st;
}

static const run_step before[] = {
    {"pack", step_pack},
    {"baseline", step_baseline},
};
static const run_step rounds[] = {
    {"extract", step_extract},
    {"cluster", cluster_images},
    {"score", score_labels},
    {"pretrain", pretrain_model},
    {"finetune", step_finetune},
    {"evaluate", step_evaluate},
};

/* Runs steps of a list; *last becomes true after the one that run.until names (round 1's). */
static status run_steps(
    const comm *c, const settings *s, const run_step *step, size_t steps, int round, bool *last) {
    status st = STATUS_OK;
    for (size_t i = 0; i < steps && st == STATUS_OK && !*last; i++) {
        st = step[i].run(c, s, round);
        *last = strcmp(s->run.until, step[i].name) == 0;
    }
    return st;
}

static void print_row(const run_record *r, const char *title, const char *group) {
    log_info("  %-28s %7.4f  %7.4f  %7.4f", title, run_record_get_result(r, group, "mIoU"),
        run_record_get_result(r, group, "mAcc"), run_record_get_result(r, group, "aAcc"));
}

static void print_table(const settings *s, const run_record *r, const char *report) {
    char group[32], title[64];
    log_info("fine-tuned on the labelled share from      mIoU     mAcc     aAcc");
    if (!isnan(run_record_get_result(r, "baseline", "mIoU")))
        print_row(r, "plain initial weights", "baseline");
    for (int round = 1; round <= s->run.rounds; round++) {
        snprintf(group, sizeof group, round > 1 ? "finetuned-%d" : "finetuned", round);
        snprintf(title, sizeof title,
            round > 1 ? "contrastive, round %d" : "contrastive pretraining", round);
        print_row(r, title, group);
    }
    log_info("report: %s", report);
}

/* Rank 0: the table, and DONE as the last file of the run. */
static status finish(const settings *s) {
    char path[FILE_PATH], report[FILE_PATH], done[FILE_PATH];
    run_record *r = NULL;
    status st = setup_path(path, s, "run.json", 1);
    if (st == STATUS_OK) st = setup_path(report, s, "report.html", 1);
    if (st == STATUS_OK) st = setup_path(done, s, "DONE", 1);
    if (st == STATUS_OK) st = run_record_open(&r, path);
    if (st == STATUS_OK) print_table(s, r, report);
    run_record_close(r);
    return st == STATUS_OK ? file_write(done, "done\n", 5) : st;
}

/* What an earlier run with other settings left behind says nothing about this one. */
static status forget_done(const settings *s) {
    char path[FILE_PATH];
    status st = setup_path(path, s, "DONE", 1);
    if (st == STATUS_OK && file_exists(path) && remove(path) != 0) {
        log_error("%s: cannot be removed", path);
        st = STATUS_OUTPUT;
    }
    return st;
}

status command_run(const comm *c, const settings *s) {
    bool last = false;
    status st = setup_folder(c, s);
    if (st == STATUS_OK) st = comm_agree(c, comm_root(c) ? forget_done(s) : STATUS_OK);
    if (st == STATUS_OK) st = run_steps(c, s, before, sizeof before / sizeof *before, 1, &last);
    for (int round = 1; round <= s->run.rounds && st == STATUS_OK && !last; round++)
        st = run_steps(c, s, rounds, sizeof rounds / sizeof *rounds, round, &last);
    if (st == STATUS_OK && !last) st = command_report(c, s);
    if (st == STATUS_OK && !last) st = comm_agree(c, comm_root(c) ? finish(s) : STATUS_OK);
    return st;
}
