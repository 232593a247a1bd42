/* How much memory a network will take is said before it is taken. A data set of photographs has
 * hundreds of shapes, most of them far smaller than the largest: to count each as the largest says
 * three times what is used, and sends users to larger nodes than they need. So the images are gone
 * through in the order in which they will be computed, and plans come and go as they will. */
#include "src/app/stage/inference_memory.h"

#include "src/app/stage/scales.h"

/* A plan that would be kept, and when it was last asked for. */
typedef struct kept_plan {
    int64_t used;
    int height, width;
    double pixels; /* of all images that it takes at once */
} kept_plan;

/* The plans that would be kept; the most pixels and plans that ever were. */
typedef struct kept_plans {
    kept_plan item[INFERENCE_PLANS];
    int64_t clock;
    double pixels, most;
    int count;
} kept_plans;

/* As inference_plan does. */
static void ask(kept_plans *k, int height, int width, int images) {
    kept_plan *slot = &k->item[0];
    k->clock++;
    for (int i = 0; i < INFERENCE_PLANS; i++) {
        kept_plan *p = &k->item[i];
        if (p->used && p->height == height && p->width == width) {
            p->used = k->clock;
            return;
        }
        if (p->used < slot->used) slot = p;
    }
    k->count += slot->used == 0;
    k->pixels -= slot->pixels;
    *slot = (kept_plan){k->clock, height, width, (double)height * width * images};
    k->pixels += slot->pixels;
    if (k->pixels > k->most) k->most = k->pixels;
}

/* Of all sizes of all images: height and width. */
static void find_largest(const dataset *d, const inference_views *views, int largest[2]) {
    int height, width;
    for (int i = views->first; i < views->first + views->count; i++) {
        const char *list = views->scales;
        for (double scale; scales_next(&list, &scale);) {
            dataset_shape(d, i, views->scale * scale, &height, &width);
            if ((int64_t)height * width <= (int64_t)largest[0] * largest[1]) continue;
            largest[0] = height;
            largest[1] = width;
        }
    }
}

status inference_memory(
    inference *n, const dataset *d, const inference_views *views, double *bytes) {
    kept_plans kept = {.count = 0};
    int height, width, largest[2] = {0, 0};
    plan *p = NULL;
    *bytes = 0;
    if (views->count == 0) return STATUS_OK;
    find_largest(d, views, largest);
    int images = inference_images(n, largest[0], largest[1]);
    status st = inference_plan(n, largest[0], largest[1], &p);
    if (st != STATUS_OK) return st;
    /* It stays until it gives way to others. */
    ask(&kept, largest[0], largest[1], images);
    double packed = (double)plan_packed_bytes(p), maps = (double)plan_bytes(p) - packed;
    for (int i = views->first; i < views->first + views->count; i++) {
        const char *list = views->scales;
        for (double scale; scales_next(&list, &scale);) {
            dataset_shape(d, i, views->scale * scale, &height, &width);
            ask(&kept, height, width, inference_images(n, height, width));
        }
    }
    *bytes = kept.count * packed + maps * kept.most / ((double)largest[0] * largest[1] * images);
    return STATUS_OK;
}
