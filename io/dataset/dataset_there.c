/* A node whose data are not mounted has an empty folder in their place, or a copy of last year.
 * Without a look it would refuse its first image as a bad one, on its own, or, under
 * dataset.on_bad_image = "skip", leave out a share of the data set. What is compared is the size of
 * the list's first image: nodes may have copies of their own. A file that has just been made takes
 * a moment to be seen through a network file system. */
#include "io/dataset/dataset_there.h"

#include "mpi/ranks_where.h"
#include "src/base/log.h"
#include "src/base/timer.h"

#include <sys/stat.h>
#include <unistd.h>

/* Seconds until a new file must be seen. */
enum { VISIBLE = 5 };

/* Bytes of the file; -1: there is none. */
static int64_t size_of(const char *path) {
    struct stat about;
    return stat(path, &about) == 0 ? (int64_t)about.st_size : -1;
}

static bool sees(const char *path, int64_t bytes) {
    enum { PAUSE = 50000 }; /* microseconds */
    double until = timer_now() + VISIBLE;
    while (size_of(path) != bytes) {
        if (timer_now() > until) return false;
        usleep(PAUSE);
    }
    return true;
}

/* Where rank 0 itself has not the image it is a bad image, not a difference. */
status dataset_there(const comm *c, const settings *s, const layout *l) {
    if (comm_size(c) == 1 || l->items == 0) return STATUS_OK;
    const char *path = l->item[0].image;
    int64_t bytes = comm_root(c) ? size_of(path) : 0;
    comm_broadcast(c, &bytes, sizeof bytes);
    if (bytes < 0) return STATUS_OK;
    ranks_where w = ranks_where_true(c, !comm_root(c) && !sees(path, bytes));
    if (w.count == 0) return STATUS_OK;
    if (comm_rank(c) == w.lowest)
        log_error(
            "dataset.root = \"%s\" holds not the same data set on %s, as on rank 0: %s is not "
            "there, or another file (not mounted?)",
            s->dataset.root, w.text, path);
    return STATUS_USAGE;
}
