/* The rules that an image and its label map must keep, in one place. Decoding is the whole truth,
 * and what packing does; first and last bytes are what `check` has time for: sizes, colours, kinds
 * of label maps, and whether a file was cut off, which the missing end of its format gives away.
 * Both ways use the same functions where they can, so that `check` and packing refuse a file in the
 * same words. Nothing here is collective. */
#include "io/dataset/item_check.h"

#include "io/dataset/reduce.h"
#include "io/files/file.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/image/turn.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes that are read of a file's beginning: headers lie in it unless a large profile or preview
 * comes first; and of its end, for the longest mark of an end. */
enum { BEGINNING = 1 << 14, END = 16 };

int64_t item_pixel_limit(const settings *s) {
    return (int64_t)(s->dataset.max_megapixels * 1e6);
}

/* What means nothing, in runs of one value along a row: label maps are areas. Colours are looked at
 * in the picture once more, as the table made one id of all that it does not have. */
static status count_unknown(
    const item_rules *r, const labelmap *m, const image *colours, int item, id_count *count) {
    for (int y = 0; y < m->height; y++)
        for (int x = 0, end; x < m->width; x = end) {
            size_t at = (size_t)y * (size_t)m->width + (size_t)x;
            const uint8_t *rgb = colours->data + (colours->data ? 3 * at : 0);
            for (end = x + 1; end < m->width; end++) {
                size_t next = at + (size_t)(end - x);
                if (m->data[next] != m->data[at]) break;
                if (colours->data && memcmp(rgb, colours->data + 3 * next, 3) != 0) break;
            }
            uint32_t value = m->data[at];
            if (r->known[value]) continue;
            if (colours->data)
                value = (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | (uint32_t)rgb[2];
            unknown_values_add(&count->unknown, value, item, x, y, end - x);
        }
    count->unknown.maps++;
    return STATUS_DATA;
}

/* Ids of a label map are counted, unless one is unknown. A map without any class is a warning: it
 * may be meant, but is mostly a wrong map of ids. *known: whether all are. */
static void check_ids(
    const item_rules *r, const labelmap *m, const char *path, id_count *count, bool *known) {
    int64_t labelled = 0;
    size_t n = (size_t)m->height * (size_t)m->width;
    count->unknown.looked++;
    for (size_t i = 0; i < n; i++)
        if (!r->known[m->data[i]]) {
            *known = false;
            return;
        }
    for (size_t i = 0; i < n; i++) {
        count->pixels[m->data[i]]++;
        labelled += r->t->map[m->data[i]] != LABEL_IGNORE;
    }
    if (labelled > 0) return;
    log_warn("%s: no pixel has a class", path);
    count->empty++;
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

/* What is packed of an image that is too large: encoded here, to know how many bytes it takes, and
 * once more when it is written. */
static status note_reduced(finding *f, const item_rules *r, const layout_item *x, const void *bytes,
    size_t size, const image_header *h) {
    int height = (int)f->shape[BLOB_IMAGES][0], width = (int)f->shape[BLOB_IMAGES][1];
    void *small = NULL;
    if (!reduce_shape(&height, &width, r->max_side)) return STATUS_OK;
    status st = reduce_image(bytes, size, x->image, h, r->max_side, &small, &size);
    if (st != STATUS_OK) return st;
    f->shape[BLOB_IMAGES][0] = (uint32_t)height;
    f->shape[BLOB_IMAGES][1] = (uint32_t)width;
    f->bytes[BLOB_IMAGES] = size;
    f->hash[BLOB_IMAGES] = hash_bytes(small, size);
    f->reduced = 1;
    memory_free(small);
    return STATUS_OK;
}

/* Where the system does not give a file that is there, that may be read and is not too large,
 * nothing is known of it: a data set without it would be another one. */
static status read_item(const char *path, void **bytes, size_t *size) {
    struct stat s;
    status st = file_read(path, DATASET_FILE_LIMIT, bytes, size);
    if (st != STATUS_DATA || stat(path, &s) != 0 || !S_ISREG(s.st_mode)) return st;
    bool good = (uint64_t)s.st_size <= DATASET_FILE_LIMIT && access(path, R_OK) == 0;
    return good ? STATUS_FAILED : st;
}

/* Only that it can be decoded counts, so that no picture is held. f is written only if it can. */
static status decode_image(const item_rules *r, const layout_item *x, finding *f, image_header *h) {
    void *bytes = NULL;
    size_t size;
    status st = read_item(x->image, &bytes, &size);
    if (st == STATUS_OK) st = image_file_try(bytes, size, x->image, r->max_pixels, h);
    if (st == STATUS_OK) note(f, BLOB_IMAGES, bytes, size, h);
    if (st == STATUS_OK) f->warnings = h->warnings;
    if (st == STATUS_OK) st = note_reduced(f, r, x, bytes, size, h);
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

/* By the header. */
static status check_kind(const item_rules *r, const image_header *h, const char *path) {
    return r->colours ? label_colours_check(r->colours, h, path, r->max_pixels)
                      : image_file_check(h, path, r->max_pixels);
}

/* The ids, by the rules; bytes are those of x->label, whose header has been checked. */
static status check_label(const item_rules *r, const layout_item *x, int item, const void *bytes,
    size_t size, finding *f, id_count *count) {
    labelmap m = {0};
    image colours = {0};
    bool known = true;
    status st = label_colours_decode(r->colours, bytes, size, x->label, r->max_pixels, &m);
    if (st == STATUS_OK && r->t) check_ids(r, &m, x->label, count, &known);
    if (st == STATUS_OK && !known && r->colours->count > 0)
        st = image_file_decode(bytes, size, x->label, r->max_pixels, &colours);
    if (st == STATUS_OK && !known) {
        st = count_unknown(r, &m, &colours, item, count);
        f->bad = FINDING_UNKNOWN;
    }
    image_destroy(&colours);
    labelmap_destroy(&m);
    return st;
}

/* Sizes are compared before ids, as the wrong file is the likelier mistake. */
static status decode_label(const item_rules *r, const layout_item *x, int item,
    const image_header *of, finding *f, id_count *count) {
    void *bytes = NULL;
    size_t size;
    image_header h;
    status st = read_item(x->label, &bytes, &size);
    if (st == STATUS_OK) st = image_file_header(bytes, size, x->label, &h);
    if (st == STATUS_OK) st = check_kind(r, &h, x->label);
    if (st == STATUS_OK) st = compare_sizes(x, of, &h, f);
    if (st == STATUS_OK && r->colours) st = check_label(r, x, item, bytes, size, f, count);
    if (st == STATUS_OK) note(f, BLOB_ANNOTATIONS, bytes, size, &h);
    memory_free(bytes);
    return st;
}

status item_decode(const item_rules *r, const layout *l, int i, finding *f, id_count *count) {
    const layout_item *x = &l->item[i];
    image_header h;
    status st = decode_image(r, x, f, &h);
    if (st == STATUS_OK && x->label) st = decode_label(r, x, i, &h, f, count);
    if (st == STATUS_DATA && f->bad == 0) f->bad = FINDING_UNREADABLE;
    return st;
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
    if (st == STATUS_OK) st = check_kind(r, &label, x->label);
    if (st != STATUS_OK) return st;
    out->lie = orientation_compare(oriented_of(&out->image), oriented_of(&label));
    out->doubtful |= out->lie == LABEL_LIES_NOT;
    return STATUS_OK;
}
