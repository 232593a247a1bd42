/* Single bits and ends of a file of a run, one after another: what verify says of each, and what
 * the reader of the stages makes of it. Each is tried in a process of its own, with limits on
 * memory and time: a file that is damaged must end in a message there, in nothing worse.
 *
 *   flip FOLDER FILE BITS ENDS SEED
 *
 * Of FOLDER/FILE, which is the same again afterwards, BITS single bits are changed, one half of
 * them anywhere and the other in bytes that are not zero, and ENDS ends are cut off, every second
 * one behind a line. A line with counts is printed. "harmless" are those that change nothing which
 * a reader gives out: padding, reserved bytes and times of HDF5's own structures. Exit code 0: all
 * are found or harmless. */
#include "io/dataset/dataset.h"
#include "io/files/file.h"
#include "io/files/metrics.h"
#include "io/hdf5/features.h"
#include "io/hdf5/labels.h"
#include "io/weights/tensor_file.h"
#include "src/app/stage/file_kind.h"
#include "src/app/stage/output.h"
#include "src/app/stage/recorded_rows.h"
#include "src/app/tools/verify.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/text.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MEMORY = 256 << 20, SECONDS = 5, REFUSED = 1, LIMIT = 1 << 28 };

/* How a try ended. */
typedef enum outcome { READ, FOUND, TOO_MUCH, DIED, OUTCOMES } outcome;

typedef struct bench {
    char path[FILE_PATH], folder[FILE_PATH];
    unsigned char *whole; /* the file as it is */
    size_t bytes;
    int fd;
    uint64_t *seen; /* shared with the children: hash of what a reader gave out */
    uint64_t state; /* of the random numbers */
    uint64_t right; /* that hash of the whole file */
    int found, harmless, missed, bad;
} bench;

/* SplitMix64. */
static uint64_t next(bench *b) {
    uint64_t z = b->state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static void add(uint64_t *h, const void *data, size_t bytes) {
    *h = hash_append(*h, data, bytes);
}

/* ---- what a stage takes from each kind ---- */

static status read_dataset(const char *path, uint64_t *h) {
    dataset *d = NULL;
    status st = dataset_open(NULL, path, &d);
    for (int i = 0; st == STATUS_OK && i < dataset_count(d); i++) {
        image rgb = {0};
        labelmap label = {0};
        st = dataset_load(d, i, 1, &rgb, &label);
        if (st == STATUS_OK) add(h, rgb.data, (size_t)rgb.height * (size_t)rgb.width * 3);
        if (st == STATUS_OK && label.data)
            add(h, label.data, (size_t)label.height * (size_t)label.width * sizeof *label.data);
        image_destroy(&rgb);
        labelmap_destroy(&label);
    }
    if (st == STATUS_OK) *h = hash_append(*h, &(uint64_t){dataset_hash(d)}, sizeof(uint64_t));
    dataset_close(d);
    return st;
}

static status read_labels(const char *path, uint64_t *h) {
    labels *l = NULL;
    status st = labels_open(NULL, path, &l);
    for (int i = 0; st == STATUS_OK && i < labels_count(l); i++) {
        labelmap m = {0};
        st = labels_load(l, i, &m);
        if (st != STATUS_OK) break;
        add(h, m.data, (size_t)m.height * (size_t)m.width * sizeof *m.data);
        labelmap_destroy(&m);
    }
    if (st == STATUS_OK) {
        labels_info a = labels_about(l);
        add(h, a.centroids, (size_t)a.k * (size_t)a.d * sizeof *a.centroids);
        add(h, a.method, strlen(a.method));
        add(h, a.metric, strlen(a.metric));
        *h = hash_append(*h, &(uint64_t){labels_hash(l)}, sizeof(uint64_t));
    }
    labels_close(l);
    return st;
}

static status read_features(const char *path, uint64_t *h) {
    features_info about;
    features x = {0};
    status st = features_about(path, &about);
    if (st == STATUS_OK) st = features_read(NULL, path, about.key, &x);
    if (st == STATUS_OK) add(h, x.data, x.n * features_row_bytes(&x));
    if (st == STATUS_OK) add(h, &about.key, sizeof about.key);
    if (st == STATUS_OK) add(h, about.layers, strlen(about.layers));
    if (st == STATUS_OK) add(h, &about.stride, sizeof about.stride);
    features_destroy(&x);
    return st;
}

/* As checkpoints are read: without checksums it is none. */
static status read_tensors(const char *path, uint64_t *h) {
    tensor_file *f = NULL;
    bool checked = false;
    status st = tensor_file_read(&f, path);
    if (st == STATUS_OK) st = tensor_file_verify(f, &checked);
    if (st == STATUS_OK && !checked) st = STATUS_DATA;
    for (int i = 0; st == STATUS_OK && i < tensor_file_count(f); i++) {
        tensor_info t = tensor_file_get(f, i);
        add(h, t.name, strlen(t.name));
        add(h, t.type, strlen(t.type));
        add(h, t.shape, (size_t)t.dims * sizeof *t.shape);
        add(h, t.data, t.bytes);
    }
    tensor_file_close(f);
    return st;
}

/* Rows that are left out are told, and so are found; so are those that the record misses. */
static status read_metrics(const run_record *r, const char *path, uint64_t *h) {
    metrics_row *row = NULL;
    int count = 0;
    bool checked;
    status st = metrics_verify(path, &checked);
    if (st == STATUS_OK) st = recorded_rows_check(path, r, log_warn);
    if (st == STATUS_OK) st = metrics_read(path, &row, &count);
    for (int i = 0; i < count && st == STATUS_OK; i++) add(h, &row[i].step, sizeof row[i].step);
    for (int i = 0; i < count && st == STATUS_OK; i++) add(h, &row[i].loss, 13 * sizeof(double));
    memory_free(row);
    return st;
}

/* The stage's way: the record first, where it knows the file, then its reader. */
static status read_file(const bench *b, uint64_t *h) {
    char record[FILE_PATH];
    file_kind kind;
    run_record *r = NULL;
    status st = file_path(record, b->folder, "run.json");
    if (st == STATUS_OK && strcmp(record, b->path) == 0) return run_record_verify(b->path);
    if (st == STATUS_OK) st = run_record_look(&r, record);
    if (st == STATUS_OK) st = output_same(r, b->path);
    bool rows = text_ends_with(b->path, "/metrics.csv");
    if (st == STATUS_OK && rows) st = read_metrics(r, b->path, h);
    run_record_close(r);
    if (rows) return st;
    if (st == STATUS_OK) st = file_kind_of(b->path, &kind);
    if (st != STATUS_OK) return st;
    switch (kind) {
    case KIND_DATASET:
        return read_dataset(b->path, h);
    case KIND_LABELS:
        return read_labels(b->path, h);
    case KIND_FEATURES:
        return read_features(b->path, h);
    case KIND_WEIGHTS:
        return read_tensors(b->path, h);
    default:
        return file_hash(b->path, h);
    }
}

/* ---- a try ---- */

/* In the child: with little more memory than it has, and in silence. */
static void confine(void) {
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%ld", &pages) != 1) _exit(2);
    fclose(f);
    rlim_t most = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + MEMORY;
    setrlimit(RLIMIT_AS, &(struct rlimit){most, most});
    setrlimit(RLIMIT_CPU, &(struct rlimit){SECONDS, SECONDS});
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    int null = open("/dev/null", O_RDWR);
    if (getenv("FLIP_LOUD")) return;
    dup2(null, 1);
    dup2(null, 2);
}

static outcome try(bench *b, bool verify) {
    int how;
    *b->seen = 0;
    pid_t child = fork();
    if (child == 0) {
        confine();
        char *path = b->path;
        status st = verify ? command_verify(1, &path) : read_file(b, b->seen);
        _exit(st == STATUS_OK ? 0 : st == STATUS_FAILED ? 3 : REFUSED);
    }
    if (child < 0 || waitpid(child, &how, 0) < 0 || !WIFEXITED(how)) return DIED;
    int code = WEXITSTATUS(how);
    return code == 0 ? READ : code == REFUSED ? FOUND : code == 3 ? TOO_MUCH : DIED;
}

/* What both make of the file as it is now; `what` names it where it is wrong. */
static void judge(bench *b, const char *what, size_t at) {
    static const char *const words[OUTCOMES] = {
        "reads it", "finds it", "asks for too much memory", "dies or takes too long"};
    outcome verified = try(b, true), taken = try(b, false);
    bool other = taken == READ && *b->seen != b->right;
    bool bad = verified > FOUND || taken > FOUND;
    /* What verify calls whole must give a stage what the whole file gives. */
    bool missed = !bad && (other || (verified == READ && taken == FOUND));
    b->bad += bad;
    b->missed += missed;
    b->found += !bad && !missed && verified == FOUND;
    b->harmless += !bad && verified == READ && taken == READ && !other;
    if (bad || missed)
        printf("  %s, %s %zu: verify %s, the stage %s%s\n", b->path, what, at, words[verified],
            words[taken], other ? " as something else" : "");
}

static bool put(const bench *b, size_t at, size_t bytes) {
    return pwrite(b->fd, b->whole + at, bytes, (off_t)at) == (ssize_t)bytes;
}

static void flip(bench *b, bool anywhere) {
    size_t at = (size_t)(next(b) % b->bytes);
    for (size_t i = 0; !anywhere && i < b->bytes && !b->whole[at]; i++) at = (at + 1) % b->bytes;
    unsigned bit = (unsigned)(next(b) % 8);
    b->whole[at] ^= (unsigned char)(1U << bit);
    bool ok = put(b, at, 1);
    judge(b, "bit", 8 * at + bit);
    b->whole[at] ^= (unsigned char)(1U << bit);
    if (!ok || !put(b, at, 1)) abort();
}

/* at_line: behind a line's end, where what is left of a text looks whole. */
static void cut(bench *b, bool at_line) {
    size_t end = (size_t)(next(b) % b->bytes);
    for (size_t i = end; at_line && i > 0; i--)
        if (b->whole[i - 1] == '\n') {
            end = i;
            break;
        }
    if (ftruncate(b->fd, (off_t)end) != 0) abort();
    judge(b, "end", end);
    if (!put(b, end, b->bytes - end)) abort();
}

int main(int argc, char **argv) {
    bench b = {0};
    void *whole;
    if (argc != 6) return 2;
    snprintf(b.folder, sizeof b.folder, "%s", argv[1]);
    if (file_path(b.path, argv[1], argv[2]) != STATUS_OK) return 2;
    if (file_read(b.path, LIMIT, &whole, &b.bytes) != STATUS_OK) return 2;
    b.whole = whole;
    b.fd = open(b.path, O_RDWR | O_CLOEXEC);
    b.seen = mmap(NULL, sizeof *b.seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    b.state = strtoull(argv[5], NULL, 10);
    if (b.fd < 0 || b.seen == MAP_FAILED || b.bytes == 0) return 2;
    if (try(&b, true) != READ || try(&b, false) != READ) {
        printf("  %s: refused as it is\n", b.path);
        return 2;
    }
    b.right = *b.seen;
    int bits = atoi(argv[3]), ends = atoi(argv[4]);
    for (int i = 0; i < bits; i++) flip(&b, i % 2);
    for (int i = 0; i < ends; i++) cut(&b, i % 2);
    printf("%-34s %8zu bytes, %d bits, %d ends: %d found, %d harmless, %d missed, %d worse\n",
        argv[2], b.bytes, bits, ends, b.found, b.harmless, b.missed, b.bad);
    bool same = try(&b, true) == READ && try(&b, false) == READ && *b.seen == b.right;
    memory_free(whole);
    return same && b.missed == 0 && b.bad == 0 ? 0 : 1;
}
