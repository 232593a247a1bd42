/* Whether what is measured was also chosen by. Not collective. */
#ifndef AUXSEG_APP_STAGE_CHOICE_BY_VALIDATION_H
#define AUXSEG_APP_STAGE_CHOICE_BY_VALIDATION_H

#include "src/base/settings.h"

/* What the reader of these settings' figures must know, a sentence for the log and the page: the
 * fine-tuned weights or their number of steps were chosen by the images that evaluation measures
 * them on. NULL: they were not. */
const char *choice_by_validation(const settings *s);

#endif
