/* The names that a file of tensors and plain containers may hold: PyTorch's functions that put a
 * tensor together, its types, and what training programs keep beside: plain containers of Python's
 * library and single numbers of numpy's. Not collective. */
#ifndef AUXSEG_IO_WEIGHTS_TORCH_NAMES_H
#define AUXSEG_IO_WEIGHTS_TORCH_NAMES_H

#include "io/weights/pickle.h"

/* What a pickle_name's id says. */
typedef enum torch_name {
    TORCH_OTHER,           /* containers */
    TORCH_TENSOR,          /* _rebuild_tensor(storage, offset, size, stride) */
    TORCH_TENSOR_V2,       /* the same, requires_grad, hooks[, metadata] */
    TORCH_TENSOR_V3,       /* the same, requires_grad, hooks, dtype[, metadata] */
    TORCH_PARAMETER,       /* (tensor, requires_grad, hooks) */
    TORCH_STORAGE_UNTYPED, /* a storage of bytes; the type is the tensor's */
    TORCH_TYPE,            /* and above: a storage's class or a dtype: torch_type_of */
} torch_name;

/* Rules for pickle_read; path is borrowed. */
pickle_rules torch_rules(const char *path);
/* The type ("F32", as in safetensors) that a PICKLE_NAME means, or NULL. */
const char *torch_type_of(const pickle_value *name);

#endif
