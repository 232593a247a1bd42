/* Where a run writes, for `auxseg check`: whether folders are there or can be made, and whether
 * disk and memory have room. What is needed is an estimate: images of unknown size count as the
 * others do, and what a checkpoint adds is rounded up. */
#include "io/files/file.h"
#include "src/app/tools/check_state.h"
#include "src/base/log.h"
#include "src/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* The folder that `path` is in: folder [FILE_PATH]. */
static void parent_of(const char *path, char *folder) {
    snprintf(folder, FILE_PATH, "%s", path);
    char *slash = strrchr(folder, '/');
    if (!slash)
        strcpy(folder, ".");
    else
        slash[slash == folder] = '\0'; /* "/" stays */
}

/* What is not there is made by the run, below what is. The nearest folder above `path`, or itself,
 * that is there: folder [FILE_PATH]. */
static void existing_folder(const char *path, char *folder) {
    snprintf(folder, FILE_PATH, "%s", path);
    while (access(folder, F_OK) != 0 && strcmp(folder, ".") != 0 && strcmp(folder, "/") != 0) {
        char above[FILE_PATH];
        parent_of(folder, above);
        strcpy(folder, above);
    }
}

/* 0, or why nothing can be made in a folder. */
static int error_of_folder(const char *folder) {
    struct stat about;
    if (stat(folder, &about) != 0) return errno;
    if (!S_ISDIR(about.st_mode)) return ENOTDIR;
    return access(folder, W_OK | X_OK) == 0 ? 0 : errno;
}

/* folder: where something is to be made for the setting `key`, which is `value`. */
static void check_folder(check *k, const char *key, const char *value, const char *folder) {
    int error = error_of_folder(folder);
    if (!error) return;
    log_error("%s = \"%s\": %s: %s", key, value, folder, strerror(error));
    check_note(k, STATUS_OUTPUT);
}

/* A standing request to stop is no mistake: whoever left it may mean to remove it. */
static void warn_stop(const settings *s) {
    char path[FILE_PATH];
    if (file_path(path, s->run.dir, "STOP") != STATUS_OK || !file_exists(path)) return;
    log_warn("%s is there: nothing starts before it is removed", path);
}

/* Nothing is made to find out: `check` leaves no trace. */
void check_folders(check *k) {
    const settings *s = k->s;
    struct stat about;
    char folder[FILE_PATH];
    existing_folder(s->run.dir, folder);
    check_folder(k, "run.dir", s->run.dir, folder);
    warn_stop(s);
    if (s->dataset.layout == DATASET_LAYOUT_SYNTH) {
        existing_folder(s->dataset.root, folder);
        check_folder(k, "dataset.root", s->dataset.root, folder);
    }
    if (!s->extract.npy[0] || !k->cluster) return;
    parent_of(s->extract.npy, folder);
    check_folder(k, "extract.npy", s->extract.npy, folder);
    if (stat(s->extract.npy, &about) != 0 || !S_ISDIR(about.st_mode)) return;
    log_error("extract.npy = \"%s\": is a folder", s->extract.npy);
    check_note(k, STATUS_OUTPUT);
}

static double gib(double bytes) {
    return bytes / (1 << 30);
}

/* What a run leaves behind, and its checkpoints. */
static double disk_needed(const check *k) {
    /* A label takes two bytes a row. A round leaves at most baseline, pretrained and fine-tuned
     * weights; a checkpoint holds the weights and as much again of the optimiser. */
    enum { LABEL = 2, WEIGHT_FILES = 3, CHECKPOINTS = 3, CHECKPOINT_WEIGHTS = 2 };
    const settings *s = k->s;
    double weights = k->values * (double)sizeof(float), features = 0;
    bool streamed = s->extract.memory == EXTRACT_MEMORY_STREAM;
    int pca = s->extract.pca;
    if (streamed || s->extract.keep)
        features = k->rows * (double)dtype_size(s->extract.dtype) * (pca > 0 ? pca : k->channels);
    /* A projection is made of a file of its own. */
    if (streamed && pca > 0) features += k->rows * (double)sizeof(float) * k->channels;
    return k->bytes + features + s->run.rounds * (k->rows * LABEL + WEIGHT_FILES * weights) +
           CHECKPOINTS * CHECKPOINT_WEIGHTS * weights;
}

/* Bytes on the disk of the files in a folder that are such as a run leaves behind; 0: no folder.
 * Room that a file has and does not use yet counts, as the file will fill it. */
static double bytes_there(const char *folder, bool all) {
    double bytes = 0;
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));) {
        struct stat about;
        bool counts =
            all || text_ends_with(e->d_name, ".h5") || text_ends_with(e->d_name, ".safetensors");
        if (counts && fstatat(dirfd(d), e->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(about.st_mode))
            bytes += 512.0 * (double)about.st_blocks;
    }
    if (d) closedir(d);
    return bytes;
}

/* Of what is needed, what a run that is partly done has already. */
static double disk_taken(const settings *s) {
    char checkpoints[FILE_PATH];
    double bytes = bytes_there(s->run.dir, false);
    if (file_path(checkpoints, s->run.dir, "checkpoints") == STATUS_OK)
        bytes += bytes_there(checkpoints, true);
    return bytes;
}

/* Quotas are not asked for: they differ from site to site. */
static void check_disk(check *k) {
    char folder[FILE_PATH];
    struct statvfs about;
    existing_folder(k->s->run.dir, folder);
    if (error_of_folder(folder)) return; /* named already */
    if (statvfs(folder, &about) != 0) {
        log_error("%s: %s", folder, strerror(errno));
        check_note(k, STATUS_OUTPUT);
        return;
    }
    double needed = disk_needed(k), available = (double)about.f_bavail * (double)about.f_frsize;
    double taken = fmin(disk_taken(k->s), needed);
    log_info("disk: about %.2f GiB needed, of which %.2f GiB are there already, %.2f GiB free",
        gib(needed), gib(taken), gib(available));
    if (needed - taken <= available) return;
    log_error("%s: about %.2f GiB more are needed, %.2f GiB are free", folder, gib(needed - taken),
        gib(available));
    check_note(k, STATUS_OUTPUT);
}

/* The features, where they are held; a login node's memory is no measure for a run on many. */
static void state_memory(const check *k) {
    const settings *s = k->s;
    if (s->extract.memory == EXTRACT_MEMORY_STREAM) return;
    double stored = (double)dtype_size(s->extract.dtype) * k->channels;
    /* What the projection takes and gives is float32. */
    if (s->extract.pca > 0) stored = (double)sizeof(float) * (k->channels + s->extract.pca);
    double needed = k->rows * stored;
    double memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    log_info("memory: about %.2f GiB for features over all ranks, %.2f GiB on this host",
        gib(needed), gib(memory));
    if (needed > memory)
        log_warn("the features of all images need about %.2f GiB: as many nodes must share them",
            gib(needed));
}

void check_space(check *k) {
    check_disk(k);
    state_memory(k);
}
