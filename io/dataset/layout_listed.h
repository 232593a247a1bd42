/* Lines of published lists that name images of a table's part. Not collective. */
#ifndef AUXSEG_IO_DATASET_LAYOUT_LISTED_H
#define AUXSEG_IO_DATASET_LAYOUT_LISTED_H

#include "io/dataset/layouts/layout_spec.h"
#include "io/files/file.h"
#include "src/base/status.h"

/* Where the part lies; all borrowed. */
typedef struct layout_place {
    const layout_part *part;
    const char *variant;         /* its name, for messages */
    const char *inside;          /* the folder below root that holds all of it; "": root */
    const char *images, *labels; /* below root, with `inside` */
} layout_place;

typedef struct layout_listed {
    const char *x;       /* the image below its folder, without its ending; in the line */
    char end[32];        /* the ending as it is listed; "": there is none */
    char map[FILE_PATH]; /* the label map below root, if another than x's own is listed; or "" */
} layout_listed;

/* Takes the line apart, which is changed. Names are "x", "x.jpg", "FOLDER/x.jpg", or this with
 * anything before it; what follows it after blanks is a label map in the same forms, or nothing of
 * ours. STATUS_DATA with a message that begins with `where` for a line that means no image of this
 * part, or a label map in other folders than the part's. */
status layout_listed_read(
    layout_listed *out, const layout_place *place, char *line, const char *where);

#endif
