/* Files beyond every 32-bit count: a million images, more than 2^31 elements in features.h5 and
 * labels.h5, and exact k-means over such rows, mapped. By hand, as it takes 9 GB of disk, as much
 * memory and minutes:
 *   [mpirun -n RANKS] large_files FOLDER */
#include "io/files/file.h"
#include "io/hdf5/features.h"
#include "io/hdf5/labels.h"
#include "mpi/features_place.h"
#include "mpi/kmeans.h"
#include "mpi/shard.h"
#include "src/base/bf16.h"
#include "src/base/memory.h"
#include "src/base/random.h"

#include <mpi.h>
#include <stdio.h>
#include <string.h>

enum { IMAGES = 1000000, NAME = 16, D = 64, K = 8, KEY = 1 };
/* Pixels of an image: 2.24e9 elements of features, 2.2e9 labels. */
enum { ROWS_HIGH = 5, ROWS_WIDE = 7, LABELS_HIGH = 40, LABELS_WIDE = 55 };

static comm *world;
static const char **names; /* [IMAGES] */

static bool fails(const char *what) {
    fprintf(stderr, "rank %d: FAILED: %s\n", comm_rank(world), what);
    return false;
}

/* Whether all is well on all ranks: what follows is collective. */
static bool all_well(bool well) {
    return comm_agree(world, well ? STATUS_OK : STATUS_FAILED) == STATUS_OK;
}

static bool make_names(void) {
    char *text = memory_alloc(IMAGES, NAME, "names");
    names = memory_alloc(IMAGES, sizeof *names, "names");
    if (!text || !names) return false;
    for (int i = 0; i < IMAGES; i++) {
        snprintf(text + (size_t)i * NAME, NAME, "%07d.png", i);
        names[i] = text + (size_t)i * NAME;
    }
    return true;
}

static void free_names(void) {
    if (names) memory_free((void *)names[0]);
    memory_free(names);
}

/* This rank's images, all alike; their rows are not there yet. */
static bool make_shapes(features *x, int height, int width) {
    x->first = shard_begin(IMAGES, comm_rank(world), comm_size(world));
    x->images = shard_begin(IMAGES, comm_rank(world) + 1, comm_size(world)) - x->first;
    if (features_create_shapes(x) != STATUS_OK) return false;
    for (int64_t i = 0; i < x->images; i++) x->height[i] = height, x->width[i] = width;
    x->n = (size_t)x->images * (size_t)height * (size_t)width;
    features_place(world, x);
    return true;
}

/* Row r of all ranks: small whole numbers, so that every distance is exact in float32. */
static void make_row(int64_t r, float *row) {
    random_stream s = random_begin(1, RANDOM_SYNTH, 0, (uint64_t)r);
    for (int j = 0; j < D; j++) row[j] = (float)random_below(&s, 16);
}

static bool write_rows(const char *path) {
    features x = {.d = D, .type = DTYPE_BF16};
    const features_origin origin = {names, IMAGES, "layer1", 8, KEY};
    if (!make_shapes(&x, ROWS_HIGH, ROWS_WIDE)) return false;
    uint16_t *bits = x.data = memory_alloc(x.n, D * sizeof *bits, "features");
    if (!bits) return false;
#pragma omp parallel for
    for (size_t i = 0; i < x.n; i++) {
        float row[D];
        make_row(x.before + (int64_t)i, row);
        for (int j = 0; j < D; j++) bits[i * D + (size_t)j] = bf16_from_float(row[j]);
    }
    if (comm_root(world))
        printf(
            "features.h5: %lld images, %lld elements\n", (long long)IMAGES, (long long)x.total * D);
    bool well = features_write(world, path, &x, &origin) == STATUS_OK || fails("features_write");
    features_destroy(&x);
    return well;
}

/* The nearest of the start centroids, which are rows: exact, as the sums are whole numbers below
 * 2^24. */
static int nearest(int64_t r, const float *start) {
    float row[D], least = 0;
    int best = -1;
    make_row(r, row);
    for (int k = 0; k < K; k++) {
        float sum = 0;
        for (int j = 0; j < D; j++)
            sum += (row[j] - start[k * D + j]) * (row[j] - start[k * D + j]);
        if (best < 0 || sum < least) best = k, least = sum;
    }
    return best;
}

/* Centroids that are rows from all over the file, beyond element 2^31 too; no iteration, so that
 * labels are those of the start. */
static bool cluster(const char *path) {
    features x = {0};
    kmeans_result r = {0};
    float start[K * D];
    const kmeans_options o = {.k = K, .restarts = 1, .threads = 2, .tolerance = -1, .seed = 1};
    if (features_map(world, path, KEY, &x) != STATUS_OK) return fails("features_map");
    for (int k = 0; k < K; k++) make_row((x.total - 1) / (K - 1) * k, start + k * D);
    bool well =
        kmeans_run(world, &o, &x, start, NULL, NULL, &r) == STATUS_OK || fails("kmeans_run");
    for (size_t i = (x.n - 1) % 1009; well && i < x.n; i += 1009) { /* the last one, too */
        float row[D], want[D];
        features_copy_row(&x, i, row);
        make_row(x.before + (int64_t)i, want);
        if (memcmp(row, want, sizeof row) != 0) well = fails("a row was written or read elsewhere");
        if (r.label[i] != nearest(x.before + (int64_t)i, start)) well = fails("a label");
    }
    memory_free(r.centroids);
    memory_free(r.label);
    memory_free(r.distance);
    features_destroy(&x);
    return well;
}

static uint16_t label_of(int64_t pixel) {
    return (uint16_t)((uint64_t)pixel * 0x9E3779B97F4A7C15u >> 61);
}

static bool write_labels(const char *path, uint64_t *hash) {
    static const float centroids[K * D];
    features x = {.d = D};
    const labels_info info = {.k = K,
        .d = D,
        .method = "kmeans",
        .metric = "euclidean",
        .centroids = centroids,
        .images = IMAGES,
        .names = names};
    if (!make_shapes(&x, LABELS_HIGH, LABELS_WIDE)) return false;
    uint16_t *label = memory_alloc(x.n, sizeof *label, "labels");
    if (!label) return false;
    for (size_t i = 0; i < x.n; i++) label[i] = label_of(x.before + (int64_t)i);
    if (comm_root(world))
        printf("labels.h5: %lld images, %lld labels\n", (long long)IMAGES, (long long)x.total);
    bool well =
        labels_write(world, path, &info, &x, label, hash) == STATUS_OK || fails("labels_write");
    memory_free(label);
    features_destroy(&x);
    return well;
}

static bool read_labels(const char *path, uint64_t hash) {
    labels *l = NULL;
    bool well = labels_open(world, path, &l) == STATUS_OK || fails("labels_open");
    if (well && labels_hash(l) != hash) well = fails("the labels' hash");
    for (int i = (IMAGES - 1) % 1777; well && i < IMAGES; i += 1777) { /* the last one, too */
        labelmap m;
        if (labels_load(l, i, &m) != STATUS_OK) return fails("labels_load");
        int64_t pixels = (int64_t)m.height * m.width;
        for (int64_t p = 0; well && p < pixels; p++)
            if (m.data[p] != label_of(i * pixels + p)) well = fails("a map");
        labelmap_destroy(&m);
    }
    labels_close(l);
    return well;
}

int main(int argc, char **argv) {
    char rows[FILE_PATH], maps[FILE_PATH];
    uint64_t hash = 0;
    MPI_Init(&argc, &argv);
    if (argc != 2 || comm_create(&world, MPI_COMM_WORLD) != STATUS_OK) return 2;
    bool well = make_names() && file_path(rows, argv[1], "features.h5") == STATUS_OK &&
                file_path(maps, argv[1], "labels.h5") == STATUS_OK;
    well = all_well(well) && all_well(write_rows(rows)) && all_well(cluster(rows));
    well = well && all_well(write_labels(maps, &hash)) && all_well(read_labels(maps, hash));
    if (well && comm_root(world))
        well = (features_verify(rows) == STATUS_OK && labels_verify(maps) == STATUS_OK) ||
               fails("verify");
    if (well && comm_root(world)) puts("all as written");
    free_names();
    comm_destroy(world);
    MPI_Finalize();
    return well ? 0 : 1;
}
