/* Networks see a mirrored image as one more view of the same things: evaluation and extraction
 * average over both. */
#include "src/image/mirror.h"

#include <stddef.h>

void mirror_normalized(float *x, int height, int width) {
    for (int y = 0; y < height; y++) {
        float *row = x + (size_t)y * (size_t)width * 3;
        for (int a = 0, b = width - 1; a < b; a++, b--)
            for (int j = 0; j < 3; j++) {
                float t = row[3 * a + j];
                row[3 * a + j] = row[3 * b + j];
                row[3 * b + j] = t;
            }
    }
}
