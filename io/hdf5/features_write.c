/* Writing features.h5 while features are computed. The file is made first, its rows contiguous at
 * a known place; each rank writes there when it has some, whenever that is. Tables and checksum
 * come last, and the file gets its name if no rank has failed. */
#include "io/files/file.h"
#include "io/hdf5/features_parts.h"
#include "io/hdf5/hdf5_writer.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

struct features_writer {
    const comm *c;
    char path[FILE_PATH], temporary[FILE_PATH];
    features_info info;
    image_table table; /* hashes: this rank's, zeros for others' until the end */
    hdf5_writer file;
    uint64_t begin;           /* where the first row of all stands */
    int64_t first, next, end; /* this rank's images; the next to be appended */
    int64_t left;             /* of them, how many are not written yet */
};

/* The file but for what follows from the rows, whose place is reserved and not filled. Collective.
 */
static status make_file(features_writer *w) {
    hdf5_writer *f = &w->file;
    const features_info *i = &w->info;
    hdf5_rows data = {FEATURES_DATA, i->type == DTYPE_BF16 ? H5T_NATIVE_UINT16 : H5T_NATIVE_FLOAT,
        i->rows, (hsize_t)i->d, 0, 0, 0};
    status st = hdf5_put_text(f, "/", "format", FEATURES_FORMAT);
    if (st == STATUS_OK) st = hdf5_put_text(f, "/", "dtype", features_dtype_name(i->type));
    if (st == STATUS_OK) st = hdf5_put_text(f, "/", "layers", i->layers);
    if (st == STATUS_OK) st = hdf5_put_number(f, "/", "stride", H5T_NATIVE_INT, &i->stride);
    if (st == STATUS_OK) st = hdf5_put_number(f, "/", "key", H5T_NATIVE_UINT64, &i->key);
    if (st == STATUS_OK) st = hdf5_group(f, "/features");
    if (st == STATUS_OK) st = hdf5_make(f, &data);
    /* From here on a rank needs no other to write. */
    w->begin = (uint64_t)data.offset;
    return st;
}

/* Also of one that was created half. */
static void writer_destroy(features_writer *w) {
    if (!w) return;
    image_table_destroy(&w->table);
    memory_free(w);
}

/* The table is gathered first: where a rank's rows go follows from everybody's shapes. From
 * hdf5_create on, failing means to finish: the temporary file must go. */
status features_writer_create(features_writer **out, const comm *c, const char *path,
    const features *x, const features_origin *o) {
    features_writer *w = memory_alloc(1, sizeof *w, "features.h5");
    status st = w ? file_temporary(w->temporary, path) : STATUS_FAILED;
    st = comm_agree(c, st);
    if (st != STATUS_OK) {
        memory_free(w);
        return st;
    }
    w->c = c;
    strcpy(w->path, path);
    w->file = (hdf5_writer)HDF5_WRITER_NONE;
    w->first = w->next = x->first;
    w->end = x->first + x->images;
    w->left = x->images;
    w->info = (features_info){.d = x->d, .type = x->type, .stride = o->stride};
    w->info.key = o->key;
    if (strlen(o->layers) >= sizeof w->info.layers) log_warn("%s: list of layers cut short", path);
    strncpy(w->info.layers, o->layers, sizeof w->info.layers - 1);
    st = image_table_gather(c, x, o->images, o->names, &w->table);
    if (st != STATUS_OK) {
        writer_destroy(w);
        return st;
    }
    w->info.rows = w->table.offset[w->table.count];
    st = hdf5_create(&w->file, c, w->temporary);
    if (st == STATUS_OK) st = make_file(w);
    if (st != STATUS_OK) return features_writer_finish(w, st);
    *out = w;
    return STATUS_OK;
}

/* Hashes are taken while the rows are in the cache anyhow. */
status features_writer_put(features_writer *w, int64_t image, int64_t images, const void *rows) {
    assert(image >= w->first && image + images <= w->end && images <= w->left);
    size_t row = features_info_row_bytes(&w->info);
    const uint64_t *offset = &w->table.offset[image];
    size_t bytes = (size_t)(offset[images] - offset[0]) * row;
    image_table_set_hashes(&w->table, image, images, rows, row);
    status st = file_write_at(w->file.fd, w->path, w->begin + offset[0] * row, rows, bytes);
    if (st == STATUS_OK) w->left -= images;
    return st;
}

status features_writer_append(features_writer *w, int64_t images, const void *rows) {
    status st = features_writer_put(w, w->next, images, rows);
    if (st == STATUS_OK) w->next += images;
    return st;
}

/* What follows from the rows: hashes, and the checksum over them. Collective. */
static status write_tables(features_writer *w) {
    image_table_share_hashes(w->c, &w->table);
    uint64_t sum = features_checksum(&w->info, &w->table);
    comm_same(w->c, "checksum of the features", sum);
    status st = hdf5_put_number(&w->file, "/", "checksum", H5T_NATIVE_UINT64, &sum);
    return st == STATUS_OK ? image_table_write(&w->file, "/features", &w->table) : st;
}

/* Every rank comes here, whatever happened to it: closing is collective. Rank 0 publishes when all
 * have closed. */
status features_writer_finish(features_writer *w, status st) {
    assert(st != STATUS_OK || w->left == 0);
    st = comm_agree(w->c, st);
    if (st == STATUS_OK) st = write_tables(w);
    st = hdf5_close(&w->file, st);
    if (comm_root(w->c) && st == STATUS_OK)
        st = file_publish(w->temporary, w->path);
    else if (comm_root(w->c))
        unlink(w->temporary);
    st = comm_agree(w->c, st);
    writer_destroy(w);
    return st;
}

/* The structure is closed like that of a whole file: rows can then be read at their places, and
 * nothing of HDF5's is left to be written when the program ends. */
status features_writer_leave(features_writer *w, const char *path, uint64_t *begin) {
    *begin = w->begin;
    status st = hdf5_close(&w->file, STATUS_OK);
    if (comm_root(w->c) && st == STATUS_OK) st = file_publish(w->temporary, path);
    if (comm_root(w->c) && st != STATUS_OK) unlink(w->temporary);
    st = comm_agree(w->c, st);
    writer_destroy(w);
    return st;
}

/* The same file as piece by piece. */
status features_write(
    const comm *c, const char *path, const features *x, const features_origin *o) {
    features_writer *w;
    status st = features_writer_create(&w, c, path, x, o);
    if (st != STATUS_OK) return st;
    return features_writer_finish(w, features_writer_append(w, x->images, x->data));
}
