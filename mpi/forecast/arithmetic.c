/* The local arithmetic of k-means and of the contrastive loss without its numbers, in place of
 * src/label and src/contrast, and the addition of sums: each takes the time that was measured for
 * it, scaled with the rows that it is given. No cluster is ever empty and no loss falls: what is
 * simulated is the common step, not its exceptions. */
#include "mpi/exact_sum.h"
#include "mpi/forecast/simulated.h"
#include "mpi/kmeans_minibatch.h"
#include "mpi/kmeans_start.h"
#include "mpi/prefix.h"
#include "src/base/hash.h"
#include "src/base/memory.h"
#include "src/contrast/tiles.h"

#include <smpi/smpi.h>

/* Of a host in the platform files, whose unit of work is thus a second. */
#define SPEED 1e9

simulated simulation;

void simulated_compute(double seconds) {
    if (seconds > 0) smpi_execute_flops(SPEED * (seconds / simulation.threads));
}

/* By the main thread alone, whatever the threads of a rank are. */
void exact_sum_add(int64_t *x, const int64_t *y, size_t n) {
    (void)x, (void)y;
    double seconds = simulation.p.add * (double)n;
    if (seconds > 0) smpi_execute_flops(SPEED * (seconds));
}

/* Numbers that nobody computes are the same on all ranks. By the main thread. */
uint64_t hash_bytes(const void *data, size_t bytes) {
    (void)data;
    double all = simulation.p.k * simulation.p.d * sizeof(float);
    smpi_execute_flops(SPEED * simulation.p.hash * ((double)bytes / all));
    return 0;
}

/* Nothing is remembered from one assignment to the next: each takes what a dense one does. */
struct kmeans_assigner {
    int k;
};

status kmeans_assigner_create(
    kmeans_assigner **out, const features *x, const kmeans_assigner_options *o) {
    (void)x;
    *out = memory_alloc(1, sizeof **out, "assigner");
    if (*out) (*out)->k = o->k;
    return *out ? STATUS_OK : STATUS_FAILED;
}

void kmeans_assigner_destroy(kmeans_assigner *a) {
    memory_free(a);
}

status kmeans_assigner_assign(
    kmeans_assigner *a, const float *c, uint16_t *label, kmeans_counts *counts) {
    (void)a, (void)c;
    label[0] = 0;
    *counts = (kmeans_counts){.changed = 1, .kept = 1, .visited = 1};
    simulated_compute(simulation.p.assign * simulation.rows);
    return STATUS_OK;
}

kmeans_arithmetic kmeans_arithmetic_for(
    kmeans_arithmetic asked, const features *x, int k, int64_t passes) {
    (void)x, (void)k, (void)passes;
    return asked;
}

const char *kmeans_assigner_arithmetic(const kmeans_assigner *a) {
    (void)a;
    return "simulated";
}

/* Its time is part of an assigned row's. */
void kmeans_sums_follow(const features *x, const uint16_t *label, uint16_t *summed, int threads,
    const kmeans_sum_total *s) {
    (void)x, (void)label, (void)threads;
    summed[0] = 0;
    for (int a = 0; a < (int)simulation.p.k; a++) s->count[a] = 1;
}

/* A rank's threads, as far as they share so many clusters. */
static void by_team(double seconds, int clusters, int d) {
    int team = kmeans_centroid_threads(clusters, d, simulation.threads);
    simulated_compute(seconds * simulation.threads / team);
}

/* Half of what is moved, in bytes two thirds. */
void kmeans_pack(const kmeans_sum_total *s, int k, int d, int threads, int64_t *row) {
    (void)s, (void)threads, (void)row;
    by_team(simulation.p.move * 2 / 3, k, d);
}

void kmeans_make(const kmeans_making *m, const int64_t *row, int n, const float *c, float *made) {
    (void)row, (void)c, (void)made;
    by_team(simulation.p.update * n / simulation.p.k, n, m->d);
}

double kmeans_take(
    const kmeans_making *m, const float *made, int k, double squares, float *c, int64_t *count) {
    (void)made, (void)squares, (void)c;
    by_team(simulation.p.move / 3, k, m->d);
    for (int a = 0; a < k; a++) count[a] = 1;
    return 1;
}

/* Of an update with an empty cluster, which there is none of. */
void kmeans_unpack(const int64_t *row, int k, int d, int64_t *sum, int64_t *count) {
    (void)row, (void)k, (void)d, (void)sum, (void)count;
}

void kmeans_centroids(const kmeans_sum_total *s, int k, int d, int cosine, int threads, float *c) {
    (void)s, (void)k, (void)d, (void)cosine, (void)threads, (void)c;
}

double kmeans_imbalance(const int64_t *count, int k, int64_t n) {
    (void)count, (void)k, (void)n;
    return 1;
}

int kmeans_scale(int64_t rows, double largest) {
    (void)rows, (void)largest;
    return 0;
}

void kmeans_squares(const double *square, size_t n, int unit, int threads, sum128 *sum) {
    (void)square, (void)n, (void)unit, (void)threads, (void)sum;
}

status kmeans_distances(
    const features *x, const float *c, const uint16_t *label, int threads, float *distance) {
    (void)x, (void)c, (void)label, (void)threads;
    distance[0] = 0;
    return STATUS_OK;
}

void kmeans_move(const float *x, int d, int scale, int64_t *from, int64_t *to) {
    (void)x, (void)d, (void)scale, (void)from, (void)to;
}

/* Runs begin from given centroids. */
status kmeans_start(
    const comm *c, const kmeans_options *o, const features *x, int restart, float *centroids) {
    (void)c, (void)o, (void)x, (void)restart, (void)centroids;
    return STATUS_OK;
}

status minibatch_create(minibatch *b, const kmeans_options *o, int d, double largest) {
    (void)b, (void)o, (void)d, (void)largest;
    return STATUS_OK;
}

void minibatch_destroy(minibatch *b) {
    (void)b;
}

status minibatch_step(minibatch *b, const comm *c, const kmeans_options *o, const features *x,
    float *centroids, kmeans_iteration *it) {
    (void)b, (void)c, (void)o, (void)x, (void)centroids, (void)it;
    return STATUS_OK;
}

/* The memory that the program takes: the node's window has its real size. */
tiles_space tiles_space_of(size_t n, int d, bool pairs) {
    size_t floats = n * (size_t)d;
    return (tiles_space){floats, pairs ? floats / 2 : floats};
}

status tiles_check(const contrast_pool *p, size_t first) {
    (void)p, (void)first;
    return STATUS_OK;
}

/* Each rank sorts all rows, by one thread. */
status tiles_index(tiles *out, const contrast_options *o, const contrast_pool *p, bool pairs) {
    (void)o;
    *out = (tiles){.n = (int32_t)p->n, .d = p->d, .pairs = pairs};
    smpi_execute_flops(SPEED * (simulation.p.pool_row * (double)p->n));
    return STATUS_OK;
}

/* The ranks of a node share it out. */
void tiles_pack(
    const tiles *t, const contrast_options *o, const contrast_pool *p, int part, int parts) {
    (void)o, (void)p, (void)part;
    simulated_compute(simulation.p.pool_pack * t->n / parts);
}

void tiles_destroy(tiles *t) {
    (void)t;
}

/* A third of the products are the first two passes', the rest is the gradient's. */
status contrast_rows_of(
    const contrast_options *o, const tiles *t, size_t first, size_t count, contrast_row *row) {
    (void)o, (void)first, (void)row;
    simulated_compute(simulation.p.pool_pair * (double)count * t->n / 3);
    return STATUS_OK;
}

status contrast_gradient_of(const contrast_options *o, const tiles *t, const contrast_pool *p,
    const contrast_row *row, size_t first, size_t count, float *to) {
    (void)o, (void)p, (void)row, (void)first, (void)to;
    simulated_compute(simulation.p.pool_pair * (double)count * t->n * 2 / 3);
    return STATUS_OK;
}

contrast_stats contrast_total(const contrast_pool *p, const contrast_row *row) {
    (void)p, (void)row;
    return (contrast_stats){.loss = 0, .anchors = 1};
}

/* Asked once, after the last iteration, where no clock runs; the simulator's own takes the square
 * of the ranks. */
void prefix_sum_i64(const comm *c, const int64_t *x, int64_t *before, int n) {
    (void)c, (void)x;
    for (int i = 0; i < n; i++) before[i] = 0;
}
