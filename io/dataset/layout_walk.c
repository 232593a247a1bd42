/* A walk through folders with fts, which gives the order of the file system unless it is told
 * another: the order of images is a part of every result. No file is opened, thousands of them
 * would take minutes on a parallel file system: a name's ending says what it is. */
#include "io/dataset/layout_walk.h"

#include "io/files/file.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fts.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* Folders within folders where one file is looked for: links can lie in circles. Of a hidden one
 * fewer, as all that follows from it is a number in a message. */
enum { DEEPEST = 16, DEEPEST_HIDDEN = 2 };

/* What a walk is about. */
typedef struct walk {
    const char *folder, *ends;
    layout_files *files;
    int hidden, hidden_folders; /* left out: such files, and folders that hold any */
} walk;

int layout_end_of(const char *name, const char *ends) {
    size_t n = strlen(name);
    for (const char *end = ends; end;) {
        size_t length = strcspn(end, "|");
        if (n > length && strncasecmp(name + n - length, end, length) == 0) return (int)length;
        end = end[length] ? end + length + 1 : NULL;
    }
    return 0;
}

void layout_files_destroy(layout_files *f) {
    for (int i = 0; i < f->count; i++) memory_free(f->path[i]);
    memory_free(f->path);
    *f = (layout_files){0};
}

/* Room doubles at each power of two, and so need not be stored. */
static status take(layout_files *f, const char *path) {
    size_t n = (size_t)f->count;
    if ((n & (n - 1)) == 0) {
        char **more = memory_alloc(n == 0 ? 1 : 2 * n, sizeof *more, "list of files");
        if (!more) return STATUS_FAILED;
        if (n > 0) memcpy(more, f->path, n * sizeof *more);
        memory_free(f->path);
        f->path = more;
    }
    char *copy = memory_alloc(strlen(path) + 1, 1, "path");
    if (!copy) return STATUS_FAILED;
    f->path[f->count++] = strcpy(copy, path);
    return STATUS_OK;
}

/* fts gives the order of the file system otherwise. */
static int by_name(const FTSENT **a, const FTSENT **b) {
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Whether it is a folder, which the system tells with the name unless it is a link. */
static bool is_folder(const struct dirent *e, const char *path) {
    struct stat info;
    if (e->d_type != DT_LNK && e->d_type != DT_UNKNOWN) return e->d_type == DT_DIR;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* In the order of the file system, as any file will do, and without a question about each: fts asks
 * for every file of a folder before it gives the first. */
static bool any_below(const char *folder, const char *ends, int depth) {
    bool found = false;
    DIR *d = opendir(folder);
    for (struct dirent *e; d && !found && (e = readdir(d));)
        found = e->d_name[0] != '.' && layout_end_of(e->d_name, ends) > 0;
    if (d && !found && depth < DEEPEST) {
        rewinddir(d);
        for (struct dirent *e; !found && (e = readdir(d));) {
            char path[FILE_PATH];
            if (e->d_name[0] == '.' || file_path(path, folder, e->d_name) != STATUS_OK) continue;
            found = is_folder(e, path) && any_below(path, ends, depth + 1);
        }
    }
    if (d) closedir(d);
    return found;
}

/* What other programs keep beside the images, and whoever lists the folder does not see: copies in
 * small, attributes of files (._x.jpg, which is no JPEG), what was thrown away and may not be read.
 * Below the folder alone, which may be called as it likes. */
static bool is_hidden(const FTSENT *e) {
    return e->fts_level > FTS_ROOTLEVEL && e->fts_name[0] == '.';
}

/* Only what would have been an image is counted, before fts opens the folder. */
static void leave_out(walk *w, FTS *f, FTSENT *e) {
    if (e->fts_info == FTS_D) {
        w->hidden_folders += any_below(e->fts_path, w->ends, DEEPEST - DEEPEST_HIDDEN);
        fts_set(f, e, FTS_SKIP);
    } else if (e->fts_info != FTS_DP && e->fts_info != FTS_DC) {
        w->hidden += layout_end_of(e->fts_name, w->ends) > 0;
    }
}

/* What fts has found, if its name has the ending. Links that lead nowhere and pipes are listed,
 * too: whoever reads them says why they cannot be read, and dataset.on_bad_image decides. */
static status take_entry(walk *w, const FTSENT *e) {
    switch (e->fts_info) {
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
        log_error("%s: %s", e->fts_path, strerror(e->fts_errno));
        return STATUS_DATA;
    case FTS_F:
    case FTS_SLNONE:
    case FTS_DEFAULT:
        break;
    default: /* folders, which are walked */
        return STATUS_OK;
    }
    if (layout_end_of(e->fts_name, w->ends) > 0) {
        const char *name = e->fts_path + strlen(w->folder);
        while (*name == '/') name++;
        return take(w->files, name);
    }
    if (e->fts_info == FTS_SLNONE)
        log_warn("%s: a link to what is not there: if it was a folder, its images are missing",
            e->fts_path);
    return STATUS_OK;
}

/* FTS_LOGICAL follows links, as data sets are often put together of them, and tells of circles;
 * FTS_NOCHDIR leaves the process where it is. */
static status go(walk *w) {
    char *start = memory_alloc(strlen(w->folder) + 1, 1, "path");
    if (!start) return STATUS_FAILED;
    char *const roots[2] = {strcpy(start, w->folder), NULL};
    FTS *f = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    status st = STATUS_OK;
    errno = f ? 0 : errno;
    for (FTSENT *e; f && st == STATUS_OK && (e = fts_read(f)); errno = 0) {
        if (is_hidden(e))
            leave_out(w, f, e);
        else
            st = take_entry(w, e);
    }
    if (st == STATUS_OK && errno != 0) { /* fts_read sets it to 0 at the end */
        log_error("%s: %s", w->folder, strerror(errno));
        st = STATUS_DATA;
    }
    if (f) fts_close(f);
    memory_free(start);
    return st;
}

status layout_walk(const char *folder, const char *ends, layout_files *out) {
    layout_files files = {0};
    walk w = {.folder = folder, .ends = ends, .files = &files};
    status st = go(&w);
    if (st == STATUS_OK && w.hidden + w.hidden_folders > 0)
        log_info("%s: %d images and %d folders with images are left out, as they are hidden (.x)",
            folder, w.hidden, w.hidden_folders);
    if (st == STATUS_OK)
        *out = files;
    else
        layout_files_destroy(&files);
    return st;
}

bool layout_walk_any(const char *folder, const char *ends) {
    return any_below(folder, ends, 0);
}
