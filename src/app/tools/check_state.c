/* A mistake is counted where it is named, in a message of its own: what a part writes and what the
 * last line says then agree. */
#include "src/app/tools/check_state.h"

#include <math.h>

/* As dataset_shape rounds. */
int check_scaled(const check *k, int side) {
    double scaled = floor(side * k->s->dataset.scale + 0.5);
    return side == 0 ? 0 : scaled < 1 ? 1 : (int)scaled;
}

void check_note(check *k, status st) {
    if (st == STATUS_OK) return;
    k->mistakes++;
    if (k->first == STATUS_OK) k->first = st;
}
