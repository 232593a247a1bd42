/* The main job: every stage of the table in turn, each skipping what is done for the same inputs
 * and settings. This is the only file that knows all stages' functions: their folders do not know
 * each other. A stage decides by itself whether it is done; here only the order stands, and which
 * stages the settings want. Every call is collective, and a status that is not OK ends the run on
 * all ranks: stages agree on theirs before they return. */
#include "src/app/run.h"

#include "io/files/file.h"
#include "io/files/run_record.h"
#include "src/app/clusters/cluster.h"
#include "src/app/clusters/score.h"
#include "src/app/evaluation/evaluate.h"
#include "src/app/features/extract.h"
#include "src/app/report/report.h"
#include "src/app/stage/repair.h"
#include "src/app/stage/setup.h"
#include "src/app/stage/stage_list.h"
#include "src/app/tools/pack.h"
#include "src/app/training/finetune.h"
#include "src/app/training/pretrain.h"
#include "src/base/log.h"

#include <math.h>
#include <stdio.h>

/* The reference: the same fine-tuning from plain initial weights. With extract.source "finetuned"
 * it is the extractor, too. It is evaluated at once, under a name of its own in run.json, so that
 * it has its figures even if later stages are never reached. */
static status make_baseline(const comm *c, const settings *s) {
    char weights[FILE_PATH];
    status st = finetune_model(c, s, STAGE_BASELINE, 1, s->model.weights, "baseline.safetensors");
    if (st == STATUS_OK) st = comm_agree(c, setup_path(weights, s, "baseline.safetensors", 1));
    return st == STATUS_OK ? evaluate_model(c, s, "baseline", 1, weights) : st;
}

static status finetune_pretrained(const comm *c, const settings *s, int round) {
    char weights[FILE_PATH];
    status st = comm_agree(c, setup_path(weights, s, "pretrained.safetensors", round));
    return st == STATUS_OK
               ? finetune_model(c, s, STAGE_FINETUNE, round, weights, "finetuned.safetensors")
               : st;
}

static status evaluate_finetuned(const comm *c, const settings *s, int round) {
    char weights[FILE_PATH];
    status st = comm_agree(c, setup_path(weights, s, "finetuned.safetensors", round));
    return st == STATUS_OK ? evaluate_model(c, s, "finetuned", round, weights) : st;
}

/* What each line of the table of stages (src/app/stage/stage_list.c) does. */
static status run_stage(const comm *c, const settings *s, stage_id id, int round) {
    switch (id) {
    case STAGE_NONE:
        break;
    case STAGE_PACK:
        return command_pack(c, s);
    case STAGE_BASELINE:
        return make_baseline(c, s);
    case STAGE_EXTRACT:
        return command_extract(c, s);
    case STAGE_CLUSTER:
        return cluster_images(c, s, round);
    case STAGE_SCORE:
        return score_labels(c, s, round);
    case STAGE_PRETRAIN:
        return pretrain_model(c, s, round);
    case STAGE_FINETUNE:
        return finetune_pretrained(c, s, round);
    case STAGE_EVALUATE:
        return evaluate_finetuned(c, s, round);
    case STAGE_REPORT:
        return command_report(c, s);
    }
    return STATUS_OK;
}

/* Stages first to end - 1 of a round. */
static status run_stages(const comm *c, const settings *s, int first, int end, int round) {
    status st = STATUS_OK;
    for (int id = first; id < end && st == STATUS_OK; id++)
        if (stage_wanted(id, s, round)) st = run_stage(c, s, id, round);
    return st;
}

/* Where the stages end that, like `first`, are done once, or in each round. */
static int block_end(int first) {
    int end = first;
    while (end < STAGE_COUNT && stage_about(end)->each_round == stage_about(first)->each_round)
        end++;
    return end;
}

/* What the run was for, as the last lines of its log. */
static void print_row(const run_record *r, const char *title, const char *group) {
    log_info("  %-28s %7.4f  %7.4f  %7.4f", title, run_record_get_result(r, group, "mIoU"),
        run_record_get_result(r, group, "mAcc"), run_record_get_result(r, group, "aAcc"));
}

/* The baseline's row is there where it was evaluated, in this start or an earlier one: all figures
 * come from run.json. */
static void print_table(const settings *s, const run_record *r, const char *report) {
    char group[32], title[64];
    if (!stage_has_labels(s)) {
        log_info("no labels: nothing was fine-tuned or evaluated; the result is "
                 "pretrained.safetensors");
        log_info("report: %s", report);
        return;
    }
    log_info("fine-tuned on the labelled share from      mIoU     mAcc     aAcc");
    if (!isnan(run_record_get_result(r, "baseline", "mIoU")))
        print_row(r, "plain initial weights", "baseline");
    for (int round = 1; round <= s->run.rounds; round++) {
        snprintf(group, sizeof group, round > 1 ? "finetuned-%d" : "finetuned", round);
        snprintf(title, sizeof title,
            round > 1 ? "contrastive, round %d" : "contrastive pretraining", round);
        print_row(r, title, group);
    }
    if (s->finetune.contrast_weight > 0)
        log_info("(after pretraining a contrast was kept, finetune.contrast_weight = %g)",
            s->finetune.contrast_weight);
    log_info("report: %s", report);
}

/* Rank 0: the table, and DONE as the last file of the run. DONE is for scripts that wait for the
 * run: whoever finds it finds everything else. */
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

/* What will not be done is said before hours are spent on the rest. */
static status check_labels(const settings *s) {
    stage_tell_idle(s);
    if (!stage_has_clusters(s))
        log_info("pretrain.method = \"%s\": no auxiliary labels, so no extract, no cluster and no "
                 "score",
            pretrain_method_words[s->pretrain.method]);
    if (stage_has_labels(s)) return STATUS_OK;
    if (stage_check_unlabelled(s) > 0) return STATUS_USAGE;
    log_info("dataset.layout = \"folder\": no labels, so no baseline, no score, no fine-tuning and "
             "no evaluation");
    return STATUS_OK;
}

/* All stages of all rounds. */
static status run_rounds(const comm *c, const settings *s) {
    status st = STATUS_OK;
    for (int first = STAGE_FIRST, end; first < STAGE_COUNT; first = end) {
        end = block_end(first);
        /* Rounds go over the block as a whole: each learns from the one before. */
        int rounds = stage_about(first)->each_round ? s->run.rounds : 1;
        for (int round = 1; round <= rounds && st == STATUS_OK; round++)
            st = run_stages(c, s, first, end, round);
    }
    return st;
}

status command_run(const comm *c, const settings *s) {
    status st = comm_agree(c, comm_root(c) ? check_labels(s) : STATUS_OK);
    if (st == STATUS_OK) st = setup_folder(c, s);
    if (st == STATUS_OK) st = comm_agree(c, comm_root(c) ? forget_done(s) : STATUS_OK);
    if (st == STATUS_OK) st = run_rounds(c, s);
    /* Once: a packing that is damaged again is the disk's. */
    if (st == STATUS_DATA && repair_dataset(c, s)) st = run_rounds(c, s);
    /* A run that was to end earlier has no table and no DONE. */
    if (st == STATUS_OK && stage_wanted(STAGE_REPORT, s, 1))
        st = comm_agree(c, comm_root(c) ? finish(s) : STATUS_OK);
    return st;
}
