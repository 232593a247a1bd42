/* How far rows are from what stands for them, summed over all ranks: what k-means|| draws by, and
 * DBSCAN's objective. A sum of doubles would depend on who adds what first. */
#include "mpi/distance_total.h"

#include "src/label/distance_sum.h"

#include <math.h>

/* The unit from the largest distance of all ranks: the finest in which the sum still fits. */
double distance_total(const comm *c, const float *distance, size_t n, int64_t rows) {
    double largest = 0;
    sum128 sum = {{0}};
    for (size_t i = 0; i < n; i++) largest = fmax(largest, (double)distance[i]);
    comm_max_f64(c, &largest, 1);
    int unit = distance_sum_unit(rows, largest);
    sum128_add(&sum, distance_sum(distance, n, unit));
    comm_sum_i64(c, sum.part, sizeof sum.part / sizeof *sum.part);
    return ldexp((double)sum128_value(&sum), -unit);
}
