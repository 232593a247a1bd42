/* JSON files and values, around Jansson. Not collective. */
#ifndef AUXSEG_IO_FILES_JSON_FILE_H
#define AUXSEG_IO_FILES_JSON_FILE_H

#include "src/base/status.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An object without duplicate keys from text that need not end with a zero byte; `path` is for
 * messages. STATUS_DATA naming the line; STATUS_FAILED without memory. *out: a new reference. */
status json_file_parse(const char *path, const char *text, size_t bytes, json_t **out);

/* Member number `index` of an object, in the order in which they were first set; NULL past the
 * end. Both borrowed. */
json_t *json_member(const json_t *object, int index, const char **key);

/* Hashes are kept as 16 hexadecimal digits: JSON's numbers lose bits beyond 2^53 elsewhere. */
json_t *json_hash(uint64_t hash);
bool json_hash_value(const json_t *text, uint64_t *hash);
/* NAN and infinities, which JSON has not, become null; null and what is no number becomes NAN. */
json_t *json_number(double value);
double json_number_or_nan(const json_t *value);

#endif
