/* Linear resampling along one axis at a time, for src/image alone. Not collective. */
#ifndef AUXSEG_IMAGE_RESAMPLE_H
#define AUXSEG_IMAGE_RESAMPLE_H

#include "src/base/status.h"

#include <stddef.h>
#include <stdint.h>

/* Which inputs an output is the weighted mean of. */
typedef struct taps {
    int first, count;
    const float *weight; /* [count], the sum is 1 */
} taps;

/* Triangle filter of half width `support` (at least 1) around `centre`, in pixels of an axis of
 * `size`, cut at its ends: what Pillow's BILINEAR takes with support max(1, reduction), and plain
 * linear interpolation with support 1. weight [2 * ceil(support) + 2] is written and borrowed. */
taps taps_at(double centre, double support, int size, float *weight);
/* Room for the weights of one output. */
size_t taps_longest(double support);

/* out [n]: the weighted mean of rows first .. first + count - 1 of `in`, `stride` bytes apart, from
 * their `offset`th byte on. */
void resample_rows(
    const taps *t, const uint8_t *in, size_t stride, size_t offset, size_t n, float *out);
/* A line of RGB pixels, out of `in` [.., 3] of which one float beyond the last pixel is read: the
 * three channels of n outputs each in a line of its own. */
void resample_line(const taps *t, size_t n, const float *in, float *const channel[3]);
/* Rounds to the nearest byte. */
void resample_bytes(const float *in, size_t n, uint8_t *out);

#endif
