/* Values that no tensor of a network may hold: what is not finite, and a variance below zero. Every
 * file that is written is free of them; files from elsewhere are asked. Not collective. */
#ifndef AUXSEG_IO_WEIGHTS_TENSOR_FAULT_H
#define AUXSEG_IO_WEIGHTS_TENSOR_FAULT_H

#include "io/weights/safetensors.h"

enum { TENSOR_FAULT_TEXT = 256 };

/* Index of the first element that is NAN or infinite or, in a tensor that is called
 * "... .running_var", below zero; -1: none, or a type without such values. */
int64_t tensor_fault(const tensor_info *t);
/* The same in words, for a message: text [TENSOR_FAULT_TEXT]. False, and "", if there is none. */
bool tensor_fault_text(const tensor_info *t, char *text);
/* STATUS_NONFINITE, with a message that begins with `where`, for the first of these tensors that
 * has one. */
status tensor_fault_check(const char *where, const tensor_info *tensor, int tensors);

#endif
