/* Storage type of activations and packed weights. */
#ifndef AUXSEG_BASE_DTYPE_H
#define AUXSEG_BASE_DTYPE_H

#include <stddef.h>

typedef enum dtype { DTYPE_F32, DTYPE_BF16 } dtype;

static inline size_t dtype_size(dtype t) {
    return t == DTYPE_F32 ? 4 : 2;
}

#endif
