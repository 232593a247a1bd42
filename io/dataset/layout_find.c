/* Cameras, Windows programs and old archives write x.JPG and x.PNG where the published table says
 * x.jpg and x.png. A walk finds both, so what looks for one of its files must, too, or an image
 * loses its label map without a word. Only the ending may differ: x and X are two images. Files are
 * sorted with no regard to case, so that those that may be meant stand side by side. */
#include "io/dataset/layout_find.h"

#include "io/files/file.h"
#include "src/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Names that differ in case alone by their letters, as the order may not be that of the disk. */
static int compare(const void *a, const void *b) {
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    int order = strcasecmp(x, y);
    return order ? order : strcmp(x, y);
}

void layout_find_sort(layout_files *f) {
    if (f->count > 0) qsort(f->path, (size_t)f->count, sizeof *f->path, compare);
}

/* The first that does not stand before the name, whatever its case. */
static int first_of(const layout_files *f, const char *name) {
    int low = 0, high = f->count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (strcasecmp(f->path[middle], name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The name begins with x, `stem` letters. */
static status find_name(
    const layout_files *f, const char *folder, const char *name, size_t stem, const char **found) {
    for (int i = first_of(f, name); i < f->count && strcasecmp(f->path[i], name) == 0; i++) {
        if (strncmp(f->path[i], name, stem) != 0) continue;
        if (*found) {
            log_error("%s: %s and %s differ in the case of their ending alone: one of them must go",
                folder, *found, f->path[i]);
            return STATUS_DATA;
        }
        *found = f->path[i];
    }
    return STATUS_OK;
}

status layout_find(const layout_files *f, const char *folder, const char *x, const char *ends,
    const char **found) {
    status st = STATUS_OK;
    *found = NULL;
    for (const char *end = ends; end && st == STATUS_OK && !*found;) {
        int length = (int)strcspn(end, "|");
        char name[FILE_PATH];
        int n = snprintf(name, sizeof name, "%s%.*s", x, length, end);
        if (n > 0 && (size_t)n < sizeof name) st = find_name(f, folder, name, strlen(x), found);
        end = end[length] ? end + length + 1 : NULL;
    }
    return st;
}
