/* A camera stores the rows of its sensor and writes how it was held into EXIF. Images are turned
 * upright. A label map rarely has EXIF of its own: drawn over the picture as programs show it, it
 * is upright already and has the turned size; made from the stored pixels, it has the stored size
 * and must be turned like its image. Where a quarter turn changes the size, the map's size tells
 * which. Of squares, mirrored pictures and those upside down it does not, and the wrong choice
 * would train on the wrong pixels without a sign: there the rest of the data set is asked, which
 * was labelled by the same program, and the user. */
#include "io/dataset/orientation.h"

#include "src/base/log.h"
#include "src/image/turn.h"

static bool same_size(oriented a, bool swap_a, oriented b, bool swap_b) {
    int height = swap_a ? a.width : a.height, width = swap_a ? a.height : a.width;
    return height == (swap_b ? b.width : b.height) && width == (swap_b ? b.height : b.width);
}

label_lie orientation_compare(oriented picture, oriented labels) {
    bool swapped = orientation_swaps(picture.orientation);
    bool own = labels.orientation != ORIENTATION_UPRIGHT;
    bool upright = same_size(picture, swapped, labels, orientation_swaps(labels.orientation));
    bool stored = same_size(picture, false, labels, false);
    if (own || picture.orientation == ORIENTATION_UPRIGHT)
        return upright ? LABEL_LIES_PLAIN : LABEL_LIES_NOT;
    if (upright) return stored ? LABEL_LIES_EITHER : LABEL_LIES_TURNED;
    return stored ? LABEL_LIES_STORED : LABEL_LIES_NOT;
}

void orientation_add(orientation_count *n, int orientation, label_lie lie, const char *name) {
    n->turned += orientation != ORIENTATION_UPRIGHT;
    if (lie == LABEL_LIES_EITHER && n->lies[lie] == 0) n->first = name;
    n->lies[lie]++;
}

/* The count of those that only a rule can tell stands in a line of its own, with the way out. */
static status decide_by_others(const orientation_count *n, bool *stored) {
    int turned = n->lies[LABEL_LIES_TURNED], as_stored = n->lies[LABEL_LIES_STORED];
    int either = n->lies[LABEL_LIES_EITHER];
    if (turned > 0 && as_stored > 0) {
        log_error("%d label maps of turned images, the first of %s, have a size that fits both "
                  "ways, and of the others some lie as turned, some as stored: say "
                  "dataset.label_orientation = \"turned\" or \"stored\"",
            either, n->first);
        return STATUS_DATA;
    }
    *stored = as_stored > 0;
    if (turned == 0 && as_stored == 0)
        log_warn(
            "%d label maps of turned images, the first of %s, have a size that fits both ways: "
            "taken as drawn on the turned picture (dataset.label_orientation)",
            either, n->first);
    else
        log_info(
            "%d label maps of turned images, the first of %s, have a size that fits both ways: "
            "taken to lie as the others, %s (dataset.label_orientation)",
            either, n->first, *stored ? "as stored" : "turned");
    return STATUS_OK;
}

status orientation_decide(const settings *s, const orientation_count *n, bool *stored) {
    *stored = s->dataset.label_orientation == DATASET_LABEL_ORIENTATION_STORED;
    if (n->turned > 0)
        log_info(
            "%d images are turned by EXIF; of their label maps %d have the turned size, %d the "
            "stored one and are turned alike, %d fit both",
            n->turned, n->lies[LABEL_LIES_TURNED], n->lies[LABEL_LIES_STORED],
            n->lies[LABEL_LIES_EITHER]);
    if (n->lies[LABEL_LIES_EITHER] == 0 ||
        s->dataset.label_orientation != DATASET_LABEL_ORIENTATION_AUTO)
        return STATUS_OK;
    return decide_by_others(n, stored);
}
