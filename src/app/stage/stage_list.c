/* The one table of stages. A group that a key lacks makes `run` skip what should be done anew; one
 * that it has too much repeats what is already there. Commands, `run`, help, manual page and keys
 * all read it, so that a stage has its texts and its conditions once. */
#include "src/app/stage/stage_list.h"

#include "src/base/log.h"

/* From round 2 on the extractor is the last round's model, whatever the settings say of the first.
 * By itself the program extracts with a file where one is given, else with the baseline. */
bool stage_extracts_finetuned(const settings *s, int round) {
    if (round > 1) return true;
    switch (s->extract.source) {
    case EXTRACT_SOURCE_AUTO:
        return !s->extract.files[0] && !s->extract.weights[0] && !s->model.weights[0];
    case EXTRACT_SOURCE_WEIGHTS:
    case EXTRACT_SOURCE_FILES:
        return false;
    case EXTRACT_SOURCE_FINETUNED:
        return true;
    }
    return true;
}

/* A folder of images is known to have none before anything is read. */
bool stage_has_labels(const settings *s) {
    return s->dataset.layout != DATASET_LAYOUT_FOLDER;
}

bool stage_has_clusters(const settings *s) {
    return s->pretrain.method == PRETRAIN_METHOD_PIXEL;
}

static bool with_labels(const settings *s, int round) {
    (void)round;
    return stage_has_labels(s);
}

bool stage_extracts_files(const settings *s, int round) {
    return round == 1 && s->extract.files[0] &&
           (s->extract.source == EXTRACT_SOURCE_FILES || s->extract.source == EXTRACT_SOURCE_AUTO);
}

/* Beside the reference that it is, the first round's extractor. */
static bool baseline_wanted(const settings *s, int round) {
    bool extractor = stage_has_clusters(s) && stage_extracts_finetuned(s, round);
    return stage_has_labels(s) && round == 1 && (s->run.compare || extractor);
}

/* The clustering extracts by itself what is not kept, and what a later round keeps. */
static bool extract_wanted(const settings *s, int round) {
    return stage_has_clusters(s) && round == 1 && s->extract.keep;
}

static bool cluster_wanted(const settings *s, int round) {
    (void)round;
    return stage_has_clusters(s);
}

static bool score_wanted(const settings *s, int round) {
    return stage_has_clusters(s) && with_labels(s, round);
}

#define NEEDS_LABELS "labels, which dataset.layout = \"folder\" has not"
#define NEEDS_CLUSTERS "pretrain.method = \"pixel\", as the others have no auxiliary labels"

/* Where two stages hash the same groups, they differ in what they read, which is in their keys,
 * too. */
static const stage_info table[] = {
    [STAGE_PACK] = {.summary = "images and labels of a data set into one file",
        .reads = "list files, images and label maps of dataset.root",
        .writes = "dataset.h5",
        .groups = "dataset"},
    /* "run" stands for run.seed; all else of that group cannot change a result. */
    [STAGE_BASELINE] = {.summary = "the reference: fine-tuning from plain initial weights",
        .reads = "dataset.h5, model.weights, checkpoints/",
        .writes = "baseline.safetensors, metrics.csv, results in run.json",
        .groups = "run,dataset,model,finetune",
        .condition = "labels, and run.compare or an extractor that is to be fine-tuned",
        .wanted = baseline_wanted},
    [STAGE_EXTRACT] = {.summary = "dense features of every training image",
        .reads = "dataset.h5, the weights or files that [extract] names",
        .writes = "features.h5",
        .groups = "dataset,model,extract",
        .condition = "extract.keep, else the clustering computes them, and with " NEEDS_CLUSTERS,
        .each_round = true,
        .wanted = extract_wanted},
    [STAGE_CLUSTER] = {.summary = "auxiliary labels: k-means over all pixels",
        .reads = "dataset.h5, features.h5 if it is there (else features are computed)",
        .writes = "labels.h5, metrics.csv",
        .groups = "run,dataset,model,extract,cluster",
        .condition = NEEDS_CLUSTERS,
        .each_round = true,
        .wanted = cluster_wanted},
    /* The labels that it judges are its input; how they were made does not matter. */
    [STAGE_SCORE] = {.summary = "quality of the auxiliary labels against ground truth",
        .reads = "dataset.h5, labels.h5",
        .writes = "results in run.json, and a table",
        .groups = "dataset",
        .condition = NEEDS_LABELS ", and with " NEEDS_CLUSTERS,
        .each_round = true,
        .wanted = score_wanted},
    [STAGE_PRETRAIN] = {.summary = "contrastive training with the auxiliary labels",
        .reads = "dataset.h5, labels.h5, model.weights, checkpoints/",
        .writes = "pretrained.safetensors, metrics.csv, checkpoints/",
        .groups = "run,dataset,model,pretrain",
        .each_round = true},
    [STAGE_FINETUNE] = {.summary = "supervised training on the labelled share",
        .reads = "dataset.h5, finetune.weights (default: pretrained.safetensors), labels.h5 for "
                 "finetune.contrast_weight, checkpoints/",
        .writes = "finetuned.safetensors, metrics.csv, checkpoints/",
        .groups = "run,dataset,model,finetune",
        .condition = NEEDS_LABELS,
        .each_round = true,
        .wanted = with_labels},
    [STAGE_EVALUATE] = {.summary = "mIoU, mAcc, aAcc of a model",
        .reads = "dataset.h5, evaluate.weights (default: finetuned.safetensors)",
        .writes = "results in run.json, confusion-MODEL.csv, and a table",
        .groups = "dataset,model,evaluate",
        .condition = NEEDS_LABELS,
        .each_round = true,
        .wanted = with_labels},
    /* Made anew each time: it takes seconds, and shows what has been done since. */
    [STAGE_REPORT] = {.summary = "one self-contained HTML page of the run",
        .reads = "run.json, metrics.csv, dataset.h5, labels.h5, weights",
        .writes = "report.html",
        .groups = ""},
};
_Static_assert(sizeof table / sizeof *table == STAGE_COUNT, "every stage has its line");

const stage_info *stage_about(stage_id id) {
    return &table[id];
}

/* A run that is to end early does one round at most: rounds after it would need the stages that are
 * left out. */
static bool ends_early(const settings *s) {
    return s->run.until != STAGE_NONE && s->run.until != STAGE_REPORT;
}

int stage_rounds(const settings *s) {
    return ends_early(s) ? 1 : s->run.rounds;
}

bool stage_wanted(stage_id id, const settings *s, int round) {
    if (ends_early(s) && (id > s->run.until || round > 1)) return false;
    return !table[id].wanted || table[id].wanted(s, round);
}

void stage_tell_idle(const settings *s) {
    if (s->finetune.weights[0])
        log_warn(
            "finetune.weights has no effect in a run, which fine-tunes what it has pretrained: "
            "it is for the command `finetune`");
    if (s->finetune.contrast_weight > 0 && !stage_wanted(STAGE_FINETUNE, s, 1))
        log_warn("finetune.contrast_weight has no effect: this run has no fine-tuning that could "
                 "keep a contrast, and the baseline keeps none");
}

/* What a folder of images cannot give: an extractor that is trained on labels, rounds that begin
 * with one, a last stage that needs them. */
int stage_check_unlabelled(const settings *s) {
    int wrong = 0;
    if (stage_has_labels(s)) return 0;
    if (stage_wanted(STAGE_CLUSTER, s, 1) && stage_extracts_finetuned(s, 1)) {
        log_error("dataset.layout = \"folder\" has no labels to train an extractor with: set "
                  "model.weights or extract.weights to a file, and extract.source = \"weights\"");
        wrong++;
    }
    if (stage_wanted(STAGE_CLUSTER, s, 2) && s->run.rounds > 1) {
        log_error("run.rounds = %d: later rounds extract with a model that was fine-tuned on "
                  "labels, which dataset.layout = \"folder\" has not",
            s->run.rounds);
        wrong++;
    }
    stage_id until = s->run.until;
    if (until != STAGE_NONE && until != STAGE_EXTRACT && !stage_wanted(until, s, 1)) {
        log_error("run.until = \"%s\": it needs labels, which dataset.layout = \"folder\" has not",
            stage_id_words[until]);
        wrong++;
    }
    return wrong;
}
