/* Looks at validation images during a fine-tuning (finetune.validate): the figure stands in
 * metrics.csv, and may decide which step's weights are written and when training ends. The images
 * are those that are held out (dataset.held_out), else the validation images; they are seen whole,
 * at dataset.scale, once, whatever [evaluate] says. */
#ifndef AUXSEG_APP_TRAINING_VALIDATION_H
#define AUXSEG_APP_TRAINING_VALIDATION_H

#include "src/app/stage/image_list.h"
#include "src/app/stage/inference.h"
#include "src/app/stage/stage.h"
#include "src/app/training/trainer.h"

enum { VALIDATION_MARKS = 8, VALIDATION_EXTRAS = 2 };

typedef struct validation {
    stage look; /* the fine-tuning's, with settings of its own */
    settings *own;
    image_list list; /* owned */
    inference *net;  /* over the weights that would be written; NULL before the first look */
    float *best;     /* weights, then norm statistics, of the best step; NULL: not kept */
    int32_t mark[VALIDATION_MARKS]; /* what a checkpoint holds beside them */
    checkpoint_extra extra[VALIDATION_EXTRAS];
} validation;

/* Of the fine-tuning t, whose settings ask for it: chooses the images and puts itself into *o.
 * STATUS_DATA where there are none. Collective. */
status validation_create(validation *v, const stage *t, trainer_options *o);
/* The trainer's network is made, its checkpoint is not read: room for what that holds. Not
 * collective. v may be NULL, here and below. */
status validation_room(validation *v, trainer *t);
/* Bytes that looks take on this rank as long as the training goes on: networks for the shapes of
 * its images, and the best weights. Networks are made for it, and go again. Not collective. */
status validation_bytes(validation *v, const trainer *t, size_t *bytes);
/* After a step: where one is due, *miou of the weights that would be written, else it stays.
 * Collective. */
status validation_look(validation *v, const trainer *t, double *miou);
/* Whether finetune.patience is at its end. */
bool validation_ends(const validation *v);
/* The best step's weights take the place of those that would be written, where they are kept. Not
 * collective. */
void validation_restore(const validation *v, trainer *t);
/* Best figure and step, for run.json, in the place of those of an earlier training. Not
 * collective. */
status validation_record(const validation *v, stage *t, const trainer *x);
/* Before the trainer goes, whose network the looks were with; its checkpoints need the rest. */
void validation_leave(validation *v);
/* After it. */
void validation_destroy(validation *v);

#endif
