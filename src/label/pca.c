/* Axes from a covariance, and rows projected on them. LAPACK finds the axes, on one thread: a
 * library's eigenvectors are the same bits for the same number of threads only. Both signs of an
 * axis are right, so its largest element decides. The projection's sums have their order written
 * out. */
#include "src/label/pca.h"

#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/pulse.h"
#include "src/label/outer.h"

#include <dlfcn.h>
#include <math.h>
#include <omp.h>
#include <string.h>

/* LAPACK by its Fortran name, which every build of it has, with the lengths of the texts at the
 * end: eigenvalues `from` to `to` in ascending order, and their vectors. */
void dsyevr_(const char *vectors, const char *range, const char *triangle, const int *n, double *a,
    const int *lda, const double *low, const double *high, const int *from, const int *to,
    const double *tolerance, int *found, double *value, double *vector, const int *ldv,
    int *support, double *work, const int *work_size, int *integers, const int *integers_size,
    int *info, size_t, size_t, size_t);

/* Also of one that was fitted half. */
void pca_destroy(pca *p) {
    memory_free(p->mean);
    memory_free(p->axis);
    memory_free(p->variance);
    *p = (pca){0};
}

/* Columns i and j of n rows, i <= j: the variance along every axis is what dsyevr wants in the
 * lower triangle of a matrix stored by columns. */
static void covariance(
    const int64_t *product, const int *exponent, int64_t rows, int d, double *out) {
    int shift = pca_shift(rows);
    for (int i = 0; i < d; i++)
        for (int j = i; j < d; j++) {
            size_t at = (size_t)i * (size_t)d + (size_t)j;
            out[at] =
                ldexp((double)product[at], -(exponent[i] + exponent[j] + shift)) / (double)rows;
        }
}

/* A library's results differ with its number of threads. Each has its own word for it, and one that
 * is built on OpenMP has OpenMP's. Returns OpenMP's number of before. */
static int lapack_on_one_thread(void) {
    static const char *const names[] = {
        "openblas_set_num_threads", "MKL_Set_Num_Threads", "flexiblas_set_num_threads"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        void (*set_threads)(int);
        *(void **)&set_threads = dlsym(RTLD_DEFAULT, names[i]);
        if (set_threads) set_threads(1);
    }
    int before = omp_get_max_threads();
    omp_set_num_threads(1);
    return before;
}

/* Asks for the memory that dsyevr wants, and gives it that. Returns LAPACK's info; -100: no memory.
 */
static int dsyevr(int d, int components, double *matrix, double *value, double *vector,
    int *support, int *found) {
    int from = d - components + 1, ask = -1, integers_size, info;
    double none = 0, wanted;
    dsyevr_("V", "I", "L", &d, matrix, &d, &none, &none, &from, &d, &none, found, value, vector, &d,
        support, &wanted, &ask, &integers_size, &ask, &info, 1, 1, 1);
    if (info != 0) return info;
    int size = (int)wanted;
    double *work = memory_alloc((size_t)size, sizeof *work, "eigenvectors");
    int *integers = memory_alloc((size_t)integers_size, sizeof *integers, "eigenvectors");
    info = -100;
    if (work && integers)
        dsyevr_("V", "I", "L", &d, matrix, &d, &none, &none, &from, &d, &none, found, value, vector,
            &d, support, work, &size, integers, &integers_size, &info, 1, 1, 1);
    memory_free(work);
    memory_free(integers);
    return info;
}

/* Eigenvectors of the `components` largest eigenvalues, these in ascending order. */
static status eigenvectors(double *matrix, int d, int components, double *value, double *vector) {
    int found = 0, *support = memory_alloc(2 * (size_t)d, sizeof *support, "eigenvectors");
    if (!support) return STATUS_FAILED;
    int threads = lapack_on_one_thread();
    pulse_library(true); /* minutes, of some thousand columns */
    int info = dsyevr(d, components, matrix, value, vector, support, &found);
    pulse_library(false);
    omp_set_num_threads(threads);
    memory_free(support);
    if (info == 0 && found == components) return STATUS_OK;
    log_error("principal components: LAPACK's dsyevr failed (info %d, %d of %d found)", info, found,
        components);
    return STATUS_FAILED;
}

/* v [D] in float32, its sign fixed. */
static void store_axis(const double *v, int d, float *axis) {
    int top = 0;
    for (int j = 1; j < d; j++)
        if (fabs(v[j]) > fabs(v[top])) top = j;
    for (int j = 0; j < d; j++) axis[j] = (float)(v[top] < 0 ? -v[j] : v[j]);
}

/* dsyevr gives eigenvalues in ascending order: axes are taken from the end. A covariance that
 * rounding has made slightly negative is none. */
status pca_axes(pca *p, const int64_t *product, const int *exponent, int64_t rows) {
    size_t d = (size_t)p->d, n = (size_t)p->components;
    double *matrix = memory_alloc(d * d, sizeof *matrix, "covariance");
    double *value = memory_alloc(d, sizeof *value, "eigenvalues");
    double *vector = memory_alloc(d * n, sizeof *vector, "eigenvectors");
    status st = matrix && value && vector ? STATUS_OK : STATUS_FAILED;
    if (st != STATUS_OK) goto done;
    covariance(product, exponent, rows, p->d, matrix);
    p->variance_of_all = 0;
    for (size_t j = 0; j < d; j++) p->variance_of_all += matrix[j * d + j];
    st = eigenvectors(matrix, p->d, p->components, value, vector);
    for (size_t a = 0; st == STATUS_OK && a < n; a++) {
        p->variance[a] = fmax(value[n - 1 - a], 0);
        store_axis(vector + (n - 1 - a) * d, p->d, p->axis + a * d);
    }
done:
    memory_free(matrix);
    memory_free(value);
    memory_free(vector);
    return st;
}

/* Axes in panels of OUTER_F64: [panels, D, OUTER_F64], zeros after the last. */
static double *pack_axes(const pca *p) {
    size_t d = (size_t)p->d, panels = ((size_t)p->components + OUTER_F64 - 1) / OUTER_F64;
    double *panel = memory_alloc(panels * d, OUTER_F64 * sizeof *panel, "axes");
    if (!panel) return NULL;
    for (size_t a = 0; a < (size_t)p->components; a++)
        for (size_t j = 0; j < d; j++)
            panel[(a / OUTER_F64 * d + j) * OUTER_F64 + a % OUTER_F64] = p->axis[a * d + j];
    return panel;
}

/* Rows first .. first + rows - 1, at most OUTER_ROWS. across [D, OUTER_ROWS] is scratch. */
static void project_rows(const pca *p, const double *panel, const features *x, size_t first,
    int rows, double *across, float *y) {
    size_t d = (size_t)p->d, n = (size_t)p->components;
    float *scratch = (float *)(across + d * OUTER_ROWS);
    for (int r = 0; r < rows; r++) {
        const float *row = features_row(x, first + (size_t)r, scratch);
        for (size_t j = 0; j < d; j++) across[j * OUTER_ROWS + (size_t)r] = row[j] - p->mean[j];
    }
    for (size_t a = 0; a < n; a += OUTER_F64, panel += d * OUTER_F64) {
        double sum[OUTER_ROWS][OUTER_F64] = {{0}};
        size_t width = n - a < OUTER_F64 ? n - a : OUTER_F64;
        outer_f64(d, across, OUTER_ROWS, panel, OUTER_F64, sum[0], OUTER_F64);
        for (int r = 0; r < rows; r++)
            for (size_t i = 0; i < width; i++)
                y[(first + (size_t)r) * n + a + i] = (float)sum[r][i];
    }
}

/* Rows go through in eights, turned round so that an element of all eight stands together. Memory
 * is a thread's own: one that has none leaves its share undone and says so, as it cannot leave the
 * region. */
status pca_project(const pca *p, const features *x, int threads, float *y) {
    status st = STATUS_OK;
    double *panel = pack_axes(p);
    if (!panel) return STATUS_FAILED;
#pragma omp parallel num_threads(threads)
    {
        double *across =
            memory_alloc((size_t)p->d, (OUTER_ROWS + 1) * sizeof *across, "rows to project");
        if (!across) {
#pragma omp atomic write
            st = STATUS_FAILED;
        }
#pragma omp barrier
#pragma omp for schedule(static)
        for (size_t i = 0; i < x->n; i += OUTER_ROWS) {
            int rows = x->n - i < OUTER_ROWS ? (int)(x->n - i) : OUTER_ROWS;
            if (st == STATUS_OK) project_rows(p, panel, x, i, rows, across, y);
        }
        memory_free(across);
    }
    memory_free(panel);
    return st;
}
