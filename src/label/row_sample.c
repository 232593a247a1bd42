/* The draw behind a sample of rows. Shares come from cumulative counts, not from fractions of each
 * image: they add up to the sample exactly, for any dealing of images to ranks. */
#include "src/label/row_sample.h"

/* 128 bits: a billion rows times a sample of a million. */
int64_t row_sample_share(int64_t row, int64_t rows, int64_t sample) {
    return (int64_t)((__int128)row * sample / rows);
}

/* Selection sampling (Knuth, volume 2, algorithm S). */
void row_sample_choose(random_stream *r, int64_t n, int64_t m, int64_t *chosen) {
    for (int64_t i = 0, taken = 0; taken < m; i++)
        if (random_below(r, (uint64_t)(n - i)) < (uint64_t)(m - taken)) chosen[taken++] = i;
}
