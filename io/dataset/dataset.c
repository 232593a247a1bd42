/* dataset.h5 as stages see it. The tables, some tens of bytes an image, are on every rank; pictures
 * stay in the file and are read one at a time by whoever needs them, from any thread, with pread: a
 * rank asks for images in the order of its batches, which no cache of the library would guess, and
 * HDF5 allows one thread at a time. The encoded bytes are small beside the pixels, so that decoding
 * anew costs less than a disk full of decoded images would. A checksum stands beside each blob and
 * is compared at every read: a disk that goes bad during a run of days is named, not learned from.
 */
#include "io/dataset/dataset.h"

#include "io/codecs/image_file.h"
#include "io/dataset/dataset_format.h"
#include "io/files/file.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/image/turn.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The same on every rank but for the descriptor. */
struct dataset {
    char path[FILE_PATH];
    dataset_table table;
    int file; /* for pread; HDF5 has closed it */
};

/* The tables as one block of bytes, so that one broadcast carries them. Rank 0 has them, all others
 * get them: thousands of ranks that read the same small tables would be a burden to a file system.
 * Ranks agree before each exchange, so that none waits for one that has no memory. Collective. */
static status share_tables(const comm *c, dataset *d) {
    void *packed = NULL;
    uint64_t bytes = 0;
    status st = comm_root(c) ? dataset_table_pack(&d->table, &packed, &bytes) : STATUS_OK;
    st = comm_agree(c, st);
    if (st != STATUS_OK) goto done;
    comm_broadcast(c, &bytes, sizeof bytes);
    if (!comm_root(c)) packed = memory_alloc(bytes, 1, "tables of the data set");
    st = comm_agree(c, packed ? STATUS_OK : STATUS_FAILED);
    if (st != STATUS_OK) goto done;
    comm_broadcast(c, packed, bytes);
    if (!comm_root(c)) st = dataset_table_unpack(packed, bytes, &d->table);
    st = comm_agree(c, st);
done:
    memory_free(packed);
    return st;
}

/* Every rank opens the file by itself, as each reads its own images: ranks agree, since one node
 * may not see the file system. */
status dataset_open(const comm *c, const char *path, dataset **out) {
    dataset *d = memory_alloc(1, sizeof *d, "data set");
    status st = comm_agree(c, d ? STATUS_OK : STATUS_FAILED);
    if (st != STATUS_OK) {
        memory_free(d);
        return st;
    }
    snprintf(d->path, sizeof d->path, "%s", path);
    d->file = -1;
    st = comm_agree(c, comm_root(c) ? dataset_table_read(&d->table, path) : STATUS_OK);
    if (st == STATUS_OK) st = share_tables(c, d);
    if (st == STATUS_OK) {
        uint64_t bytes;
        st = file_open(path, &d->file, &bytes);
    }
    st = comm_agree(c, st);
    if (st == STATUS_OK)
        *out = d;
    else
        dataset_close(d);
    return st;
}

/* Also of a data set that was opened halfway. */
void dataset_close(dataset *d) {
    if (!d) return;
    if (d->file >= 0) close(d->file);
    dataset_table_destroy(&d->table);
    memory_free(d);
}

int dataset_count(const dataset *d) {
    return d->table.images;
}

/* Whether there is a label map shows in its range: an empty one is none. */
dataset_item dataset_get(const dataset *d, int i) {
    const dataset_table *t = &d->table;
    return (dataset_item){.name = t->name[i],
        .split = (split)t->split[i],
        .height = (int)t->blob[BLOB_IMAGES].shape[2 * i],
        .width = (int)t->blob[BLOB_IMAGES].shape[2 * i + 1],
        .labelled = t->blob[BLOB_ANNOTATIONS].offset[i + 1] > t->blob[BLOB_ANNOTATIONS].offset[i]};
}

int dataset_classes(const dataset *d) {
    return d->table.classes;
}

int dataset_ignore(const dataset *d) {
    return d->table.ignore;
}

const char *dataset_class_name(const dataset *d, int y) {
    return d->table.class_name[y];
}

/* The lowest id, as several may be one class; -1 where none is. */
int dataset_label_id(const dataset *d, int y) {
    int id = 0;
    while (id < LABEL_IDS && d->table.map[id] != (uint16_t)y) id++;
    return id < LABEL_IDS ? id : -1;
}

uint64_t dataset_hash(const dataset *d) {
    return dataset_table_hash(&d->table);
}

/* Rounded half up, as every table and every plan of a network must say the same. */
static int scaled(int size, double scale) {
    double s = floor(size * scale + 0.5);
    return s < 1 ? 1 : (int)s;
}

void dataset_shape(const dataset *d, int i, double scale, int *height, int *width) {
    dataset_item x = dataset_get(d, i);
    *height = scaled(x.height, scale);
    *width = scaled(x.width, scale);
}

/* Of the process: threads of any stage may meet it, and it is asked for at the end of a command,
 * when the data set is closed. */
static atomic_bool damage;

bool dataset_met_damage(void) {
    return atomic_exchange(&damage, false);
}

/* Encoded bytes of an image or its label map, checked. Owned by the caller. which: BLOB_IMAGES or
 * BLOB_ANNOTATIONS. From any thread. The range is known to lie in the file, as dataset_table_read
 * has compared it. */
static status read_blob(const dataset *d, int which, int i, void **bytes, size_t *size) {
    const dataset_blob *b = &d->table.blob[which];
    size_t n = (size_t)(b->offset[i + 1] - b->offset[i]);
    char *data = memory_alloc(n, 1, d->table.name[i]);
    if (!data) return STATUS_FAILED;
    status st = file_read_at(d->file, d->path, (uint64_t)b->begin + b->offset[i], data, n);
    if (st == STATUS_OK && hash_bytes(data, n) != b->hash[i]) {
        log_error("%s: %s of %s is damaged: its checksum differs", d->path,
            which == BLOB_IMAGES ? "the image" : "the label map", d->table.name[i]);
        atomic_store(&damage, true);
        st = STATUS_DATA;
    }
    if (st != STATUS_OK) {
        memory_free(data);
        return st;
    }
    *bytes = data;
    *size = n;
    return STATUS_OK;
}

/* No more than the table says is decoded. */
static int64_t pixels(const dataset *d, int which, int i) {
    const uint32_t *shape = d->table.blob[which].shape + 2 * i;
    return (int64_t)shape[0] * shape[1];
}

/* Decoded to at least height x width once it is upright, and turned: after the decoder's own
 * reduction, so that few pixels are moved. */
static status decode_upright(const dataset *d, int i, int height, int width, image *out) {
    void *bytes = NULL;
    size_t size;
    int orientation = d->table.blob[BLOB_IMAGES].orientation[i];
    bool swaps = orientation_swaps(orientation);
    status st = read_blob(d, BLOB_IMAGES, i, &bytes, &size);
    if (st == STATUS_OK)
        st = image_file_decode_reduced(bytes, size, d->table.name[i], pixels(d, BLOB_IMAGES, i),
            swaps ? width : height, swaps ? height : width, out);
    memory_free(bytes);
    if (st != STATUS_OK) return st;
    st = image_turn(out, orientation);
    if (st != STATUS_OK) image_destroy(out);
    return st;
}

/* With sides between the wanted ones divided by reduction, and the wanted ones. A JPEG that the
 * decoder's own reduction has brought into this range stays as it is: resizing it once more would
 * cost time and sharpness for nothing, as a view is cut from it anyhow. With reduction 1 the result
 * has exactly the wanted shape; a JPEG is then decoded to the smallest of its own sizes that is not
 * below it. rgb is created on success only. */
static status load_rgb(const dataset *d, int i, double scale, double reduction, image *rgb) {
    int height, width;
    image full = {0};
    dataset_shape(d, i, scale, &height, &width);
    int least_height = (int)ceil(height / reduction), least_width = (int)ceil(width / reduction);
    status st = decode_upright(d, i, least_height, least_width, &full);
    if (st != STATUS_OK) return st;
    if (full.height >= least_height && full.height <= height && full.width >= least_width &&
        full.width <= width) {
        *rgb = full;
        return STATUS_OK;
    }
    st = image_resize(&full, height, width, rgb);
    image_destroy(&full);
    return st;
}

/* Nearest neighbour, after ids have become classes: an id between two others would be a third
 * class. Without a label map label stays empty, which is no mistake. */
status dataset_load_label(const dataset *d, int i, double scale, labelmap *label) {
    void *bytes = NULL;
    size_t size;
    int height, width;
    labelmap full = {0};
    *label = (labelmap){0};
    if (!dataset_get(d, i).labelled) return STATUS_OK;
    dataset_shape(d, i, scale, &height, &width);
    status st = read_blob(d, BLOB_ANNOTATIONS, i, &bytes, &size);
    if (st == STATUS_OK)
        st = label_colours_decode(&d->table.colours, bytes, size, d->table.name[i],
            pixels(d, BLOB_ANNOTATIONS, i), &full);
    memory_free(bytes);
    if (st == STATUS_OK) st = labelmap_turn(&full, d->table.blob[BLOB_ANNOTATIONS].orientation[i]);
    if (st == STATUS_OK) dataset_map_ids(&d->table, &full);
    if (st == STATUS_OK) st = labelmap_resize(&full, height, width, label);
    labelmap_destroy(&full);
    return st;
}

/* Of the first label map that has a palette: one stands for all, as those of one data set are taken
 * to have the same. *ids: 0 if there is none. */
static status read_palette(const dataset *d, palette of_id, int *ids) {
    void *bytes = NULL;
    size_t size;
    int first = 0;
    while (first < dataset_count(d) && !dataset_get(d, first).labelled) first++;
    *ids = 0;
    if (first == dataset_count(d)) return STATUS_OK;
    status st = read_blob(d, BLOB_ANNOTATIONS, first, &bytes, &size);
    if (st == STATUS_OK) st = image_file_palette(bytes, size, d->table.name[first], of_id, ids);
    memory_free(bytes);
    return st;
}

/* The lowest id that is the class has its colour. */
status dataset_palette(const dataset *d, palette out, int *colours) {
    palette of_id;
    const label_colours *own = &d->table.colours;
    int ids = own->count < 256 ? own->count : 256;
    *colours = 0;
    if (ids > 0) memcpy(of_id, own->rgb, (size_t)ids * sizeof *own->rgb);
    status st = ids > 0 ? STATUS_OK : read_palette(d, of_id, &ids);
    for (int y = 0; st == STATUS_OK && y < d->table.classes && y < 256; y++) {
        int id = 0;
        while (id < ids && d->table.map[id] != (uint16_t)y) id++;
        if (id == ids) break;
        memcpy(out[y], of_id[id], 3);
        *colours = y + 1;
    }
    return st;
}

status dataset_load(const dataset *d, int i, double scale, image *rgb, labelmap *label) {
    return dataset_load_reduced(d, i, scale, 1, rgb, label);
}

status dataset_load_reduced(
    const dataset *d, int i, double scale, double reduction, image *rgb, labelmap *label) {
    status st = load_rgb(d, i, scale, reduction, rgb);
    if (st != STATUS_OK || !label) return st;
    st = dataset_load_label(d, i, scale, label);
    if (st != STATUS_OK) image_destroy(rgb);
    return st;
}

/* Every blob, even after one that is damaged: the message of each names an image. One process
 * alone. The tables' own checksum was compared as the file was opened. */
status dataset_verify(const char *path) {
    dataset *d = NULL;
    int damaged = 0;
    status st = dataset_open(NULL, path, &d);
    for (int i = 0; st == STATUS_OK && i < dataset_count(d); i++)
        for (int which = 0; which < BLOBS; which++) {
            const uint64_t *offset = d->table.blob[which].offset + i;
            void *bytes = NULL;
            size_t size;
            if (offset[0] == offset[1]) continue;
            if (read_blob(d, which, i, &bytes, &size) != STATUS_OK) damaged++;
            memory_free(bytes);
        }
    dataset_close(d);
    return st == STATUS_OK && damaged > 0 ? STATUS_DATA : st;
}
