/* HDF5 as a library in this process: it prints nothing by itself, loads nothing, and does nothing
 * at the end. What it knows of a failure becomes part of our message. */
#include "io/hdf5/hdf5_library.h"

#include <hdf5.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { REASON = 256 };

/* Once a process: what fails is told by us, with file and name, and HDF5 must not try to write
 * again while the process ends. No plug-in is loaded for a filter that a file names. */
void hdf5_begin(void) {
    static bool begun;
    if (begun) return;
    begun = true;
    H5dont_atexit();
    H5open();
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    H5PLset_loading_state(0);
}

/* The innermost function that failed knows why: what it said goes to text [REASON]; of a call of
 * the system, with its time, file and buffer, what the system said. */
static herr_t take_reason(unsigned n, const H5E_error2_t *error, void *text) {
    static const char system[] = "error message = '";
    if (n > 0 || !error->desc) return 0;
    const char *said = strstr(error->desc, system);
    if (said) said += sizeof system - 1;
    int length = said ? (int)strcspn(said, "'") : REASON;
    snprintf(text, REASON, "%.*s", length, said ? said : error->desc);
    return 0;
}

void hdf5_reason(char text[HDF5_REASON]) {
    char reason[REASON] = "no reason given";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_reason, reason);
    snprintf(text, HDF5_REASON, "%s%s", reason,
        strstr(reason, "lock") ? " (HDF5_USE_FILE_LOCKING=FALSE in the environment goes without)"
                               : "");
}
