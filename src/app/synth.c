#include "src/app/synth.h"

#include "io/file.h"
#include "io/image_file.h"
#include "io/layout.h"
#include "src/app/commands.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/image/palette.h"
#include "src/image/synth.h"

#include <stdio.h>

enum { NAME = 64 };

/* A file below dataset.root. */
static status write_file(const settings *s, const char *name, const void *bytes, size_t size) {
    char path[FILE_PATH];
    status st = file_path(path, s->dataset.root, name);
    return st == STATUS_OK ? file_write(path, bytes, size) : st;
}

static status write_scene(const settings *s, split which, int i) {
    char name[NAME];
    image rgb = {0};
    labelmap label = {0};
    void *png[2] = {NULL, NULL};
    size_t size[2];
    /* Validation scenes are other ones than the training set's, however many there are. */
    uint64_t index = (uint64_t)which << 32 | (uint64_t)i;
    status st = synth_draw((uint64_t)s->run.seed, index, s->dataset.synth_height,
        s->dataset.synth_width, &rgb, &label);
    if (st == STATUS_OK) st = image_file_encode(&rgb, &png[0], &size[0]);
    if (st == STATUS_OK)
        st = image_file_encode_labels(&label, palette_classes(), &png[1], &size[1]);
    snprintf(name, sizeof name, "%s/%05d.png", split_name(which), i);
    if (st == STATUS_OK) st = write_file(s, name, png[0], size[0]);
    snprintf(name, sizeof name, "%s-labels/%05d.png", split_name(which), i);
    if (st == STATUS_OK) st = write_file(s, name, png[1], size[1]);
    memory_free(png[0]);
    memory_free(png[1]);
    image_destroy(&rgb);
    labelmap_destroy(&label);
    return st;
}

static status make_folders(const settings *s, split which) {
    char path[FILE_PATH], name[NAME];
    status st = file_path(path, s->dataset.root, split_name(which));
    if (st == STATUS_OK) st = file_make_folder(path);
    snprintf(name, sizeof name, "%s-labels", split_name(which));
    if (st == STATUS_OK) st = file_path(path, s->dataset.root, name);
    return st == STATUS_OK ? file_make_folder(path) : st;
}

static status write_split(const settings *s, split which, int images) {
    enum { LINE = 3 * NAME };
    char *list = memory_alloc((size_t)images, LINE, "list of images"), name[NAME];
    size_t used = 0;
    status st = list ? make_folders(s, which) : STATUS_FAILED;
    for (int i = 0; st == STATUS_OK && i < images; i++) {
        st = write_scene(s, which, i);
        used += (size_t)snprintf(list + used, LINE, "%s/%05d.png\t%s-labels/%05d.png\n",
            split_name(which), i, split_name(which), i);
    }
    /* The list comes last: where it is, the scenes are whole. */
    snprintf(name, sizeof name, "%s.txt", split_name(which));
    if (st == STATUS_OK) st = write_file(s, name, list, used);
    memory_free(list);
    return st;
}

status synth_write(const settings *s) {
    char train[FILE_PATH], val[FILE_PATH];
    status st = file_path(train, s->dataset.root, "train.txt");
    if (st == STATUS_OK) st = file_path(val, s->dataset.root, "val.txt");
    if (st != STATUS_OK || (file_exists(train) && file_exists(val))) return st;
    st = write_split(s, SPLIT_TRAIN, s->dataset.synth_train);
    if (st == STATUS_OK) st = write_split(s, SPLIT_VAL, s->dataset.synth_val);
    if (st == STATUS_OK)
        log_info("synth: %d training and %d validation scenes in %s", s->dataset.synth_train,
            s->dataset.synth_val, s->dataset.root);
    return st;
}

status command_synth(const settings *s) {
    return synth_write(s);
}
