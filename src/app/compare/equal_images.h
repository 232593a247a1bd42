/* How many images a run shows its networks, and the length of fine-tuning that makes it so many.
 * Not collective. */
#ifndef AUXSEG_APP_COMPARE_EQUAL_IMAGES_H
#define AUXSEG_APP_COMPARE_EQUAL_IMAGES_H

#include "src/base/settings.h"

#include <stdint.h>

/* Images of all trainings that the result of a run rests on, views of one image counted once: of
 * all rounds, of a teacher that is trained first and of the contrast before a fine-tuning; of the
 * baseline where it is the result, or the extractor. compare.csv counts the same from what was
 * done. */
int64_t equal_images_of(const settings *s);
/* finetune.steps with which equal_images_of is `images`, or the nearest to it; 0: what comes before
 * the fine-tuning shows more. */
int64_t equal_images_steps(const settings *s, int64_t images);

#endif
