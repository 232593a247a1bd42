/* How long a gradient's sum takes by own messages (the sums of a part, then what is made of them,
 * as floats, to all), by MPI_Iallreduce, and by MPI_Allreduce, one sum after another: interleaved
 * rounds, the medians, and those of the rounds' ratios. Nothing is computed meanwhile: it is a
 * step's exchange that hides nothing. mpirun -n RANKS exact_sum_measure [ELEMENTS [MESSAGES
 * [PAIRS]]] */
#include "mpi/exact_sum.h"
#include "src/base/median.h"
#include "src/base/memory.h"
#include "src/base/timer.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST = 8, PAIRS = 501 };

/* Seconds of the slowest rank. x [messages, n]; y alike. */
static double measure(const comm *c, exact_sums *s, int64_t *x, float *y, size_t n, int messages) {
    int begun = 0, ended = 0;
    exact_sum_event e[MOST];
    comm_barrier(c);
    double now = timer_now();
    while (ended < messages) {
        for (; begun < messages && exact_sums_flying(s) < MOST; begun++)
            exact_sums_begin_part(s, x + (size_t)begun * n, n, begun);
        for (int i = exact_sums_test(s, true, e) - 1; i >= 0; i--)
            if (e[i].state == EXACT_SUM_PART)
                exact_sums_spread(s, e[i].id, y + (size_t)e[i].id * n);
            else
                ended++;
    }
    double seconds = timer_now() - now;
    comm_max_f64(c, &seconds, 1);
    return seconds;
}

/* The same one by one, as callers that wait do. */
static double measure_waiting(const comm *c, int64_t *x, size_t n, int messages) {
    comm_barrier(c);
    double now = timer_now();
    for (int i = 0; i < messages; i++) comm_sum_i64(c, x + (size_t)i * n, n);
    double seconds = timer_now() - now;
    comm_max_f64(c, &seconds, 1);
    return seconds;
}

int main(int argc, char **argv) {
    size_t n = argc > 1 ? (size_t)atol(argv[1]) : 1 << 20;
    int messages = argc > 2 ? atoi(argv[2]) : 8, pairs = argc > 3 ? atoi(argv[3]) : 21;
    comm *world, *own[2];
    exact_sums *s[2];
    double seconds[3][PAIRS], ratio[2][PAIRS];
    MPI_Init(&argc, &argv);
    if (pairs < 1 || pairs > PAIRS || comm_create(&world, MPI_COMM_WORLD) != STATUS_OK) return 1;
    int64_t *x = memory_alloc(n * (size_t)messages, sizeof *x, "sums");
    float *y = memory_alloc(n * (size_t)messages, sizeof *y, "values");
    for (int w = 0; w < 2; w++)
        if (!x || !y || comm_create(&own[w], MPI_COMM_WORLD) != STATUS_OK ||
            exact_sums_create(&s[w], own[w], n, MOST, w == 0) != STATUS_OK)
            return 1;
    for (int i = -1; i < pairs; i++) {
        double a = measure(world, s[0], x, y, n, messages);
        double b = measure(world, s[1], x, y, n, messages);
        double d = measure_waiting(world, x, n, messages);
        if (i < 0) continue;
        seconds[0][i] = a;
        seconds[1][i] = b;
        seconds[2][i] = d;
        ratio[0][i] = a / b;
        ratio[1][i] = a / d;
    }
    if (world->rank == 0)
        printf("%d ranks, %d sums of %zu elements: own %.3f ms, MPI_Iallreduce %.3f ms, "
               "MPI_Allreduce %.3f ms; medians of %d ratios %.2f %.2f\n",
            world->size, messages, n, 1e3 * median_sort(seconds[0], pairs),
            1e3 * median_sort(seconds[1], pairs), 1e3 * median_sort(seconds[2], pairs), pairs,
            median_sort(ratio[0], pairs), median_sort(ratio[1], pairs));
    for (int w = 0; w < 2; w++) {
        exact_sums_destroy(s[w]);
        comm_destroy(own[w]);
    }
    comm_destroy(world);
    memory_free(x);
    memory_free(y);
    MPI_Finalize();
    return 0;
}
