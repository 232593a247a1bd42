/* How safetensors files of ours keep their checksums: shared by reader and writer. */
#ifndef AUXSEG_IO_WEIGHTS_SAFETENSORS_CHECKSUM_H
#define AUXSEG_IO_WEIGHTS_SAFETENSORS_CHECKSUM_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The header begins with this, then the digits of its own checksum. */
#define SAFETENSORS_FIRST "{\"__metadata__\":{\"xxh3\":\""
enum { SAFETENSORS_DIGITS = 16, SAFETENSORS_KEY = 1024 };

static inline bool safetensors_is_checksum(const char *key) {
    return strcmp(key, "xxh3") == 0 || strncmp(key, "xxh3:", 5) == 0;
}

/* key [SAFETENSORS_KEY]; false if the tensor's name is too long for one. */
static inline bool safetensors_checksum_key(char *key, const char *name) {
    int n = snprintf(key, SAFETENSORS_KEY, "xxh3:%s", name);
    return n >= 0 && n < SAFETENSORS_KEY;
}

#endif
