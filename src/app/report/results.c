/* What evaluation has recorded, put together for the page: a figure of the baseline beside the same
 * figure of the pretrained model. Figures are looked up in run.json by the names that evaluation
 * gives them; one that is not there is NAN, and the page shows a dash. Confusion matrices are files
 * of their own. */
#include "src/app/report/results.h"

#include "src/base/memory.h"

#include <math.h>
#include <stdio.h>

/* run.json's group of the pretrained model: [STAGE_NAME]. */
static void group_name(char *text, int round) {
    snprintf(text, STAGE_NAME, round > 1 ? "finetuned-%d" : "finetuned", round);
}

/* A figure of both. table: "" or "/IoU". */
static page_pair pair_of(const stage *t, int round, const char *table, const char *name) {
    char group[STAGE_NAME], before[STAGE_NAME + 16], after[STAGE_NAME + 16];
    group_name(group, round);
    snprintf(before, sizeof before, "baseline%s", table);
    snprintf(after, sizeof after, "%s%s", group, table);
    return (page_pair){run_record_get_result(t->record, before, name),
        run_record_get_result(t->record, after, name)};
}

/* Without an mIoU of either model nothing was evaluated, and there are no tables. */
static status add_figures(results *r, const stage *t, int round) {
    static const char *const name[RESULT_MEASURES] = {"mIoU", "mAcc", "aAcc"};
    int classes = dataset_classes(t->d);
    for (int i = 0; i < RESULT_MEASURES; i++)
        r->measure[i] = (page_measure){name[i], pair_of(t, round, "", name[i])};
    page_pair first = r->measure[0].value;
    if (isnan(first.baseline) && isnan(first.finetuned)) return STATUS_OK;
    r->class_result = memory_alloc((size_t)classes, sizeof *r->class_result, "report");
    if (!r->class_result) return STATUS_FAILED;
    for (int y = 0; y < classes; y++) {
        const char *class = dataset_class_name(t->d, y);
        r->class_result[y] =
            (page_class){class, pair_of(t, round, "/IoU", class), pair_of(t, round, "/Acc", class)};
    }
    r->measures = RESULT_MEASURES;
    r->classes = classes;
    return STATUS_OK;
}

/* Nothing is added where evaluation has not written the matrix. */
static status add_confusion(results *r, const stage *t, const char *group, const char *title) {
    size_t classes = (size_t)dataset_classes(t->d);
    int64_t *matrix = r->matrix + (size_t)r->confusions * classes * classes;
    bool found = false;
    status st = confusion_file_read(t, group, matrix, &found);
    if (st != STATUS_OK || !found) return st;
    char *file = r->file[r->confusions];
    confusion_file_name(group, file);
    r->confusion[r->confusions++] = (page_confusion){title, file, matrix};
    return STATUS_OK;
}

/* Matrices [RESULT_MODELS, classes, classes] in one block, the pretrained model's first: the page
 * shows the first one open. */
status results_create(results *out, const stage *t, int round) {
    char group[STAGE_NAME];
    size_t classes = (size_t)dataset_classes(t->d);
    *out = (results){0};
    group_name(group, round);
    status st = add_figures(out, t, round);
    if (st != STATUS_OK || out->measures == 0) return st;
    out->matrix =
        memory_alloc(RESULT_MODELS * classes * classes, sizeof *out->matrix, "confusion matrices");
    if (!out->matrix) return STATUS_FAILED;
    st = add_confusion(out, t, group, "pretrained");
    return st == STATUS_OK ? add_confusion(out, t, "baseline", "baseline") : st;
}

void results_destroy(results *r) {
    memory_free(r->class_result);
    memory_free(r->matrix);
    *r = (results){0};
}
