/* The three kinds of HDF5 files, mutated: whatever they hold, whoever reads them answers within
 * five seconds and 256 MiB, though the library crashes on some. Each is read by a process of its
 * own, which has the file looked at first, as the program does. hostile_test [--runs N] [--seed S];
 * N 30. Files of $AUXSEG_SHARED/data/hostile are read, too. */
#include "io/hdf5/features.h"
#include "io/hdf5/hdf5_guard.h"
#include "io/hdf5/hdf5_kind.h"
#include "io/hdf5/hdf5_walk.h"
#include "io/hdf5/labels.h"
#include "src/base/log.h"
#include "tests/io/small_dataset.h"

#include <dirent.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { KINDS = 3, SECONDS = 5, MEBIBYTES = 256, SAID = 1 << 16 };

typedef struct original {
    const char *name;
    unsigned char *data;
    size_t bytes;
} original;

static original kind[KINDS] = {
    {.name = "dataset.h5"}, {.name = "labels.h5"}, {.name = "features.h5"}};
static int runs = 30, seed = 1, refused, unsound, whole;
static long most_memory;

static const char *const names[IMAGES] = {"a", "b", "c", "d", "e", "f", "g"};

static void write_dataset(void) {
    settings s = describe("train", "val");
    dataset *d;
    pack(NULL, &s, "dataset.h5", &d);
    dataset_close(d);
}

static void write_others(void) {
    int h[IMAGES], w[IMAGES];
    features x = {.d = 2, .type = DTYPE_F32, .images = IMAGES, .height = h, .width = w};
    static float rows[4096];
    static uint16_t label[2048];
    const float centroids[6] = {1, 2, 3, 4, 5, 6};
    for (int i = 0; i < IMAGES; i++) x.n += (size_t)((h[i] = height[i]) * (w[i] = width[i]));
    assert_true(x.n <= 2048);
    x.data = rows;
    x.total = (int64_t)x.n;
    const features_origin origin = {names, IMAGES, "layer3", 8, 5};
    const labels_info info = {.k = 3,
        .d = 2,
        .method = "kmeans",
        .metric = "cosine",
        .centroids = centroids,
        .images = IMAGES,
        .names = names};
    assert_int_equal(
        features_write(NULL, scratch_path(&folder, "features.h5"), &x, &origin), STATUS_OK);
    assert_int_equal(
        labels_write(NULL, scratch_path(&folder, "labels.h5"), &info, &x, label, NULL), STATUS_OK);
}

/* As `verify` does. */
static status read_all(const char *path) {
    const char *group;
    status st = hdf5_kind(path, &group);
    if (st == STATUS_OK && !group) {
        log_error("%s: no file of this program", path);
        st = STATUS_DATA;
    }
    if (st != STATUS_OK) return st;
    if (strcmp(group, "labels") == 0) return labels_verify(path);
    return strcmp(group, "features") == 0 ? features_verify(path) : dataset_verify(path);
}

/* In a process of its own, whose end is judged. */
static void check_file(const char *path, const char *what) {
    char said[SAID];
    struct rusage used;
    int how, fd = memfd_create("messages", MFD_CLOEXEC);
    assert_true(fd >= 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(fd, 1);
        dup2(fd, 2);
        setrlimit(RLIMIT_CPU, &(struct rlimit){SECONDS, SECONDS + 1});
        _exit((int)read_all(path));
    }
    assert_int_equal(wait4(child, &how, 0, &used), child);
    ssize_t n = pread(fd, said, sizeof said - 1, 0);
    said[n > 0 ? n : 0] = '\0';
    close(fd);
    if (!WIFEXITED(how)) fail_msg("%s: signal %d after: %s", what, WTERMSIG(how), said);
    int code = WEXITSTATUS(how);
    /* A damage that no reader looks at is harmless, or a wrong code of the sanitizers' own. */
    if (code != STATUS_OK && code != STATUS_DATA && code != STATUS_OUTPUT)
        fail_msg("%s: code %d, %s", what, code, said);
    if (code != STATUS_OK && !strstr(said, path)) fail_msg("%s: no name in: %s", what, said);
    if (strstr(said, "could not be looked at")) fail_msg("%s: %s", what, said);
    if (used.ru_maxrss / 1024 > most_memory) most_memory = used.ru_maxrss / 1024;
    refused += code != STATUS_OK;
    whole += code == STATUS_OK;
    unsound += strstr(said, "not a sound HDF5 file") != NULL;
}

/* Numbers on which readers of sizes go wrong, single bits, whole bytes, cuts. */
static size_t mutate(random_stream *r, unsigned char *data, size_t bytes) {
    static const uint64_t odd[] = {0, 1, 255, 65535, INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX};
    size_t at = (size_t)random_below(r, bytes), wide = (size_t)1 << random_below(r, 4);
    /* The structure is at the begin, and between arrays: of these small files most. */
    if (random_below(r, 3) == 0) at = (size_t)random_below(r, bytes < 2048 ? bytes : 2048);
    switch (random_below(r, 5)) {
    case 0:
        data[at] ^= (unsigned char)(1 << random_below(r, 8));
        return bytes;
    case 1:
        data[at] = (unsigned char)random_below(r, 256);
        return bytes;
    case 2:
        if (wide <= bytes - at) memcpy(data + at, &odd[random_below(r, 8)], wide);
        return bytes;
    case 3:
        if (wide <= bytes - at) memmove(data + at, data + random_below(r, bytes - wide), wide);
        return bytes;
    default:
        return random_below(r, 20) == 0 ? at + 1 : bytes;
    }
}

static void any_mutation_is_answered(void **state) {
    (void)state;
    char path[FILE_PATH], what[64];
    strcpy(path, scratch_path(&folder, "mutated.h5"));
    write_dataset();
    write_others();
    for (int i = 0; i < KINDS; i++)
        assert_int_equal(file_read(scratch_path(&folder, kind[i].name), 1 << 24,
                             (void **)&kind[i].data, &kind[i].bytes),
            STATUS_OK);
    for (int i = 0; i < KINDS; i++) check_file(scratch_path(&folder, kind[i].name), kind[i].name);
    assert_int_equal(whole, KINDS);
    for (int i = 0; i < runs; i++) {
        const original *o = &kind[i % KINDS];
        random_stream r = random_begin((uint64_t)seed, RANDOM_SYNTH, 9, (uint64_t)i);
        unsigned char *copy = memory_alloc(o->bytes, 1, "mutation");
        memcpy(copy, o->data, o->bytes);
        size_t bytes = o->bytes;
        for (uint64_t k = 1 + random_below(&r, 6); k > 0; k--) bytes = mutate(&r, copy, bytes);
        put("mutated.h5", copy, bytes);
        memory_free(copy);
        snprintf(what, sizeof what, "%s, seed %d, mutation %d", o->name, seed, i);
        check_file(path, what);
    }
    for (int i = 0; i < KINDS; i++) memory_free(kind[i].data);
    print_message("%d mutations: %d refused, of these %d by the look beforehand; %ld MiB at most\n",
        runs, refused, unsound, most_memory);
#ifndef AUXSEG_SANITIZED
    assert_true(most_memory < MEBIBYTES);
#endif
}

/* What a library does that the file has led astray: by the file's name, in the child. */
static void go_astray(const char *path) {
    struct rlimit cpu = {1, 2}, core = {0, 0};
    setrlimit(RLIMIT_CORE, &core);
    setrlimit(RLIMIT_CPU, &cpu);
    if (strstr(path, "early")) raise(SIGSEGV);
    if (write(1, "w", 1) != 1) _exit(99);
    if (strstr(path, "crash")) raise(SIGSEGV);
    for (volatile int i = 0; strstr(path, "hang"); i++) {
    }
    fprintf(stderr, "auxseg: error: %s: its own words\n", path);
    _exit(STATUS_DATA);
}

static void the_message_says_how_it_ended(void **state) {
    (void)state;
    static const struct {
        const char *name, *message;
        status wanted;
    } end[] = {{"crash.h5", "crash.h5: not a sound HDF5 file (the library crashed", STATUS_DATA},
        {"hang.h5", "hang.h5: not a sound HDF5 file (the library did not answer", STATUS_DATA},
        {"refuse.h5", "refuse.h5: its own words\n", STATUS_DATA},
        /* Before it came to the file: that is no word about the file. */
        {"early.h5", "early.h5: could not be looked at", STATUS_OK}};
    setenv("OMPI_COMM_WORLD_RANK", "0", 1);
    for (size_t i = 0; i < sizeof end / sizeof *end; i++) {
        capture c;
        char path[FILE_PATH];
        put(end[i].name, "", 1);
        strcpy(path, scratch_path(&folder, end[i].name));
        capture_begin(&c, 2);
        status st = hdf5_guard(path);
        capture_end(&c);
        if (st != end[i].wanted || !strstr(c.text, end[i].message))
            fail_msg("%s: %d, %s", end[i].name, (int)st, c.text);
    }
}

/* Files on which h5dump crashes or hangs. */
static void known_files_are_answered(void **state) {
    (void)state;
    const char *shared = getenv("AUXSEG_SHARED");
    char path[FILE_PATH];
    if (!shared) return;
    snprintf(path, sizeof path, "%s/data/hostile", shared);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (!strstr(e->d_name, ".h5")) continue;
        snprintf(path, sizeof path, "%s/data/hostile/%s", shared, e->d_name);
        check_file(path, e->d_name);
    }
    if (d) closedir(d);
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], HDF5_GUARD_COMMAND) == 0) {
        static const char *const astray[] = {"crash.h5", "hang.h5", "refuse.h5", "early.h5"};
        if (getenv("OMPI_COMM_WORLD_RANK")) return 97; /* MPI's variables are not for it */
        for (size_t i = 0; i < sizeof astray / sizeof *astray; i++)
            if (strstr(argv[2], astray[i])) go_astray(argv[2]);
        return (int)hdf5_walk(argv[2]);
    }
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--runs") == 0) runs = atoi(argv[i + 1]);
        if (strcmp(argv[i], "--seed") == 0) seed = atoi(argv[i + 1]);
    }
    hdf5_guard_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_message_says_how_it_ended),
        cmocka_unit_test(any_mutation_is_answered),
        cmocka_unit_test(known_files_are_answered),
    };
    return cmocka_run_group_tests(tests, setup, world_teardown);
}
