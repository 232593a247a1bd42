/* A mistake is counted where it is named, in a message of its own: what a part writes and what the
 * last line says then agree. */
#include "src/app/tools/check_state.h"

void check_note(check *k, status st) {
    if (st == STATUS_OK) return;
    k->mistakes++;
    if (k->first == STATUS_OK) k->first = st;
}
