/* The rules that an image and its label map must keep, in one place. Decoding is the whole truth,
 * and what packing does; first and last bytes are what `check` has time for: sizes, colours, kinds
 * of label maps, and whether a file was cut off, which the missing end of its format gives away.
 * Both ways use the same functions where they can, so that `check` and packing refuse a file in the
 * same words. Nothing here is collective. */
#include "io/dataset/item_check.h"

#include "io/files/file.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/image/turn.h"

#include <stdlib.h>
#include <unistd.h>

/* Bytes that are read of a file's beginning: headers lie in it unless a large profile or preview
 * comes first; and of its end, for the longest mark of an end. */
enum { BEGINNING = 1 << 14, END = 16 };

int64_t item_pixel_limit(const settings *s) {
    return (int64_t)(s->dataset.max_megapixels * 1e6);
}

/* Where it stands helps to see what it is in a picture of the labels. */
static status unknown_id(const item_rules *r, const labelmap *m, size_t at, const char *path) {
    log_error("%s: label id %d at row %zu, column %zu is neither a class (0 to %d), nor "
              "dataset.ignore = %d, nor in dataset.label_map",
        path, m->data[at], at / (size_t)m->width, at % (size_t)m->width, r->t->classes - 1,
        r->t->ignore);
    return STATUS_DATA;
}

/* Ids of a label map are counted, unless one is unknown. A map without any class is a warning: it
 * may be meant, but is mostly a wrong map of ids. count NULL: ids are looked at, not counted. */
static status check_ids(const item_rules *r, const labelmap *m, const char *path, id_count *count) {
    int64_t labelled = 0;
    size_t n = (size_t)m->height * (size_t)m->width;
    for (size_t i = 0; i < n; i++)
        if (!r->known[m->data[i]]) return unknown_id(r, m, i, path);
    for (size_t i = 0; count && i < n; i++) {
        count->pixels[m->data[i]]++;
        labelled += r->t->map[m->data[i]] != LABEL_IGNORE;
    }
    if (count && labelled == 0) {
        log_warn("%s: no pixel has a class", path);
        count->empty++;
    }
    return STATUS_OK;
}

static oriented oriented_of(const image_header *h) {
    return (oriented){h->height, h->width, h->orientation};
}

/* x->label is refused, not the image: label maps are the ones that were made by hand. */
static status other_size(const layout_item *x, const image_header *of, const image_header *label) {
    log_error("%s: %d x %d pixels, but its image %s has %d x %d%s", x->label, label->width,
        label->height, x->image, of->width, of->height,
        orientation_swaps(of->orientation) ? ", and turned by EXIF" : "");
    return STATUS_DATA;
}

/* Of the encoded bytes as they stand in the file: what packing copies is compared with it. */
static void note(finding *f, int blob, const void *bytes, size_t size, const image_header *h) {
    bool swaps = orientation_swaps(h->orientation);
    f->shape[blob][0] = (uint32_t)(swaps ? h->width : h->height);
    f->shape[blob][1] = (uint32_t)(swaps ? h->height : h->width);
    f->orientation[blob] = (uint8_t)h->orientation;
    f->bytes[blob] = size;
    f->hash[blob] = hash_bytes(bytes, size);
}

/* Only that it can be decoded counts, so that no picture is held. f is written only if it can. */
static status decode_image(const item_rules *r, const layout_item *x, finding *f, image_header *h) {
    void *bytes = NULL;
    size_t size;
    status st = file_read(x->image, DATASET_FILE_LIMIT, &bytes, &size);
    if (st == STATUS_OK) st = image_file_try(bytes, size, x->image, r->max_pixels, h);
    if (st == STATUS_OK) note(f, BLOB_IMAGES, bytes, size, h);
    if (st == STATUS_OK) f->warnings = h->warnings;
    memory_free(bytes);
    return st;
}

/* A map that lies as the image is stored is turned as the image is; one that may lie either way is
 * upright until orientation_decide has seen all. */
static status compare_sizes(
    const layout_item *x, const image_header *of, image_header *label, finding *f) {
    label_lie lie = orientation_compare(oriented_of(of), oriented_of(label));
    if (lie == LABEL_LIES_NOT) return other_size(x, of, label);
    if (lie == LABEL_LIES_STORED) label->orientation = of->orientation;
    f->lie = (uint8_t)lie;
    return STATUS_OK;
}

/* Sizes are compared before ids, as the wrong file is the likelier mistake. */
static status decode_label(const item_rules *r, const layout_item *x, const image_header *of,
    finding *f, id_count *count) {
    void *bytes = NULL;
    size_t size;
    labelmap m = {0};
    image_header h;
    status st = file_read(x->label, DATASET_FILE_LIMIT, &bytes, &size);
    if (st == STATUS_OK) st = image_file_labels(bytes, size, x->label, r->max_pixels, &m);
    if (st == STATUS_OK) st = image_file_header(bytes, size, x->label, &h);
    if (st == STATUS_OK) st = compare_sizes(x, of, &h, f);
    if (st == STATUS_OK && r->t) st = check_ids(r, &m, x->label, count);
    if (st == STATUS_OK) note(f, BLOB_ANNOTATIONS, bytes, size, &h);
    labelmap_destroy(&m);
    memory_free(bytes);
    return st;
}

status item_decode(const item_rules *r, const layout_item *x, finding *f, id_count *count) {
    image_header h;
    status st = decode_image(r, x, f, &h);
    return st == STATUS_OK && x->label ? decode_label(r, x, &h, f, count) : st;
}

/* From the beginning of a file if that holds its header, as nearly always, else from all of it. The
 * first try is without a name, and so without a message: that the beginning did not do is no
 * mistake. */
static status read_header(int fd, const char *path, uint64_t size, image_header *h) {
    unsigned char beginning[BEGINNING];
    size_t n = size < sizeof beginning ? (size_t)size : sizeof beginning;
    status st = file_read_at(fd, path, 0, beginning, n);
    if (st != STATUS_OK) return st;
    if (n == size) return image_file_header(beginning, n, path, h);
    if (image_file_header(beginning, n, NULL, h) == STATUS_OK) return STATUS_OK;
    void *all = NULL;
    size_t bytes;
    st = file_read(path, DATASET_FILE_LIMIT, &all, &bytes);
    if (st == STATUS_OK) st = image_file_header(all, bytes, path, h);
    memory_free(all);
    return st;
}

/* Adds the file's bytes, and whether its end is missing, to *out. Two reads of a few kilobytes,
 * whatever the file's size. */
static status look_at_file(const char *path, image_header *h, item_headers *out) {
    unsigned char end[END];
    int fd;
    uint64_t size;
    status st = file_open(path, &fd, &size);
    if (st != STATUS_OK) return st;
    st = read_header(fd, path, size, h);
    size_t n = size < sizeof end ? (size_t)size : sizeof end;
    if (st == STATUS_OK) st = file_read_at(fd, path, size - n, end, n);
    close(fd);
    if (st != STATUS_OK) return st;
    out->bytes += size;
    out->doubtful |= !image_file_ends(h, end, n);
    return STATUS_OK;
}

/* In the order of item_decode, so that the same file has the same message. Sizes that do not fit
 * are for decoding to refuse: EXIF data may stand behind what was read here. */
status item_look(const item_rules *r, const layout_item *x, item_headers *out) {
    image_header label;
    *out = (item_headers){.bytes = 0};
    status st = look_at_file(x->image, &out->image, out);
    if (st == STATUS_OK) st = image_file_check(&out->image, x->image, r->max_pixels);
    if (st != STATUS_OK || !x->label) return st;
    st = look_at_file(x->label, &label, out);
    if (st == STATUS_OK) st = image_file_check_labels(&label, x->label, r->max_pixels);
    if (st != STATUS_OK) return st;
    out->lie = orientation_compare(oriented_of(&out->image), oriented_of(&label));
    out->doubtful |= out->lie == LABEL_LIES_NOT;
    return STATUS_OK;
}
