/* Events for TensorBoard, without TensorFlow. An event is a protocol buffer of a few fields, put
 * together here by hand: a key (the field's number and how it is coded), then a varint, four or
 * eight bytes, or a length and bytes. A file begins with its version and the word that a session
 * starts at a step: readers then drop what older files of the folder have from that step on. They
 * read the files in the order of their names, which begin with a number of seconds: a new one's is
 * above all that are there, so that the order holds when a clock is set back. */
#include "io/files/tensorboard.h"

#include "io/files/file.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Of one event, and of one value with its tag. */
enum { EVENT = 4096, VALUE = 192 };
/* How a field is coded. */
enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

static const char prefix[] = "events.out.tfevents.";

struct tensorboard {
    int fd;
    char path[FILE_PATH];
};

/* A message that grows; what does not fit is left out as a whole by its writer. */
typedef struct message {
    unsigned char byte[EVENT];
    size_t used;
} message;

static void put(message *m, const void *bytes, size_t count) {
    memcpy(m->byte + m->used, bytes, count);
    m->used += count;
}

/* Little-endian, whatever the processor. */
static void put_fixed(message *m, uint64_t x, int bytes) {
    for (int i = 0; i < bytes; i++) m->byte[m->used++] = (unsigned char)(x >> 8 * i);
}

static void put_varint(message *m, uint64_t x) {
    for (; x >= 128; x >>= 7) m->byte[m->used++] = (unsigned char)(x | 128);
    m->byte[m->used++] = (unsigned char)x;
}

static void put_key(message *m, unsigned field, unsigned coding) {
    put_varint(m, field << 3 | coding);
}

static void put_bytes(message *m, unsigned field, const void *bytes, size_t count) {
    put_key(m, field, BYTES);
    put_varint(m, count);
    put(m, bytes, count);
}

/* Castagnoli's polynomial, reflected. An event is short: bit by bit is quick enough. */
static uint32_t crc32c(const void *bytes, size_t count) {
    const unsigned char *at = bytes;
    uint32_t crc = 0xFFFFFFFF;
    for (size_t i = 0; i < count; i++) {
        crc ^= at[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78 : 0);
    }
    return ~crc;
}

/* As TFRecord stores it: a sum over bytes that hold sums would be weak. */
static uint32_t masked(const void *bytes, size_t count) {
    uint32_t crc = crc32c(bytes, count);
    return (crc >> 15 | crc << 17) + 0xA282EAD8;
}

/* Length, its sum, the event, its sum; in one write, so that a kill tears the last record alone. */
static bool write_record(int fd, const message *event) {
    unsigned char text[EVENT + 16];
    message record = {.used = 0};
    put_fixed(&record, event->used, 8);
    put_fixed(&record, masked(record.byte, 8), 4);
    size_t head = record.used;
    memcpy(text, record.byte, head);
    memcpy(text + head, event->byte, event->used);
    record.used = 0;
    put_fixed(&record, masked(event->byte, event->used), 4);
    memcpy(text + head + event->used, record.byte, record.used);
    size_t bytes = head + event->used + record.used;
    return write(fd, text, bytes) == (ssize_t)bytes;
}

/* Event: wall_time = 1, step = 2. */
static message begin_event(int64_t step) {
    message m = {.used = 0};
    struct timespec now;
    uint64_t bits;
    clock_gettime(CLOCK_REALTIME, &now);
    double seconds = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
    memcpy(&bits, &seconds, sizeof bits);
    put_key(&m, 1, FIXED64);
    put_fixed(&m, bits, 8);
    put_key(&m, 2, VARINT);
    put_varint(&m, (uint64_t)step);
    return m;
}

/* file_version = 3 of the first event; session_log = 7 { status = 1: START = 1 } of the second. */
static bool write_start(int fd, int64_t steps) {
    static const char version[] = "brain.Event:2";
    static const unsigned char start[] = {1 << 3 | VARINT, 1};
    message first = begin_event(0), second = begin_event(steps + 1);
    put_bytes(&first, 3, version, sizeof version - 1);
    put_bytes(&second, 7, start, sizeof start);
    return write_record(fd, &first) && write_record(fd, &second);
}

/* One more than the largest number of the files that are there, and not before now. */
static long next_number(const char *folder) {
    long next = (long)time(NULL);
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (strncmp(e->d_name, prefix, sizeof prefix - 1) != 0) continue;
        long number = strtol(e->d_name + sizeof prefix - 1, NULL, 10);
        if (number >= next) next = number + 1;
    }
    if (d) closedir(d);
    return next;
}

static void give_up(const char *path) {
    log_warn(
        "%s: cannot be written: %s; TensorBoard will not show what follows", path, strerror(errno));
}

/* O_EXCL and O_NOFOLLOW: nothing that stands there is written to. */
tensorboard *tensorboard_open(const char *folder, int64_t steps) {
    char host[64] = "";
    tensorboard *t = memory_alloc(1, sizeof *t, "TensorBoard");
    if (!t || file_make_folder(folder) != STATUS_OK) {
        memory_free(t);
        return NULL;
    }
    if (gethostname(host, sizeof host - 1) != 0) strcpy(host, "host");
    int n = snprintf(t->path, sizeof t->path, "%s/%s%010ld.%s.%ld", folder, prefix,
        next_number(folder), host, (long)getpid());
    t->fd =
        n < (int)sizeof t->path
            ? open(t->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0644)
            : -1;
    if (t->fd >= 0 && write_start(t->fd, steps)) return t;
    give_up(t->path);
    tensorboard_close(t);
    return NULL;
}

/* summary = 5 { value = 1 { tag = 1, simple_value = 2 } ... }. */
void tensorboard_write(tensorboard *t, int64_t step, const tensorboard_value *value, size_t count) {
    message summary = {.used = 0};
    if (!t || t->fd < 0) return;
    for (size_t i = 0; i < count && summary.used < EVENT - 2 * VALUE; i++) {
        size_t length = strlen(value[i].tag);
        float number = (float)value[i].value;
        uint32_t bits;
        message one = {.used = 0};
        if (isnan(value[i].value) || length >= VALUE - 64) continue;
        memcpy(&bits, &number, sizeof bits);
        put_bytes(&one, 1, value[i].tag, length);
        put_key(&one, 2, FIXED32);
        put_fixed(&one, bits, 4);
        put_bytes(&summary, 1, one.byte, one.used);
    }
    message event = begin_event(step);
    put_bytes(&event, 5, summary.byte, summary.used);
    if (summary.used == 0 || write_record(t->fd, &event)) return;
    give_up(t->path);
    close(t->fd);
    t->fd = -1;
}

void tensorboard_close(tensorboard *t) {
    if (t && t->fd >= 0) close(t->fd);
    memory_free(t);
}
