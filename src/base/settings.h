/* The settings of a run: one table (settings_table.c) drives parsing, checks, printing, the saved
 * copy and configs/default.cfg. Not collective: rank 0 reads, mpi/settings_share.h broadcasts. No
 * pointers inside. */
#ifndef AUXSEG_BASE_SETTINGS_H
#define AUXSEG_BASE_SETTINGS_H

#include "src/base/dtype.h"
#include "src/base/settings_choices.h"
#include "src/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { SETTINGS_TEXT = 1024 }; /* longest string value, with its end */
typedef char settings_text[SETTINGS_TEXT];

/* A training stage's optimiser; its keys stand in the stage's group. */
typedef struct optimizer_settings {
    update_optimizer optimizer;
    double momentum, trust, beta1, beta2, epsilon, weight_decay, clip;
} optimizer_settings;

/* How a training stage makes views of images; their keys stand in the stage's group. */
typedef struct view_settings {
    view_crop_by crop_by;
    view_colours colours;
    double scale_min, scale_max, area_min, area_max, aspect_min, aspect_max, flip;
    double jitter_probability, jitter, brightness, contrast, saturation, hue; /* -1: as jitter */
    double grey, blur, blur_min, blur_max;
} view_settings;

typedef struct settings {
    struct {
        settings_text dir, store;
        stage_id until; /* `run`: the stage after which it ends; STAGE_NONE: all */
        run_resume resume;
        int64_t seed;
        int rounds, threads, checkpoint_steps; /* threads 0: OMP_NUM_THREADS or the cores given */
        int loader_threads, loader_depth, untimed_steps;
        bool compare;
        double max_hours, watchdog;
        bool tensorboard, verbose; /* the log's tables */
    } run;
    struct {
        dataset_layout layout;
        settings_text variant, root, train, val, test, strip_prefix, names, label_map, colours,
            unlabelled;
        dataset_on_bad_image on_bad_image;
        dataset_label_orientation label_orientation;
        dataset_held_out_for held_out_for;
        double held_out; /* below 1: a share */
        int held_out_block;
        int classes, ignore, max_side;
        double scale, max_megapixels;
        int synth_train, synth_val, synth_height, synth_width;
    } dataset;
    struct {
        model_backbone backbone;
        model_head head;
        settings_text weights;
        model_norm norm;
        model_dtype dtype;
        model_winograd winograd;
        model_recompute recompute;
        int stages, output_stride, group, wave, head_channels, projection;
        bool weights_strict;
        model_stem stem;
        model_stride_in stride_in;
        model_channels channels;
        model_range range;
        settings_text mean, std; /* three numbers, or "auto" */
    } model;
    struct {
        extract_source source;
        extract_backbone backbone;
        extract_positions positions;
        settings_text weights, layers, npy, files, scales;
        extract_files_order files_order;
        dtype dtype;
        extract_memory memory;
        bool normalize, keep, flip;
        int pca;
    } extract;
    struct {
        cluster_method method;
        cluster_metric metric;
        cluster_screen screen;
        cluster_arithmetic arithmetic;
        cluster_init init;
        cluster_outlier_scope outlier_scope;
        settings_text start; /* file of initial centroids; "": by init */
        int k, iterations, restarts, sample, sample_iterations, branch_iterations;
        int checkpoint_iterations, batch;
        int min_points; /* and eps: of method "dbscan" */
        double tolerance, outliers, eps;
    } cluster;
    struct {
        pretrain_method method;
        pretrain_positives positives;
        pretrain_scope scope;
        dtype loss_dtype;
        training_schedule schedule;
        int steps, batch, crop, pixels, warmup;
        int pool;         /* rows of all ranks; 0: no bound */
        int pixel_queue;  /* earlier pixels a label */
        int label_groups; /* 0: none */
        int queue;        /* of methods "instance" and "dense", like the next two */
        double key_temperature, key_average;
        double dense_weight; /* of "dense" */
        double boundary;     /* share of pixels; -1: as chance has it */
        double temperature, lr, head_lr, average;
        optimizer_settings update;
        view_settings view;
    } pretrain;
    struct {
        finetune_method method;
        settings_text list, teacher; /* teacher: weights that label; "": trained first */
        training_schedule schedule;
        settings_text weights; /* the command `finetune` starts from; "": pretrained.safetensors */
        int steps, batch, crop, warmup;
        int validate, patience; /* steps, validations; 0: none */
        finetune_keep keep;
        double fraction, lr, head_lr, power;
        double unlabelled_weight, confidence, cutmix, strong; /* -1: as the method's paper */
        double contrast_weight; /* of the contrastive loss that is kept; 0: none */
        double average;
        optimizer_settings update;
        view_settings view;
    } finetune;
    struct {
        split split;
        settings_text scales, weights; /* weights "": finetuned.safetensors */
        evaluate_ids ids;              /* of predictions */
        bool flip;
        int predictions; /* palette PNGs that `predict` writes; -1: all */
    } evaluate;
    struct {
        int overlays;
    } report;
} settings;

void settings_set_defaults(settings *s);
/* Defaults, then the file, then each "group.key=value" of set [sets], all or nothing.
 * Every mistake is collected: unknown keys with the nearest known one, wrong types, values out of
 * range, with file and line, and values that contradict each other. They are written with
 * log_error; STATUS_USAGE if there is one.
 * file NULL: defaults and `set` only. @include is refused. */
status settings_read(settings *out, const char *file, const char *const *set, int sets);
/* The same, but what is right is in *out even if there are mistakes, defaults in place of the rest:
 * for `check`, which looks on. Returns how many there are. *understood: STATUS_USAGE if the file is
 * none of settings at all, STATUS_FAILED if there is no memory for it. */
int settings_read_valid(
    settings *out, const char *file, const char *const *set, int sets, status *understood);
/* The effective settings as a libconfig file; with `manual` every key with its help, unit, range
 * and choices (configs/default.cfg). */
void settings_write(const settings *s, FILE *to, bool manual);
/* What differs from the defaults as a libconfig file, a group after the other in lines of at most
 * 80 letters (longer where a value is): for the log. Nothing where all is as by default. */
status settings_write_changes(const settings *s, FILE *to);
/* "group.key", its value as text: for run.json and the report. index from 0; false past the end. */
bool settings_item(
    const settings *s, int index, char *key, size_t key_size, char *text, size_t text_size);
/* Hash of the values of the named groups ("dataset,model"; keys that cannot change a result,
 * run.dir and run.threads say, are left out): what a stage's output depends on. */
uint64_t settings_hash(const settings *s, const char *groups);
/* Whether number `index` of settings_item is in that hash; false past the end. */
bool settings_counts(int index, const char *groups);

#endif
