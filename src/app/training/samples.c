/* Decoded images of a training. Decoding is what costs time; a data set of some thousand images
 * fits in memory once decoded, and is then decoded once. There is no eviction: an epoch visits each
 * image once, so that whatever was evicted to make room would be wanted just as soon. What is kept
 * depends on which thread came first, and so on time: an image has the same pixels from the cache
 * as from its file, so that no result can tell. */
#include "src/app/training/samples.h"

#include "src/base/memory.h"

#include <pthread.h>

struct samples {
    const dataset *d;
    samples_options o;
    size_t used;
    pthread_mutex_t lock;
    sample *item; /* [images of the data set], cached ones have rgb.data */
};

/* Without a budget nothing is kept, and everything works as well. */
status samples_create(samples **out, const dataset *d, const samples_options *o) {
    samples *s = memory_alloc(1, sizeof *s, "sample cache");
    if (!s) return STATUS_FAILED;
    *s = (samples){.d = d, .o = *o};
    pthread_mutex_init(&s->lock, NULL);
    s->item = memory_alloc((size_t)dataset_count(d), sizeof *s->item, "sample cache");
    if (!s->item) {
        samples_destroy(s);
        return STATUS_FAILED;
    }
    *out = s;
    return STATUS_OK;
}

void samples_destroy(samples *s) {
    if (!s) return;
    for (int i = 0; s->item && i < dataset_count(s->d); i++) {
        image_destroy(&s->item[i].rgb);
        labelmap_destroy(&s->item[i].label);
    }
    pthread_mutex_destroy(&s->lock);
    memory_free(s->item);
    memory_free(s);
}

/* Pixels alone: the struct itself is there for every image, cached or not. */
static size_t sample_bytes(const sample *x) {
    return 3 * (size_t)x->rgb.height * (size_t)x->rgb.width +
           (x->label.data ? sizeof *x->label.data : 0) * (size_t)x->label.height *
               (size_t)x->label.width;
}

/* Decoded outside of the lock: that is what takes time. */
status samples_get(samples *s, int i, sample *out) {
    /* What is in the cache is never freed before its end: the copy stays good without the lock. */
    pthread_mutex_lock(&s->lock);
    *out = s->item[i];
    pthread_mutex_unlock(&s->lock);
    if (out->rgb.data) return STATUS_OK;

    sample fresh = {0};
    labelmap *label = s->o.labelled && dataset_get(s->d, i).labelled ? &fresh.label : NULL;
    dataset_shape(s->d, i, s->o.scale, &fresh.height, &fresh.width);
    double reduction = view_reduction(&s->o.views, fresh.height, fresh.width);
    status st = dataset_load_reduced(s->d, i, s->o.scale, reduction, &fresh.rgb, label);
    if (st != STATUS_OK) return st;
    pthread_mutex_lock(&s->lock);
    /* Another thread may have decoded the same image meanwhile: the first one stays. */
    bool keep = !s->item[i].rgb.data && s->used + sample_bytes(&fresh) <= s->o.budget;
    if (keep) {
        fresh.cached = true;
        s->used += sample_bytes(&fresh);
        s->item[i] = fresh;
    }
    pthread_mutex_unlock(&s->lock);
    *out = fresh;
    return STATUS_OK;
}

/* A cached one is the cache's: it is given back by forgetting it. */
void samples_release(sample *x) {
    if (!x->cached) {
        image_destroy(&x->rgb);
        labelmap_destroy(&x->label);
    }
    *x = (sample){0};
}

const char *samples_name(const samples *s, int i) {
    return dataset_get(s->d, i).name;
}
