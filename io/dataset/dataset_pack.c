/* Packing: every rank checks a contiguous block of the images, all of them write one file. Files
 * are read twice, once to be checked and once to be copied, as the offsets of the second half of
 * the file follow from the sizes of the first, and a rank's share need not fit in its memory; what
 * has changed in between is noticed by its hash. Encoded bytes are copied as they are: what the
 * data set's publisher compressed is not compressed again.
 *
 * The way of an item: layout_share lists it, dataset_check decodes it and notes shape, size and
 * hash, drop_bad leaves out what cannot be read, fill_table turns the notes into offsets,
 * write_blob copies the bytes. The file's structure is whole before the first of them is copied, so
 * that a packing which is told to stop goes on in the same file: pack_state keeps what is done.
 * After the check all ranks know all findings, so that all make the same tables without an
 * exchange. The same data set and settings give the same tables and hash for any number of ranks.
 */
#include "io/dataset/dataset.h"
#include "io/dataset/dataset_check.h"
#include "io/dataset/dataset_there.h"
#include "io/dataset/dataset_classes.h"
#include "io/dataset/layout_share.h"
#include "io/dataset/unlabelled.h"
#include "io/dataset/held_out.h"
#include "io/files/file.h"
#include "io/dataset/pack_state.h"
#include "io/dataset/reduce.h"
#include "io/hdf5/hdf5_writer.h"
#include "mpi/shard.h"
#include "src/base/hash.h"
#include "src/base/hook.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/stop.h"
#include "src/image/turn.h"

#include <stdio.h>
#include <string.h>

enum { WAVE = 64 << 20 };                        /* bytes that a rank reads and writes at a time */
static hook small_waves = {.name = "PACK_WAVE"}; /* of an item */

/* found and l.item go together: index i is the same image in both. Those of the state are of all
 * images, also of those that drop_bad has left out. */
typedef struct packing {
    const comm *c;
    const settings *s;
    layout l;
    dataset_table t;
    pack_state state;
    finding *found; /* [items]; owned, once drop_bad has made it */
    int begin, end; /* this rank's items */
} packing;

/* Rank 0: path.skipped.csv, or none where nothing was skipped. Names, one a line, in the order of
 * the list, so that they can be looked for; without a heading. An old list is removed, as it would
 * tell of images that are in the file now. */
static status list_skipped(const packing *k, const char *path) {
    char name[FILE_PATH];
    size_t size = 1;
    int skipped = 0;
    for (int i = 0; i < k->l.items; i++) size += strlen(k->l.item[i].name) + 1;
    char *text = memory_alloc(size, 1, "list of skipped images");
    if (!text) return STATUS_FAILED;
    size_t used = 0;
    for (int i = 0; i < k->l.items; i++) {
        if (!k->state.found[i].bad) continue;
        used += (size_t)snprintf(text + used, size - used, "%s\n", k->l.item[i].name);
        skipped++;
    }
    int n = snprintf(name, sizeof name, "%s.skipped.csv", path);
    status st = n > 0 && (size_t)n < sizeof name ? STATUS_OK : STATUS_USAGE;
    if (st == STATUS_OK && skipped > 0) {
        log_warn("%d of %d images are bad and left out: %s", skipped, k->l.items, name);
        st = file_write(name, text, used);
    } else if (st == STATUS_OK) {
        remove(name); /* of an earlier packing, if there is one */
    }
    memory_free(text);
    return st;
}

/* Leaves the bad ones out, everywhere alike, and deals the rest anew. In order: splits stay
 * together. The list is shortened in place, and what is left out is freed here. */
static status drop_bad(packing *k) {
    int kept = 0;
    k->found = memory_alloc((size_t)k->l.items, sizeof *k->found, "findings");
    if (!k->found) return STATUS_FAILED;
    for (int i = 0; i < k->l.items; i++) {
        layout_item x = k->l.item[i];
        if (k->state.found[i].bad) {
            memory_free(x.image);
            memory_free(x.label);
            memory_free(x.name);
            continue;
        }
        k->l.item[kept] = x;
        k->found[kept++] = k->state.found[i];
    }
    k->l.items = kept;
    k->begin = (int)shard_begin(kept, comm_rank(k->c), comm_size(k->c));
    k->end = (int)shard_begin(kept, comm_rank(k->c) + 1, comm_size(k->c));
    if (kept > 0) return STATUS_OK;
    log_error("no image is left");
    return STATUS_DATA;
}

/* The tables of what is left, the same on every rank from what all know: no exchange. Texts are
 * copied, so that the list and the tables can be destroyed by themselves. On failure the caller
 * destroys t. */
static status fill_table(packing *k) {
    size_t n = (size_t)k->l.items;
    dataset_table *t = &k->t;
    t->images = k->l.items;
    t->turned = t->colours.count > 0; /* that format has these tables, too */
    t->split = memory_alloc(n, 1, "splits");
    const char **name = memory_alloc(n, sizeof *name, "names");
    for (size_t i = 0; name && i < n; i++) name[i] = k->l.item[i].name;
    if (name) t->name = dataset_texts(name, t->images);
    memory_free(name);
    if (!t->split || !t->name) return STATUS_FAILED;
    int reduced = 0;
    for (size_t i = 0; i < n; i++) reduced += k->found[i].reduced != 0;
    for (size_t i = 0; i < n; i++) t->split[i] = (uint8_t)k->l.item[i].split;
    for (int which = 0; which < BLOBS; which++) {
        dataset_blob *b = &t->blob[which];
        if (dataset_blob_create(b, t->images) != STATUS_OK) return STATUS_FAILED;
        for (size_t i = 0; i < n; i++) {
            /* offset[0] is 0, as memory comes cleared; an image without a label map has a range of
             * no bytes. */
            b->offset[i + 1] = b->offset[i] + k->found[i].bytes[which];
            b->shape[2 * i] = k->found[i].shape[which][0];
            b->shape[2 * i + 1] = k->found[i].shape[which][1];
            b->hash[i] = k->found[i].hash[which];
            bool turned = k->found[i].bytes[which] > 0;
            if (which == BLOB_IMAGES && k->found[i].reduced) turned = false; /* upright already */
            if (turned) b->orientation[i] = k->found[i].orientation[which];
            t->turned |= b->orientation[i] != ORIENTATION_UPRIGHT;
        }
    }
    if (reduced > 0)
        log_info("pack: %d images are larger than dataset.max_side = %d and packed smaller",
            reduced, k->s->dataset.max_side);
    return STATUS_OK;
}

/* The bytes of a large image become those of the smaller one that was checked. */
static status replace_reduced(const packing *k, const char *path, void **bytes, size_t *size) {
    image_header h;
    void *small = NULL;
    status st = image_file_header(*bytes, *size, path, &h);
    if (st == STATUS_OK)
        st = reduce_image(*bytes, *size, path, &h, k->s->dataset.max_side, &small, size);
    if (st != STATUS_OK) return st;
    memory_free(*bytes);
    *bytes = small;
    return STATUS_OK;
}

/* Files i .. of this rank into `to`, as many as a wave holds; they must be what was checked. to: as
 * many bytes as wave_end has counted. Not collective: a failure is agreed on by the caller. */
static status read_wave(const packing *k, int which, int i, int end, char *to) {
    status st = STATUS_OK;
    for (size_t used = 0; i < end && st == STATUS_OK; i++) {
        void *bytes = NULL;
        size_t size = 0;
        const char *path = which == BLOB_IMAGES ? k->l.item[i].image : k->l.item[i].label;
        if (k->found[i].bytes[which] == 0) continue;
        st = file_read(path, DATASET_FILE_LIMIT, &bytes, &size);
        if (st == STATUS_OK && which == BLOB_IMAGES && k->found[i].reduced)
            st = replace_reduced(k, path, &bytes, &size);
        if (st == STATUS_OK && (size != k->found[i].bytes[which] ||
                                   hash_bytes(bytes, size) != k->found[i].hash[which])) {
            log_error("%s: changed while it was packed", path);
            st = STATUS_DATA;
        }
        if (st == STATUS_OK) memcpy(to + used, bytes, size);
        used += size;
        memory_free(bytes);
    }
    return st;
}

/* First item of this rank that is not in the file yet, from i on. */
static int wave_begin(const packing *k, int which, int i) {
    while (i < k->end && k->state.stored[which][i]) i++;
    return i;
}

/* First item behind the wave from i on. At least one item, however large: its file must fit into
 * memory by itself. */
static int wave_end(const packing *k, int which, int i) {
    uint64_t bytes = 0, most = hook_from_now(&small_waves) ? 0 : WAVE;
    int end = i;
    while (end < k->end && !k->state.stored[which][end] &&
           (end == i || bytes + k->found[end].bytes[which] <= most))
        bytes += k->found[end++].bytes[which];
    return end;
}

/* Items i .. end - 1 of this rank, from their files into ours. Writes are collective, so that a
 * rank with fewer waves than others takes part in theirs with nothing. */
static status write_wave(packing *k, hdf5_writer *w, int which, int i, int end) {
    char name[64];
    const dataset_blob *b = &k->t.blob[which];
    hdf5_rows r = {name, H5T_NATIVE_UINT8, b->offset[k->t.images], 0, b->offset[i],
        b->offset[end] - b->offset[i], k->state.offset[which]};
    snprintf(name, sizeof name, "%s/data", dataset_blob_name(which));
    char *bytes = memory_alloc((size_t)r.count, 1, "encoded images");
    status st = comm_agree(k->c, bytes ? read_wave(k, which, i, end, bytes) : STATUS_FAILED);
    if (st == STATUS_OK) st = hdf5_write(w, &r, bytes);
    memory_free(bytes);
    for (; st == STATUS_OK && i < end; i++) k->state.stored[which][i] = 1;
    return st;
}

static status write_blob(packing *k, hdf5_writer *w, int which) {
    status st = STATUS_OK;
    int32_t more = 1;
    for (int i = k->begin; st == STATUS_OK && more;) {
        int begin = wave_begin(k, which, i);
        i = wave_end(k, which, begin);
        st = write_wave(k, w, which, begin, i);
        /* Whether any rank has more: all do the same number of writes. */
        more = wave_begin(k, which, i) < k->end;
        comm_max_i32(k->c, &more, 1);
        /* After a wave: a start that is stopped at once has copied something all the same. */
        if (st == STATUS_OK && more)
            st = comm_agree(k->c, stop_requested() ? STATUS_STOPPED : STATUS_OK);
    }
    return st;
}

/* Small and known to all: rank 0 writes them. Collective all the same: whether rank 0 could write
 * them is agreed on each time. */
static status write_tables(packing *k, hdf5_writer *w, int which) {
    hsize_t n = (hsize_t)k->t.images;
    const dataset_blob *b = &k->t.blob[which];
    char name[4][64];
    const char *const part[4] = {"offset", "shape", "hash", "orientation"};
    for (int i = 0; i < 4; i++)
        snprintf(name[i], sizeof name[i], "%s/%s", dataset_blob_name(which), part[i]);
    hdf5_rows offset = {name[0], H5T_NATIVE_UINT64, n + 1, 0, 0, 0, 0};
    hdf5_rows shape = {name[1], H5T_NATIVE_UINT32, n, 2, 0, 0, 0};
    hdf5_rows hash = {name[2], H5T_NATIVE_UINT64, n, 0, 0, 0, 0};
    hdf5_rows orientation = {name[3], H5T_NATIVE_UINT8, n, 0, 0, 0, 0};
    status st = hdf5_put(w, &offset, b->offset);
    if (st == STATUS_OK) st = hdf5_put(w, &shape, b->shape);
    if (st == STATUS_OK) st = hdf5_put(w, &hash, b->hash);
    return st == STATUS_OK && k->t.turned ? hdf5_put(w, &orientation, b->orientation) : st;
}

/* What a reader needs that is no table, and, for people, what the numbers mean. Class names as one
 * text, one a line: class 0 first. The hash is that of the tables, not of the file: HDF5 may write
 * the same tables in other bytes. */
static status write_attributes(packing *k, hdf5_writer *w) {
    int format = k->t.colours.count > 0 ? DATASET_FORMAT_COLOURED
                 : k->t.turned          ? DATASET_FORMAT_TURNED
                                        : DATASET_FORMAT;
    uint64_t hash = dataset_table_hash(&k->t);
    size_t size = 1, used = 0;
    for (int y = 0; y < k->t.classes; y++) size += strlen(k->t.class_name[y]) + 1;
    char *names = memory_alloc(size, 1, "class names");
    status st = comm_agree(k->c, names ? STATUS_OK : STATUS_FAILED);
    for (int y = 0; st == STATUS_OK && y < k->t.classes; y++)
        used += (size_t)snprintf(names + used, size - used, "%s\n", k->t.class_name[y]);
    if (st == STATUS_OK) st = hdf5_put_number(w, "/", "format", H5T_NATIVE_INT, &format);
    if (st == STATUS_OK) st = hdf5_put_number(w, "/", "hash", H5T_NATIVE_UINT64, &hash);
    if (st == STATUS_OK) st = hdf5_put_text(w, "/", "program", "auxseg " AUXSEG_VERSION);
    const char *splits = "0 train, 1 val, 2 test";
    if (k->s->dataset.held_out > 0) splits = "0 train, 1 val, 2 test, 3 held-out";
    if (st == STATUS_OK) st = hdf5_put_text(w, "/", "splits", splits);
    if (st == STATUS_OK) st = hdf5_put_text(w, "/", "names", names);
    if (st == STATUS_OK) st = hdf5_put_number(w, "/", "classes", H5T_NATIVE_INT, &k->t.classes);
    if (st == STATUS_OK) st = hdf5_put_number(w, "/", "ignore", H5T_NATIVE_INT, &k->t.ignore);
    if (st == STATUS_OK && k->s->dataset.max_side > 0)
        st = hdf5_put_number(w, "/", "max_side", H5T_NATIVE_INT, &k->s->dataset.max_side);
    memory_free(names);
    return st;
}

/* Everything but the images' bytes, whose places are made and not filled. Each array is made in its
 * full length: the offsets say how long it is. Collective: each call below is made by all ranks in
 * the same order, whatever they have to write. */
static status write_structure(packing *k, hdf5_writer *w) {
    hsize_t n = (hsize_t)k->t.images;
    hdf5_rows splits = {"/images/split", H5T_NATIVE_UINT8, n, 0, 0, 0, 0};
    hdf5_rows map = {"/label_map", H5T_NATIVE_UINT16, LABEL_IDS, 0, 0, 0, 0};
    status st = write_attributes(k, w);
    for (int which = 0; which < BLOBS && st == STATUS_OK; which++) {
        char name[64];
        hdf5_rows data = {name, H5T_NATIVE_UINT8, k->t.blob[which].offset[n], 0, 0, 0, 0};
        snprintf(name, sizeof name, "%s/data", dataset_blob_name(which));
        st = hdf5_group(w, dataset_blob_name(which));
        if (st == STATUS_OK) st = write_tables(k, w, which);
        if (st == STATUS_OK) st = hdf5_make(w, &data);
        k->state.offset[which] = data.offset;
    }
    if (st == STATUS_OK) st = hdf5_put(w, &splits, k->t.split);
    if (st == STATUS_OK) st = hdf5_put(w, &map, k->t.map);
    hdf5_rows colours = {
        "/label_colours", H5T_NATIVE_UINT8, (hsize_t)k->t.colours.count, 3, 0, 0, 0};
    if (st == STATUS_OK && k->t.colours.count > 0) st = hdf5_put(w, &colours, k->t.colours.rgb);
    if (st == STATUS_OK)
        st = hdf5_put_strings(w, "/images/name", (const char *const *)k->t.name, n);
    return st == STATUS_OK ? hdf5_seal(w) : st;
}

/* The file that an earlier start has begun becomes the temporary one again, if its tables are those
 * that this start would write; else a new one is made. Collective. */
static status open_file(packing *k, hdf5_writer *w, const char *temporary) {
    int32_t begun = k->state.offset[0] != 0;
    if (begun && comm_root(k->c)) {
        dataset *d = NULL;
        begun = dataset_open(NULL, k->state.file, &d) == STATUS_OK &&
                dataset_hash(d) == dataset_table_hash(&k->t) &&
                rename(k->state.file, temporary) == 0;
        dataset_close(d);
    }
    comm_broadcast(k->c, &begun, sizeof begun);
    if (begun) return hdf5_continue(w, k->c, temporary);
    for (int which = 0; which < BLOBS; which++)
        memset(k->state.stored[which], 0, (size_t)k->state.items * sizeof(int32_t));
    status st = hdf5_create(w, k->c, temporary);
    return st == STATUS_OK ? write_structure(k, w) : st;
}

/* What is in the file, of all ranks, then the file under a name of its own, then the word of it: a
 * kill in between costs the copying, no more. Collective. */
static status keep_file(packing *k, const char *temporary) {
    status st = STATUS_OK;
    for (int which = 0; which < BLOBS; which++)
        comm_max_i32(k->c, k->state.stored[which], (size_t)k->state.items);
    if (k->state.path[0] && comm_root(k->c)) st = file_publish(temporary, k->state.file);
    st = comm_agree(k->c, st);
    return st == STATUS_OK ? pack_state_stop(&k->state, k->c) : st;
}

/* Under a temporary name: a reader, or a start after a kill, finds the whole file or none.
 * hdf5_close is told how the writing went, as a file that failed is closed in another way. What is
 * left of a failed one is removed, so that a full disk is not kept full. */
static status write_file(packing *k, const char *path) {
    char temporary[FILE_PATH];
    hdf5_writer w = HDF5_WRITER_NONE;
    status st = comm_agree(k->c, file_temporary(temporary, path));
    if (st != STATUS_OK) return st;
    st = open_file(k, &w, temporary);
    for (int which = 0; which < BLOBS && st == STATUS_OK; which++) st = write_blob(k, &w, which);
    bool stopped = st == STATUS_STOPPED;
    st = hdf5_close(&w, stopped ? STATUS_OK : st);
    if (stopped && st == STATUS_OK) st = keep_file(k, temporary);
    if (st == STATUS_OK && comm_root(k->c)) st = file_publish(temporary, path);
    if (st != STATUS_OK && comm_root(k->c)) remove(temporary);
    return comm_agree(k->c, st);
}

/* The list, the classes, and which images are good. known and rules are needed here alone; the
 * table of classes stays in k->t and becomes a part of the file. */
static status check(packing *k, const pack_keep *keep) {
    status st = layout_share(k->c, k->s, &k->l);
    if (st == STATUS_OK) st = dataset_there(k->c, k->s, &k->l);
    if (st == STATUS_OK) st = pack_state_create(&k->state, k->c, k->l.items, keep);
    if (st != STATUS_OK) return st;
    unlabelled_log(&k->l, k->s);
    held_out_log(&k->l, k->s);
    bool labelled = false;
    for (int i = 0; i < k->l.items; i++) labelled |= k->l.item[i].label != NULL;
    uint8_t *known = memory_alloc(LABEL_IDS, 1, "label ids");
    st = known ? dataset_classes_read(k->s, k->l.variant, labelled, &k->t, known) : STATUS_FAILED;
    st = comm_agree(k->c, st);
    item_rules rules = {
        item_pixel_limit(k->s), k->s->dataset.max_side, &k->t, known, &k->t.colours};
    if (st == STATUS_OK) st = dataset_check(k->c, k->s, &k->l, &rules, &k->state);
    if (st == STATUS_STOPPED) st = pack_state_stop(&k->state, k->c);
    memory_free(known);
    return st;
}

/* Each step is agreed on before the next: a rank that has failed must not leave others in a
 * collective write. */
status dataset_pack(
    const comm *c, const settings *s, const char *path, const pack_keep *keep, timers *time) {
    packing k = {.c = c, .s = s};
    double now = timer_now();
    status st = check(&k, keep);
    if (st == STATUS_OK) st = comm_agree(c, comm_root(c) ? list_skipped(&k, path) : STATUS_OK);
    if (st == STATUS_OK) st = comm_agree(c, drop_bad(&k));
    if (st == STATUS_OK) st = comm_agree(c, fill_table(&k));
    now = timer_lap(time, PHASE_READ, now);
    if (st == STATUS_OK) st = write_file(&k, path);
    timer_lap(time, PHASE_WRITE, now);
    if (st == STATUS_OK) {
        pack_state_clear(&k.state, c);
        log_info("pack: %d images, %.1f MB in %s", k.t.images,
            (double)(k.t.blob[0].offset[k.t.images] + k.t.blob[1].offset[k.t.images]) / 1e6, path);
    }
    layout_destroy(&k.l);
    dataset_table_destroy(&k.t);
    pack_state_destroy(&k.state);
    memory_free(k.found);
    return st;
}
