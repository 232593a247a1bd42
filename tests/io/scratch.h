/* A folder of its own for a test's files, removed with them. */
#ifndef AUXSEG_TESTS_IO_SCRATCH_H
#define AUXSEG_TESTS_IO_SCRATCH_H

#include <assert.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct scratch {
    char folder[64];
    char path[256]; /* of the last scratch_path */
} scratch;

static inline int scratch_remove_one(
    const char *path, const struct stat *s, int type, struct FTW *at) {
    (void)s, (void)type, (void)at;
    return remove(path);
}

static inline void scratch_create(scratch *s) {
    strcpy(s->folder, "/tmp/auxseg-test-XXXXXX");
    char *made = mkdtemp(s->folder);
    assert(made);
    (void)made;
}

static inline void scratch_destroy(scratch *s) {
    nftw(s->folder, scratch_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Overwritten by the next call. */
static inline const char *scratch_path(scratch *s, const char *name) {
    snprintf(s->path, sizeof s->path, "%s/%s", s->folder, name);
    return s->path;
}

/* What a program that is killed or a damaged disk may leave: written in place. */
static inline void scratch_write(const char *path, const void *data, size_t bytes) {
    FILE *f = fopen(path, "wb");
    assert(f);
    size_t n = fwrite(data, 1, bytes, f);
    assert(n == bytes);
    (void)n;
    fclose(f);
}

#endif
