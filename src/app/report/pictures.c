/* Pictures for the page: images with labels, ground truth or predictions over them, shrunk to what
 * a page shows and encoded as JPEG.
 *
 * A strip is a row of pictures of one image, a set the strips of one section. Which images are
 * shown follows from their number alone (spaced.h), so that two pages of a run, or of two runs on
 * the same data, show the same ones. Images are as the network saw them, at dataset.scale, and are
 * made small only after labels or predictions of that size are there. */
#include "src/app/report/pictures.h"

#include "src/app/evaluation/class_maps.h"
#include "src/app/report/drawing.h"
#include "src/app/report/spaced.h"
#include "src/app/stage/image_list.h"
#include "src/app/stage/output.h"
#include "src/app/stage/setup.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/stop.h"
#include "src/image/palette.h"

#include <stdbool.h>

enum { LONGER = 640 }; /* most pixels of a picture's longer side */

void picture_set_destroy(picture_set *p) {
    for (int i = 0; i < p->strips && p->picture; i++)
        for (int k = 0; k < PICTURES; k++) drawing_free(&p->picture[i][k]);
    memory_free(p->picture);
    memory_free(p->strip);
    *p = (picture_set){0};
}

/* Pictures are few and made anew at each start: nothing of them is kept, so that a deadline, which
 * would come at the same place again, does not end them. */
static status unless_stopped(status st) {
    return st == STATUS_OK && stop_asked() ? STATUS_STOPPED : st;
}

/* Room for so many strips. Also where it fails the set can be destroyed: strips is set once both
 * arrays are there. */
static status pictures_create(picture_set *p, int strips, const uint8_t (*colour)[3]) {
    p->colour = colour;
    p->strip = memory_alloc((size_t)strips, sizeof *p->strip, "pictures");
    p->picture = memory_alloc((size_t)strips, sizeof *p->picture, "pictures");
    if (!p->strip || !p->picture) return STATUS_FAILED;
    p->strips = strips;
    for (int i = 0; i < strips; i++) p->strip[i].picture = p->picture[i];
    return STATUS_OK;
}

/* Behind the strip's other pictures. */
static status add_image(picture_set *p, int strip, const image *m, const char *caption) {
    page_strip *s = &p->strip[strip];
    status st = drawing_image(m, caption, &p->picture[strip][s->pictures]);
    if (st == STATUS_OK) s->pictures++;
    return st;
}

static status add_overlay(picture_set *p, int strip, const image *rgb, const labelmap *map,
    const uint8_t (*colour)[3], const char *caption) {
    page_strip *s = &p->strip[strip];
    status st = drawing_overlay(rgb, map, colour, caption, &p->picture[strip][s->pictures]);
    if (st == STATUS_OK) s->pictures++;
    return st;
}

/* The strip of one training image. Without ground truth the strip has up to two pictures fewer. The
 * label map is that of the file, at feature stride. */
static status overlay_strip(
    const stage *t, const labels *aux, const int *majority, int index, int strip, picture_set *p) {
    image rgb = {0};
    labelmap truth = {0}, label = {0};
    status st = dataset_load(t->d, index, t->s->dataset.scale, &rgb, &truth);
    if (st == STATUS_OK) st = drawing_shrink(&rgb, LONGER);
    if (st == STATUS_OK) st = labels_load(aux, index, &label);
    p->strip[strip].title = dataset_get(t->d, index).name;
    if (st == STATUS_OK) st = add_image(p, strip, &rgb, "image");
    if (st == STATUS_OK)
        st = add_overlay(p, strip, &rgb, &label, palette_classes(), "auxiliary labels");
    if (st == STATUS_OK && drawing_classes(&label, majority))
        st = add_overlay(p, strip, &rgb, &label, p->colour, "each cluster as its commonest class");
    if (st == STATUS_OK && truth.data)
        st = add_overlay(p, strip, &rgb, &truth, p->colour, "ground truth");
    image_destroy(&rgb);
    labelmap_destroy(&truth);
    labelmap_destroy(&label);
    return st;
}

status pictures_of_labels(const stage *t, const uint8_t (*colour)[3], const labels *aux,
    const int *majority, picture_set *out) {
    int count = setup_training(t->d), wanted = t->s->report.overlays;
    if (wanted > count) wanted = count;
    status st = wanted > 0 ? pictures_create(out, wanted, colour) : STATUS_OK;
    for (int i = 0; i < wanted && st == STATUS_OK; i++)
        st = unless_stopped(overlay_strip(t, aux, majority, spaced(i, wanted, count), i, out));
    return st;
}

/* Predictions of one model for the listed images, each added to its strip; none of an image that it
 * gives no number for, which is told: the page is what shows why. One rank, so no
 * communicator. Arithmetic is the run's, but for a processor that lacks it. */
static status predict_strips(
    const stage *t, const char *weights, const int *list, const char *caption, picture_set *p) {
    inference *net = NULL;
    inference_options o = {.end = NETWORK_CLASSIFIER, .weights = weights, .how = t->how};
    /* Pictures alone depend on it: a page can be made where the run could not. */
    if (o.how.lacks_bf16) o.how.type = o.how.products = DTYPE_F32, o.how.tiles = false;
    status st = inference_create(&net, NULL, t->s, t->d, &o);
    for (int i = 0; i < p->strips && st == STATUS_OK; i++) {
        image rgb = {0};
        labelmap map = {0};
        st = dataset_load(t->d, list[i], t->s->dataset.scale, &rgb, NULL);
        if (st == STATUS_OK)
            st = class_maps_predict(t, net, &list[i], &rgb, 1, rgb.height, rgb.width, &map);
        if (st == STATUS_OK) st = drawing_shrink(&rgb, LONGER);
        if (st == STATUS_OK) st = add_overlay(p, i, &rgb, &map, p->colour, caption);
        if (st == STATUS_NONFINITE) st = STATUS_OK;
        image_destroy(&rgb);
        labelmap_destroy(&map);
        st = unless_stopped(st);
    }
    inference_destroy(net);
    return st;
}

/* What each strip begins with: the image and its ground truth. */
static status truth_strips(const stage *t, const int *list, picture_set *p) {
    status st = STATUS_OK;
    for (int i = 0; i < p->strips && st == STATUS_OK; i++) {
        image rgb = {0};
        labelmap truth = {0};
        st = dataset_load(t->d, list[i], t->s->dataset.scale, &rgb, &truth);
        p->strip[i].title = dataset_get(t->d, list[i]).name;
        if (st == STATUS_OK) st = drawing_shrink(&rgb, LONGER);
        if (st == STATUS_OK) st = add_image(p, i, &rgb, "image");
        if (st == STATUS_OK && truth.data)
            st = add_overlay(p, i, &rgb, &truth, p->colour, "ground truth");
        image_destroy(&rgb);
        labelmap_destroy(&truth);
        st = unless_stopped(st);
    }
    return st;
}

/* Weights of a model; not found if there are none, or others than the run has recorded. */
static status find_weights(const stage *t, const char *name, int round, char *path, bool *found) {
    *found = false;
    status st = setup_path(path, t->s, name, round);
    return st == STATUS_OK ? output_find(t->record, path, found) : st;
}

status pictures_of_predictions(
    const stage *t, const uint8_t (*colour)[3], int round, picture_set *out) {
    char baseline[FILE_PATH], finetuned[FILE_PATH];
    image_list list = {0};
    int wanted = t->s->report.overlays;
    bool before, after = false;
    status st = find_weights(t, "baseline.safetensors", 1, baseline, &before);
    if (st == STATUS_OK) st = find_weights(t, "finetuned.safetensors", round, finetuned, &after);
    if (st != STATUS_OK || wanted == 0 || (!before && !after)) return st;
    st = images_of_split(&list, t->d, t->s->evaluate.split, true);
    if (st == STATUS_OK && wanted > list.count) wanted = list.count;
    if (st == STATUS_OK) st = pictures_create(out, wanted, colour);
    for (int i = 0; i < wanted && st == STATUS_OK; i++)
        /* In place: the index that is read is never below the one that is written. */
        list.member[i] = list.member[spaced(i, wanted, list.count)];
    if (st == STATUS_OK) st = truth_strips(t, list.member, out);
    if (st == STATUS_OK && before)
        st = predict_strips(t, baseline, list.member, "from plain initial weights", out);
    if (st == STATUS_OK && after)
        st = predict_strips(t, finetuned, list.member, "from contrastive pretraining", out);
    memory_free(list.member);
    return st;
}
