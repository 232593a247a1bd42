/* Storage type of activations, packed weights and features. */
#ifndef AUXSEG_BASE_DTYPE_H
#define AUXSEG_BASE_DTYPE_H

#include "src/base/choice.h"

#include <stddef.h>

#define DTYPES(X) X(DTYPE_F32, "f32") X(DTYPE_BF16, "bf16")
CHOICE_DECLARE(dtype, DTYPES);

static inline size_t dtype_size(dtype t) {
    return t == DTYPE_F32 ? 4 : 2;
}

#endif
