/* Where a training's weights come from and which of them go out. Both know of what a trainer may
 * hold beside one network: a second one, whose tensors have other names in the graph but not in any
 * file, a head that serves the training alone, and averages, which are no tensors of the graph at
 * all. */
#include "src/app/training/trainer_weights.h"

#include "io/weights/weights.h"
#include "src/base/memory.h"

#include <string.h>

/* The warning is for the file of another network, which a few common names let pass. */
static status load_file(trainer *t, parameters *p) {
    weights_match match = {0};
    const char *replaced =
        t->s->model.weights_strict ? NULL : network_classifier(&t->model.network);
    status st = weights_load(t->c, t->o.weights, replaced, p, &match);
    if (st == STATUS_OK && match.matched < match.missing && comm_root(t->c))
        log_warn("%s: most of the network's tensors are not in it: is it the right backbone?",
            t->o.weights);
    return st;
}

/* Whether a parameter is one of a layer: "classifier.4" has "classifier.4.bias". */
static bool of_layer(const parameter *item, const char *layer) {
    size_t n = strlen(layer);
    return strncmp(item->name, layer, n) == 0 && item->name[n] == '.';
}

/* The file but for the classes' layer, which keeps the values that were drawn: from a file with a
 * classifier that fits, both networks would begin as one, and each would label for its copy. */
static status load_second(trainer *t, parameters *p) {
    const char *layer = network_classifier(&t->model.network);
    float *drawn = memory_alloc(p->count, sizeof *drawn, "weights");
    status st = comm_agree(t->c, drawn ? STATUS_OK : STATUS_FAILED);
    if (st == STATUS_OK) {
        memcpy(drawn, p->value, p->count * sizeof *drawn);
        st = load_file(t, p);
    }
    for (int i = 0; st == STATUS_OK && i < p->trainable; i++) {
        const parameter *item = &p->item[i];
        if (of_layer(item, layer))
            memcpy(p->value + item->offset, drawn + item->offset, item->count * sizeof *drawn);
    }
    memory_free(drawn);
    return st;
}

/* Both networks of a pair from one file; what it lacks keeps values that differ between the two. */
static status load_pair(trainer *t) {
    status st = STATUS_OK;
    for (int k = 0; k < 2 && st == STATUS_OK; k++) {
        parameters *part = NULL;
        st = comm_agree(t->c, parameters_part(&part, t->p, NETWORK_TWIN, k == 1));
        if (st == STATUS_OK) st = k == 0 ? load_file(t, part) : load_second(t, part);
        if (st == STATUS_OK) t->p->batches_tracked = part->batches_tracked;
        parameters_part_destroy(part);
    }
    return st;
}

status trainer_initial_weights(trainer *t) {
    status st = STATUS_OK;
    if (t->o.weights[0]) st = t->o.twin ? load_pair(t) : load_file(t, t->p);
    if (t->average) parameters_copy(t->average, t->p);
    return st;
}

status trainer_write_weights(
    const trainer *t, const char *path, const char *const *metadata, int pairs, uint64_t *hash) {
    parameters *whole = t->average && !t->o.average_aside ? t->average : t->p, *first = NULL;
    const char *aside = t->o.twin ? NETWORK_TWIN : t->o.contrast ? NETWORK_EMBED "." : NULL;
    status st = aside ? parameters_part(&first, whole, aside, false) : STATUS_OK;
    const parameters *written = first ? first : whole;
    st = comm_agree(t->c, st);
    if (st == STATUS_OK) st = weights_save(t->c, path, written, metadata, pairs);
    if (st == STATUS_OK) *hash = weights_hash(written);
    parameters_part_destroy(first);
    return st;
}
