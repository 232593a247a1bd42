/* Labels, for `auxseg check`: the training images that fine-tuning learns from, the split that is
 * evaluated, and the names in finetune.list. Only lists and what check_dataset.c has found of each
 * file are looked at: no file of a label is opened here. */
#include "io/files/text_lines.h"
#include "src/app/stage/choice_by_validation.h"
#include "src/app/stage/stage_list.h"
#include "src/app/tools/check_state.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { NAMED = 10 }; /* unknown names of a list that are named */

static int compare(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A bad image is a mistake by itself, and its label is not missed as well; only where it may be
 * skipped it counts as not there. */
static bool gone(const check *k, item_state state) {
    return state == ITEM_BAD && k->s->dataset.on_bad_image == DATASET_ON_BAD_IMAGE_SKIP;
}

/* Sorted names [*count] of the labelled training images, borrowed from l; owned by the caller. NULL
 * without memory. Names of an image that may be skipped are left out, so that a list which needs it
 * is a mistake. */
static const char **labelled_names(
    const check *k, const layout *l, const item_state *state, int *count) {
    const char **name = memory_alloc((size_t)l->items, sizeof *name, "names of images");
    *count = 0;
    for (int i = 0; name && i < l->items; i++)
        if (l->item[i].split == SPLIT_TRAIN && l->item[i].label && !gone(k, state[i]))
            name[(*count)++] = l->item[i].name;
    if (name) qsort(name, (size_t)*count, sizeof *name, compare);
    return name;
}

/* As fine-tuning reads it, but every name. Names are looked up in a sorted list: a list of tens of
 * thousands of names is checked at once. Fine-tuning would stop at the first unknown name; here
 * each one counts as a mistake, and the first NAMED are told. */
static void check_list(check *k, const char *const *name, int count) {
    const char *path = k->s->finetune.list;
    int good = 0, unknown = 0;
    text_lines text;
    status st = text_lines_open(&text, path);
    check_note(k, st);
    for (const char *line; st == STATUS_OK && (line = text_lines_next(&text));) {
        if (bsearch(&line, name, (size_t)count, sizeof *name, compare)) {
            good++;
            continue;
        }
        check_note(k, STATUS_DATA);
        if (unknown++ < NAMED)
            log_error("%s: line %d: \"%s\" is no labelled training image", path, text.number, line);
    }
    if (unknown > NAMED) log_error("... and %d more names in %s", unknown - NAMED, path);
    if (st == STATUS_OK && good + unknown == 0) {
        log_error("%s: names no image", path);
        check_note(k, STATUS_DATA);
    }
    text_lines_close(&text);
}

/* Settings of contrast by auxiliary labels that a method of whole images would ignore without a
 * word: those that are not what the program begins with. */
static void tell_whole_images(check *k) {
    const settings *s = k->s;
    const char *method = pretrain_method_words[s->pretrain.method];
    settings *plain = memory_alloc(1, sizeof *plain, "settings");
    log_info("pretrain.method = \"%s\": the run has no extract, no cluster and no score", method);
    if (!plain || settings_read(plain, NULL, NULL, 0) != STATUS_OK) {
        check_note(k, STATUS_FAILED);
        memory_free(plain);
        return;
    }
#define IDLE(key)                                                                                  \
    { #key, s->pretrain.key != plain->pretrain.key }
    const struct {
        const char *name;
        bool set;
    } idle[] = {IDLE(positives), IDLE(scope), IDLE(loss_dtype), IDLE(pixels), IDLE(boundary),
        IDLE(pool), IDLE(pixel_queue), IDLE(label_groups), IDLE(temperature)};
#undef IDLE
    for (size_t i = 0; i < sizeof idle / sizeof *idle; i++)
        if (idle[i].set)
            log_warn(
                "pretrain.%s has no effect under pretrain.method = \"%s\"", idle[i].name, method);
    memory_free(plain);
}

/* What the stages of this run need: a run that ends before them needs no labels. */
static void check_counts(check *k, const int *images, const int *labelled) {
    split evaluated = k->s->evaluate.split;
    if (!stage_has_labels(k->s)) {
        log_info("no labels: the run has no baseline, no score, no fine-tuning and no evaluation");
        for (int wrong = stage_check_unlabelled(k->s); wrong > 0; wrong--)
            check_note(k, STATUS_USAGE);
    }
    if (!stage_has_clusters(k->s)) tell_whole_images(k);
    stage_tell_idle(k->s);
    if (images[SPLIT_TRAIN] == 0) {
        log_error("the data set has no training image");
        check_note(k, STATUS_DATA);
    } else if (labelled[SPLIT_TRAIN] == 0 && (k->baseline || k->finetune)) {
        log_error("the data set has no labelled training image: the run can only come to "
                  "run.until = \"pretrain\", with run.compare = false and weights to extract with; "
                  "a folder of images without any "
                  "label is dataset.layout = \"folder\"");
        check_note(k, STATUS_DATA);
    }
    const char *chosen = choice_by_validation(k->s);
    if (chosen && (k->baseline || k->finetune)) log_warn("%s", chosen);
    if (labelled[evaluated] == 0 && (k->baseline || k->evaluate)) {
        log_error("evaluate.split = \"%s\": no labelled image", split_words[evaluated]);
        check_note(k, STATUS_DATA);
    }
}

/* The counts are told in any case: a split that is shorter than expected is seen at a glance. */
void check_labelled(check *k, const layout *l, const item_state *state) {
    int images[SPLIT_COUNT] = {0}, labelled[SPLIT_COUNT] = {0}, names;
    for (int i = 0; i < l->items; i++) {
        if (gone(k, state[i])) continue;
        images[l->item[i].split]++;
        labelled[l->item[i].split] += l->item[i].label != NULL;
    }
    for (int i = 0; i < SPLIT_COUNT; i++)
        if (images[i] > 0)
            log_info("%s: %d images, %d of them labelled", split_words[i], images[i], labelled[i]);
    check_counts(k, images, labelled);
    if (!k->s->finetune.list[0]) return;
    const char **name = labelled_names(k, l, state, &names);
    if (name)
        check_list(k, name, names);
    else
        check_note(k, STATUS_FAILED);
    memory_free(name);
}
