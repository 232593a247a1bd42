/* 64-bit checksums (xxHash's XXH3). Not collective; the same bytes give the same value everywhere.
 */
#ifndef AUXSEG_BASE_HASH_H
#define AUXSEG_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const void *data, size_t bytes);
/* Of `data` after what `before` stands for: hashes of parts chain in order. */
uint64_t hash_append(uint64_t before, const void *data, size_t bytes);
/* "0123456789abcdef": text [17] is written. */
void hash_text(uint64_t hash, char *text);

#endif
