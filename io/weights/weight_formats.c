/* Names on the way out: what other projects' networks load. Each format is a rule of names read
 * backwards, and what of our weights the project has a place for: a tensor without one is left out,
 * as a name that nobody asks for would be an error there. */
#include "io/weights/weight_names.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define BACKBONE "backbone."

static bool begins(const char *name, const char *const *with) {
    for (; *with; with++)
        if (strncmp(name, *with, strlen(*with)) == 0) return true;
    return false;
}

static const char *const resnet[] = {"conv1.", "bn1.", "layer", NULL};
static const char *const deep[] = {"stem.", NULL};
static const char *const squeezenet[] = {"features.", NULL};
static const char *const image_head[] = {"fc.", NULL};
static const char *const any_head[] = {"classifier.", "aux_classifier.", "fc.", NULL};
/* Of this program alone: the branches of DeepLabV3+'s head. */
static const char *const plus[] = {
    "classifier.project.", "classifier.aspp.", "classifier.classifier.", NULL};
/* FCN's head is one convolution in mmsegmentation as well; its DeepLab heads are built otherwise.
 */
static const char *const fcn[] = {"classifier.0.weight", "classifier.1.", "classifier.4.", NULL};

static const struct {
    weight_format format;
    const char *rule;
    const char *const *has[3]; /* NULL-ended */
    const char *const *lacks;  /* of those */
} formats[] = {
    {{"torchvision", NULL}, "torchvision", {resnet, squeezenet, any_head}, plus},
    {{"timm", NULL}, "timm", {resnet, deep, image_head}, NULL},
    {{"mmseg", NULL}, "mmseg", {resnet, deep, fcn}, NULL},
};
enum { FORMATS = sizeof formats / sizeof *formats };

static const weight_rule *rule_of(const char *name) {
    const weight_rule *r;
    for (int i = 0; (r = weight_rule_at(i)); i++)
        if (strcmp(r->name, name) == 0) break;
    return r;
}

const weight_format *weight_format_at(int i) {
    static weight_format found[FORMATS];
    if (i < 0 || i >= FORMATS) return NULL;
    found[i] = (weight_format){formats[i].format.name, rule_of(formats[i].rule)};
    return &found[i];
}

/* Encoders stand alone under bare names; in torchvision's networks for segmentation they are called
 * backbone. mmsegmentation's are always, and a "classifier" is one of whole images, which it has no
 * place for, unless it begins as a head for segmentation does. */
bool weight_format_name(const weight_format *f, const char *name, bool segments, char *out) {
    int i = 0;
    bool bare = strncmp(name, BACKBONE, sizeof BACKBONE - 1) == 0;
    if (bare) name += sizeof BACKBONE - 1;
    while (i < FORMATS && strcmp(formats[i].format.name, f->name) != 0) i++;
    bool has = false;
    for (int k = 0; i < FORMATS && k < 3 && !has; k++) has = begins(name, formats[i].has[k]);
    if (!has || (formats[i].lacks && begins(name, formats[i].lacks))) return false;
    if (!weight_rule_revert(f->rule, name, out)) return false;
    bool encoder = !begins(name, any_head);
    if (strcmp(f->name, "mmseg") == 0) return encoder || segments;
    if (strcmp(f->name, "torchvision") != 0 || !segments || !encoder) return true;
    int n = snprintf(out, WEIGHT_NAME, BACKBONE "%s", name);
    return n >= 0 && n < WEIGHT_NAME;
}
