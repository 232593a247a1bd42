/* The tables of dataset.h5: read from HDF5 and held against each other, hashed, and turned into one
 * block of bytes and back, so that one broadcast carries them to all ranks. A file may have been
 * cut off, copied badly or made by another program: no number of it is used before it has been
 * compared with the others, as offsets become addresses and shapes become sizes of memory.
 *
 * What must not change without another DATASET_FORMAT: names and types of the tables, what the hash
 * covers and in which order. The hash is also the data set's identity: it is in the key of every
 * stage, so that another way to compute it makes every run do all stages anew. */
#include "io/dataset/dataset_format.h"

#include "io/hdf5/hdf5.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/image/turn.h"

#include <stdio.h>
#include <string.h>

/* Height or width: far beyond every image, and two of them multiplied fit in 64 bits. */
enum { LARGEST = 1 << 26 };

const char *dataset_blob_name(int blob) {
    return blob == BLOB_IMAGES ? "/images" : "/annotations";
}

void dataset_table_destroy(dataset_table *t) {
    for (int b = 0; b < BLOBS; b++) {
        memory_free(t->blob[b].offset);
        memory_free(t->blob[b].shape);
        memory_free(t->blob[b].orientation);
        memory_free(t->blob[b].hash);
    }
    memory_free(t->name);
    memory_free(t->class_name);
    memory_free(t->split);
    memory_free(t->map);
    label_colours_destroy(&t->colours);
    *t = (dataset_table){0};
}

/* Pointers and texts in one piece of memory: one call frees both, as with hdf5_get_strings. NULL
 * without memory. With n 0 a block of no use is made all the same: NULL always means a failure. */
char **dataset_texts(const char *const *text, int n) {
    size_t bytes = 0;
    for (int i = 0; i < n; i++) bytes += strlen(text[i]) + 1;
    char **list = memory_alloc((size_t)n * sizeof *list + bytes, 1, "names");
    char *at = (char *)(list ? list + n : NULL);
    for (int i = 0; list && i < n; i++) {
        list[i] = at;
        at = stpcpy(at, text[i]) + 1;
    }
    return list;
}

/* Room for one blob's tables; all pictures are upright. On failure dataset_table_destroy frees what
 * is there. */
status dataset_blob_create(dataset_blob *b, int images) {
    size_t n = (size_t)images;
    b->offset = memory_alloc(n + 1, sizeof *b->offset, "tables of the data set");
    b->shape = memory_alloc(2 * n, sizeof *b->shape, "tables of the data set");
    b->hash = memory_alloc(n, sizeof *b->hash, "tables of the data set");
    b->orientation = memory_alloc(n, 1, "tables of the data set");
    if (!b->offset || !b->shape || !b->hash || !b->orientation) return STATUS_FAILED;
    memset(b->orientation, ORIENTATION_UPRIGHT, n);
    return STATUS_OK;
}

/* Only files with turned pictures have it: all others are as they were before there was any. */
static status read_orientation(
    hid_t file, const char *path, int which, int images, dataset_blob *b) {
    char name[64];
    hsize_t rows, columns;
    snprintf(name, sizeof name, "%s/orientation", dataset_blob_name(which));
    status st = hdf5_shape(file, path, name, &rows, &columns);
    if (st != STATUS_OK) return st;
    bool good = rows == (hsize_t)images && columns == 1;
    if (good) st = hdf5_get(file, path, name, H5T_NATIVE_UINT8, b->orientation);
    for (int i = 0; good && st == STATUS_OK && i < images; i++)
        good = b->orientation[i] >= ORIENTATION_UPRIGHT && b->orientation[i] <= ORIENTATIONS;
    if (st != STATUS_OK || good) return st;
    log_error("%s: %s holds other numbers than 1 to 8, one an image", path, name);
    return STATUS_DATA;
}

/* Tables of one blob; offsets must rise, so that no range leaves the file. Where its data begin is
 * asked here, once: after that nobody needs HDF5. On failure what has been allocated is in b, and
 * dataset_table_destroy frees it. What is in the arrays is believed only after the last loop. */
static status read_blob(hid_t file, const char *path, int which, int images, dataset_blob *b) {
    char name[64];
    hsize_t bytes, rows, columns;
    size_t n = (size_t)images;
    if (dataset_blob_create(b, images) != STATUS_OK) return STATUS_FAILED;
    const struct {
        const char *name;
        hid_t type;
        void *data;
        hsize_t rows, columns;
    } part[] = {{"offset", H5T_NATIVE_UINT64, b->offset, n + 1, 1},
        {"shape", H5T_NATIVE_UINT32, b->shape, n, 2}, {"hash", H5T_NATIVE_UINT64, b->hash, n, 1}};
    status st = STATUS_OK;
    for (size_t i = 0; i < sizeof part / sizeof *part && st == STATUS_OK; i++) {
        snprintf(name, sizeof name, "%s/%s", dataset_blob_name(which), part[i].name);
        /* Before anything is read into memory of the size that the number of images gave. */
        st = hdf5_shape(file, path, name, &rows, &columns);
        if (st == STATUS_OK && (rows != part[i].rows || columns != part[i].columns)) {
            log_error("%s: %s has another shape than the number of images asks for", path, name);
            st = STATUS_DATA;
        }
        if (st == STATUS_OK) st = hdf5_get(file, path, name, part[i].type, part[i].data);
    }
    snprintf(name, sizeof name, "%s/data", dataset_blob_name(which));
    if (st == STATUS_OK) st = hdf5_shape(file, path, name, &bytes, &columns);
    if (st == STATUS_OK) st = hdf5_offset(file, path, name, H5T_NATIVE_UINT8, &b->begin);
    for (size_t i = 0; st == STATUS_OK && i < n; i++)
        if (b->offset[i] > b->offset[i + 1] || b->offset[i + 1] > bytes ||
            b->shape[2 * i] > LARGEST || b->shape[2 * i + 1] > LARGEST) {
            log_error("%s: %s: a range leaves the data, or a size is absurd", path,
                dataset_blob_name(which));
            st = STATUS_DATA;
        }
    return st;
}

/* "sky\nbuilding\n...": one name a line. Names are given to dataset_texts in the order of the
 * classes; empty ones cannot be, as strtok_r would skip them, and packing refuses them. */
static status split_names(const char *path, const char *text, dataset_table *t) {
    const char **name = memory_alloc((size_t)t->classes, sizeof *name, path);
    char *copy = memory_alloc(strlen(text) + 1, 1, path), *rest = NULL;
    status st = name && copy ? STATUS_OK : STATUS_FAILED;
    if (st == STATUS_OK) {
        int n = 0;
        strcpy(copy, text);
        for (char *one = strtok_r(copy, "\n", &rest); one && n < t->classes;
             one = strtok_r(NULL, "\n", &rest))
            name[n++] = one;
        if (n < t->classes) {
            log_error("%s: fewer class names than classes", path);
            st = STATUS_DATA;
        }
    }
    if (st == STATUS_OK && !(t->class_name = dataset_texts(name, t->classes))) st = STATUS_FAILED;
    memory_free(copy);
    memory_free(name);
    return st;
}

/* The colours of label maps that are colours. Rows are few: their number is
 * compared with its bound before anything is read. */
static status read_colours(hid_t file, const char *path, dataset_table *t) {
    int again = -1;
    hsize_t rows = 0, columns = 0;
    uint8_t(*rgb)[3] = memory_alloc(LABEL_COLOURS_MOST, sizeof *rgb, path);
    if (!rgb) return STATUS_FAILED;
    status st = hdf5_shape(file, path, "/label_colours", &rows, &columns);
    if (st == STATUS_OK && (rows < 1 || rows > LABEL_COLOURS_MOST || columns != sizeof *rgb)) {
        log_error(
            "%s: /label_colours has another size than 1 to %d rows of 3", path, LABEL_COLOURS_MOST);
        st = STATUS_DATA;
    }
    if (st == STATUS_OK) st = hdf5_get(file, path, "/label_colours", H5T_NATIVE_UINT8, rgb);
    if (st == STATUS_OK)
        st = label_colours_create(&t->colours, (const uint8_t(*)[3])rgb, (int)rows, &again);
    memory_free(rgb);
    if (again < 0) return st;
    log_error("%s: /label_colours: row %d stands there twice", path, again);
    return STATUS_DATA;
}

/* What the labels mean: attributes of the root, and the map of ids. The format comes first, as
 * another one may mean anything. Classes 0 is allowed: a data set without labels. NAMES bounds the
 * text of all names together. */
static status read_classes(hid_t file, const char *path, dataset_table *t) {
    enum { NAMES = 1 << 16 };
    int format = 0;
    char *text = memory_alloc(NAMES, 1, path);
    t->map = memory_alloc(LABEL_IDS, sizeof *t->map, path);
    if (!text || !t->map) {
        memory_free(text);
        return STATUS_FAILED;
    }
    status st = hdf5_get_number(file, path, "/", "format", H5T_NATIVE_INT, &format);
    if (st == STATUS_OK && (format < DATASET_FORMAT || format > DATASET_FORMAT_COLOURED)) {
        log_error("%s: format %d, this program reads formats %d to %d", path, format,
            DATASET_FORMAT, DATASET_FORMAT_COLOURED);
        st = STATUS_DATA;
    }
    t->turned = format >= DATASET_FORMAT_TURNED;
    if (st == STATUS_OK)
        st = hdf5_get_number(file, path, "/", "classes", H5T_NATIVE_INT, &t->classes);
    if (st == STATUS_OK)
        st = hdf5_get_number(file, path, "/", "ignore", H5T_NATIVE_INT, &t->ignore);
    /* Labels are 16 bits, of which LABEL_IGNORE is taken. */
    if (st == STATUS_OK && (t->classes < 0 || t->classes >= LABEL_IGNORE)) {
        log_error("%s: %d classes", path, t->classes);
        st = STATUS_DATA;
    }
    hsize_t rows, columns;
    if (st == STATUS_OK) st = hdf5_shape(file, path, "/label_map", &rows, &columns);
    if (st == STATUS_OK && rows * columns != LABEL_IDS) {
        log_error("%s: /label_map has another size than %d", path, LABEL_IDS);
        st = STATUS_DATA;
    }
    if (st == STATUS_OK) st = hdf5_get(file, path, "/label_map", H5T_NATIVE_UINT16, t->map);
    if (st == STATUS_OK && format == DATASET_FORMAT_COLOURED) st = read_colours(file, path, t);
    if (st == STATUS_OK) st = hdf5_get_text(file, path, "names", text, NAMES);
    if (st == STATUS_OK) st = split_names(path, text, t);
    memory_free(text);
    return st;
}

/* The hash at the end covers all of it: what passes the checks before by chance does not pass that.
 * One process calls it, and shares what it has read. The order is that of trust: number of images,
 * then sizes that must agree with it, then contents. */
status dataset_table_read(dataset_table *t, const char *path) {
    hid_t file;
    hsize_t images = 0, rows, columns;
    uint64_t hash = 0;
    *t = (dataset_table){0};
    status st = hdf5_open(&file, path);
    if (st != STATUS_OK) return st;
    st = hdf5_get_strings(file, path, "/images/name", &t->name, &images);
    if (st == STATUS_OK && images > INT32_MAX) st = STATUS_DATA;
    t->images = (int)images;
    if (st == STATUS_OK) st = read_classes(file, path, t);
    if (st == STATUS_OK) st = hdf5_shape(file, path, "/images/split", &rows, &columns);
    if (st == STATUS_OK && rows * columns != images) {
        log_error("%s: /images/split has another size than the names", path);
        st = STATUS_DATA;
    }
    t->split = memory_alloc((size_t)images, 1, path);
    if (st == STATUS_OK && !t->split) st = STATUS_FAILED;
    if (st == STATUS_OK) st = hdf5_get(file, path, "/images/split", H5T_NATIVE_UINT8, t->split);
    /* Training images come first (setup_training): stages count on it. */
    for (int i = 0; st == STATUS_OK && i < t->images; i++)
        if (t->split[i] >= SPLIT_COUNT || (i > 0 && t->split[i] < t->split[i - 1])) {
            log_error("%s: /images/split is not in order", path);
            st = STATUS_DATA;
        }
    for (int b = 0; b < BLOBS && st == STATUS_OK; b++)
        st = read_blob(file, path, b, t->images, &t->blob[b]);
    for (int b = 0; b < BLOBS && st == STATUS_OK && t->turned; b++)
        st = read_orientation(file, path, b, t->images, &t->blob[b]);
    if (st == STATUS_OK) st = hdf5_get_number(file, path, "/", "hash", H5T_NATIVE_UINT64, &hash);
    if (st == STATUS_OK && hash != dataset_table_hash(t)) {
        log_error("%s: its tables are damaged: their checksum differs", path);
        st = STATUS_DATA;
    }
    H5Fclose(file);
    if (st != STATUS_OK) dataset_table_destroy(t);
    return st;
}

/* In place. Every id of 16 bits has an entry, so none can lead outside of the map. */
void dataset_map_ids(const dataset_table *t, labelmap *m) {
    for (size_t i = 0, n = (size_t)m->height * (size_t)m->width; i < n; i++)
        m->data[i] = t->map[m->data[i]];
}

/* All that the file says; `begin` is where it says it, which may differ between versions of HDF5.
 * The bytes of images are in it by their hashes. The same on every machine of one byte order:
 * arrays are hashed as they lie in memory. Ends of texts are hashed too, so that "ab","c" and
 * "a","bc" differ. */
uint64_t dataset_table_hash(const dataset_table *t) {
    size_t n = (size_t)t->images;
    const int head[3] = {t->images, t->classes, t->ignore};
    uint64_t h = hash_bytes(head, sizeof head);
    h = hash_append(h, t->split, n);
    h = hash_append(h, t->map, LABEL_IDS * sizeof *t->map);
    for (int k = 0; k < BLOBS; k++) {
        const dataset_blob *b = &t->blob[k];
        h = hash_append(h, b->offset, (n + 1) * sizeof *b->offset);
        h = hash_append(h, b->shape, 2 * n * sizeof *b->shape);
        h = hash_append(h, b->hash, n * sizeof *b->hash);
        if (t->turned) h = hash_append(h, b->orientation, n);
    }
    for (size_t i = 0; i < n; i++) h = hash_append(h, t->name[i], strlen(t->name[i]) + 1);
    for (int y = 0; y < t->classes; y++)
        h = hash_append(h, t->class_name[y], strlen(t->class_name[y]) + 1);
    /* Nothing without colours: the hash is that of the formats before. */
    if (t->colours.count > 0)
        h = hash_append(h, t->colours.rgb, (size_t)t->colours.count * sizeof *t->colours.rgb);
    return h;
}

/* ---- one block of bytes ---- */

/* put_table is called twice: once to count, once to copy, so that the two cannot disagree. */
typedef struct packer {
    char *at; /* NULL: only counts */
    size_t size;
} packer;

static void put(packer *p, const void *data, size_t bytes) {
    if (p->at && bytes > 0) memcpy(p->at + p->size, data, bytes);
    p->size += bytes;
}

/* Everything that dataset_table_unpack takes, in its order. Sizes follow from the head alone, or
 * from the ends of texts, so none is stored. */
static void put_table(packer *p, const dataset_table *t) {
    size_t n = (size_t)t->images;
    const int head[5] = {t->images, t->classes, t->ignore, t->turned, t->colours.count};
    put(p, head, sizeof head);
    put(p, t->colours.rgb, (size_t)t->colours.count * sizeof *t->colours.rgb);
    put(p, t->split, n);
    put(p, t->map, LABEL_IDS * sizeof *t->map);
    for (int b = 0; b < BLOBS; b++) {
        put(p, &t->blob[b].begin, sizeof t->blob[b].begin);
        put(p, t->blob[b].offset, (n + 1) * sizeof *t->blob[b].offset);
        put(p, t->blob[b].shape, 2 * n * sizeof *t->blob[b].shape);
        put(p, t->blob[b].hash, n * sizeof *t->blob[b].hash);
        put(p, t->blob[b].orientation, n);
    }
    for (size_t i = 0; i < n; i++) put(p, t->name[i], strlen(t->name[i]) + 1);
    for (int y = 0; y < t->classes; y++) put(p, t->class_name[y], strlen(t->class_name[y]) + 1);
}

/* The block goes over the network between processes of one program: it has no format that must
 * last. */
status dataset_table_pack(const dataset_table *t, void **bytes, uint64_t *size) {
    packer p = {0};
    put_table(&p, t);
    p.at = memory_alloc(p.size, 1, "tables of the data set");
    if (!p.at) return STATUS_FAILED;
    p.size = 0;
    put_table(&p, t);
    *bytes = p.at;
    *size = p.size;
    return STATUS_OK;
}

static const char *take(const char *from, void *data, size_t bytes) {
    memcpy(data, from, bytes);
    return from + bytes;
}

/* *out NULL: out of memory; what follows is found all the same. dataset_texts copies: the block can
 * be freed. */
static const char *take_texts(const char *from, int n, char ***out) {
    /* The list is of use for a moment only; the texts themselves are the block's. */
    const char **text = memory_alloc((size_t)n, sizeof *text, "names");
    for (int i = 0; text && i < n; i++) {
        text[i] = from;
        from += strlen(from) + 1;
    }
    *out = text ? dataset_texts(text, n) : NULL;
    memory_free(text);
    return from;
}

/* Bytes come from dataset_table_pack of rank 0: they are whole. Alignment is memcpy's matter: texts
 * of any length lie between the arrays. On failure t is empty. */
status dataset_table_unpack(const void *bytes, uint64_t size, dataset_table *t) {
    int head[5], again;
    const char *at = take(bytes, head, sizeof head);
    size_t n = (size_t)head[0];
    (void)size;
    *t = (dataset_table){
        .images = head[0], .classes = head[1], .ignore = head[2], .turned = head[3] != 0};
    const uint8_t(*rgb)[3] = (const uint8_t(*)[3])at;
    if (label_colours_create(&t->colours, rgb, head[4], &again) != STATUS_OK) return STATUS_FAILED;
    at += (size_t)head[4] * sizeof *rgb;
    t->split = memory_alloc(n, 1, "tables of the data set");
    t->map = memory_alloc(LABEL_IDS, sizeof *t->map, "tables of the data set");
    if (!t->split || !t->map) goto failed;
    at = take(at, t->split, n);
    at = take(at, t->map, LABEL_IDS * sizeof *t->map);
    for (int k = 0; k < BLOBS; k++) {
        dataset_blob *b = &t->blob[k];
        if (dataset_blob_create(b, t->images) != STATUS_OK) goto failed;
        at = take(at, &b->begin, sizeof b->begin);
        at = take(at, b->offset, (n + 1) * sizeof *b->offset);
        at = take(at, b->shape, 2 * n * sizeof *b->shape);
        at = take(at, b->hash, n * sizeof *b->hash);
        at = take(at, b->orientation, n);
    }
    at = take_texts(at, t->images, &t->name);
    take_texts(at, t->classes, &t->class_name);
    if (t->name && t->class_name) return STATUS_OK;
failed:
    dataset_table_destroy(t);
    return STATUS_FAILED;
}
