/* DBSCAN's pairs of rows. Every pair is looked at: in hundreds of dimensions no index of
 * neighbours leaves out enough to pay for itself. So it is a matrix product, tile by tile, of
 * which is only asked on which side of eps each pair lies. What float32 cannot tell (CLOSE;
 * dbscan.h has the bound) float64 decides, so that the result is that of the definition.
 *
 * The questions (how many neighbours has a row, which core points belong together, which cluster
 * does a border row get) differ in what they do with a tile of answers, tile_use. All else is
 * common to them. */
#include "src/label/dbscan.h"

#include "src/base/memory.h"
#include "src/base/vector.h"
#include "src/label/kmeans.h"
#include "src/label/outer.h"

#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <string.h>

enum { PANEL = OUTER_F32, BLOCK = 8 }; /* panels of a block: D 256 fits the second-level cache */
enum { OUT = 0, IN = 1, CLOSE = 2 };   /* CLOSE: float64 decides */

/* Half a squared length that is beyond every eps, but far enough from infinity for sums. */
#define FAR 0x1p124f

typedef int32_t tile[PANEL][PANEL];

/* Rows side by side, as outer_f32 reads them. Rows beyond n are zeros at a distance beyond every
 * eps: they answer OUT without a test of their own. */
status dbscan_rows_create(dbscan_rows *r, const float *x, size_t n, int d) {
    size_t panels = (n + PANEL - 1) / PANEL, columns = (size_t)d;
    *r = (dbscan_rows){x, n, d, NULL, NULL};
    r->panel = memory_alloc(panels * columns, PANEL * sizeof *r->panel, "packed sample");
    r->half = memory_alloc(panels * PANEL, sizeof *r->half, "packed sample");
    if (!r->panel || !r->half) {
        dbscan_rows_destroy(r);
        return STATUS_FAILED;
    }
    for (size_t i = n; i < panels * PANEL; i++) r->half[i] = FAR;
    for (size_t i = 0; i < n; i++) {
        float *to = r->panel + i / PANEL * columns * PANEL + i % PANEL;
        double sum = 0;
        for (size_t j = 0; j < columns; j++) {
            float v = x[i * columns + j];
            to[j * PANEL] = v;
            sum += (double)v * (double)v;
        }
        r->half[i] = (float)(sum / 2);
    }
    return STATUS_OK;
}

void dbscan_rows_destroy(dbscan_rows *r) {
    memory_free(r->panel);
    memory_free(r->half);
    *r = (dbscan_rows){0};
}

/* Rows a against rows b (which may be the same: pairs of panels are visited once then). */
typedef struct pairs {
    const dbscan_rows *a, *b;
    double limit;          /* eps^2 */
    float inside, outside; /* of q + E and q - E */
    float slack, noise;    /* E = slack h + noise */
} pairs;

/* Half the limit is compared with half the squared distance: limits are moved outward by one
 * float, so that rounding them decides no pair. */
static pairs pairs_of(const dbscan_rows *a, const dbscan_rows *b, double eps) {
    double limit = eps * eps;
    float inside = (float)(limit / 2 * (1 - 0x1p-37)), outside = (float)(limit / 2 * (1 + 0x1p-37));
    return (pairs){.a = a,
        .b = b,
        .limit = limit,
        .inside = nextafterf(inside, 0),
        .outside = nextafterf(outside, INFINITY),
        .slack = (float)(1.02 * (a->d + 16) * 0x1p-24),
        .noise = (float)a->d * 0x1p-110f};
}

/* One row against a panel; whether something is CLOSE. */
VECTOR_CLONES
static int32_t screen(
    const pairs *p, const float *product, float half, const float *halves, int32_t *state) {
    float inside = p->inside, outside = p->outside, slack = p->slack, noise = p->noise;
    int32_t any = 0;
    for (int j = 0; j < PANEL; j++) {
        float h = half + halves[j], e = slack * h + noise, q = h - product[j];
        /* Not one expression: a loop without branches becomes vector instructions. */
        int32_t in = q + e < inside ? IN : 0;
        int32_t near = q - e > outside ? 0 : CLOSE;
        state[j] = in | (near & ~(in << 1));
        any |= state[j] & CLOSE;
    }
    return any;
}

/* What float32 could not tell, by the definition: few pairs, at eps but for rounding. */
static void decide(const pairs *p, size_t i, size_t j, int32_t *state) {
    size_t d = (size_t)p->a->d;
    for (size_t c = 0; c < PANEL; c++) {
        if (state[c] != CLOSE) continue;
        const float *y = p->b->x + (j * PANEL + c) * d;
        state[c] = kmeans_distance(p->a->x + i * d, y, (int)d) <= p->limit ? IN : OUT;
    }
}

/* Panel i of a against panel j of b. */
static void tile_pairs(const pairs *p, size_t i, size_t j, tile state) {
    float product[PANEL][PANEL] = {{0}};
    size_t d = (size_t)p->a->d;
    for (size_t r = 0; r < PANEL; r += OUTER_ROWS)
        outer_f32(d, p->a->panel + i * d * PANEL + r, PANEL, p->b->panel + j * d * PANEL, PANEL,
            product[r], PANEL);
    for (size_t r = 0; r < PANEL; r++) {
        size_t row = i * PANEL + r;
        if (screen(p, product[r], p->a->half[row], p->b->half + j * PANEL, state[r]))
            decide(p, row, j, state[r]);
    }
}

static size_t panels_of(const dbscan_rows *r) {
    return (r->n + PANEL - 1) / PANEL;
}

static size_t blocks_of(const dbscan_rows *r) {
    return (panels_of(r) + BLOCK - 1) / BLOCK;
}

/* What is done with a tile: panel i of a, panel j of b. */
typedef void tile_use(void *context, const pairs *p, size_t i, size_t j, tile state);

/* All tiles of a pair of blocks: the packed panels of both stay in the cache while each of one
 * side meets each of the other. Of one set of rows, a pair is looked at once. */
static void block_pairs(const pairs *p, size_t i, size_t j, tile_use *use, void *context) {
    size_t rows = panels_of(p->a), columns = panels_of(p->b);
    size_t end = (i + 1) * BLOCK < rows ? (i + 1) * BLOCK : rows;
    for (size_t b = j * BLOCK; b < (j + 1) * BLOCK && b < columns; b++)
        for (size_t a = i * BLOCK; a < end; a++) {
            tile state;
            if (p->a == p->b && a > b) continue;
            tile_pairs(p, a, b, state);
            use(context, p, a, b, state);
        }
}

/* Whether the pair of blocks of one set of rows is this part's. Pairs are numbered along the
 * triangle and dealt in turn, so that parts differ by one pair at most and none has the large rows
 * of it alone. */
static bool is_mine(const dbscan_share *s, size_t i, size_t j) {
    return i <= j && (i + j * (j + 1) / 2) % (size_t)s->parts == (size_t)s->part;
}

/* Rows of panel i that there are. */
static size_t rows_in(const dbscan_rows *r, size_t i) {
    return r->n - i * PANEL < PANEL ? r->n - i * PANEL : PANEL;
}

/* A pair is seen once and counts for both of its rows. A panel with itself holds each pair twice,
 * once from either row: there the sums along rows are all. */
static void count_tile(void *context, const pairs *p, size_t i, size_t j, tile state) {
    int64_t *count = context;
    size_t rows = rows_in(p->a, i), columns = rows_in(p->b, j);
    int32_t across[PANEL] = {0};
    for (size_t r = 0; r < rows; r++) {
        int32_t sum = 0;
        for (size_t c = 0; c < PANEL; c++) {
            sum += state[r][c];
            across[c] += state[r][c];
        }
#pragma omp atomic
        count[i * PANEL + r] += sum;
    }
    for (size_t c = 0; i != j && c < columns; c++) {
#pragma omp atomic
        count[j * PANEL + c] += across[c];
    }
}

size_t dbscan_steps(const dbscan_rows *x) {
    return blocks_of(x) * blocks_of(x);
}

/* Multiplications of all threads in a second or two; of the steps half are below the diagonal, and
 * this part has one of `parts` of the rest. */
static size_t steps_of(double each, const dbscan_share *s) {
    double steps = 0x1p34 * s->threads / each;
    return steps < 1 ? 1 : steps > 0x1p40 ? (size_t)1 << 40 : (size_t)steps;
}

size_t dbscan_steps_at_once(const dbscan_rows *x, const dbscan_share *s) {
    const double side = BLOCK * PANEL;
    return steps_of(side * side * x->d / 2 / s->parts, s);
}

size_t dbscan_border_steps(const dbscan_rows *x) {
    return blocks_of(x);
}

size_t dbscan_border_at_once(const dbscan_rows *x, const dbscan_rows *core, const dbscan_share *s) {
    const double side = BLOCK * PANEL;
    return steps_of(side * (double)core->n * x->d / s->parts, s);
}

/* Each pair of blocks by one thread; counts of a row are added by several, as integers. */
void dbscan_count(const dbscan_rows *x, const dbscan_share *s, dbscan_range steps, int64_t *count) {
    size_t blocks = blocks_of(x);
    pairs p = pairs_of(x, x, s->eps);
#pragma omp parallel for schedule(dynamic) num_threads(s->threads)
    for (size_t at = steps.first; at < steps.end; at++)
        if (is_mine(s, at % blocks, at / blocks))
            block_pairs(&p, at % blocks, at / blocks, count_tile, count);
}

/* Paths are halved as they are walked, which keeps them short without a second array. Lower roots
 * win (unite), so that a tree's root is its first row, whoever joined it in which order. */
static int32_t root_of(int32_t *parent, int32_t i) {
    for (; parent[i] != i; i = parent[i]) parent[i] = parent[parent[i]];
    return i;
}

/* Returns the root of both. */
static int32_t unite(int32_t *parent, int32_t a, int32_t b) {
    a = root_of(parent, a);
    b = root_of(parent, b);
    if (a < b) return parent[b] = a;
    return parent[a] = b;
}

/* A row's root is kept along its line: most of its neighbours are in its tree already. */
static void join_tile(void *context, const pairs *p, size_t i, size_t j, tile state) {
    int32_t *parent = context;
    size_t rows = rows_in(p->a, i), columns = rows_in(p->b, j);
    for (size_t r = 0; r < rows; r++) {
        int32_t root = root_of(parent, (int32_t)(i * PANEL + r));
        for (size_t c = 0; c < columns; c++) {
            int32_t other = (int32_t)(j * PANEL + c);
            if (state[r][c] == IN && parent[other] != root) root = unite(parent, root, other);
        }
    }
}

/* Trees that the other forest joins, too. At the end every parent is a root, so that forests can
 * be compared and sent. */
int dbscan_unite(int32_t *parent, const int32_t *other, size_t n) {
    int changed = 0;
    for (size_t i = 0; i < n; i++) {
        int32_t a = (int32_t)i;
        if (root_of(parent, a) == root_of(parent, other[i])) continue;
        unite(parent, a, other[i]);
        changed = 1;
    }
    for (size_t i = 0; i < n; i++) parent[i] = root_of(parent, (int32_t)i);
    return changed;
}

/* A forest a thread: threads would meet in one all the time, and forests unite at the end to the
 * same trees. */
status dbscan_join(
    const dbscan_rows *core, const dbscan_share *s, dbscan_range steps, int32_t *parent) {
    size_t n = core->n, blocks = blocks_of(core), team = (size_t)s->threads;
    pairs p = pairs_of(core, core, s->eps);
    int32_t *forest = memory_alloc(team * n, sizeof *forest, "clusters of threads");
    if (!forest) return STATUS_FAILED;
    for (size_t i = 0; i < team * n; i++) forest[i] = (int32_t)(i % n);
#pragma omp parallel for schedule(dynamic) num_threads(s->threads)
    for (size_t at = steps.first; at < steps.end; at++)
        if (is_mine(s, at % blocks, at / blocks))
            block_pairs(
                &p, at % blocks, at / blocks, join_tile, forest + (size_t)omp_get_thread_num() * n);
    for (size_t t = 0; t < team; t++) dbscan_unite(parent, forest + t * n, n);
    memory_free(forest);
    return STATUS_OK;
}

/* A root comes before its children, whose number is known by then. */
int dbscan_number(const int32_t *parent, size_t n, int32_t *cluster) {
    int clusters = 0;
    for (size_t i = 0; i < n; i++)
        cluster[i] = parent[i] == (int32_t)i ? clusters++ : cluster[parent[i]];
    return clusters;
}

typedef struct border {
    const int32_t *cluster;
    int32_t *label;
} border;

/* The lowest cluster, as scikit-learn gives: a border row belongs to the cluster that would have
 * been grown first. */
static void border_tile(void *context, const pairs *p, size_t i, size_t j, tile state) {
    border *b = context;
    size_t rows = rows_in(p->a, i), columns = rows_in(p->b, j);
    for (size_t r = 0; r < rows; r++) {
        int32_t *label = b->label + i * PANEL + r;
        for (size_t c = 0; c < columns; c++) {
            int32_t cluster = b->cluster[j * PANEL + c];
            if (state[r][c] == IN && (*label < 0 || cluster < *label)) *label = cluster;
        }
    }
}

/* Rows are dealt by blocks: a row's label is written by one thread. */
void dbscan_border(const dbscan_rows *x, const dbscan_rows *core, const int32_t *cluster,
    const dbscan_share *s, dbscan_range steps, int32_t *label) {
    size_t columns = blocks_of(core);
    pairs p = pairs_of(x, core, s->eps);
    border b = {cluster, label};
#pragma omp parallel for schedule(dynamic) num_threads(s->threads)
    for (size_t i = steps.first; i < steps.end; i++)
        for (size_t j = 0; j < columns && i % (size_t)s->parts == (size_t)s->part; j++)
            block_pairs(&p, i, j, border_tile, &b);
}
