/* The tables of dataset.h5 in memory: for dataset.c and dataset_pack.c. Not collective. */
#ifndef AUXSEG_IO_DATASET_DATASET_FORMAT_H
#define AUXSEG_IO_DATASET_DATASET_FORMAT_H

#include "io/dataset/label_colours.h"
#include "io/dataset/layout.h"
#include "src/image/image.h"

#include <stdbool.h>
#include <stddef.h>

enum { BLOB_IMAGES, BLOB_ANNOTATIONS, BLOBS, LABEL_IDS = 65536 };
/* Of a file without turned pictures; of one with them, which has two tables more; of one whose
 * label maps are colours, which has these two and the colours. */
enum { DATASET_FORMAT = 1, DATASET_FORMAT_TURNED = 2, DATASET_FORMAT_COLOURED = 3 };

/* Encoded files one after another. */
typedef struct dataset_blob {
    uint64_t *offset; /* [N+1], bytes */
    uint32_t *shape;  /* [N, 2], height and width, upright; 0 where there is none */
    uint8_t
        *orientation; /* [N], 1 to 8 (src/image/turn.h): what makes the decoded picture upright */
    uint64_t *hash;   /* [N], XXH3 of the bytes; 0 where there are none */
    int64_t begin;    /* in the file */
} dataset_blob;

typedef struct dataset_table {
    int images, classes, ignore;
    bool turned;           /* whether the tables of orientation are in the file */
    char **name;           /* [N], one block with its texts */
    char **class_name;     /* [classes], likewise */
    uint8_t *split;        /* [N] */
    uint16_t *map;         /* [LABEL_IDS]: class of an id in a label file, or LABEL_IGNORE */
    label_colours colours; /* of label maps that are colours; none: they hold ids */
    dataset_blob blob[BLOBS];
} dataset_table;

/* Group and dataset names of a blob: "/images", "/annotations". */
const char *dataset_blob_name(int blob);

/* Its tables, of upright pictures; what is there after a failure dataset_table_destroy frees. */
status dataset_blob_create(dataset_blob *b, int images);
status dataset_table_read(dataset_table *t, const char *path);
void dataset_table_destroy(dataset_table *t);
/* One block of bytes, owned by the caller, and back. */
status dataset_table_pack(const dataset_table *t, void **bytes, uint64_t *size);
status dataset_table_unpack(const void *bytes, uint64_t size, dataset_table *t);
uint64_t dataset_table_hash(const dataset_table *t);
/* Ids as they stand in the file become classes. */
void dataset_map_ids(const dataset_table *t, labelmap *m);

/* n texts in one block with their pointers, as hdf5_get_strings makes it; owned by the caller. */
char **dataset_texts(const char *const *text, int n);

#endif
