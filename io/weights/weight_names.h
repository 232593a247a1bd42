/* How projects name the weights of a network, and what they become here: torchvision's names, with
 * "backbone." in front of the encoder's; what else a project's weights want (how their images'
 * numbers are made, where their blocks stride). One table (weight_names.c), printed by `auxseg
 * convert --rules`. Not collective. */
#ifndef AUXSEG_IO_WEIGHTS_WEIGHT_NAMES_H
#define AUXSEG_IO_WEIGHTS_WEIGHT_NAMES_H

#include "src/image/input.h"

#include <stdbool.h>

enum { WEIGHT_NAME = 512 }; /* longest name, with its end */

/* A text that is replaced: where a name begins with it, after the prefix has gone; or wherever it
 * stands. */
typedef struct weight_change {
    const char *from, *to;
} weight_change;

typedef struct weight_rule {
    const char *name;            /* "moco" */
    const char *prefix;          /* what every tensor of the network begins with; it goes */
    const weight_change *change; /* at the beginning: the first that fits, and one has to; NULL:
                                    nothing. The last one's `from` is NULL */
    const weight_change *within; /* then anywhere: each that is there; NULL: nothing */
    const char *origin;          /* who publishes such names */
    const image_input *input;    /* NULL: ImageNet's, as nearly everywhere */
    bool stride_first;           /* bottlenecks stride in their first convolution */
} weight_rule;

/* Rule i, or NULL past the end. The first is the identity. */
const weight_rule *weight_rule_at(int i);
/* out [WEIGHT_NAME]: what `name` is by the rule. False: the rule does not know it (no such prefix),
 * or it is too long. */
bool weight_rule_apply(const weight_rule *r, const char *name, char *out);
/* The way back: out [WEIGHT_NAME] is what the rule's project calls the tensor that is `name` here
 * (torchvision's, without "backbone."). False: too long. */
bool weight_rule_revert(const weight_rule *r, const char *name, char *out);

/* A project whose names weights can be written with. */
typedef struct weight_format {
    const char *name;        /* "timm" */
    const weight_rule *rule; /* weight_rule_revert by it gives its names */
} weight_format;

/* Format i, or NULL past the end. */
const weight_format *weight_format_at(int i);
/* out [WEIGHT_NAME]: what the format calls the tensor that is `name` here, with or without
 * "backbone."; segments: it stands in a file with a head for segmentation. False: the format has
 * nothing that this tensor is. */
bool weight_format_name(const weight_format *f, const char *name, bool segments, char *out);

/* Whether the network has a parameter of that name. */
typedef bool weight_is_known(void *context, const char *name);
/* The rule by which most of the names [count] are known; of several the first. */
const weight_rule *weight_rule_best(
    const char *const *name, int count, weight_is_known *known, void *context, int *matched);

#endif
