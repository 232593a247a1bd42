/* What a file is, its bytes say, whatever its name. Names lie: files are renamed, copied without an
 * ending, or end in .pth whatever they hold. The few bytes that are read here decide which reader
 * gets the file, and that one checks it. */
#include "src/app/stage/file_kind.h"

#include "io/files/file.h"
#include "io/hdf5/hdf5_kind.h"
#include "io/weights/torch_file.h"
#include "src/base/log.h"
#include "src/base/settings.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { HEAD = 4096 };

/* A length of 8 bytes below 2^24, then a JSON object. A header of 123 bytes has a length that
 * begins with a brace itself: what tells it from a text is the zero bytes. */
static bool is_safetensors(const unsigned char *b, size_t n) {
    return n >= 9 && b[8] == '{' && memcmp(b + 3, "\0\0\0\0\0", 5) == 0;
}

/* Bytes that people read: no zeros, no other control characters than a text has. */
static bool is_text(const unsigned char *b, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (b[i] < ' ' && !strchr("\t\n\r\f\033", b[i] ? b[i] : 1)) return false;
    return n > 0;
}

/* Whether a line begins with a group of settings: "run: {", "dataset = {". */
static bool is_settings(const char *text) {
    char key[128], value[SETTINGS_TEXT];
    static settings any; /* larger than a stack may like */
    settings_set_defaults(&any);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += strspn(line, "\r\n \t");
        size_t n = strcspn(line, ":= \t\n"), at = n + strspn(line + n, " \t");
        if (n == 0 || (line[at] != ':' && line[at] != '=')) continue;
        for (int i = 0; settings_item(&any, i, key, sizeof key, value, sizeof value); i++)
            if (strncmp(key, line, n) == 0 && key[n] == '.') return true;
    }
    return false;
}

/* In the order of how sure a sign is: safetensors has none but a brace at its ninth byte. b [n] is
 * followed by a zero byte. */
static file_kind kind_of_bytes(const unsigned char *b, size_t n) {
    if (n >= 3 && memcmp(b, "\xFF\xD8\xFF", 3) == 0) return KIND_IMAGE;
    if (n >= 8 && memcmp(b, "\x89PNG\r\n\x1A\n", 8) == 0) return KIND_IMAGE;
    if (n >= 6 && memcmp(b, "\x93NUMPY", 6) == 0) return KIND_ARRAY;
    if (n >= 6 && memcmp(b, "stage,", 6) == 0) return KIND_METRICS;
    if (n >= 6 && memcmp(b, "label,", 6) == 0) return KIND_CONFUSION;
    if (is_safetensors(b, n)) return KIND_WEIGHTS;
    if (n >= 1 && b[0] == '{') return KIND_RECORD;
    if (n >= 8 && torch_file_is(b)) return KIND_WEIGHTS;
    /* One whose length is damaged: its reader says so. */
    if (n >= 9 && b[8] == '{' && !is_text(b, n)) return KIND_WEIGHTS;
    if (n >= 15 && strncasecmp((const char *)b, "<!DOCTYPE html>", 15) == 0) return KIND_PAGE;
    if (!is_text(b, n)) return KIND_UNKNOWN;
    return is_settings((const char *)b) ? KIND_SETTINGS : KIND_TEXT;
}

/* HDF5's own signature says nothing about what is in it. */
static status kind_of_hdf5(const char *path, file_kind *out) {
    const char *group = NULL;
    status st = hdf5_kind(path, &group);
    if (st != STATUS_OK) return st;
    *out = !group                         ? KIND_UNKNOWN
           : strcmp(group, "images") == 0 ? KIND_DATASET
           : strcmp(group, "labels") == 0 ? KIND_LABELS
                                          : KIND_FEATURES;
    return STATUS_OK;
}

/* The first bytes are read from the file's beginning; HDF5 files are then opened once more, by the
 * library. What is shorter than a sign cannot be that kind, hence the lengths in kind_of_bytes. */
status file_kind_of(const char *path, file_kind *out) {
    unsigned char head[HEAD + 1] = {0};
    int fd;
    uint64_t bytes;
    status st = file_open(path, &fd, &bytes);
    if (st != STATUS_OK) return st;
    size_t n = bytes < HEAD ? (size_t)bytes : HEAD;
    st = file_read_at(fd, path, 0, head, n);
    close(fd);
    if (st != STATUS_OK) return st;
    *out = kind_of_bytes(head, n);
    if (n >= 8 && memcmp(head, "\x89HDF\r\n\x1A\n", 8) == 0) st = kind_of_hdf5(path, out);
    if (st != STATUS_OK || *out != KIND_UNKNOWN) return st;
    log_error(
        "%s: %s", path, bytes == 0 ? "is empty" : "no file that this program reads or writes");
    return STATUS_DATA;
}
