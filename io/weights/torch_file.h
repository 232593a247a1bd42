/* Weights in PyTorch's own files (.pth, .pt, .th, .tar, .bin: torch.save), without Python and
 * without running anything that the file asks for: see pickle.h. Not collective: one rank reads.
 *
 * A checkpoint is a dictionary of much else; the weights are looked for where training programs put
 * them: the first of state_dict, model_state_dict, model_state, model, classy_state_dict,
 * base_model, teacher, net, network, module that is a dictionary, again and again, until a
 * dictionary holds tensors itself; what an optimizer holds is left out. Names of dictionaries in it
 * are joined by dots. Every tensor becomes contiguous.
 *
 * STATUS_DATA, with a message that names the file and what is wrong, for what is damaged or
 * refused: names and opcodes that are not of tensors and plain containers, big-endian numbers,
 * compressed archives, tensors beyond their storage or larger than it, containers in a cycle. */
#ifndef AUXSEG_IO_WEIGHTS_TORCH_FILE_H
#define AUXSEG_IO_WEIGHTS_TORCH_FILE_H

#include "io/weights/safetensors.h"

typedef struct torch_file torch_file;

/* Whether the first 8 bytes of a file are those of one. */
bool torch_file_is(const unsigned char first[8]);
status torch_file_read(torch_file **out, const char *path);
/* The same checks, but no tensor is read: data is NULL. */
status torch_file_read_header(torch_file **out, const char *path);
/* NULL-safe. */
void torch_file_close(torch_file *f);
int torch_file_count(const torch_file *f);
tensor_info torch_file_get(const torch_file *f, int i); /* in the dictionary's order */
/* Where in the file the weights were found: "state_dict", "classy_state_dict.base_model"; "": at
 * the top. */
const char *torch_file_place(const torch_file *f);
/* "PyTorch archive" or "PyTorch file of before 1.6". */
const char *torch_file_format(const torch_file *f);
/* Whether the tensors carried checksums, which were compared as they were read: an archive's do. */
bool torch_file_checked(const torch_file *f);

#endif
