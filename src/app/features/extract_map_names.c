/* Names of images as names of files. Extractors keep the subfolders of a data set, or put all files
 * into one folder: both are understood, the second where no two images would have the same file. */
#include "src/app/features/extract_map_names.h"

#include "io/files/file.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENDING ".npy"
enum { NAMED = 3 }; /* files that a warning names */

/* A stem is a name without the ending of an image. */
struct map_names {
    int64_t count;
    char **stem;       /* [count], in the order of images, owned */
    const char **last; /* [count]: the stems' last parts, sorted */
    const char **full; /* [count]: the stems, sorted */
};

static const char *last_part(const char *stem) {
    const char *slash = strrchr(stem, '/');
    return slash ? slash + 1 : stem;
}

static int compare(const void *a, const void *b) {
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

/* "left/a.b.png" is "left/a.b"; a dot that begins a name, or stands in a folder's, ends nothing. */
static char *stem_of(const char *name) {
    const char *dot = strrchr(name, '.'), *last = last_part(name);
    size_t n = dot && dot > last ? (size_t)(dot - name) : strlen(name);
    char *stem = memory_alloc(n + 1, 1, "names of maps");
    if (stem) memcpy(stem, name, n);
    return stem;
}

status map_names_create(map_names **out, const extract_images *images) {
    size_t count = (size_t)images->count;
    map_names *n = memory_alloc(1, sizeof *n, "names of maps");
    if (!n) return STATUS_FAILED;
    n->count = images->count;
    n->stem = memory_alloc(count, sizeof *n->stem, "names of maps");
    n->last = memory_alloc(count, sizeof *n->last, "names of maps");
    n->full = memory_alloc(count, sizeof *n->full, "names of maps");
    bool all = n->stem && n->last && n->full;
    for (size_t i = 0; all && i < count; i++) {
        all = (n->stem[i] = stem_of(images->name[i])) != NULL;
        if (!all) break;
        n->full[i] = n->stem[i];
        n->last[i] = last_part(n->stem[i]);
    }
    if (!all) {
        map_names_destroy(n);
        return STATUS_FAILED;
    }
    qsort(n->last, count, sizeof *n->last, compare);
    qsort(n->full, count, sizeof *n->full, compare);
    *out = n;
    return STATUS_OK;
}

void map_names_destroy(map_names *n) {
    for (int64_t i = 0; n->stem && i < n->count; i++) memory_free(n->stem[i]);
    memory_free(n->stem);
    memory_free(n->last);
    memory_free(n->full);
    memory_free(n);
}

/* How many of the sorted names are this one; beyond 1 it does not matter how many. */
static int times(const char *const *sorted, int64_t count, const char *name) {
    const char *const *at = bsearch(&name, sorted, (size_t)count, sizeof *sorted, compare);
    if (!at) return 0;
    bool before = at > sorted && strcmp(at[-1], name) == 0;
    bool after = at + 1 < sorted + count && strcmp(at[1], name) == 0;
    return 1 + before + after;
}

/* path [FILE_PATH]: folder/stem.npy. */
static status path_of(char *path, const char *folder, const char *stem) {
    int n = snprintf(path, FILE_PATH, "%s/%s" ENDING, folder, stem);
    if (n < FILE_PATH) return STATUS_OK;
    log_error("%s/%s" ENDING ": path too long", folder, stem);
    return STATUS_USAGE;
}

status map_names_find(
    const map_names *n, const char *folder, int64_t image, char **path, bool *there) {
    char first[FILE_PATH], second[FILE_PATH];
    const char *stem = n->stem[image], *last = last_part(stem), *found = first;
    status st = path_of(first, folder, stem);
    if (st != STATUS_OK) return st;
    *there = file_exists(first);
    if (!*there && last != stem && times(n->last, n->count, last) == 1) {
        st = path_of(second, folder, last);
        if (st != STATUS_OK) return st;
        *there = file_exists(second);
        if (*there) found = second;
    }
    *path = memory_alloc(strlen(found) + 1, 1, "names of maps");
    if (!*path) return STATUS_FAILED;
    strcpy(*path, found);
    return STATUS_OK;
}

/* Whether a file below the folder could be an image's. name: relative, without its ending. */
static bool wanted(const map_names *n, const char *name) {
    return times(n->full, n->count, name) > 0 ||
           (!strchr(name, '/') && times(n->last, n->count, name) == 1);
}

/* A folder that cannot be walked is no reason to stop: what is needed of it was found. Maps of the
 * validation images may well lie beside the others. */
void map_names_surplus(const map_names *n, const char *folder) {
    char copy[FILE_PATH], name[FILE_PATH], *roots[] = {copy, NULL};
    int64_t surplus = 0;
    size_t begin = strlen(folder);
    if (begin >= sizeof copy) return;
    strcpy(copy, folder);
    FTS *walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *e; walk && (e = fts_read(walk));) {
        size_t length = e->fts_pathlen;
        size_t stem = length - strlen(ENDING);
        if (e->fts_info != FTS_F || length < begin + strlen(ENDING) || length >= sizeof name ||
            strcmp(e->fts_path + stem, ENDING) != 0)
            continue;
        const char *at = e->fts_path + begin + strspn(e->fts_path + begin, "/");
        snprintf(name, sizeof name, "%.*s", (int)(e->fts_path + stem - at), at);
        if (!wanted(n, name) && surplus++ < NAMED)
            log_warn("%s: %s is no training image's", folder, at);
    }
    if (walk) fts_close(walk);
    if (surplus > NAMED)
        log_warn("%s: %lld files are no training image's", folder, (long long)surplus);
}
