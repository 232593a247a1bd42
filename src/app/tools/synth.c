/* The built-in data set as files. A line in the folder says what the scenes were made of: others
 * are made when the settings change, none when they do not, and a folder without it is not ours.
 *
 * Files, though the scenes could be drawn while they are packed: the demo then goes the way that a
 * user's own data set goes, lists, PNG files and packing included. `check` asks with synth_check
 * and synth_list what synth_write would do, without writing. */
#include "src/app/tools/synth.h"

#include "io/codecs/image_file.h"
#include "io/dataset/layout.h"
#include "io/files/file.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/stop.h"
#include "src/image/palette.h"
#include "src/image/synth.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Bytes of a name below dataset.root, and of the line in SCENES. */
enum { NAME = 64, DESCRIPTION = 256 };
#define SCENES "scenes.txt"

/* A file below dataset.root. */
static status write_file(const settings *s, const char *name, const void *bytes, size_t size) {
    char path[FILE_PATH];
    status st = file_path(path, s->dataset.root, name);
    return st == STATUS_OK ? file_write(path, bytes, size) : st;
}

/* Five digits, so that the order of names is the order of scenes. The list has these names, and so
 * have layout items: they must stay what they are, as names are keys. */
static void image_name(char *name, split which, int i) {
    snprintf(name, NAME, "%s/%05d.png", split_words[which], i);
}

static void label_name(char *name, split which, int i) {
    snprintf(name, NAME, "%s-labels/%05d.png", split_words[which], i);
}

/* Picture and label map of one scene, which depends on the seed and its number alone. Label maps
 * are palette PNGs whose indices are the classes. On failure what has been made is freed; a file
 * may have been left, which the next start writes again. */
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
    image_name(name, which, i);
    if (st == STATUS_OK) st = write_file(s, name, png[0], size[0]);
    label_name(name, which, i);
    if (st == STATUS_OK) st = write_file(s, name, png[1], size[1]);
    memory_free(png[0]);
    memory_free(png[1]);
    image_destroy(&rgb);
    labelmap_destroy(&label);
    return st;
}

/* Images and label maps of a split lie apart, as in most published data sets. */
static status make_folders(const settings *s, split which) {
    char path[FILE_PATH], name[NAME];
    status st = file_path(path, s->dataset.root, split_words[which]);
    if (st == STATUS_OK) st = file_make_folder(path);
    snprintf(name, sizeof name, "%s-labels", split_words[which]);
    if (st == STATUS_OK) st = file_path(path, s->dataset.root, name);
    return st == STATUS_OK ? file_make_folder(path) : st;
}

/* A stop or a kill leaves whole files alone: those of both are not made again. */
static bool scene_there(const settings *s, split which, int i) {
    char name[NAME], path[FILE_PATH];
    image_name(name, which, i);
    if (file_path(path, s->dataset.root, name) != STATUS_OK || !file_exists(path)) return false;
    label_name(name, which, i);
    return file_path(path, s->dataset.root, name) == STATUS_OK && file_exists(path);
}

/* The list is written after its images: who finds it finds them. Used as one text and written at
 * once: a list that is half there would be read as a shorter data set. go_on: the folder holds some
 * of these very scenes. */
static status write_split(const settings *s, split which, int images, bool go_on) {
    enum { LINE = 3 * NAME };
    char *list = memory_alloc((size_t)images, LINE, "list of images"), name[NAME], label[NAME];
    size_t used = 0;
    status st = list ? make_folders(s, which) : STATUS_FAILED;
    for (int i = 0; st == STATUS_OK && i < images; i++) {
        if (!go_on || !scene_there(s, which, i)) {
            st = write_scene(s, which, i);
            if (st == STATUS_OK && stop_requested()) st = STATUS_STOPPED;
        }
        image_name(name, which, i);
        label_name(label, which, i);
        /* A tab between the two, as the layout "pairs" and synth's own have it. */
        used += (size_t)snprintf(list + used, LINE, "%s\t%s\n", name, label);
    }
    snprintf(name, sizeof name, "%s.txt", split_words[which]);
    if (st == STATUS_OK) st = write_file(s, name, list, used);
    memory_free(list);
    return st;
}

/* What the scenes in root are of, in SCENES: other ones are made when the settings change.
 * Everything that pixels depend on must stand in it, or scenes of old settings pass for new ones; a
 * change in how scenes are drawn needs another version. */
static void describe(const settings *s, char *text) {
    snprintf(text, DESCRIPTION,
        "Scenes of auxseg synth, version 1: seed %lld, %d train, %d val, %d x %d pixels\n",
        (long long)s->run.seed, s->dataset.synth_train, s->dataset.synth_val,
        s->dataset.synth_width, s->dataset.synth_height);
}

/* Something stands where scenes would, and whoever has put it there still wants it. */
static bool somebody_elses(const settings *s) {
    static const char *const ours[] = {
        "train", "train-labels", "train.txt", "val", "val-labels", "val.txt"};
    char path[FILE_PATH];
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (file_path(path, s->dataset.root, ours[i]) == STATUS_OK && file_exists(path))
            return true;
    return false;
}

/* Whether root holds just these scenes, and whether it is to: a start that was stopped or killed
 * has left the line behind the word UNFINISHED, and some of them. STATUS_USAGE if what stands there
 * is not ours. A folder that has neither the line nor anything that scenes would replace is empty
 * as far as we care, and may be filled. */
#define UNFINISHED "unfinished: "
static status look(const settings *s, const char *want, bool *done, bool *begun) {
    char path[FILE_PATH];
    void *text = NULL;
    size_t bytes;
    *done = *begun = false;
    status st = file_path(path, s->dataset.root, SCENES);
    if (st != STATUS_OK) return st;
    if (file_exists(path)) {
        size_t word = strlen(UNFINISHED);
        st = file_read(path, DESCRIPTION, &text, &bytes);
        *done = st == STATUS_OK && strcmp(text, want) == 0;
        *begun = st == STATUS_OK && strncmp(text, UNFINISHED, word) == 0 &&
                 strcmp((const char *)text + word, want) == 0;
        memory_free(text);
    } else if (somebody_elses(s)) {
        log_error("dataset.root = \"%s\" holds another data set than synth's: it is left alone "
                  "(images of one's own have another dataset.layout)",
            s->dataset.root);
        st = STATUS_USAGE;
    }
    return st;
}

/* The unfinished line stands in the folder until all is there. */
status synth_write(const settings *s) {
    char want[DESCRIPTION], unfinished[DESCRIPTION + sizeof UNFINISHED];
    bool done, begun;
    describe(s, want);
    status st = look(s, want, &done, &begun);
    if (st != STATUS_OK || done) return st;
    snprintf(unfinished, sizeof unfinished, UNFINISHED "%s", want);
    st = file_make_folder(s->dataset.root);
    if (st == STATUS_OK && !begun) st = write_file(s, SCENES, unfinished, strlen(unfinished));
    if (st == STATUS_OK) st = write_split(s, SPLIT_TRAIN, s->dataset.synth_train, begun);
    if (st == STATUS_OK) st = write_split(s, SPLIT_VAL, s->dataset.synth_val, begun);
    if (st == STATUS_OK) st = write_file(s, SCENES, want, strlen(want));
    if (st == STATUS_OK)
        log_info("synth: %d training and %d validation scenes in %s", s->dataset.synth_train,
            s->dataset.synth_val, s->dataset.root);
    if (st == STATUS_STOPPED) log_info("synth: stopped: the next start goes on");
    return st;
}

status synth_look(const settings *s, bool *done) {
    char want[DESCRIPTION];
    bool begun;
    describe(s, want);
    return look(s, want, done, &begun);
}

status synth_check(const settings *s) {
    bool done;
    return synth_look(s, &done);
}

/* A scene of the list; paths are the names, as nobody opens them. */
static bool list_scene(layout_item *x, split which, int i) {
    char name[NAME], label[NAME];
    image_name(name, which, i);
    label_name(label, which, i);
    *x = (layout_item){.image = memory_alloc(NAME, 1, "path"),
        .label = memory_alloc(NAME, 1, "path"),
        .name = memory_alloc(NAME, 1, "path"),
        .split = which};
    if (!x->image || !x->label || !x->name) return false;
    strcpy(x->image, name);
    strcpy(x->label, label);
    strcpy(x->name, name);
    return true;
}

status synth_list(const settings *s, layout *out) {
    int train = s->dataset.synth_train, all = train + s->dataset.synth_val;
    layout l = {.item = memory_alloc((size_t)all, sizeof *l.item, "list of images")};
    bool good = l.item != NULL;
    for (int i = 0; good && i < all; i++) {
        good =
            list_scene(&l.item[i], i < train ? SPLIT_TRAIN : SPLIT_VAL, i < train ? i : i - train);
        l.items++;
    }
    if (good)
        *out = l;
    else
        layout_destroy(&l);
    return good ? STATUS_OK : STATUS_FAILED;
}
