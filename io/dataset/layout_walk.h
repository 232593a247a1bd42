/* The files of a folder, in an order of their own. Not collective. */
#ifndef AUXSEG_IO_DATASET_LAYOUT_WALK_H
#define AUXSEG_IO_DATASET_LAYOUT_WALK_H

#include "src/base/status.h"

#include <stdbool.h>

/* What the names of images end in. */
#define LAYOUT_IMAGE_ENDS ".jpg|.jpeg|.png"

typedef struct layout_files {
    char **path; /* [count], below the folder; owned */
    int count;
} layout_files;

/* Every file below folder whose name ends in one of `ends` ("a|b", in any case), in the order of
 * the names of folders and files; links are followed, and what is hidden below it, by a dot before
 * its name, is left out, with a line that says how much of it. STATUS_DATA with a message where a
 * folder cannot be read. *out is set on success. */
status layout_walk(const char *folder, const char *ends, layout_files *out);
void layout_files_destroy(layout_files *f);
/* Whether the folder is there and holds such a file; nothing is said if not. */
bool layout_walk_any(const char *folder, const char *ends);
/* The length of the one of `ends` that the name has; 0: it has none, or is nothing else. */
int layout_end_of(const char *name, const char *ends);

#endif
