/* A development kit lists names without folders and endings; those who made new splits of the same
 * images list paths, with the label map beside them or not, relative to a root of theirs that may
 * be written as "/" (the train_aug.txt that goes around with VOC's larger training set). What a
 * path says is held against the table: a label map from another folder is another labelling, which
 * must not be mistaken for the table's own. */
#include "io/dataset/layout_listed.h"

#include "io/dataset/layout_walk.h"
#include "src/base/log.h"

#include <stdio.h>
#include <string.h>

static const char blanks[] = " \t";

/* What follows the folder [n] in the path, the last time that it stands there; NULL: it does not.
 */
static const char *behind(const char *path, const char *folder, size_t n) {
    const char *found = NULL;
    for (const char *at = path; at; at = strchr(at, '/'), at = at ? at + 1 : NULL)
        if (strncmp(at, folder, n) == 0 && at[n] == '/') found = at + n + 1;
    return found;
}

/* A folder without `inside`, as the lists of a data set do not know where it was put. */
static const char *own_folder(const layout_place *place, const char *folder) {
    return place->inside[0] ? folder + strlen(place->inside) + 1 : folder;
}

/* out->x and out->end of the first path. */
static status take_image(
    layout_listed *out, const layout_place *place, char *path, const char *where) {
    const char *folder = own_folder(place, place->images), *ends = place->part->image_end;
    const char *below = behind(path, folder, strlen(folder));
    char *x = path + (below ? below - path : path[0] == '/');
    size_t stem = strlen(x) - (size_t)layout_end_of(x, ends);
    if (!below && path[0] == '/' && strchr(x, '/')) {
        log_error("%s: %s is not in %s, where this layout has its images", where, path, folder);
        return STATUS_DATA;
    }
    if (!x[0] || x[strlen(x) - 1] == '/') {
        log_error("%s: the name of an image is expected", where);
        return STATUS_DATA;
    }
    if (!x[stem] && layout_end_of(x, LAYOUT_IMAGE_ENDS) > 0) {
        log_error(
            "%s: %s: this layout's images end in %.*s", where, x, (int)strcspn(ends, "|"), ends);
        return STATUS_DATA;
    }
    snprintf(out->end, sizeof out->end, "%s", x + stem);
    x[stem] = 0;
    out->x = x;
    return STATUS_OK;
}

/* The listed label map below root, in that of the part's folders which its path names. */
static status find_map(char *map, const layout_place *place, const char *path, const char *where) {
    if (!strchr(path, '/')) return file_path(map, place->labels, path);
    for (const char *at = place->part->labels; at;) {
        size_t n = strcspn(at, "|");
        const char *below = behind(path, at, n);
        char file[FILE_PATH];
        if (below && *below &&
            (size_t)snprintf(file, sizeof file, "%.*s/%s", (int)n, at, below) < sizeof file)
            return file_path(map, place->inside, file);
        at = at[n] ? at + n + 1 : NULL;
    }
    log_error(
        "%s: label map %s: those of variant \"%s\" are in %s: set another dataset.variant, or "
        "list images and label maps for layout \"pairs\"",
        where, path, place->variant, own_folder(place, place->labels));
    return STATUS_DATA;
}

/* Whether it is x's own in any case of its ending, which is looked for as where none is listed. */
static bool is_own(const layout_listed *listed, const layout_place *place) {
    char own[FILE_PATH];
    int n = snprintf(own, sizeof own, "%s/%s", place->labels, listed->x);
    return n > 0 && (size_t)n < sizeof own && strncmp(listed->map, own, (size_t)n) == 0 &&
           strlen(listed->map) ==
               (size_t)n + (size_t)layout_end_of(listed->map, place->part->label_end);
}

/* Lists of a class say after each name whether there is an object: a word that is no path. */
static status take_map(
    layout_listed *out, const layout_place *place, char *rest, const char *where) {
    rest += strspn(rest, blanks);
    char *more = rest + strcspn(rest, blanks);
    if (*more) *more++ = 0;
    bool path = strchr(rest, '/') || layout_end_of(rest, LAYOUT_IMAGE_ENDS) > 0;
    if (!path || !place->part->labels) return STATUS_OK;
    if (more[strspn(more, blanks)]) {
        log_error("%s: more than two paths", where);
        return STATUS_DATA;
    }
    status st = find_map(out->map, place, rest, where);
    if (st == STATUS_OK && is_own(out, place)) out->map[0] = 0;
    return st;
}

status layout_listed_read(
    layout_listed *out, const layout_place *place, char *line, const char *where) {
    char *path = line + strspn(line, blanks), *rest = path + strcspn(path, blanks);
    if (*rest) *rest++ = 0;
    out->map[0] = 0;
    status st = take_image(out, place, path, where);
    return st == STATUS_OK ? take_map(out, place, rest, where) : st;
}
