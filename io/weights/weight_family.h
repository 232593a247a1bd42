/* Which network the names of a file of weights look like: for messages, and for what is found from
 * names alone. Not collective. */
#ifndef AUXSEG_IO_WEIGHTS_WEIGHT_FAMILY_H
#define AUXSEG_IO_WEIGHTS_WEIGHT_FAMILY_H

#include "io/weights/tensor_file.h"
#include "io/weights/weight_names.h"

enum { WEIGHT_FAMILY = 256 };

/* The rule by which most of the file's names look like some network's; the first where none does.
 */
const weight_rule *weight_family_rule(const tensor_file *f);
/* Whether a name by a rule (with or without "backbone.") begins like this. */
bool weight_family_begins(const char *name, const char *with);
/* The model.backbone that the names are of, or NULL. */
const char *weight_family_backbone(const tensor_file *f);
/* What the file's names look like and which model.backbone that is, as a sentence without its end:
 * text [WEIGHT_FAMILY]. "its names look like those of resnet50: model.backbone = \"resnet50\"" */
void weight_family_text(const tensor_file *f, char *text);

#endif
