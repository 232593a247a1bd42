/* dataset.h5: a whole data set in one file. Encoded bytes are kept as they were found.
 *
 *   /images/data uint8 [bytes], /images/offset uint64 [N+1], /images/shape uint32 [N, 2] (height,
 * width, upright), /images/name string [N], /images/split uint8 [N], /images/hash uint64 [N] (XXH3
 * of the bytes), and, where any picture is turned, /images/orientation uint8 [N]
 * (src/image/turn.h); /annotations/data, offset, shape, hash alike, an empty range where an image
 * has no label. /label_map uint16 [65536], the class of each id of the label files (65535: none).
 * Root attributes: format, program, classes, ignore, names (one a line), splits (what the numbers
 * mean), hash (of all tables). */
#ifndef AUXSEG_IO_DATASET_DATASET_H
#define AUXSEG_IO_DATASET_DATASET_H

#include "io/dataset/layout.h"
#include "mpi/comm.h"
#include "src/base/timer.h"
#include "src/image/image.h"
#include "src/image/palette.h"

typedef struct dataset_item {
    const char *name;
    split split;
    int height, width; /* upright, before `scale` */
    bool labelled;
} dataset_item;

typedef struct dataset dataset;

/* Where a packing that is told to stop keeps how far it has come, and the hash of what its result
 * depends on: what is kept under another one is not used. */
typedef struct pack_keep {
    const char *folder; /* which exists; borrowed */
    uint64_t key;
} pack_keep;

/* Reads the data set that the settings describe and writes `path`. Collective: each rank checks and
 * writes a contiguous block of images; labels are decoded and counted. on_bad_image "stop":
 * STATUS_DATA naming the first bad image and why; "skip": it is left out, named in a warning and in
 * path + ".skipped.csv". Prints the histogram of label ids; ids out of range name the first file.
 * Label maps without a class and images that are there twice are named in warnings. A data set
 * without a label map need not have classes (dataset_classes 0). The file's contents do not depend
 * on the number of ranks. time: of this rank, "read" for the check of all images, "write" for the
 * copy, is added to. Asked to stop: STATUS_STOPPED within a few images, what is done so far kept in
 * `keep` (NULL: not kept), for the next call to go on to the same file, on any number of ranks. */
status dataset_pack(
    const comm *c, const settings *s, const char *path, const pack_keep *keep, timers *time);

/* Rank 0 reads the tables, everyone gets them. Collective. Blobs are read with pread. */
status dataset_open(const comm *c, const char *path, dataset **out);
/* Not collective. NULL-safe. */
void dataset_close(dataset *d);
int dataset_count(const dataset *d);
dataset_item dataset_get(const dataset *d, int i);
int dataset_classes(const dataset *d);
/* dataset.ignore as it was in force; -1: there is none. */
int dataset_ignore(const dataset *d);
/* Name of class y, never NULL. */
const char *dataset_class_name(const dataset *d, int y);
/* The lowest id of the label files that is class y; -1: none is. */
int dataset_label_id(const dataset *d, int y);
/* Hash of everything in the file that can change a result. */
uint64_t dataset_hash(const dataset *d);
/* Height and width of image i after `scale` (rounded to nearest, at least 1). Not collective. */
void dataset_shape(const dataset *d, int i, double scale, int *height, int *width);
/* Image i decoded, turned upright and resized: JPEG is decoded at 1/2, 1/4 or 1/8 of its size where
 * that is still at least the size wanted. rgb and label are created; label (may be NULL) holds
 * class ids, LABEL_IGNORE for void; it is empty (data NULL) where the image has none. Not
 * collective; thread-safe. Checksums are verified: STATUS_DATA names the image. */
status dataset_load(const dataset *d, int i, double scale, image *rgb, labelmap *label);
/* The same, but rgb may have fewer pixels, down to 1 / reduction of each side (reduction >= 1),
 * where that is less to decode: a JPEG of which 1/2, 1/4 or 1/8 is enough stays as it is decoded.
 */
status dataset_load_reduced(
    const dataset *d, int i, double scale, double reduction, image *rgb, labelmap *label);
/* The colour that the label maps' own palette, of the first of them, gives class y: out [y].
 * *colours: for how many classes, from 0 on, it has one; 0: none. STATUS_DATA as above. */
status dataset_palette(const dataset *d, palette out, int *colours);
/* Its label map alone. */
status dataset_load_label(const dataset *d, int i, double scale, labelmap *label);
/* Whether this process has read an image or label map whose checksum differs, since it was asked
 * last. Not collective. */
bool dataset_met_damage(void);
/* Checks every checksum; messages name what is damaged. Not collective. */
status dataset_verify(const char *path);

#endif
