/* The state of a training stage as tensors of a checkpoint file: what the next step depends on, and
 * nothing else. Images, views and random numbers are functions of the step, so that a step's number
 * stands for all of them, and any number of ranks may go on. */
#include "io/weights/checkpoint.h"

#include "io/files/file.h"
#include "io/weights/tensor_fault.h"
#include "io/weights/weights.h"
#include "src/base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCALE "gradient.scale"
#define TRACKED "batches_tracked"
enum { AVERAGES = 2 };

/* How many tensors a file holds: parameters, states of the optimiser, averages, extras, scales, in
 * this order. misfit wants exactly as many: one more would be of a state that this program does not
 * have. */
int checkpoint_tensors(const checkpoint_state *s) {
    return s->p->items + s->optimizer->states + (s->average ? AVERAGES : 0) + s->extras + 1;
}

size_t checkpoint_extra_bytes(const checkpoint_extra *x) {
    return x->n * safetensors_type_size(x->type);
}

static tensor_info extra_tensor(const checkpoint_state *s, int i) {
    const checkpoint_extra *x = &s->extra[i];
    return checkpoint_file_flat(x->name, x->type, x->data, x->n);
}

/* Averages have the layout of what they are of, each one flat block. */
static tensor_info average_tensor(const checkpoint_state *s, int i) {
    const parameters *a = s->average;
    return i == 0 ? checkpoint_file_flat("average.weights", "F32", a->value, a->count)
                  : checkpoint_file_flat("average.statistics", "F32", a->buffer, a->buffers);
}

/* States of the optimiser have the layout of the weights, one flat block. */
static tensor_info state_tensor(const checkpoint_state *s, int i) {
    const optimizer *o = s->optimizer;
    return checkpoint_file_flat(optimizer_state_name(o, i), "F32", o->state[i], s->p->count);
}

/* Tensors point to where they lie. */
void checkpoint_describe(const checkpoint_state *s, const char *stage, tensor_info *tensor,
    char *tracked, checkpoint_file *out) {
    const parameters *p = s->p;
    snprintf(tracked, CHECKPOINT_NUMBER, "%" PRId64, p->batches_tracked);
    for (int i = 0; i < p->items; i++) tensor[i] = weights_tensor(p, i);
    for (int i = 0; i < s->optimizer->states; i++) tensor[p->items + i] = state_tensor(s, i);
    for (int i = 0; s->average && i < AVERAGES; i++)
        tensor[p->items + s->optimizer->states + i] = average_tensor(s, i);
    int n = checkpoint_tensors(s);
    for (int i = 0; i < s->extras; i++) tensor[n - 1 - s->extras + i] = extra_tensor(s, i);
    /* A gradient's sum is rounded at a scale that the step before predicts: without it a continued
     * run would round its first step in another way. */
    tensor[n - 1] = checkpoint_file_flat(SCALE, "I32", s->g->scale, (size_t)p->trainable);
    *out = (checkpoint_file){
        stage, s->settings, s->step, tensor, n, TRACKED, tracked, s->metadata, s->pairs};
}

/* State that is not finite is refused, as a run could only go on from it to the same failure. */
status checkpoint_write(const char *folder, const checkpoint_file *f) {
    status st = tensor_fault_check(f->stage, f->tensor, f->tensors);
    return st == STATUS_OK ? checkpoint_file_save(folder, f) : st;
}

/* Rank 0's part. Nothing is copied: the tensors are written from where they lie. */
static status save(const char *folder, const char *stage, const checkpoint_state *s) {
    char tracked[CHECKPOINT_NUMBER];
    checkpoint_file f;
    tensor_info *tensor = memory_alloc((size_t)checkpoint_tensors(s), sizeof *tensor, "checkpoint");
    if (!tensor) return STATUS_FAILED;
    checkpoint_describe(s, stage, tensor, tracked, &f);
    status st = checkpoint_write(folder, &f);
    memory_free(tensor);
    return st;
}

/* All ranks have the same state, so that one can write it for all. */
status checkpoint_save(
    const comm *c, const char *folder, const char *stage, const checkpoint_state *s) {
    return comm_agree(c, comm_root(c) ? save(folder, stage, s) : STATUS_OK);
}

/* What indexes memory must not come from a file unseen. */
static bool within(const checkpoint_extra *x, const void *data) {
    for (size_t i = 0; x->bounded && i < x->n; i++) {
        int32_t value; /* a file's tensors need not be aligned */
        memcpy(&value, (const char *)data + i * sizeof value, sizeof value);
        if (value < x->least || value > x->most) return false;
    }
    return true;
}

/* Why the file cannot be continued from, or NULL: it fits the network entirely. Not the settings'
 * hash alone: a file that was changed must not be copied over memory of another size. */
static const char *misfit(const safetensors *f, const checkpoint_state *s) {
    const parameters *p = s->p;
    tensor_info want, have;
    if (!safetensors_metadata(f, TRACKED)) return "it is incomplete";
    for (int i = 0; i < p->items; i++) {
        want = weights_tensor(p, i);
        if (!checkpoint_file_tensor(f, &want, &have)) return "it is of another network";
    }
    want = checkpoint_file_flat(SCALE, "I32", NULL, (size_t)p->trainable);
    if (!checkpoint_file_tensor(f, &want, &have)) return "it is of another network";
    for (int i = 0; i < s->optimizer->states; i++) {
        want = state_tensor(s, i);
        if (safetensors_find(f, want.name) < 0) return "it is of another optimiser";
        if (!checkpoint_file_tensor(f, &want, &have)) return "it is of another network";
    }
    for (int i = 0; s->average && i < AVERAGES; i++) {
        want = average_tensor(s, i);
        if (!checkpoint_file_tensor(f, &want, &have)) return "it has no averaged weights";
    }
    for (int i = 0; i < s->extras; i++) {
        want = extra_tensor(s, i);
        if (!checkpoint_file_tensor(f, &want, &have)) return "it has no queue of this length";
        if (!within(&s->extra[i], have.data)) return "its queue has places that there are not";
    }
    return safetensors_count(f) == checkpoint_tensors(s) ? NULL : "it is of another network";
}

/* misfit has looked at everything: from here on nothing can fail, and the state is taken as a
 * whole. */
static const char *take(void *context, const safetensors *f, int64_t step) {
    checkpoint_state *s = context;
    const char *why = misfit(f, s);
    if (why) return why;
    parameters *p = s->p;
    tensor_info have;
    for (int i = 0; i < p->items; i++) {
        have = safetensors_get(f, safetensors_find(f, p->item[i].name));
        memcpy(weights_of(p, i), have.data, have.bytes);
    }
    for (int i = 0; i < s->optimizer->states; i++) {
        have = safetensors_get(f, safetensors_find(f, optimizer_state_name(s->optimizer, i)));
        memcpy(s->optimizer->state[i], have.data, have.bytes);
    }
    for (int i = 0; s->average && i < AVERAGES; i++) {
        have = safetensors_get(f, safetensors_find(f, average_tensor(s, i).name));
        memcpy(i == 0 ? s->average->value : s->average->buffer, have.data, have.bytes);
    }
    for (int i = 0; i < s->extras; i++) {
        have = safetensors_get(f, safetensors_find(f, s->extra[i].name));
        memcpy(s->extra[i].data, have.data, have.bytes);
    }
    have = safetensors_get(f, safetensors_find(f, SCALE));
    memcpy(s->g->scale, have.data, have.bytes);
    p->batches_tracked = strtoll(safetensors_metadata(f, TRACKED), NULL, 10);
    s->step = step;
    return NULL;
}

/* From rank 0 to all others. Collective. */
static void share(const comm *c, checkpoint_state *s) {
    parameters *p = s->p, *a = s->average;
    comm_broadcast(c, p->value, p->count * sizeof *p->value);
    comm_broadcast(c, p->buffer, p->buffers * sizeof *p->buffer);
    for (int i = 0; i < s->optimizer->states; i++)
        comm_broadcast(c, s->optimizer->state[i], p->count * sizeof *s->optimizer->state[i]);
    comm_broadcast(c, s->g->scale, (size_t)p->trainable * sizeof *s->g->scale);
    comm_broadcast(c, &p->batches_tracked, sizeof p->batches_tracked);
    comm_broadcast(c, &s->step, sizeof s->step);
    for (int i = 0; i < s->extras; i++)
        if (!s->extra[i].shared)
            comm_broadcast(c, s->extra[i].data, checkpoint_extra_bytes(&s->extra[i]));
    if (!a) return;
    comm_broadcast(c, a->value, a->count * sizeof *a->value);
    comm_broadcast(c, a->buffer, a->buffers * sizeof *a->buffer);
    a->batches_tracked = p->batches_tracked;
}

/* What rank 0 has read is sent as it stands in memory: ranks need not see the same files. */
status checkpoint_load(
    const comm *c, const char *folder, const char *stage, checkpoint_state *s, bool *found) {
    bool any = false;
    status st = STATUS_OK;
    if (comm_root(c)) st = checkpoint_file_load(folder, stage, s->settings, take, s, &any);
    st = comm_agree(c, st);
    if (st != STATUS_OK) return st;
    /* Rank 0 alone has read; all others get the state from it. */
    comm_broadcast(c, &any, sizeof any);
    *found = any;
    if (!any) return STATUS_OK;
    share(c, s);
    return STATUS_OK;
}

/* Whoever cannot remove them loses disk space, no result: there is no status. */
void checkpoint_clear(const comm *c, const char *folder, const char *stage, uint64_t settings) {
    if (comm_root(c)) checkpoint_file_clear(folder, stage, settings);
}
