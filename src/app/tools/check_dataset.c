/* The data set, for `auxseg check`: lists and classes as packing reads them; of every file its
 * first and last bytes, which give size, colours and whether it was cut off; and as many files
 * decoded, at even distances, as takes a second or two. Small data sets are decoded whole: then
 * nothing is left that packing could refuse. */
#include "io/dataset/dataset.h"
#include "io/dataset/dataset_classes.h"
#include "io/dataset/item_check.h"
#include "io/dataset/reduce.h"
#include "io/dataset/unlabelled.h"
#include "io/dataset/held_out.h"
#include "io/files/file.h"
#include "src/app/tools/check_state.h"
#include "src/app/tools/packed.h"
#include "src/app/tools/synth.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/image/turn.h"

#include <string.h>
#include <unistd.h>

/* FILES: images whose files are opened: on a parallel file system each takes a millisecond or more.
 * NAMED: bad images that are named; of others only the number is told. */
enum { FILES = 20000, NAMED = 10 };
/* About a second of decoding. */
static const double decoded_pixels = 100e6;

/* The data set while it is looked at. */
typedef struct survey {
    check *k;
    layout l;
    dataset_table t;
    uint8_t *known; /* [LABEL_IDS] */
    item_rules rules;
    item_state *state;    /* [items] */
    uint32_t (*shape)[2]; /* [items], height and width; 0: not known */
    int looked, bad, decoded;
    double pixels, bytes; /* of what was looked at */
    orientation_count orientations;
    id_count count; /* of what was decoded */
} survey;

/* Number i of `count` evenly spaced items. */
static int spaced(const survey *v, int i, int count) {
    return (int)((int64_t)i * v->l.items / count);
}

/* A bad image that packing would leave out is no mistake; that memory is short is one all the same.
 */
static void note_bad(survey *v, int i, status st) {
    bool skip = v->k->s->dataset.on_bad_image == DATASET_ON_BAD_IMAGE_SKIP && st == STATUS_DATA;
    v->state[i] = ITEM_BAD;
    v->shape[i][0] = v->shape[i][1] = 0;
    v->bad++;
    if (!skip) check_note(v->k, st);
}

/* What was decoded already, or is bad, is not decoded again. */
static void decode(survey *v, int i) {
    finding f = {.bad = 0};
    if (v->state[i] != ITEM_LOOKED) return;
    status st = item_decode(&v->rules, &v->l, i, &f, &v->count);
    v->state[i] = ITEM_DECODED;
    v->decoded++;
    bool skip = v->k->s->dataset.on_bad_image == DATASET_ON_BAD_IMAGE_SKIP;
    /* Ids that mean nothing are named together, and make the image bad only where it may be. */
    if (st != STATUS_OK && (f.bad != FINDING_UNKNOWN || skip)) note_bad(v, i, st);
}

static bool readable(const layout_item *x) {
    return access(x->image, R_OK) == 0 && (!x->label || access(x->label, R_OK) == 0);
}

/* A file that does not end as its format does is decoded at once: most of them were cut off. */
static void look_at(survey *v, int i) {
    const layout_item *x = &v->l.item[i];
    item_headers h = {.bytes = 0};
    v->looked++;
    if (v->bad >= NAMED) { /* without a word */
        if (!readable(x)) note_bad(v, i, STATUS_DATA);
        return;
    }
    status st = item_look(&v->rules, x, &h);
    if (st != STATUS_OK) {
        note_bad(v, i, st);
        return;
    }
    v->state[i] = ITEM_LOOKED;
    bool swaps = orientation_swaps(h.image.orientation);
    int height = swaps ? h.image.width : h.image.height;
    int width = swaps ? h.image.height : h.image.width;
    reduce_shape(&height, &width, v->k->s->dataset.max_side);
    v->shape[i][0] = (uint32_t)height;
    v->shape[i][1] = (uint32_t)width;
    orientation_add(&v->orientations, h.image.orientation, h.lie, x->name);
    v->bytes += (double)h.bytes;
    v->pixels += (double)h.image.height * h.image.width * (x->label ? 2 : 1);
    if (h.doubtful) decode(v, i);
}

/* Each value is a mistake, unless its images are left out. */
static void report_unknown(survey *v) {
    bool skip = v->k->s->dataset.on_bad_image == DATASET_ON_BAD_IMAGE_SKIP;
    if (v->count.unknown.maps == 0) return;
    int values = unknown_values_report(&v->count.unknown, &v->t, &v->l, skip);
    for (int i = 0; i < values && !skip; i++) check_note(v->k, STATUS_DATA);
}

/* How many are opened and decoded depends on the data set alone, not on how fast this machine is:
 * two checks of the same files say the same. */
static void look_at_files(survey *v) {
    int count = v->l.items < FILES ? v->l.items : FILES;
    for (int i = 0; i < count; i++) look_at(v, spaced(v, i, count));
    int decodes = count;
    if (v->pixels > decoded_pixels) decodes = (int)(count * decoded_pixels / v->pixels) + 1;
    for (int i = 0; i < decodes && v->bad < NAMED; i++) decode(v, spaced(v, i, decodes));
    report_unknown(v);
    if (v->bad > NAMED) log_error("... and %d more images or label maps", v->bad - NAMED);
    log_info("%d of %d images: files opened; %d of them decoded, packing decodes all", v->looked,
        v->l.items, v->decoded);
    if (v->bad > 0 && v->k->s->dataset.on_bad_image == DATASET_ON_BAD_IMAGE_SKIP)
        log_warn("%d of %d images that were looked at are bad: packing leaves them out "
                 "(dataset.on_bad_image = \"skip\")",
            v->bad, v->looked);
    if (v->bad > 0 && v->k->s->dataset.on_bad_image == DATASET_ON_BAD_IMAGE_STOP)
        log_info(
            "packing stops at the first bad image; dataset.on_bad_image = \"skip\" leaves them "
            "out");
    bool stored;
    check_note(v->k, orientation_decide(v->k->s, &v->orientations, &stored));
    v->k->bytes = v->looked > v->bad ? v->bytes / (v->looked - v->bad) * v->l.items : 0;
}

/* Names of the training images in one block, texts behind the list; NULL without memory. */
static const char **copy_names(const layout *l, int train) {
    size_t bytes = (size_t)train * sizeof(char *);
    for (int i = 0; i < train; i++) bytes += strlen(l->item[i].name) + 1;
    const char **name = memory_alloc(bytes, 1, "names of images");
    char *to = name ? (char *)(name + train) : NULL;
    for (int i = 0; name && i < train; i++) {
        name[i] = strcpy(to, l->item[i].name);
        to += strlen(to) + 1;
    }
    return name;
}

/* Training images come first. */
static void keep_sizes(survey *v) {
    check *k = v->k;
    k->images = v->l.items;
    while (k->train < v->l.items && v->l.item[k->train].split == SPLIT_TRAIN) k->train++;
    k->name = copy_names(&v->l, k->train);
    k->height = memory_alloc((size_t)k->train, sizeof *k->height, "sizes of images");
    k->width = memory_alloc((size_t)k->train, sizeof *k->width, "sizes of images");
    if (!k->height || !k->width || !k->name) {
        check_note(k, STATUS_FAILED);
        return;
    }
    for (int i = 0; i < k->train; i++) {
        k->height[i] = (int)v->shape[i][0];
        k->width[i] = (int)v->shape[i][1];
    }
}

/* How many classes, and which ids may occur. Files are looked at without ids if that is wrong. */
static void read_classes(survey *v) {
    const settings *s = v->k->s;
    bool labelled = false;
    for (int i = 0; i < v->l.items; i++) labelled |= v->l.item[i].label != NULL;
    /* Label maps of colours are not looked at while it is not known which. */
    bool coloured = s->dataset.colours[0] || v->l.variant->colours;
    v->rules = (item_rules){.max_pixels = item_pixel_limit(s)};
    v->rules.colours = coloured ? NULL : &v->t.colours;
    /* This the check of the settings has named. */
    if (s->dataset.layout == DATASET_LAYOUT_PAIRS && s->dataset.classes < 2 &&
        !s->dataset.colours[0])
        return;
    status st = dataset_classes_read(s, v->l.variant, labelled, &v->t, v->known);
    check_note(v->k, st);
    if (st != STATUS_OK) return;
    v->rules.t = &v->t;
    v->rules.colours = &v->t.colours;
    v->rules.known = v->known;
    v->k->classes = v->t.classes;
}

/* The built-in data set is made when it is packed: what will be in it is known all the same. */
static status list_scenes(survey *v) {
    enum { PIXEL = 4 }; /* bytes of image and label, roughly, as PNG */
    const settings *s = v->k->s;
    check_note(v->k, synth_check(s));
    status st = synth_list(s, &v->l);
    if (st == STATUS_OK) st = held_out_take(&v->l, s);
    v->k->bytes = 2.0 * PIXEL * s->dataset.synth_height * s->dataset.synth_width * v->l.items;
    return st; /* in root and in dataset.h5 */
}

static void take_scenes(survey *v) {
    for (int i = 0; i < v->l.items; i++) {
        v->state[i] = ITEM_DECODED;
        v->shape[i][0] = (uint32_t)v->k->s->dataset.synth_height;
        v->shape[i][1] = (uint32_t)v->k->s->dataset.synth_width;
    }
}

/* Files first: what is bad and skipped counts neither as an image nor as labelled. What is
 * allocated here check_dataset frees, also when memory runs out halfway. Counts of labelled images
 * rest on the states, so they come after the look at the files. */
static void survey_files(survey *v) {
    size_t n = (size_t)v->l.items;
    v->known = memory_alloc(LABEL_IDS, 1, "label ids");
    v->state = memory_alloc(n, sizeof *v->state, "images");
    v->shape = memory_alloc(n, sizeof *v->shape, "sizes of images");
    v->count.pixels = memory_alloc(LABEL_IDS, sizeof *v->count.pixels, "label ids");
    if (!v->known || !v->state || !v->shape || !v->count.pixels) {
        check_note(v->k, STATUS_FAILED);
        return;
    }
    read_classes(v);
    if (v->k->s->dataset.layout == DATASET_LAYOUT_SYNTH)
        take_scenes(v);
    else
        look_at_files(v);
    check_labelled(v->k, &v->l, v->state);
    check_found found = {.l = &v->l,
        .t = v->rules.t,
        .state = v->state,
        .shape = (const uint32_t(*)[2])v->shape,
        .count = &v->count};
    check_tell(v->k, &found);
    keep_sizes(v);
}

/* What is packed needs no look at files that are gone: the table says it all. The paths of the list
 * are names, as nobody opens them. On failure what has been made is in v->l. */
static status list_packed(survey *v) {
    char path[FILE_PATH];
    dataset *d = NULL;
    status st = file_path(path, v->k->s->run.dir, "dataset.h5");
    if (st == STATUS_OK) st = dataset_open(NULL, path, &d);
    for (int i = 0; st == STATUS_OK && i < dataset_count(d); i++) {
        dataset_item x = dataset_get(d, i);
        st = layout_append(&v->l, "", x.split, x.name, x.labelled ? x.name : NULL);
    }
    size_t n = (size_t)v->l.items;
    v->state = memory_alloc(n, sizeof *v->state, "images");
    v->shape = memory_alloc(n, sizeof *v->shape, "sizes of images");
    if (st == STATUS_OK && (!v->state || !v->shape)) st = STATUS_FAILED;
    for (int i = 0; st == STATUS_OK && i < v->l.items; i++) {
        v->state[i] = ITEM_DECODED;
        v->shape[i][0] = (uint32_t)dataset_get(d, i).height;
        v->shape[i][1] = (uint32_t)dataset_get(d, i).width;
    }
    if (st == STATUS_OK) v->k->classes = dataset_classes(d);
    dataset_close(d);
    return st;
}

static void survey_packed(survey *v) {
    const settings *s = v->k->s;
    log_warn("no image is left below dataset.root = \"%s\": %s/dataset.h5, packed with the same "
             "settings, is used",
        s->dataset.root, s->run.dir);
    status st = list_packed(v);
    check_note(v->k, st);
    if (st != STATUS_OK) return;
    check_labelled(v->k, &v->l, v->state);
    keep_sizes(v);
}

/* A list that cannot be read is one mistake and the end of this part: without it there is nothing
 * to look at. */
void check_dataset(check *k) {
    survey v = {.k = k};
    bool synth = k->s->dataset.layout == DATASET_LAYOUT_SYNTH;
    /* This the check of the settings has named. */
    if (k->s->dataset.layout == DATASET_LAYOUT_PAIRS && !k->s->dataset.train[0]) return;
    if (!synth && packed_alone(k->s)) {
        survey_packed(&v);
    } else {
        status st = synth ? list_scenes(&v) : layout_read(&v.l, k->s);
        if (st == STATUS_OK) unlabelled_log(&v.l, k->s);
        if (st == STATUS_OK) held_out_log(&v.l, k->s);
        if (synth) v.l.variant = layout_variant_at(k->s, 0);
        check_note(k, st);
        if (st == STATUS_OK) survey_files(&v);
    }
    layout_destroy(&v.l);
    dataset_table_destroy(&v.t);
    memory_free(v.count.pixels);
    memory_free(v.known);
    memory_free(v.state);
    memory_free(v.shape);
}
