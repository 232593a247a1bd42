#include "io/codecs/image_file.h"
#include "io/dataset/layout.h"
#include "io/files/file.h"
#include "src/app/tools/check.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILES = 20000,          /* whose presence is looked at */
    HEADERS = 64,           /* images whose headers are read */
    MAPS = 8,               /* label maps that are decoded */
    HEADER_BYTES = 1 << 20, /* which a header is within */
    NAMED = 10,             /* missing files that are named */
    LABEL_IDS = 65536,
};

/* The layout of a data set while it is looked at. */
typedef struct survey {
    const settings *s;
    layout l;
    int missing, looked, measured;
    double bytes, height, width; /* sums */
    status first;                /* the first mistake's kind */
} survey;

static void note(survey *v, status st) {
    if (v->first == STATUS_OK) v->first = st;
}

/* Item number i of `count` evenly spaced ones. */
static int spaced(const survey *v, int i, int count) {
    return (int)((int64_t)i * v->l.items / count);
}

static int sample_size(const survey *v, int most) {
    return v->l.items < most ? v->l.items : most;
}

static void look_at(survey *v, const char *path) {
    struct stat about;
    if (stat(path, &about) == 0 && S_ISREG(about.st_mode) && access(path, R_OK) == 0) {
        v->bytes += (double)about.st_size;
    } else {
        if (v->missing++ < NAMED)
            log_error("%s: %s", path, errno ? strerror(errno) : "no regular file");
        note(v, STATUS_DATA);
    }
    errno = 0;
}

static void look_at_files(survey *v) {
    v->looked = sample_size(v, FILES);
    errno = 0;
    for (int i = 0; i < v->looked; i++) {
        const layout_item *item = &v->l.item[spaced(v, i, v->looked)];
        look_at(v, item->image);
        if (item->label) look_at(v, item->label);
    }
    if (v->missing > NAMED) log_error("... and %d more files", v->missing - NAMED);
}

/* The beginning of a file, owned by the caller: memory_free. */
static status read_beginning(const char *path, size_t limit, void **data, size_t *bytes) {
    int fd;
    uint64_t size;
    status st = file_open(path, &fd, &size);
    if (st != STATUS_OK) return st;
    *bytes = size < limit ? (size_t)size : limit;
    *data = memory_alloc(*bytes, 1, path);
    st = *data ? file_read_at(fd, path, 0, *data, *bytes) : STATUS_FAILED;
    close(fd);
    if (st != STATUS_OK) {
        memory_free(*data);
        *data = NULL;
    }
    return st;
}

static status read_header(const char *path, image_header *out) {
    void *data = NULL;
    size_t bytes;
    status st = read_beginning(path, HEADER_BYTES, &data, &bytes);
    if (st == STATUS_OK) st = image_file_header(data, bytes, path, out);
    memory_free(data);
    return st;
}

static status check_header(survey *v, const layout_item *item, image_header *h) {
    image_header label;
    status st = read_header(item->image, h);
    if (st != STATUS_OK) return st;
    double megapixels = (double)h->height * h->width / 1e6;
    if (megapixels > v->s->dataset.max_megapixels) {
        log_error("%s: %d x %d is more than dataset.max_megapixels = %g", item->image, h->width,
            h->height, v->s->dataset.max_megapixels);
        return STATUS_DATA;
    }
    if (!item->label) return STATUS_OK;
    st = read_header(item->label, &label);
    if (st != STATUS_OK || (label.height == h->height && label.width == h->width)) return st;
    log_error("%s: %d x %d, its image is %d x %d", item->label, label.width, label.height, h->width,
        h->height);
    return STATUS_DATA;
}

/* The first id that is neither a class nor void. */
static status check_ids(const settings *s, const char *path) {
    void *data = NULL;
    size_t bytes;
    labelmap m = {0};
    int64_t most = (int64_t)(s->dataset.max_megapixels * 1e6);
    status st = read_beginning(path, SIZE_MAX, &data, &bytes);
    if (st == STATUS_OK) st = image_file_labels(data, bytes, path, most, &m);
    memory_free(data);
    for (int64_t i = 0; st == STATUS_OK && i < (int64_t)m.height * m.width; i++) {
        if (m.data[i] < s->dataset.classes || m.data[i] == s->dataset.ignore) continue;
        log_error("%s: label id %d at row %d, column %d: neither one of the %d classes nor "
                  "dataset.ignore = %d",
            path, m.data[i], (int)(i / m.width), (int)(i % m.width), s->dataset.classes,
            s->dataset.ignore);
        st = STATUS_DATA;
    }
    labelmap_destroy(&m);
    return st;
}

/* Ids that a map changes, or classes that the layout knows, are left to pack. */
static bool ids_are_known(const settings *s) {
    return s->dataset.classes > 0 && !s->dataset.label_map[0];
}

static void look_into_files(survey *v) {
    int count = sample_size(v, HEADERS), maps = 0;
    for (int i = 0; i < count; i++) {
        const layout_item *item = &v->l.item[spaced(v, i, count)];
        image_header h;
        if (access(item->image, R_OK) != 0 || (item->label && access(item->label, R_OK) != 0))
            continue;
        status st = check_header(v, item, &h);
        if (st == STATUS_OK && item->label && maps < MAPS && ids_are_known(v->s)) {
            maps++;
            st = check_ids(v->s, item->label);
        }
        note(v, st);
        if (st != STATUS_OK) continue;
        v->measured++;
        v->height += h.height * v->s->dataset.scale;
        v->width += h.width * v->s->dataset.scale;
    }
}

static void check_splits(survey *v, int64_t *train) {
    int64_t images[SPLIT_COUNT] = {0}, labelled[SPLIT_COUNT] = {0};
    for (int i = 0; i < v->l.items; i++) {
        images[v->l.item[i].split]++;
        labelled[v->l.item[i].split] += v->l.item[i].label != NULL;
    }
    for (int k = 0; k < SPLIT_COUNT; k++)
        if (images[k] > 0)
            log_info("%s: %lld images, %lld of them labelled", split_words[k], (long long)images[k],
                (long long)labelled[k]);
    *train = images[SPLIT_TRAIN];
    if (*train == 0) {
        log_error("the data set has no training image");
        note(v, STATUS_DATA);
    } else if (labelled[SPLIT_TRAIN] == 0) {
        log_warn("no training image has a label: score, finetune and evaluate cannot be done");
    }
    split evaluated = v->s->evaluate.split;
    if (labelled[evaluated] == 0)
        log_warn("evaluate.split = \"%s\" has no labelled image", split_words[evaluated]);
}

static void check_list(survey *v) {
    const char *list = v->s->finetune.list;
    if (list[0] && access(list, R_OK) != 0) {
        log_error("finetune.list = \"%s\": %s", list, strerror(errno));
        note(v, STATUS_DATA);
    }
}

/* The built-in data set needs no files. */
static check_images synthetic(const settings *s) {
    enum { PIXEL = 4 }; /* bytes of image and label, roughly, as PNG */
    double height = s->dataset.synth_height, width = s->dataset.synth_width;
    check_images c = {.train = s->dataset.synth_train,
        .all = s->dataset.synth_train + s->dataset.synth_val,
        .height = height * s->dataset.scale,
        .width = width * s->dataset.scale};
    c.bytes = (int64_t)(2 * PIXEL * height * width * (double)c.all); /* in root, in dataset.h5 */
    return c;
}

status check_dataset(const settings *s, check_images *out) {
    survey v = {.s = s};
    check_list(&v);
    if (s->dataset.layout == DATASET_LAYOUT_SYNTH) {
        *out = synthetic(s);
        return v.first;
    }
    status st = layout_read(&v.l, s);
    if (st != STATUS_OK) return st;
    check_splits(&v, &out->train);
    look_at_files(&v);
    look_into_files(&v);
    out->all = v.l.items;
    if (v.looked > 0) out->bytes = (int64_t)(v.bytes / v.looked * v.l.items);
    if (v.measured > 0) {
        out->height = v.height / v.measured;
        out->width = v.width / v.measured;
    }
    layout_destroy(&v.l);
    return v.first;
}
