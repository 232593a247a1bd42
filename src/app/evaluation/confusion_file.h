/* The confusion matrix of a model, beside run.json: confusion-GROUP.csv, rows by ground truth,
 * columns by prediction, in pixels (io/files/matrix_csv.h). */
#ifndef AUXSEG_APP_EVALUATION_CONFUSION_FILE_H
#define AUXSEG_APP_EVALUATION_CONFUSION_FILE_H

#include "src/app/stage/stage.h"

#include <stdbool.h>

enum { CONFUSION_NAME = STAGE_NAME + 16 };

/* name [CONFUSION_NAME] of the group "baseline", "finetuned", "finetuned-2". Not collective. */
void confusion_file_name(const char *group, char *name);
/* matrix [K, K]; path [FILE_PATH] is written. Collective: rank 0 writes the file. */
status confusion_file_write(const stage *t, const char *group, const int64_t *matrix, char *path);
/* *found: whether the file is there and has the classes of the data set; matrix is then written.
 * Not collective. */
status confusion_file_read(const stage *t, const char *group, int64_t *matrix, bool *found);

#endif
