/* How a network wants the numbers of its image: which of red and blue comes first, in 0..1 or
 * 0..255, less a mean, divided by a deviation. Published weights differ in it, and a wrong one is
 * no error that a program could find: features are only worse. Not collective. */
#ifndef AUXSEG_IMAGE_INPUT_H
#define AUXSEG_IMAGE_INPUT_H

#include <stdbool.h>

enum { IMAGE_INPUT_TEXT = 160 };

typedef struct image_input {
    bool bgr;
    float range;                 /* 1: colours from 0 to 1; 255: from 0 to 255 */
    float mean[3], deviation[3]; /* in that range, in the network's order of channels */
} image_input;

/* RGB in 0..1, mean .485 .456 .406, deviation .229 .224 .225: torchvision's, and nearly
 * everybody's. */
extern const image_input image_input_imagenet;

/* "rgb 0..1 mean 0.485 0.456 0.406 std 0.229 0.224 0.225": text [IMAGE_INPUT_TEXT]. It reads back
 * to the same bits. */
void image_input_text(const image_input *in, char *text);
/* The same text back; false, *out untouched, for what is none. */
bool image_input_parse(const char *text, image_input *out);
/* Three finite numbers, separated by commas or spaces; deviations (positive) must be above zero.
 * False: they are none, *out untouched. */
bool image_input_numbers(const char *text, bool positive, float out[3]);
bool image_input_same(const image_input *a, const image_input *b);

#endif
