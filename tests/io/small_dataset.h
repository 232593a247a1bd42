/* The small data set of dataset_test.c: its files, and packing them. */
#ifndef AUXSEG_TESTS_IO_SMALL_DATASET_H
#define AUXSEG_TESTS_IO_SMALL_DATASET_H

#include "io/dataset/dataset.h"

#include "io/codecs/image_file.h"
#include "io/files/file.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/image/palette.h"
#include "tests/base/capture.h"
#include "tests/io/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <cmocka.h>

enum { IMAGES = 7, LABELLED = 5, CLASSES = 4, IGNORE = 9 };

static const int height[IMAGES] = {5, 20, 1, 33, 8, 12, 12},
                 width[IMAGES] = {7, 30, 1, 9, 8, 10, 10};

/* ---- a small data set: image i has a label map of ids 0 .. 3 and 9, the last two have none ----
 */

static inline image make_image(int i) {
    image m;
    random_stream r = random_begin(1, RANDOM_SYNTH, 0, (uint64_t)i);
    assert_int_equal(image_create(&m, height[i], width[i]), STATUS_OK);
    for (int k = 0; k < 3 * height[i] * width[i]; k++) m.data[k] = (uint8_t)random_below(&r, 256);
    return m;
}

static inline labelmap make_labels(int i) {
    labelmap m;
    random_stream r = random_begin(1, RANDOM_SYNTH, 1, (uint64_t)i);
    assert_int_equal(labelmap_create(&m, height[i], width[i]), STATUS_OK);
    for (int k = 0; k < height[i] * width[i]; k++) {
        uint16_t id = (uint16_t)random_below(&r, CLASSES + 1);
        m.data[k] = id == CLASSES ? IGNORE : id;
    }
    m.data[0] = 1;
    return m;
}

/* A new file each time: to overwrite one waits for the disk. */
static void put(const char *name, const void *bytes, size_t size) {
    unlink(scratch_path(&folder, name));
    scratch_write(scratch_path(&folder, name), bytes, size);
}

static void put_text(const char *name, const char *text) {
    put(name, text, strlen(text));
}

static inline void put_image(const char *name, const image *m) {
    void *png = NULL;
    size_t size;
    assert_int_equal(image_file_encode(m, &png, &size), STATUS_OK);
    put(name, png, size);
    memory_free(png);
}

static inline void put_labels(const char *name, const labelmap *m) {
    void *png = NULL;
    size_t size;
    assert_int_equal(image_file_encode_labels(m, palette_classes(), &png, &size), STATUS_OK);
    put(name, png, size);
    memory_free(png);
}

/* Rank 0 makes the files; image 3 and later are of the validation split. */
static inline int setup(void **state) {
    world_setup(state);
    for (int i = 0; comm_root(world) && i < IMAGES; i++) {
        char name[32];
        image m = make_image(i);
        snprintf(name, sizeof name, "%d.png", i);
        put_image(name, &m);
        image_destroy(&m);
        if (i >= LABELLED) continue;
        labelmap l = make_labels(i);
        snprintf(name, sizeof name, "%d-labels.png", i);
        put_labels(name, &l);
        labelmap_destroy(&l);
    }
    if (comm_root(world)) {
        put_text("train", "0.png\t0-labels.png\n1.png\t1-labels.png\n2.png\t2-labels.png\n");
        put_text("val", "3.png\t3-labels.png\n4.png\t4-labels.png\n5.png\n6.png\n");
    }
    comm_barrier(world);
    return 0;
}

static settings describe(const char *train, const char *val) {
    settings s;
    assert_int_equal(settings_read(&s, NULL, NULL, 0), STATUS_OK);
    s.dataset.layout = DATASET_LAYOUT_PAIRS;
    strcpy(s.dataset.root, folder.folder);
    strcpy(s.dataset.train, train);
    strcpy(s.dataset.val, val);
    s.dataset.classes = CLASSES;
    s.dataset.ignore = IGNORE;
    return s;
}

/* Whether any rank's messages hold the text. */
static bool somewhere(const comm *c, const capture *of, const char *text) {
    int32_t found = strstr(of->text, text) != NULL;
    comm_max_i32(c, &found, 1);
    return found;
}

/* Packs, fails as wanted, and says so on one rank. */
static inline void check_pack_fails(const settings *s, status wanted, const char *message) {
    capture c;
    char path[FILE_PATH];
    comm_barrier(world);
    strcpy(path, scratch_path(&folder, "failed.h5"));
    capture_begin(&c, 2);
    status st = dataset_pack(world, s, path, NULL, &(timers){0});
    capture_end(&c);
    assert_int_equal(st, wanted);
    assert_true(somewhere(world, &c, message));
    assert_false(file_exists(path));
    strcat(path, FILE_TEMPORARY);
    assert_false(file_exists(path));
}

/* By all ranks, or by the one that calls (c NULL), which is quicker. */
static inline void pack(const comm *c, const settings *s, const char *name, dataset **out) {
    capture messages;
    comm_barrier(c);
    capture_begin(&messages, 1);
    status st = dataset_pack(c, s, scratch_path(&folder, name), NULL, &(timers){0});
    capture_end(&messages);
    assert_int_equal(st, STATUS_OK);
    assert_int_equal(dataset_open(c, scratch_path(&folder, name), out), STATUS_OK);
}

#endif
