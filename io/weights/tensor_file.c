/* One face for the two formats of weights, so that whoever loads weights has one way for both. The
 * first bytes decide, not the name: files of PyTorch have many endings, and people rename files.
 * What one of the formats has not (a place within the file, checksums of single tensors) has an
 * answer here all the same. */
#include "io/weights/tensor_file.h"

#include "io/files/file.h"
#include "io/weights/torch_file.h"
#include "src/base/memory.h"

#include <unistd.h>

/* Exactly one of the two is there once the file is open; closing takes either, and NULL. */
struct tensor_file {
    safetensors *plain; /* one of the two */
    torch_file *torch;
};

/* A file too short for either format is no PyTorch file: safetensors' reader then says what it
 * is. */
static status is_torch(const char *path, bool *torch) {
    unsigned char first[8] = {0};
    uint64_t bytes;
    int fd;
    status st = file_open(path, &fd, &bytes);
    if (st != STATUS_OK) return st;
    if (bytes >= sizeof first) st = file_read_at(fd, path, 0, first, sizeof first);
    close(fd);
    *torch = torch_file_is(first);
    return st;
}

/* data: whether the tensors' elements are read, too. The choice between formats is made once,
 * here. */
static status open_file(tensor_file **out, const char *path, bool data) {
    bool torch;
    status st = is_torch(path, &torch);
    if (st != STATUS_OK) return st;
    tensor_file *f = memory_alloc(1, sizeof *f, "file of tensors");
    if (!f) return STATUS_FAILED;
    if (torch)
        st = data ? torch_file_read(&f->torch, path) : torch_file_read_header(&f->torch, path);
    else
        st = data ? safetensors_read(&f->plain, path) : safetensors_read_header(&f->plain, path);
    if (st == STATUS_OK)
        *out = f;
    else
        tensor_file_close(f);
    return st;
}

status tensor_file_read(tensor_file **out, const char *path) {
    return open_file(out, path, true);
}

status tensor_file_read_header(tensor_file **out, const char *path) {
    return open_file(out, path, false);
}

void tensor_file_close(tensor_file *f) {
    if (!f) return;
    safetensors_close(f->plain);
    torch_file_close(f->torch);
    memory_free(f);
}

int tensor_file_count(const tensor_file *f) {
    return f->torch ? torch_file_count(f->torch) : safetensors_count(f->plain);
}

tensor_info tensor_file_get(const tensor_file *f, int i) {
    return f->torch ? torch_file_get(f->torch, i) : safetensors_get(f->plain, i);
}

/* An archive's checksums were compared by libzip as it was read, and an older file has none: there
 * is nothing left to do, but to say so. */
status tensor_file_verify(const tensor_file *f, bool *checked) {
    if (f->plain) return safetensors_verify(f->plain, checked);
    if (checked) *checked = torch_file_checked(f->torch);
    return STATUS_OK;
}

const char *tensor_file_format(const tensor_file *f) {
    return f->plain ? "safetensors" : torch_file_format(f->torch);
}

const char *tensor_file_place(const tensor_file *f) {
    return f->torch ? torch_file_place(f->torch) : "";
}

const char *tensor_file_metadata(const tensor_file *f, const char *key) {
    return f->plain ? safetensors_metadata(f->plain, key) : NULL;
}
