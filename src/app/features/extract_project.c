/* PCA of features that are not in memory: mapped from the file of the network's outputs, projected
 * image by image, and streamed to the file that stays. Both passes over the rows, for the axes and
 * for the projection, let go of what they have passed. The rows are the same bits as those of the
 * way through memory. */
#include "src/app/features/extract_project.h"

#include "mpi/stop_watch.h"
#include "src/app/features/extract_pca.h"
#include "src/app/stage/setup.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/rows.h"
#include "src/base/timer.h"

/* Rows of one image on their way. */
typedef struct projection {
    const settings *s;
    const features *raw;
    pca axes;
    features_writer *writer;
    dtype type;
    float *y;       /* [rows, components] */
    void *stored;   /* the same in `type`; float32: y */
    uint16_t *bf16; /* owned; NULL if float32 */
} projection;

/* For the image with most rows. */
static status allocate(projection *p) {
    size_t rows = 0, d = (size_t)p->axes.components;
    for (int64_t i = 0; i < p->raw->images; i++)
        if (features_image_rows(p->raw, i) > rows) rows = features_image_rows(p->raw, i);
    p->stored = p->y = memory_alloc(rows * d, sizeof *p->y, "projected features");
    if (!p->y || p->type == DTYPE_F32) return p->y ? STATUS_OK : STATUS_FAILED;
    p->stored = p->bf16 = memory_alloc(rows * d, sizeof *p->bf16, "rounded features");
    return p->bf16 ? STATUS_OK : STATUS_FAILED;
}

/* The image whose rows begin at row `first`. */
static status project_image(const projection *p, size_t first, size_t rows) {
    size_t n = (size_t)p->axes.components;
    const features x = features_part(p->raw, first, rows);
    status st = extract_pca_rows(p->s, &p->axes, &x, p->y);
    if (st != STATUS_OK) return st;
    if (p->bf16) row_store(p->bf16, p->y, rows * n, DTYPE_BF16);
    features_passed(p->raw, first, rows);
    return features_writer_append(p->writer, 1, p->stored);
}

/* In the order of the file. A stop is looked for between images: the file that is being written is
 * then given up. images: of all ranks. Collective. */
static status project_images(const comm *c, const projection *p, int64_t images) {
    const features *x = p->raw;
    status st = STATUS_OK;
    stop_watch watch = stop_watch_begin_whole(c);
    progress bar = progress_begin_share("project", "images", x->images, images);
    size_t row = 0;
    for (int64_t i = 0; st == STATUS_OK && i < x->images; i++) {
        size_t rows = features_image_rows(x, i);
        st = project_image(p, row, rows);
        row += rows;
        progress_update(&bar, i + 1, "");
        st = stop_watch_ask(&watch, st);
    }
    progress_end(&bar, x->images, "");
    features_release(x, 0, x->n);
    return stop_watch_end(&watch, st);
}

/* The new file's table is the old one's, but for D and the type. */
status extract_project(
    stage *t, const features *raw, dtype type, const char *path, const features_origin *from) {
    projection p = {.s = t->s, .raw = raw, .type = type};
    features shape = *raw; /* its rows are not read */
    status st = extract_pca_fit(t, raw, &p.axes);
    if (st == STATUS_OK) st = comm_agree(t->c, allocate(&p));
    shape.d = p.axes.components;
    shape.type = type;
    if (st == STATUS_OK) st = features_writer_create(&p.writer, t->c, path, &shape, from);
    if (st == STATUS_OK)
        st = features_writer_finish(p.writer, project_images(t->c, &p, from->images));
    pca_destroy(&p.axes);
    memory_free(p.y);
    memory_free(p.bf16);
    return st;
}
