/* XXH3, compiled in (XXH_INLINE_ALL): no library that an upgrade could replace stands between a
 * file and the checksum that was written into it. */
#include "src/base/hash.h"

#include <inttypes.h>
#include <stdio.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t hash_bytes(const void *data, size_t bytes) {
    return XXH3_64bits(data, bytes);
}

/* The hash so far is the seed of the next: parts chain without being held together, and their order
 * counts. It is not the hash of the joined bytes, so that where parts begin counts, too. */
uint64_t hash_append(uint64_t before, const void *data, size_t bytes) {
    return XXH3_64bits_withSeed(data, bytes, before);
}

/* With leading zeros: as text, too, equal hashes are equal and all are of one length. */
void hash_text(uint64_t hash, char *text) {
    snprintf(text, 17, "%016" PRIx64, hash);
}
