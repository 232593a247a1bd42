/* A file of tensors, whatever its format: safetensors or PyTorch's own (torch_file.h). Which one it
 * is, its first bytes say, not its name. Not collective: one rank reads. */
#ifndef AUXSEG_IO_WEIGHTS_TENSOR_FILE_H
#define AUXSEG_IO_WEIGHTS_TENSOR_FILE_H

#include "io/weights/safetensors.h"

typedef struct tensor_file tensor_file;

/* STATUS_DATA with a message that names the file and what is wrong. */
status tensor_file_read(tensor_file **out, const char *path);
/* The same checks, but no tensor is read: data is NULL. */
status tensor_file_read_header(tensor_file **out, const char *path);
/* NULL-safe. */
void tensor_file_close(tensor_file *f);
int tensor_file_count(const tensor_file *f);
tensor_info tensor_file_get(const tensor_file *f, int i);
/* Compares with the checksums that the file carries: safetensors_verify; PyTorch's archives were
 * compared as they were read, *checked says so. */
status tensor_file_verify(const tensor_file *f, bool *checked);
/* What it is, for people: "safetensors", "PyTorch archive", "PyTorch file of before 1.6"; and where
 * in it the tensors stand ("state_dict"; "": at the top). */
const char *tensor_file_format(const tensor_file *f);
const char *tensor_file_place(const tensor_file *f);
/* Value of a metadata key, or NULL: PyTorch's files have none. */
const char *tensor_file_metadata(const tensor_file *f, const char *key);

#endif
