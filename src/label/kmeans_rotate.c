/* The rotation before rounding to int8 (kmeans_screen.h says what for): butterflies in place,
 * sixteen elements at once. Rows are rotated once, when they are stored; centroids, in float64, in
 * each iteration. */
#include "src/label/kmeans_screen.h"

#include "src/base/vector.h"

#include <math.h>

enum { LANES = 16 };

typedef float lanes __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t places __attribute__((vector_size(64)));

/* One stage within each sixteen elements: lane l and lane l ^ h. */
#define WITHIN(v, from, sign) (__builtin_shuffle(v, from) + (sign) * (v))

#define FROM(h)                                                                                    \
    {                                                                                              \
        0 ^ (h), 1 ^ (h), 2 ^ (h), 3 ^ (h), 4 ^ (h), 5 ^ (h), 6 ^ (h), 7 ^ (h), 8 ^ (h), 9 ^ (h),  \
            10 ^ (h), 11 ^ (h), 12 ^ (h), 13 ^ (h), 14 ^ (h), 15 ^ (h)                             \
    }
#define SIGN(h, l) ((l) & (h) ? -1.0f : 1.0f)
#define SIGNS(h)                                                                                   \
    {                                                                                              \
        SIGN(h, 0), SIGN(h, 1), SIGN(h, 2), SIGN(h, 3), SIGN(h, 4), SIGN(h, 5), SIGN(h, 6),        \
            SIGN(h, 7), SIGN(h, 8), SIGN(h, 9), SIGN(h, 10), SIGN(h, 11), SIGN(h, 12),             \
            SIGN(h, 13), SIGN(h, 14), SIGN(h, 15)                                                  \
    }

/* Stages across vectors first, then the four within a vector, as shuffles: each sixteen elements
 * are loaded once for all four, and scaled on the way. */
VECTOR_CLONES
static void rotate_float(float *y, int size) {
    for (int h = LANES; h < size; h *= 2)
        for (int i = 0; i < size; i += 2 * h)
            for (int j = i; j < i + h; j++) {
                float a = y[j], b = y[j + h];
                y[j] = a + b;
                y[j + h] = a - b;
            }
    const places f1 = FROM(1), f2 = FROM(2), f4 = FROM(4), f8 = FROM(8);
    const lanes s1 = SIGNS(1), s2 = SIGNS(2), s4 = SIGNS(4), s8 = SIGNS(8);
    float scale = 1 / sqrtf((float)size);
    for (int i = 0; i < size; i += LANES) {
        lanes v = *(lanes *)(y + i);
        v = WITHIN(v, f1, s1);
        v = WITHIN(v, f2, s2);
        v = WITHIN(v, f4, s4);
        v = WITHIN(v, f8, s8);
        *(lanes *)(y + i) = v * scale;
    }
}

/* Plain: K rows an iteration. Its order of stages is another one, which only rounding can tell. */
static void rotate_double(double *y, int size) {
    for (int h = 1; h < size; h *= 2)
        for (int i = 0; i < size; i += 2 * h)
            for (int j = i; j < i + h; j++) {
                double a = y[j], b = y[j + h];
                y[j] = a + b;
                y[j + h] = a - b;
            }
    for (int j = 0; j < size; j++) y[j] /= sqrt(size);
}

/* The largest power of two in what is left, as long as it fills a vector. */
static int segment(int left) {
    int size = LANES;
    while (2 * size <= left) size *= 2;
    return size;
}

/* Segment by segment; fewer than sixteen elements at the end stay as they are. */
void screen_rotate(float *y, int d) {
    for (int size; d >= LANES; y += size, d -= size) {
        size = segment(d);
        rotate_float(y, size);
    }
}

void screen_rotate_double(double *y, int d) {
    for (int size; d >= LANES; y += size, d -= size) {
        size = segment(d);
        rotate_double(y, size);
    }
}
