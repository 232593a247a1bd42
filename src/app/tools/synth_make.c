/* Tasks of an array begin at the same second, and each makes the scenes of its seed before it packs
 * them, most often in one and the same folder. The first has the folder until its images stand in
 * dataset.h5; who comes later waits, finds the same scenes there and packs them, or makes its own.
 * The wait is one for another job: it is named once, a stop ends it, and no watchdog minds. */
#include "src/app/tools/synth_make.h"

#include "io/files/file.h"
#include "src/app/tools/synth.h"
#include "src/base/log.h"
#include "src/base/pulse.h"
#include "src/base/stop.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

static bool same_folder(const char *a, const char *b) {
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Until the lock is there, a stop is asked for, or it cannot be had at all. */
static status wait_for(file_lock **out, const char *root) {
    file_lock_options o = file_lock_this_job();
    status st;
    o.quiet = true;
    for (bool told = false; (st = file_lock_take(out, root, &o)) == STATUS_USAGE; told = true) {
        if (!told) log_info("synth: waits for another job, which makes its scenes in %s", root);
        sleep(1);
        pulse_tick(); /* this is no hang */
        if (stop_requested()) return STATUS_STOPPED;
    }
    return st;
}

static status take(file_lock **out, const settings *s) {
    const char *root = s->dataset.root;
    bool done;
    status st = synth_look(s, &done);
    if (st == STATUS_OK) st = file_make_folder(root);
    if (st != STATUS_OK || same_folder(root, s->run.dir)) return st;
    if (done && access(root, W_OK) != 0) return STATUS_OK;
    return wait_for(out, root);
}

status synth_make(file_lock **lock, const settings *s) {
    *lock = NULL;
    if (s->dataset.layout != DATASET_LAYOUT_SYNTH) return STATUS_OK;
    status st = take(lock, s);
    return st == STATUS_OK ? synth_write(s) : st;
}

status command_synth(const settings *s) {
    file_lock *lock;
    stop_install();
    status st = synth_make(&lock, s);
    file_lock_release(lock);
    return st;
}
