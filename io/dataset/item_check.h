/* One image and its label map, looked at in the same way by packing and by `auxseg check`, so that
 * one finds what the other refuses. Not collective; thread-safe. Messages name the file;
 * STATUS_DATA for what is wrong in it. */
#ifndef AUXSEG_IO_DATASET_ITEM_CHECK_H
#define AUXSEG_IO_DATASET_ITEM_CHECK_H

#include "io/codecs/image_file.h"
#include "io/dataset/dataset_format.h"
#include "io/dataset/orientation.h"
#include "io/dataset/unknown_values.h"

#include <stdbool.h>

enum { DATASET_FILE_LIMIT = 1 << 30 }; /* bytes of one encoded image */

/* What was found of one image and its label map. */
typedef struct finding {
    uint32_t shape[BLOBS][2];           /* upright: as orientation says, turned */
    uint8_t orientation[BLOBS];         /* 1 to 8: what makes the stored pixels upright */
    uint8_t lie;                        /* label_lie of the label map */
    uint64_t bytes[BLOBS], hash[BLOBS]; /* 0 where there is no label map */
    uint32_t reduced;                   /* packed smaller: shape, bytes, hash are of that */
    uint32_t warnings;                  /* of the image's decoder: bits 1 << image_warning */
    int32_t bad, done; /* 0, FINDING_UNREADABLE or FINDING_UNKNOWN; it was looked at */
} finding;
/* What is wrong with an item: it was named when it was found, or unknown_values_report names it. */
enum { FINDING_UNREADABLE = 1, FINDING_UNKNOWN };

/* What files are held against; all borrowed. */
typedef struct item_rules {
    int64_t max_pixels;
    int max_side;                 /* larger images are packed smaller; 0: none is */
    const dataset_table *t;       /* classes, ignore, map; NULL: ids are not looked at */
    const uint8_t *known;         /* [LABEL_IDS], ids that may occur */
    const label_colours *colours; /* of t, or none; NULL: not known, label maps are not decoded */
} item_rules;

/* dataset.max_megapixels. */
int64_t item_pixel_limit(const settings *s);

/* Pixels of each id, label maps of which no pixel has a class, and ids that mean nothing. */
typedef struct id_count {
    int64_t *pixels; /* [LABEL_IDS] */
    int64_t empty;
    unknown_values unknown;
} id_count;

/* Both files of item i decoded: *f is written, ids are added to *count. STATUS_DATA with a message
 * and FINDING_UNREADABLE in f->bad; with FINDING_UNKNOWN, where the label map holds what means
 * nothing: that is in count->unknown, and no message is written. STATUS_FAILED: for lack of memory,
 * or as the system did not give a file that is there, so that nothing is known of it. */
status item_decode(const item_rules *r, const layout *l, int i, finding *f, id_count *count);

/* Both files by their first and last bytes: nothing is decoded. */
typedef struct item_headers {
    image_header image;
    label_lie lie;
    uint64_t bytes; /* of both files */
    bool doubtful;  /* to be decoded: one does not end as its format does, being cut off, or with
                       something appended; or their sizes do not fit */
} item_headers;
status item_look(const item_rules *r, const layout_item *x, item_headers *out);

#endif
