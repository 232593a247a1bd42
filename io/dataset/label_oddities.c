/* Labels that are right by every rule and wrong all the same. The commonest: masks of 0 and 255 for
 * two classes, where 255 counts as "no class" by default. What is left is one class, every model
 * scores an IoU of 1, and nothing else says that something is wrong. Warnings, as a part of a data
 * set may well lack a class. */
#include "io/dataset/label_oddities.h"

#include <inttypes.h>
#include <stdio.h>

enum { NAMED = 8 }; /* classes without a pixel that are named */

/* One class, and how its labels become two if the ignored id is the other. */
static void describe_single(const label_shares *s, int y, label_oddity out) {
    double none = (double)s->pixels[s->classes], all = none + (double)s->pixels[y];
    int n = snprintf(out, LABEL_ODDITY,
        "all pixels that have a class are \"%s\", %.1f %% of all: a model that always says so is "
        "right "
        "everywhere, with an IoU of 1",
        s->name[y], 100 * (double)s->pixels[y] / all);
    if (s->classes == 2 && none > 0 && s->ignore >= 0 && n > 0 && n < LABEL_ODDITY)
        snprintf(out + n, (size_t)(LABEL_ODDITY - n),
            "; if the id %d, which is ignored, is the other class: dataset.label_map = "
            "\"%d:%d,%d:%d\" and dataset.ignore = -1",
            s->ignore, y, y, s->ignore, 1 - y);
}

static void describe_absent(const label_shares *s, int absent, label_oddity out) {
    int n = snprintf(out, LABEL_ODDITY, "%d of %d classes have no pixel: ", absent, s->classes);
    for (int y = 0, named = 0; y < s->classes && named < NAMED && n < LABEL_ODDITY; y++) {
        if (s->pixels[y] > 0) continue;
        n += snprintf(
            out + n, (size_t)(LABEL_ODDITY - n), "%s%.40s", named == 0 ? "" : ", ", s->name[y]);
        named++;
    }
    if (absent > NAMED && n < LABEL_ODDITY)
        snprintf(out + n, (size_t)(LABEL_ODDITY - n), " and %d more", absent - NAMED);
}

int label_oddities(const label_shares *s, label_oddity *out) {
    int present = 0, last = 0, n = 0;
    for (int y = 0; y < s->classes; y++) {
        if (s->pixels[y] == 0) continue;
        present++;
        last = y;
    }
    if (present == 0) return 0;
    if (present == 1) describe_single(s, last, out[n++]);
    if (present > 1 && present < s->classes) describe_absent(s, s->classes - present, out[n++]);
    return n;
}
