/* How projects name the weights of a ResNet, and what they become here: torchvision's names, with
 * "backbone." in front of the encoder's. One table (weight_names.c), printed by `auxseg convert
 * --rules`. Not collective. */
#ifndef AUXSEG_IO_WEIGHTS_WEIGHT_NAMES_H
#define AUXSEG_IO_WEIGHTS_WEIGHT_NAMES_H

#include <stdbool.h>

enum { WEIGHT_NAME = 512 }; /* longest name, with its end */

/* A text that is replaced where a name begins with it, after the prefix has gone. */
typedef struct weight_change {
    const char *from, *to;
} weight_change;

typedef struct weight_rule {
    const char *name;            /* "moco" */
    const char *prefix;          /* what every tensor of the network begins with; it goes */
    const weight_change *change; /* the last one's `from` is NULL; NULL: none */
    const char *origin;          /* who publishes such names */
} weight_rule;

/* Rule i, or NULL past the end. The first is the identity. */
const weight_rule *weight_rule_at(int i);
/* out [WEIGHT_NAME]: what `name` is by the rule. False: the rule does not know it (no such prefix),
 * or it is too long. */
bool weight_rule_apply(const weight_rule *r, const char *name, char *out);

/* Whether the network has a parameter of that name. */
typedef bool weight_is_known(void *context, const char *name);
/* The rule by which most of the names [count] are known; of several the first. */
const weight_rule *weight_rule_best(
    const char *const *name, int count, weight_is_known *known, void *context, int *matched);

#endif
