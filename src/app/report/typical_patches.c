/* What a cluster looks like: the patches around the pixels nearest to its centroid, which labels.h5
 * has the places of. An image is decoded once for all patches that lie in it.
 *
 * A typical pixel is told as image and pixel of that image's label map, which is at feature stride:
 * its place in the image is scaled up, and a square around it is cut out, so that a reader sees
 * what lies around the pixel. Clusters are chosen by their size in labels.h5, not by a score:
 * scores need ground truth. */
#include "src/app/report/typical_patches.h"

#include "io/codecs/image_file.h"
#include "src/app/stage/setup.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/stop.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIDE = 64,    /* pixels of a patch, at most */
    SHARE = 6,    /* a patch shows 1/6 of the image's shorter side, at least SIDE of its pixels */
    QUALITY = 85, /* of its JPEG */
};

/* How many pixels a label has. */
typedef struct label_size {
    int64_t pixels;
    int label;
} label_size;

/* The pixel of the label map that a patch is cut around. cluster counts from the largest, as it
 * does in typical_patches. */
typedef struct place {
    int image, cluster, at; /* at: the patch's number in its cluster */
    uint32_t pixel;
} place;

/* Larger first, then the lower label, as qsort is not stable. */
static int by_size(const void *a, const void *b) {
    const label_size *p = a, *q = b;
    if (p->pixels != q->pixels) return p->pixels > q->pixels ? -1 : 1;
    return p->label < q->label ? -1 : 1;
}

static int by_image(const void *a, const void *b) {
    const place *p = a, *q = b;
    return p->image != q->image ? (p->image < q->image ? -1 : 1) : 0;
}

/* size [K], the largest first; shape [images, 2] of the label maps. One pass over all label maps;
 * images need not be decoded for it. */
static status measure(const labels *aux, label_size *size, int *shape) {
    int k = labels_about(aux).k;
    for (int a = 0; a < k; a++) size[a].label = a;
    for (int i = 0; i < labels_count(aux); i++) {
        labelmap m;
        status st = stop_asked() ? STATUS_STOPPED : labels_load(aux, i, &m);
        if (st != STATUS_OK) return st;
        shape[2 * i] = m.height;
        shape[2 * i + 1] = m.width;
        for (size_t p = 0, n = (size_t)m.height * (size_t)m.width; p < n; p++)
            if (m.data[p] != LABEL_IGNORE) size[m.data[p]].pixels++;
        labelmap_destroy(&m);
    }
    qsort(size, (size_t)k, sizeof *size, by_size);
    return STATUS_OK;
}

/* Room for so many clusters. The texts have room of fixed length: names of classes are cut. */
static status reserve(typical_patches *r, int clusters) {
    size_t n = (size_t)clusters;
    r->cluster = memory_alloc(n, sizeof *r->cluster, "patches");
    r->patch = memory_alloc(n, sizeof *r->patch, "patches");
    r->text = memory_alloc(n, sizeof *r->text, "patches");
    if (!r->cluster || !r->patch || !r->text) return STATUS_FAILED;
    r->clusters = clusters;
    return STATUS_OK;
}

/* What stands beside cluster i's patches. Precision and chance only where the labels were scored.
 * Points to the text, which must not move any more. */
static void describe(
    typical_patches *r, int i, const label_size *s, int64_t all, const label_quality *q) {
    const cluster_quality *c = &q->cluster[s->label];
    typical_text *text = &r->text[i];
    snprintf(text->name, sizeof text->name, "%d%s%.60s", s->label, c->majority ? " \xC2\xB7 " : "",
        c->majority ? c->majority : "");
    char share[NUMBER_TEXT], precision[NUMBER_TEXT], chance[NUMBER_TEXT];
    number_fixed(share, 100 * (double)s->pixels / (double)all, 1);
    int n = snprintf(text->note, sizeof text->note, "%.8s %% of all pixels", share);
    if (isfinite(c->precision) && isfinite(c->chance)) {
        number_fixed(precision, 100 * c->precision, 1);
        number_fixed(chance, 100 * c->chance, 1);
        snprintf(text->note + n, sizeof text->note - (size_t)n,
            "; precision %.8s\xC2\xA0%%, chance %.8s\xC2\xA0%%", precision, chance);
    }
    r->cluster[i] = (page_cluster){text->name, text->note, r->patch[i], 0};
}

/* place [*places]: the patches of all clusters, by image. A file that names what is not there is
 * read no further. The file's numbers are held against the tables before they become addresses.
 * Typical pixels of a cluster end at the first empty place. */
static status find_places(typical_patches *r, const labels *aux, const label_size *size,
    const int *shape, place *list, int *places) {
    const typical_pixel *typical = labels_about(aux).typical;
    for (int i = 0; i < r->clusters; i++)
        for (int j = 0; j < TYPICAL; j++) {
            const typical_pixel *p = &typical[(size_t)size[i].label * TYPICAL + (size_t)j];
            if (!typical_is(p)) break;
            bool known =
                p->image < (uint32_t)labels_count(aux) &&
                p->pixel < (uint64_t)shape[2 * p->image] * (uint64_t)shape[2 * p->image + 1];
            if (!known) {
                log_error("labels.h5: damaged: /typical names a pixel that is not there");
                return STATUS_OUTPUT;
            }
            list[(*places)++] = (place){(int)p->image, i, j, p->pixel};
            r->cluster[i].patches++;
        }
    qsort(list, (size_t)*places, sizeof *list, by_image);
    return STATUS_OK;
}

/* Where a square of `side` around `centre` begins, inside 0 .. n. At an edge the square moves
 * inwards rather than shrink: patches have one size. */
static int begin_of(double centre, int side, int n) {
    int begin = (int)floor(centre - side / 2.0 + 0.5);
    if (begin > n - side) begin = n - side;
    return begin < 0 ? 0 : begin;
}

/* The square part of an image, shrunk to a patch. out: at most SIDE pixels; a smaller part is not
 * made larger. */
static status cut(const image *rgb, int top, int left, int side, image *out) {
    image part = {0};
    status st = image_create(&part, side, side);
    if (st != STATUS_OK) return st;
    for (int y = 0; y < side; y++)
        memcpy(part.data + (size_t)y * (size_t)side * 3,
            rgb->data + ((size_t)(top + y) * (size_t)rgb->width + (size_t)left) * 3,
            (size_t)side * 3);
    int small = side < SIDE ? side : SIDE;
    st = image_resize(&part, small, small, out);
    image_destroy(&part);
    return st;
}

/* The patch around pixel `pixel` of a label map [h, w] of the image. left, top and size: the pixel
 * at feature stride within the patch, in shares of its side, so that the page can draw it at any
 * size. It may hang over an edge of the patch where the square was moved. */
static status make_patch(const image *rgb, int h, int w, uint32_t pixel, page_patch *out) {
    double cell_h = (double)rgb->height / h, cell_w = (double)rgb->width / w;
    double y = (pixel / (uint32_t)w + 0.5) * cell_h, x = (pixel % (uint32_t)w + 0.5) * cell_w;
    int shorter = rgb->height < rgb->width ? rgb->height : rgb->width;
    int side = shorter / SHARE > SIDE ? shorter / SHARE : SIDE;
    if (side > shorter) side = shorter;
    int top = begin_of(y, side, rgb->height), left = begin_of(x, side, rgb->width);
    image small = {0};
    void *bytes = NULL;
    status st = cut(rgb, top, left, side, &small);
    if (st == STATUS_OK) st = image_file_encode_jpeg(&small, QUALITY, &bytes, &out->picture.bytes);
    out->picture.data = bytes;
    double cell = fmin(cell_h, cell_w);
    out->size = fmin(1, cell / side);
    out->left = (x - left - cell / 2) / side;
    out->top = (y - top - cell / 2) / side;
    image_destroy(&small);
    return st;
}

/* Every patch of one image: list [count]. At full size, as stored: a patch is small enough in any
 * case. */
static status cut_image(
    typical_patches *r, const stage *t, const int *shape, const place *list, int count) {
    image rgb = {0};
    int i = list->image;
    status st = dataset_load(t->d, i, 1, &rgb, NULL);
    for (int n = 0; n < count && st == STATUS_OK; n++) {
        page_patch *p = &r->patch[list[n].cluster][list[n].at];
        p->picture.caption = dataset_get(t->d, i).name;
        st = make_patch(&rgb, shape[2 * i], shape[2 * i + 1], list[n].pixel, p);
    }
    image_destroy(&rgb);
    return st;
}

/* list is sorted by image: each thread takes all patches of one. Threads write to patches of their
 * own. A loop of OpenMP cannot be left early: after a failure the rest is still done. */
static status cut_patches(
    typical_patches *r, const stage *t, const int *shape, const place *list, int places) {
    status worst = STATUS_OK;
    int threads = setup_threads(t->s);
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int n = 0; n < places; n++) {
        int count = 1;
        if (n > 0 && list[n - 1].image == list[n].image) continue; /* the first takes all */
        while (n + count < places && list[n + count].image == list[n].image) count++;
        status mine = stop_asked() ? STATUS_STOPPED : cut_image(r, t, shape, list + n, count);
        if (mine != STATUS_OK) {
#pragma omp critical(worst)
            worst = status_worse(worst, mine);
        }
    }
    return worst;
}

/* The sentence above the patches, with what is left out. Empty clusters are not counted among those
 * left out. */
static void write_note(typical_patches *r, const label_size *size, int k, int64_t all) {
    int64_t shown = 0;
    for (int i = 0; i < r->clusters; i++) shown += size[i].pixels;
    int n = snprintf(r->note, sizeof r->note,
        "The pixels nearest to each cluster's centroid, nearest first, at most one an image; the "
        "square is the pixel at feature stride. The largest clusters first, each with its "
        "commonest class where ground truth is known.");
    int rest = 0;
    for (int i = r->clusters; i < k; i++) rest += size[i].pixels > 0;
    if (rest > 0) {
        char share[NUMBER_TEXT];
        number_fixed(share, 100 * (double)(all - shown) / (double)all, 1);
        snprintf(r->note + n, sizeof r->note - (size_t)n,
            " %d smaller clusters are left out; together they hold %.8s %% of all pixels with a "
            "label.",
            rest, share);
    }
}

status typical_patches_create(
    typical_patches *out, const stage *t, const labels *aux, const label_quality *q) {
    *out = (typical_patches){0};
    if (!labels_about(aux).typical) return STATUS_OK;
    /* clusters: at most QUALITY_CLUSTERS, none of them empty; sorted by size, so the first ones. */
    int k = labels_about(aux).k, clusters = 0, places = 0;
    int64_t all = 0;
    label_size *size = memory_alloc((size_t)k, sizeof *size, "sizes of clusters");
    int *shape = memory_alloc(2 * (size_t)labels_count(aux), sizeof *shape, "shapes of maps");
    place *list = memory_alloc(QUALITY_CLUSTERS * TYPICAL, sizeof *list, "patches");
    status st = size && shape && list ? measure(aux, size, shape) : STATUS_FAILED;
    for (int a = 0; a < k && st == STATUS_OK; a++) {
        clusters += clusters < QUALITY_CLUSTERS && size[a].pixels > 0;
        all += size[a].pixels;
    }
    if (st == STATUS_OK) st = reserve(out, clusters);
    for (int i = 0; i < clusters && st == STATUS_OK; i++) describe(out, i, &size[i], all, q);
    if (st == STATUS_OK) st = find_places(out, aux, size, shape, list, &places);
    if (st == STATUS_OK) st = cut_patches(out, t, shape, list, places);
    if (st == STATUS_OK) write_note(out, size, k, all);
    memory_free(size);
    memory_free(shape);
    memory_free(list);
    return st;
}

void typical_patches_destroy(typical_patches *r) {
    for (int i = 0; i < r->clusters; i++)
        for (int j = 0; j < TYPICAL; j++) {
            void *bytes;
            memcpy(&bytes, &r->patch[i][j].picture.data, sizeof bytes);
            memory_free(bytes);
        }
    memory_free(r->cluster);
    memory_free(r->patch);
    memory_free(r->text);
    *r = (typical_patches){0};
}
