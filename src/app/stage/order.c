/* The endless sequence of epochs that training takes its images from. The permutation of one epoch
 * is kept, as positions are asked for in order. Positions may jump, as they do when a training goes
 * on from a checkpoint: the epoch's permutation is then drawn anew. */
#include "src/app/stage/order.h"

#include "src/base/memory.h"
#include "src/base/random.h"

status order_create(order *o, const int *member, int count, uint64_t seed) {
    *o = (order){.member = member, .count = count, .seed = seed, .epoch = -1};
    o->permutation = memory_alloc((size_t)count, sizeof *o->permutation, "order of images");
    return o->permutation ? STATUS_OK : STATUS_FAILED;
}

void order_destroy(order *o) {
    memory_free(o->permutation);
    o->permutation = NULL;
}

int order_at(order *o, int64_t position) {
    int64_t epoch = position / o->count;
    if (epoch != o->epoch) {
        /* Of seed and epoch alone: neither ranks nor where a training was interrupted enter. */
        random_stream r = random_begin(o->seed, RANDOM_ORDER, (uint64_t)epoch, 0);
        random_permutation(&r, o->permutation, (uint32_t)o->count);
        o->epoch = epoch;
    }
    return o->member[o->permutation[position % o->count]];
}
