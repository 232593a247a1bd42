/* What is right by itself and wrong together. A combination that cannot work is found here, on rank
 * 0 and in `auxseg check`, in a millisecond, not after hours in the stage that it breaks. Each
 * mistake is one message that names the keys and says what would be right; all of them are counted,
 * since a user who mends one at a time waits in the queue each time. */
#include "src/base/settings_check.h"

#include "src/base/log.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS_TEXT = 256 }; /* longest list of layers, with its end: features.h5 keeps it */

/* Batches of whole norm groups; the two views of an image stay together. Statistics of a norm group
 * are taken on one rank: a batch that is no whole number of them would leave a smaller one, whose
 * statistics are others. */
static int check_groups(const settings *s) {
    int wrong = 0, group = s->model.group;
    if (s->model.norm != MODEL_NORM_GROUP) return 0;
    if (2 * (int64_t)s->pretrain.batch % group != 0) {
        log_error("pretrain.batch = %d: its %lld views must be whole groups of model.group = %d",
            s->pretrain.batch, 2 * (long long)s->pretrain.batch, group);
        wrong++;
    }
    if (group % 2 != 0) {
        log_error("model.group = %d: an even number is needed, as an image has two views", group);
        wrong++;
    }
    if (s->finetune.batch % group != 0) {
        log_error("finetune.batch = %d: must be whole groups of model.group = %d",
            s->finetune.batch, group);
        wrong++;
    }
    return wrong;
}

/* The smallest map that a norm sees: DeepLab's mean of the image, or what the encoder leaves of a
 * small crop, whose stride doubles with each stage. */
static bool one_pixel(const settings *s, int crop) {
    int stride = 2 << s->model.stages;
    if (stride > s->model.output_stride) stride = s->model.output_stride;
    return s->model.head != MODEL_HEAD_FCN || crop <= stride;
}

/* Statistics of one value: the value less its mean is zero, and what is behind the norm learns
 * nothing. The engine refuses it, too, whatever the network. Pretraining has two views. */
static int check_single(const settings *s) {
    int batch = s->finetune.batch;
    if (s->model.norm != MODEL_NORM_SYNC || batch > 1 || !one_pixel(s, s->finetune.crop)) return 0;
    log_error("finetune.batch = %d with model.norm = \"sync\": a norm would take statistics of one "
              "value a channel: two images, a larger crop and head \"fcn\", or norm \"frozen\"",
        batch);
    return 1;
}

/* Every second place of a batch: one image would have none. */
static int check_method(const settings *s) {
    bool alone = s->finetune.method == FINETUNE_METHOD_SUPERVISED ||
                 s->finetune.method == FINETUNE_METHOD_PIXEL_CONTRAST;
    if (alone || s->finetune.batch > 1) return 0;
    log_error("finetune.batch = %d: method \"%s\" shows images without labels in half of the "
              "places, and needs two at least",
        s->finetune.batch, finetune_method_words[s->finetune.method]);
    return 1;
}

/* Images are compared without labels of pixels: what would make these, or begin with what a round
 * before has learned of them, would do nothing for the result. */
static int check_instance(const settings *s) {
    int wrong = 0;
    stage_id until = s->run.until;
    const char *method = pretrain_method_words[s->pretrain.method];
    if (s->pretrain.method == PRETRAIN_METHOD_PIXEL) return 0;
    if (s->run.rounds > 1) {
        log_error("run.rounds = %d: pretrain.method = \"%s\" has no auxiliary labels that a "
                  "round could better",
            s->run.rounds, method);
        wrong++;
    }
    if (until == STAGE_EXTRACT || until == STAGE_CLUSTER || until == STAGE_SCORE) {
        log_error("run.until = \"%s\": pretrain.method = \"%s\" leaves this stage out",
            stage_id_words[until], method);
        wrong++;
    }
    if (s->pretrain.average > 0) {
        log_error("pretrain.average = %g: pretrain.method = \"%s\" has one average, of "
                  "pretrain.key_average, which gives keys",
            s->pretrain.average, method);
        wrong++;
    }
    return wrong;
}

/* Earlier pixels are compared by their labels, which partners of views have not. */
static int check_queue(const settings *s) {
    bool labels = s->pretrain.positives != PRETRAIN_POSITIVES_AUGMENTATION;
    if (s->pretrain.pixel_queue == 0 || labels) return 0;
    log_error(
        "pretrain.pixel_queue = %d: pretrain.positives = \"augmentation\" compares no labels, "
        "by which earlier pixels are kept",
        s->pretrain.pixel_queue);
    return 1;
}

/* Groups are of labels, and one group of all would leave no negative. */
static int check_label_groups(const settings *s) {
    int groups = s->pretrain.label_groups;
    bool counted = s->cluster.method != CLUSTER_METHOD_DBSCAN; /* which finds how many */
    if (groups == 0) return 0;
    if (s->pretrain.positives == PRETRAIN_POSITIVES_AUGMENTATION)
        log_error("pretrain.label_groups = %d: pretrain.positives = \"augmentation\" compares no "
                  "labels",
            groups);
    else if (groups == 1)
        log_error("pretrain.label_groups = 1: one group of all labels leaves no negatives");
    else if (counted && groups > s->cluster.k)
        log_error("pretrain.label_groups = %d: there are %d auxiliary labels (cluster.k)", groups,
            s->cluster.k);
    else
        return 0;
    return 1;
}

/* The contrast needs auxiliary labels; other methods have uses of their own for half of a batch. */
static int check_contrast(const settings *s) {
    if (s->finetune.contrast_weight <= 0) return 0;
    if (s->finetune.method != FINETUNE_METHOD_SUPERVISED)
        log_error("finetune.contrast_weight = %g: with finetune.method = \"supervised\" alone, not "
                  "\"%s\"",
            s->finetune.contrast_weight, finetune_method_words[s->finetune.method]);
    else if (s->pretrain.method != PRETRAIN_METHOD_PIXEL)
        log_error("finetune.contrast_weight = %g: pretrain.method = \"%s\" has no auxiliary labels",
            s->finetune.contrast_weight, pretrain_method_words[s->pretrain.method]);
    else if (s->finetune.batch < 2)
        log_error(
            "finetune.batch = %d: finetune.contrast_weight puts images without labels, as long as "
            "there are any, into half of the places, and needs two at least",
            s->finetune.batch);
    else
        return 0;
    return 1;
}

/* An empty range would be an endless search, or a view of nothing. */
static int check_range(const char *group, const char *key, double min, double max) {
    if (min <= max) return 0;
    log_error("%s.%s_min = %g is above %s.%s_max = %g", group, key, min, group, key, max);
    return 1;
}

/* "auto", or three numbers; deviations above zero. */
static int check_colours(const char *key, const char *text, bool positive) {
    const char *at = text;
    int count = 0;
    if (strcmp(text, "auto") == 0) return 0;
    /* As the reader has it: no comma behind the last one, and above zero as a float. */
    for (char *end; *at && count < 3; count++) {
        float x = strtof(at, &end);
        if (end == at || !(x > -1e6F && x < 1e6F) || (positive && !(x >= FLT_MIN))) break;
        at = end + strspn(end, count < 2 ? " ," : " ");
    }
    if (count == 3 && !*at) return 0;
    log_error("model.%s = \"%s\": \"auto\" or three numbers%s, separated by commas, are needed",
        key, text, positive ? " above 0" : "");
    return 1;
}

/* What both training stages have. Keys are made of the group's name, as both groups share the
 * struct. Steps may be as few as the warm-up has, not fewer: the rate would never be reached. */
static int check_training(const char *group, const view_settings *v, int warmup, int steps) {
    int wrong = check_range(group, "scale", v->scale_min, v->scale_max) +
                check_range(group, "area", v->area_min, v->area_max) +
                check_range(group, "aspect", v->aspect_min, v->aspect_max) +
                check_range(group, "blur", v->blur_min, v->blur_max);
    if (warmup > steps) {
        log_error("%s.warmup = %d is more than %s.steps = %d", group, warmup, group, steps);
        wrong++;
    }
    return wrong;
}

/* Features of a network that nobody trained would say nothing. */
static int check_source(const settings *s) {
    if (s->extract.source == EXTRACT_SOURCE_FILES && !s->extract.files[0]) {
        log_error("extract.source = \"files\": extract.files is empty: a folder of .npy files, or "
                  "a features.h5, is needed");
        return 1;
    }
    if (s->extract.source != EXTRACT_SOURCE_WEIGHTS || s->extract.weights[0] || s->model.weights[0])
        return 0;
    log_error("extract.source = \"weights\": there are none: set model.weights or extract.weights "
              "to a file, or extract.source = \"finetuned\", which trains the extractor on the "
              "labelled share");
    return 1;
}

/* Its weights cannot be those of the network that is trained. */
static int check_extractor(const settings *s) {
    if (s->extract.backbone == EXTRACT_BACKBONE_MODEL) return 0;
    const char *word = extract_backbone_words[s->extract.backbone];
    if (s->extract.source == EXTRACT_SOURCE_FINETUNED) {
        log_error("extract.backbone = \"%s\": extract.source = \"finetuned\" is the model itself; "
                  "set extract.source = \"weights\"",
            word);
        return 1;
    }
    if (s->extract.weights[0]) return 0;
    log_error("extract.backbone = \"%s\": extract.weights is empty: the file of its weights is "
              "needed",
        word);
    return 1;
}

/* "layer1" to the last stage, "head"; each once. Bit n of `seen` is layer n, bit 0 the head. A
 * wrong list is emptied, so that who goes on with the settings, as `check` does, does not stumble
 * over it again; so is a wrong output_stride made 8. */
static int check_layers(settings *s) {
    unsigned seen = 0;
    if (strlen(s->extract.layers) >= LAYERS_TEXT) {
        log_error("extract.layers: more than %d letters", LAYERS_TEXT - 1);
        s->extract.layers[0] = '\0';
        return 1;
    }
    /* Of a transformer the file says which blocks there are. */
    if (!s->extract.layers[0] || s->extract.backbone == EXTRACT_BACKBONE_VIT) return 0;
    for (const char *at = s->extract.layers; at;) {
        size_t length = strcspn(at, ",");
        bool stage = length == 6 && strncmp(at, "layer", 5) == 0 && at[5] >= '1' &&
                     at[5] < '1' + s->model.stages;
        bool head = length == 4 && strncmp(at, "head", 4) == 0;
        unsigned bit = stage ? 1u << (at[5] - '0') : 1u;
        if (!(stage || head) || (seen & bit)) {
            log_error("extract.layers = \"%s\": \"%.*s\" is %s; known are layer1 to layer%d "
                      "(model.stages) and head",
                s->extract.layers, (int)length, at, stage || head ? "named twice" : "unknown",
                s->model.stages);
            s->extract.layers[0] = '\0';
            return 1;
        }
        seen |= bit;
        at = at[length] ? at + length + 1 : NULL;
    }
    return 0;
}

/* "0.75,1,1.25": read here as evaluation and extraction read it, so that a list that it would
 * misread ends here.
 */
static int check_scales(const char *key, const char *scales) {
    const char *at = scales;
    do {
        char *end;
        double scale = strtod(at, &end);
        if (end == at || !(scale >= 0.05 && scale <= 20) || (*end && *end != ',')) {
            log_error("%s = \"%s\": numbers from 0.05 to 20 separated by commas", key, scales);
            return 1;
        }
        at = *end ? end + 1 : NULL;
    } while (at);
    return 0;
}

/* What a layout cannot do without. Whether files are there is not asked: this is about settings
 * alone, and needs no file system. */
static int check_dataset(const settings *s) {
    int wrong = 0;
    bool pairs = s->dataset.layout == DATASET_LAYOUT_PAIRS;
    if (!s->dataset.root[0]) {
        log_error("dataset.root is empty: the folder of the data set is needed");
        wrong++;
    }
    if (pairs && !s->dataset.train[0]) {
        log_error("dataset.train is empty: layout \"pairs\" needs a list file");
        wrong++;
    }
    if (pairs && s->dataset.classes < 2 && !s->dataset.colours[0]) {
        log_error("dataset.classes = %d: layout \"pairs\" needs 2 or more", s->dataset.classes);
        wrong++;
    }
    if (s->dataset.unlabelled[0] && s->dataset.layout == DATASET_LAYOUT_SYNTH) {
        log_error("dataset.unlabelled: layout \"synth\" makes its images itself");
        wrong++;
    }
    if (s->dataset.classes > 0 && s->dataset.ignore >= 0 &&
        s->dataset.ignore < s->dataset.classes) {
        log_error("dataset.ignore = %d is the id of one of the %d classes", s->dataset.ignore,
            s->dataset.classes);
        wrong++;
    }
    return wrong;
}

/* A share, or a number; of images that have labels. */
static int check_held_out(const settings *s) {
    double held = s->dataset.held_out;
    int wrong = 0;
    if (held > 1 && held != floor(held)) {
        log_error("dataset.held_out = %g: a share below 1 or a whole number of images", held);
        wrong++;
    }
    if (held > 0 && s->dataset.layout == DATASET_LAYOUT_FOLDER) {
        log_error("dataset.held_out: layout \"folder\" has no labels to evaluate with");
        wrong++;
    }
    /* Looks would go to the images that figures come from, which these words rule out. */
    if (held == 0 && s->dataset.held_out_for == DATASET_HELD_OUT_FOR_VALIDATE) {
        log_error("dataset.held_out_for = \"validate\" needs images: dataset.held_out is 0");
        wrong++;
    }
    return wrong;
}

/* What is decided by validations needs some; what cannot decide anything is told. */
static int check_validation(const settings *s) {
    int wrong = 0;
    if (s->finetune.validate > 0) {
        int64_t steps = s->finetune.steps, every = s->finetune.validate;
        int64_t looks = (steps + every - 1) / every;
        if (s->finetune.keep != FINETUNE_KEEP_LAST && looks < 2)
            log_warn("finetune.keep = \"best\": with finetune.validate = %d only the last of %d "
                     "steps is looked at",
                s->finetune.validate, s->finetune.steps);
        if (s->finetune.patience >= looks)
            log_warn("finetune.patience = %d ends nothing: there are %d validations at most",
                s->finetune.patience, (int)looks);
        return 0;
    }
    if (s->dataset.held_out > 0 && s->dataset.held_out_for == DATASET_HELD_OUT_FOR_VALIDATE &&
        s->evaluate.split != SPLIT_HELD_OUT)
        log_warn(
            "dataset.held_out_for = \"validate\" without finetune.validate: nobody looks at the "
            "held-out images, which nothing is trained on");
    if (s->finetune.keep != FINETUNE_KEEP_LAST) {
        log_error("finetune.keep = \"best\" needs finetune.validate, the steps from a validation "
                  "to the next");
        wrong++;
    }
    if (s->finetune.patience > 0) {
        log_error("finetune.patience needs finetune.validate, the steps from a validation to the "
                  "next");
        wrong++;
    }
    return wrong;
}

/* The network and the clustering of its features. */
static int check_model(settings *s) {
    int stride = s->model.output_stride, wrong = 0;
    if (s->model.norm == MODEL_NORM_SYNC && s->model.wave > 0) {
        log_error("model.wave = %d: model.norm = \"sync\" needs the whole batch at once for its "
                  "statistics, it cannot pass in waves",
            s->model.wave);
        wrong++;
    }
    if (stride != 8 && stride != 16 && stride != 32) {
        log_error("model.output_stride = %d: must be 8, 16 or 32", stride);
        s->model.output_stride = 8;
        wrong++;
    }
    if (!s->run.dir[0]) {
        log_error("run.dir is empty: the folder of the run is needed");
        wrong++;
    }
    bool dbscan = s->cluster.method == CLUSTER_METHOD_DBSCAN;
    if (dbscan && s->cluster.eps <= 0) {
        log_error("cluster.eps = %g: method \"dbscan\" needs a distance above 0", s->cluster.eps);
        wrong++;
    }
    /* Where starts come from the sample, it must have as many pixels as there are centroids;
     * k-means|| looks at all pixels, and a file of centroids at none. */
    bool sampled = !s->cluster.start[0] && s->cluster.init != CLUSTER_INIT_PARALLEL;
    if (!dbscan && sampled && s->cluster.sample < s->cluster.k) {
        log_error(
            "cluster.sample = %d is less than cluster.k = %d", s->cluster.sample, s->cluster.k);
        wrong++;
    }
    return wrong;
}

/* In the order of the groups; none of them hides another. */
int settings_check(settings *s) {
    return check_model(s) + check_colours("mean", s->model.mean, false) +
           check_colours("std", s->model.std, true) + check_groups(s) + check_single(s) +
           check_method(s) + check_instance(s) + check_queue(s) + check_label_groups(s) +
           check_contrast(s) + check_source(s) + check_extractor(s) + check_layers(s) +
           check_scales("evaluate.scales", s->evaluate.scales) +
           check_scales("extract.scales", s->extract.scales) + check_dataset(s) +
           check_held_out(s) + check_validation(s) +
           check_training("pretrain", &s->pretrain.view, s->pretrain.warmup, s->pretrain.steps) +
           check_training("finetune", &s->finetune.view, s->finetune.warmup, s->finetune.steps);
}
