/* More images of the same kind, of which nobody has drawn labels: usually the most of what a
 * project has. They become training images without a label map, so that features, clusters and
 * pretraining take them, and fine-tuning and evaluation, which ask for labels, do not. A folder of
 * them is often the folder of all images: what the layout lists is then left out, whatever its
 * split, as an image of the validation set must not be trained on, and one that has labels would be
 * there twice. Files are told apart by their place on the disk, not by their paths, which links
 * change. */
#include "io/dataset/unlabelled.h"

#include "io/dataset/layout_walk.h"
#include "io/files/file.h"
#include "io/files/text_lines.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct place {
    dev_t device;
    ino_t file;
} place;

/* Of the layout's own files, sorted. */
typedef struct places {
    place *at;
    size_t count;
} places;

static int compare_places(const void *a, const void *b) {
    const place *x = a, *y = b;
    if (x->device != y->device) return x->device < y->device ? -1 : 1;
    return x->file == y->file ? 0 : x->file < y->file ? -1 : 1;
}

/* A file that is not there has no place: whoever reads it says so. */
static bool find_place(const char *path, place *out) {
    struct stat about;
    if (!path || stat(path, &about) != 0) return false;
    *out = (place){about.st_dev, about.st_ino};
    return true;
}

static status places_create(places *p, const layout *l) {
    *p = (places){memory_alloc(2 * (size_t)l->items + 1, sizeof *p->at, "places of files"), 0};
    if (!p->at) return STATUS_FAILED;
    for (int i = 0; i < l->items; i++) {
        if (find_place(l->item[i].image, &p->at[p->count])) p->count++;
        if (find_place(l->item[i].label, &p->at[p->count])) p->count++;
    }
    qsort(p->at, p->count, sizeof *p->at, compare_places);
    return STATUS_OK;
}

/* One image, unless the layout has it. */
static status take(layout *l, const places *own, const char *root, const char *listed) {
    place here;
    char *path = layout_join(root, listed);
    if (!path) return STATUS_FAILED;
    bool known =
        find_place(path, &here) && bsearch(&here, own->at, own->count, sizeof here, compare_places);
    memory_free(path);
    if (known) {
        l->left_out++;
        return STATUS_OK;
    }
    l->unlabelled++;
    return layout_append(l, root, SPLIT_TRAIN, listed, NULL);
}

/* Names begin with the folder as the setting has it, without a slash at its end. */
static status read_folder(layout *l, const places *own, const settings *s, const char *path) {
    layout_files files = {0};
    char folder[SETTINGS_TEXT];
    snprintf(folder, sizeof folder, "%s", s->dataset.unlabelled);
    for (size_t n = strlen(folder); n > 1 && folder[n - 1] == '/'; n--) folder[n - 1] = '\0';
    status st = layout_walk(path, LAYOUT_IMAGE_ENDS, &files);
    for (int i = 0; st == STATUS_OK && i < files.count; i++) {
        char listed[FILE_PATH];
        st = file_path(listed, folder, files.path[i]);
        if (st == STATUS_OK) st = take(l, own, s->dataset.root, listed);
    }
    layout_files_destroy(&files);
    return st;
}

/* A second path is refused: it may be a label map, and then the list is another one than meant. */
static status read_list(layout *l, const places *own, const settings *s, const char *path) {
    const char *prefix = s->dataset.strip_prefix;
    if (!prefix[0] && l->variant->prefix) prefix = l->variant->prefix;
    size_t length = strlen(prefix);
    text_lines text;
    status st = text_lines_open(&text, path);
    if (st == STATUS_OK) st = layout_begin_list(l, path);
    for (char *line; st == STATUS_OK && (line = text_lines_next(&text));) {
        int first = l->items;
        if (strchr(line, '\t')) {
            log_error("%s: line %d: one path is expected: images of dataset.unlabelled have no "
                      "label maps",
                path, text.number);
            st = STATUS_DATA;
        } else {
            bool stripped = strncmp(line, prefix, length) == 0;
            st = take(l, own, s->dataset.root, stripped ? line + length : line);
            layout_note_line(l, first, text.number);
        }
    }
    text_lines_close(&text);
    return st;
}

status unlabelled_add(layout *l, const settings *s) {
    struct stat about;
    places own = {0};
    if (!s->dataset.unlabelled[0]) return STATUS_OK;
    char *path = layout_join(s->dataset.root, s->dataset.unlabelled);
    status st = path ? places_create(&own, l) : STATUS_FAILED;
    bool folder = path && stat(path, &about) == 0 && S_ISDIR(about.st_mode);
    if (st == STATUS_OK) st = folder ? read_folder(l, &own, s, path) : read_list(l, &own, s, path);
    if (st == STATUS_OK && l->unlabelled + l->left_out == 0) {
        log_error("dataset.unlabelled = \"%s\": no image found", s->dataset.unlabelled);
        st = STATUS_DATA;
    }
    memory_free(own.at);
    memory_free(path);
    return st == STATUS_OK ? layout_sort_splits(l) : st;
}

void unlabelled_log(const layout *l, const settings *s) {
    if (!s->dataset.unlabelled[0]) return;
    log_info(
        "dataset.unlabelled: %d images for extraction, clustering and pretraining; %d more are "
        "images or label maps of the data set and left out",
        l->unlabelled, l->left_out);
}
