/* Auxiliary labels come from a file that anybody may have replaced: what is trained with is what
 * run.json has recorded. Which of them are near each other follows from their centroids alone:
 * every rank has them, and computes the same. */
#include "src/app/training/auxiliary.h"

#include "src/app/stage/setup.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/label/ward.h"

/* The file may be of another run, or written by a clustering that was then repeated. */
status auxiliary_open(labels **out, const stage *t, uint64_t recorded) {
    char path[FILE_PATH];
    *out = NULL;
    status st = stage_path(t, path, "labels.h5");
    if (st == STATUS_OK) st = labels_open(t->c, path, out);
    if (st == STATUS_OK &&
        (labels_count(*out) != setup_training(t->d) ||
            labels_about(*out).dataset != dataset_hash(t->d) || labels_hash(*out) != recorded)) {
        if (comm_root(t->c))
            log_error("%s: not what run.json has recorded for this data set: cluster anew", path);
        st = STATUS_DATA;
    }
    return st;
}

/* Largest of the groups, in labels. */
static int largest_of(const int32_t *group, int count, int groups) {
    int largest = 0;
    for (int g = 0; g < groups; g++) {
        int size = 0;
        for (int i = 0; i < count; i++) size += group[i] == g;
        if (size > largest) largest = size;
    }
    return largest;
}

status auxiliary_groups(int32_t **group, const stage *t, const labels *aux) {
    int wanted = t->s->pretrain.label_groups;
    *group = NULL;
    if (!aux || wanted == 0) return STATUS_OK;
    labels_info about = labels_about(aux);
    if (wanted > about.k) {
        if (comm_root(t->c))
            log_error("pretrain.label_groups = %d: there are %d auxiliary labels", wanted, about.k);
        return STATUS_USAGE;
    }
    int32_t *made = memory_alloc((size_t)about.k, sizeof *made, "groups of labels");
    status st =
        made ? ward_groups(about.centroids, about.k, about.d, wanted, setup_threads(t->s), made)
             : STATUS_FAILED;
    st = comm_agree(t->c, st);
    /* One rank whose memory fails would compute another loss. */
    if (st == STATUS_OK)
        st = comm_compare(
            t->c, "groups of labels", hash_bytes(made, (size_t)about.k * sizeof *made));
    if (st != STATUS_OK) {
        memory_free(made);
        return st;
    }
    log_info(
        "%s: %d labels in %d groups, of %d at most, within which none is a negative of another",
        t->name, about.k, wanted, largest_of(made, about.k, wanted));
    *group = made;
    return STATUS_OK;
}
