/* Every setting, once, here and, up to the group cluster, in settings_table_labels.c, as one file
 * would be too long: a row is all that a new one needs. The macros write the row's name and its
 * place in the struct from one word, so that the two cannot part. Help is written for who has not
 * read the paper; it becomes configs/default.cfg, the manual page and the completion. A setting
 * that cannot change a result is marked `aside`: it is no part of the keys by which a stage is
 * known as done.
 *
 * How a row is read: the macro says the type, which must be that of the struct's member, as the
 * value is written through a pointer of it; then come group and key, the default, the bounds (both
 * allowed) and the unit of numbers, and the help. Flags and choices keep their default in `number`.
 *
 * What must not change: the names of keys and the order of rows. Hashes of settings are made of
 * both, and runs of yesterday are known by them. Rows of one group stand together, as a file is
 * written from top to bottom. A default may change: hashes are of values. That of a row marked
 * `later` may not: at its default it is in no hash, so that a new setting leaves the runs alone
 * that were made before it. */
#include "src/base/settings_table.h"

#include "src/base/settings_rows.h"

#include <limits.h>

/* Why a row is aside: it says where things are or how much is shown (run.dir, report.overlays),
 * when a stage ends or saves (run.until, run.checkpoint_steps), or by which way the same bits are
 * computed (run.threads, extract.memory). Of weights the stages that read them hash what they hold.
 */
static const setting table[] = {
    {CHOICE(pretrain, method, PRETRAIN_METHOD_PIXEL,
         "What is compared. pixel: pixels, by their auxiliary labels. instance: whole images, each "
         "view with the other one of its image against a queue of earlier ones (MoCo v2: He et al. "
         "2020, Chen et al. 2020). dense: whole images, and the cells of a view's map, each with "
         "that of the other view whose features are the most similar (DenseCL: Wang et al. 2021). "
         "The last two need no auxiliary labels, so that a run leaves out their stages, and of "
         "this group they take neither positives, scope, loss_dtype, pixels, boundary, pool, "
         "pixel_queue, label_groups nor temperature (src/app/training/README.md)."),
        .later = true},
    {CHOICE(pretrain, positives, PRETRAIN_POSITIVES_AUXILIARY,
        "Pixels that are drawn together: those of the same auxiliary label; the one that shows the "
        "same place in the other view; both.")},
    {CHOICE(pretrain, scope, PRETRAIN_SCOPE_GLOBAL,
        "Pixels are compared over all images of the batch, or within each.")},
    {CHOICE_OF(pretrain, loss_dtype, dtype_words, DTYPE_F32,
        "Embeddings that the loss compares: as they are, or rounded to bf16, which halves their "
        "exchange. Products are summed in fp32 either way. Error of the gradient against "
        "float64, at 4096 pixels in 128 dimensions: 1.2e-7, 1.7e-3 relative.")},
    OPTIMIZER(pretrain),
    {CHOICE_OF(pretrain, schedule, training_schedule_words, TRAINING_SCHEDULE_COSINE,
        "Course of the learning rate.")},
    {INTEGER(pretrain, steps, 300, 1, 100000000, "steps", "Length of the training.")},
    {INTEGER(pretrain, batch, 8, 1, 1000000, "images",
        "Images of a step, over all ranks; each gives two views.")},
    /* A view is at least the largest output stride, so that one pixel of the network is left. */
    {INTEGER(pretrain, crop, 160, 32, 8192, "pixels", "Side of a view.")},
    {INTEGER(pretrain, pixels, 160, 1, 1000000, "pixels",
        "Pixels of a view that are compared, chosen evenly over its labels.")},
    /* MoCo's queue, from which on more negatives have not helped (He et al. 2020, figure 3). */
    {INTEGER(pretrain, pool, 65536, 0, 1000000000, "pixels",
         "Most pixels of a step that are compared, over all ranks: of more, so many are drawn, by "
         "image and pixel, and the loss is that of those. Work grows with the square, and each "
         "node holds all; the default is the length of MoCo's queue. 0: no bound."),
        .later = true},
    {REAL(pretrain, boundary, -1, -1, 1, NULL,
         "pixel: of the pixels that are compared of each auxiliary label in a view, the share that "
         "lies at a boundary with another label, as far as there are such; 0: the others first. "
         "-1: as chance has it. Its effect was not measured."),
        .later = true},
    {INTEGER(pretrain, pixel_queue, 0, 0, 10000000, "pixels",
         "pixel: embeddings of earlier steps, so many of each auxiliary label, that a step's "
         "pixels are compared with, too, as positives and as negatives. They are constants, as "
         "the network of their step has made them; the newest ones are kept. 0: none; "
         "no gain of it was shown (src/contrast/README.md)."),
        .later = true},
    {INTEGER(pretrain, label_groups, 0, 0, 65535, "groups",
         "pixel: groups of auxiliary labels whose centroids are alike, by Ward's method; pixels of "
         "another label of the same group are no negatives, as they may well be of the same class. "
         "No more than cluster.k, and not 1. 0: pixels of all other labels are negatives."),
        .later = true},
    {INTEGER(pretrain, queue, 65536, 1, 100000000, "keys",
         "instance, dense: keys of earlier steps that a view is compared with; no more than the "
         "images give in an epoch, no fewer than a step has."),
        .later = true},
    {REAL(pretrain, key_temperature, 0.2, 0.001, 100, NULL,
         "instance, dense: divides the similarity of two images, or of two cells."),
        .later = true},
    {REAL(pretrain, dense_weight, 0.5, 0, 1, NULL,
         "dense: weight of the loss of cells, beside that of whole images with what is left to 1."),
        .later = true},
    {REAL(pretrain, key_average, 0.999, 0, 0.999999, NULL,
         "instance, dense: decay of the averaged weights that give keys, from the first step on: "
         "under a fast one keys of earlier steps no longer compare. What is written are the "
         "weights that learn."),
        .later = true},
    {INTEGER(pretrain, warmup, 0, 0, 100000000, "steps",
        "Steps over which the learning rate first rises.")},
    /* Never 0, as products are divided by it. */
    {REAL(pretrain, temperature, 0.1, 0.001, 100, NULL, "Divides the similarity of two pixels.")},
    {REAL(pretrain, lr, 0.01, 0, 1000, NULL, "Learning rate of the encoder.")},
    {REAL(pretrain, head_lr, 1, 0, 1000, NULL, "Factor of lr for all that is not the encoder.")},
    {REAL(pretrain, average, 0, 0, 0.999999, NULL,
         "Decay of averaged weights, which are what is written: after a step they are so much of "
         "what they were and for the rest the step's, norm statistics included; 0.99 averages "
         "over some hundred steps. The first ones count alike. 0: the last step's weights."),
        .later = true},
    OPTIMIZER_NUMBERS(pretrain),
    VIEWS(pretrain),

    {CHOICE(finetune, method, FINETUNE_METHOD_SUPERVISED,
         "How the model learns. supervised: from the labelled share alone. pixel-contrast: pixels "
         "of the labelled share are first contrasted by their classes, as [pretrain] says (Zhao "
         "et al. 2021). The others show "
         "training images without labels in half of a batch's places, so that all see as many "
         "images (src/app/training/README.md). pseudo-labels: those that a teacher, fine-tuned "
         "first on the labelled share from the same weights, is sure of (Lee 2013; Sohn et al. "
         "2020). mean-teacher: those that the average of the model's own weights is sure of, with "
         "CutMix; the average is written (Tarvainen, Valpola 2017; French et al. 2020). "
         "cross-pseudo: two networks whose heads begin at different values label for each "
         "other; the first one is written (Chen et al. 2021). The baseline is trained by the same "
         "method, from plain initial weights."),
        .later = true},
    {WORDS(finetune, list, "",
        "File with the names of the labelled images, one a line; empty: a share of the training "
        "images, chosen by run.seed.")},
    {WORDS(finetune, teacher, "",
         "Weights of the model that labels under method \"pseudo-labels\"; what the file holds "
         "counts. Empty: one is fine-tuned first."),
        .aside = true},
    OPTIMIZER(finetune),
    {CHOICE_OF(finetune, schedule, training_schedule_words, TRAINING_SCHEDULE_POLYNOMIAL,
        "Course of the learning rate.")},
    {WORDS(finetune, weights, "",
         "What the command `finetune` starts from; empty: pretrained.safetensors of the run."),
        .aside = true},
    {INTEGER(finetune, steps, 400, 1, 100000000, "steps", "Length of the training.")},
    {INTEGER(finetune, batch, 8, 1, 1000000, "images", "Images of a step, over all ranks.")},
    {INTEGER(finetune, crop, 160, 32, 8192, "pixels", "Side of a view.")},
    {INTEGER(finetune, warmup, 0, 0, 100000000, "steps",
        "Steps over which the learning rate first rises.")},
    {INTEGER(finetune, validate, 0, 0, 100000000, "steps",
         "Every so many steps, and after the last one, the mIoU of the weights that would be "
         "written is measured, on the held-out images where there are any (dataset.held_out), "
         "else on the validation images, whole, at one size, and stands in the log and in "
         "metrics.csv; 0: never. A training that is done is not repeated for it, but where keep or "
         "patience choose by it. A request to stop waits for the end of such a measurement."),
        .later = true},
    {CHOICE(finetune, keep, FINETUNE_KEEP_LAST,
         "Which weights are written. last: those of the last step. best: those of the step whose "
         "validation was the best so far. Chosen by images that evaluation then measures them on, "
         "figures are too good: honest is dataset.held_out with held_out_for = \"validate\", and "
         "fair among settings that are compared is held_out_for = \"evaluate\"."),
        .later = true},
    {INTEGER(finetune, patience, 0, 0, 1000000, "validations",
         "Fine-tuning ends early after so many validations without a rise; the learning rate's "
         "course is that of all steps. What is said of keep holds here, too. 0: it does not."),
        .later = true},
    {REAL(finetune, fraction, 1, 0, 1, NULL,
        "Share of the training images whose labels are used; at least one image.")},
    {REAL(finetune, lr, 0.01, 0, 1000, NULL, "Learning rate of the encoder.")},
    {REAL(finetune, head_lr, 3, 0, 1000, NULL, "Factor of lr for all that is not the encoder.")},
    {REAL(finetune, power, 0.9, 0, 100, NULL, "Exponent of the polynomial schedule.")},
    {REAL(finetune, unlabelled_weight, -1, -1, 1000, NULL,
         "Factor of the loss of images without labels. -1, here and in the next three: as in the "
         "method's paper: 1; cross-pseudo 1.5."),
        .later = true},
    {REAL(finetune, confidence, -1, -1, 1, NULL,
         "Pixels of which the teacher is less sure take no part. -1: pseudo-labels 0.95, "
         "mean-teacher 0.97, cross-pseudo 0."),
        .later = true},
    {REAL(finetune, cutmix, -1, -1, 0.9, NULL,
         "CutMix: share of a view without labels, a box, that shows a second image; 0: none. -1: "
         "mean-teacher and cross-pseudo 0.5, pseudo-labels 0."),
        .later = true},
    {REAL(finetune, strong, -1, -1, 1, NULL,
         "Strong augmentation of views that are learned from without labels, where what labels "
         "them sees plain ones: with probability 0.8 brightness, contrast and saturation change "
         "by up to this share and hue by half of it; a fifth is grey, half are blurred; 0: plain "
         "ones. -1: pseudo-labels and mean-teacher 0.5, cross-pseudo 0."),
        .later = true},
    {REAL(finetune, contrast_weight, 0, 0, 1000, NULL,
         "Factor of the contrastive loss by auxiliary labels, kept in fine-tuning beside the "
         "cross-entropy, of pixels of the whole batch, with pixels, boundary, pool, scope, "
         "temperature, loss_dtype and label_groups of [pretrain]; method \"supervised\" alone. As "
         "long as there are training images without labels, they stand in half of a batch's "
         "places. 0: none. The baseline has none."),
        .later = true},
    {REAL(finetune, average, 0, 0, 0.999999, NULL,
         "Decay of averaged weights, which are what is written: after a step they are so much of "
         "what they were and for the rest the step's, norm statistics included; 0.99 averages "
         "over some hundred steps. The first ones count alike. 0: the last step's weights; under "
         "mean-teacher 0.99."),
        .later = true},
    OPTIMIZER_NUMBERS(finetune),
    VIEWS(finetune),

    {CHOICE_OF(evaluate, split, split_words, SPLIT_VAL, "The images that are evaluated.")},
    {CHOICE(evaluate, ids, EVALUATE_IDS_TRAIN,
         "Ids in the files that `predict` writes. train: 0, 1, ... as in training; dataset: those "
         "of the label files, by the inverse of dataset.label_map (of several that became one "
         "class "
         "the lowest), as the servers of benchmarks want them."),
        .aside = true},
    {WORDS(evaluate, scales, "1",
        "Sizes at which predictions are made and averaged, as factors separated by commas.")},
    {WORDS(evaluate, weights, "",
         "What the commands `evaluate` and `predict` use; empty: finetuned.safetensors of the "
         "run. Figures of a file that is no model of the run stand in run.json under the name "
         "\"weights\"."),
        .aside = true},
    {FLAG(evaluate, flip, 0, "Average with the prediction of the mirrored image.")},
    {INTEGER(evaluate, predictions, -1, -1, INT_MAX, "images",
         "Predictions that `predict` writes as palette PNG; -1: all."),
        .aside = true},

    {INTEGER(report, overlays, 6, 0, 1000, "images", "Images shown with labels and predictions."),
        .aside = true},
};

/* The table is private: whoever walks it sees its order, and no size to keep in step. */
const setting *setting_at(int index) {
    int first = settings_count_of_labels, all = first + (int)(sizeof table / sizeof *table);
    if (index < 0 || index >= all) return NULL;
    return index < first ? &settings_rows_of_labels[index] : &table[index - first];
}
