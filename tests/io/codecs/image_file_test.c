#include "io/codecs/image_file.h"

#include "io/files/file.h"
#include "src/base/memory.h"
#include "src/base/random.h"
#include "src/image/palette.h"
#include "tests/base/capture.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

enum { LIMIT = 1000 * 1000 };
enum { IMAGE, LABELS, REFUSED }; /* kinds of pictures */

/* One of images.bin. */
typedef struct picture {
    char name[16];
    int32_t kind, height, width, tolerance, size;
    uint8_t *file;
    uint8_t *wanted; /* [h, w, 3] or uint16 [h, w] */
} picture;

static size_t wanted_bytes(const picture *p) {
    return (size_t)(p->height * p->width) * (p->kind == LABELS ? 2 : 3);
}

static int next_picture(FILE *f, picture *p) {
    if (fread(p->name, sizeof p->name, 1, f) != 1) return 0;
    assert_int_equal(fread(&p->kind, sizeof(int32_t), 5, f), 5);
    p->file = malloc((size_t)p->size);
    p->wanted = malloc(wanted_bytes(p) + 1);
    assert_true(p->file && p->wanted);
    assert_int_equal(fread(p->file, (size_t)p->size, 1, f), 1);
    assert_int_equal(fread(p->wanted, 1, wanted_bytes(p), f), wanted_bytes(p));
    return 1;
}

static void for_each(void (*check)(const picture *p)) {
    picture p;
    int count = 0;
    FILE *f = fopen(AUXSEG_TESTS "/fixtures/images.bin", "rb");
    assert_non_null(f);
    for (; next_picture(f, &p); count++) {
        check(&p);
        free(p.file);
        free(p.wanted);
    }
    fclose(f);
    assert_int_equal(count, 23);
}

static void check_decoded(const picture *p) {
    image_header h;
    image m;
    labelmap l;
    size_t size = (size_t)p->size;
    if (p->kind == REFUSED) {
        assert_int_equal(image_file_decode(p->file, size, p->name, LIMIT, &m), STATUS_DATA);
        return;
    }
    assert_int_equal(image_file_header(p->file, size, p->name, &h), STATUS_OK);
    assert_true(h.height == p->height && h.width == p->width);
    assert_int_equal(h.palette, strstr(p->name, "palette") != NULL);
    assert_string_equal(h.format, strstr(p->name, "jpeg") ? "jpeg" : "png");
    if (p->kind == LABELS) {
        assert_int_equal(image_file_labels(p->file, size, p->name, LIMIT, &l), STATUS_OK);
        assert_true(l.height == p->height && l.width == p->width);
        assert_memory_equal(l.data, p->wanted, wanted_bytes(p));
        labelmap_destroy(&l);
        return;
    }
    assert_int_equal(image_file_decode(p->file, size, p->name, LIMIT, &m), STATUS_OK);
    assert_true(m.height == p->height && m.width == p->width);
    for (size_t i = 0; i < wanted_bytes(p); i++)
        assert_true(abs(m.data[i] - p->wanted[i]) <= p->tolerance);
    image_destroy(&m);
}

static void every_kind_is_decoded(void **state) {
    (void)state;
    for_each(check_decoded);
}

/* Refused, and the output untouched. */
static void check_refused(const void *bytes, size_t size, const char *name, int64_t limit) {
    image m = {-1, -1, NULL};
    labelmap l = {-1, -1, NULL};
    assert_int_equal(image_file_decode(bytes, size, name, limit, &m), STATUS_DATA);
    assert_int_equal(image_file_labels(bytes, size, name, limit, &l), STATUS_DATA);
    assert_true(m.height == -1 && !m.data && l.height == -1 && !l.data);
}

static void check_limit(const picture *p) {
    check_refused(p->file, (size_t)p->size, p->name, p->height * p->width - 1);
}

/* What a process of its own makes of the picture when its n-th allocation fails. */
static int status_without_memory(const picture *p, int n) {
    int code;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        image m;
        labelmap l;
        char number[16];
        snprintf(number, sizeof number, "%d", n);
        setenv("AUXSEG_HOOK_MEMORY", number, 1);
        _exit(p->kind == LABELS
                  ? (int)image_file_labels(p->file, (size_t)p->size, p->name, LIMIT, &l)
                  : (int)image_file_decode(p->file, (size_t)p->size, p->name, LIMIT, &m));
    }
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_true(WIFEXITED(code));
    return WEXITSTATUS(code);
}

/* Beyond the last allocation, or where the library does without. */
static void check_no_memory(const picture *p) {
    if (p->kind == REFUSED) return;
    assert_int_equal(status_without_memory(p, 1), STATUS_FAILED);
    for (int n = 2; n <= 12; n++) {
        int st = status_without_memory(p, n);
        assert_true(st == STATUS_OK || st == STATUS_FAILED);
    }
}

static void without_memory_no_picture_is_called_bad(void **state) {
    (void)state;
    for_each(check_no_memory);
}

static void more_pixels_than_the_limit_are_refused(void **state) {
    (void)state;
    for_each(check_limit);
}

static void colours_are_no_labels(void **state) {
    (void)state;
    image m = {0};
    labelmap l;
    void *png = NULL;
    size_t size;
    assert_int_equal(image_create(&m, 2, 2), STATUS_OK);
    assert_int_equal(image_file_encode(&m, &png, &size), STATUS_OK);
    assert_int_equal(image_file_labels(png, size, "colours", LIMIT, &l), STATUS_DATA);
    memory_free(png);
    image_destroy(&m);
}

static void what_is_written_is_read(void **state) {
    (void)state;
    image m, back;
    labelmap l, ids;
    void *png = NULL;
    size_t size;
    random_stream r = random_begin(1, RANDOM_SYNTH, 0, 0);
    assert_int_equal(image_create(&m, 37, 51), STATUS_OK);
    assert_int_equal(labelmap_create(&l, 37, 51), STATUS_OK);
    for (int i = 0; i < 3 * 37 * 51; i++) m.data[i] = (uint8_t)random_below(&r, 256);
    for (int i = 0; i < 37 * 51; i++) l.data[i] = (uint16_t)random_below(&r, 255);
    l.data[7] = LABEL_IGNORE;
    assert_int_equal(image_file_encode(&m, &png, &size), STATUS_OK);
    assert_int_equal(image_file_decode(png, size, "image", LIMIT, &back), STATUS_OK);
    assert_memory_equal(m.data, back.data, 3 * 37 * 51);
    int none = 7;
    assert_int_equal(image_file_palette(png, size, "image", NULL, &none), STATUS_OK);
    assert_int_equal(none, 0);
    memory_free(png);
    image_destroy(&back);
    assert_int_equal(image_file_encode_labels(&l, palette_classes(), &png, &size), STATUS_OK);
    assert_int_equal(image_file_labels(png, size, "labels", LIMIT, &ids), STATUS_OK);
    palette colours;
    int count = 0;
    assert_int_equal(image_file_palette(png, size, "labels", colours, &count), STATUS_OK);
    assert_int_equal(count, 256);
    assert_memory_equal(colours, palette_classes(), sizeof colours);
    l.data[7] = 255;
    assert_memory_equal(l.data, ids.data, 2 * 37 * 51);
    assert_int_equal(image_file_decode(png, size, "labels", LIMIT, &back), STATUS_OK);
    assert_memory_equal(back.data, palette_classes()[l.data[0]], 3);
    memory_free(png);
    image_destroy(&back);
    labelmap_destroy(&ids);
    image_destroy(&m);
    labelmap_destroy(&l);
}

/* Smooth pictures survive JPEG but for a few grey levels; a lower quality is smaller. */
static void a_jpeg_is_close(void **state) {
    (void)state;
    image m, back;
    void *fine = NULL, *coarse = NULL;
    size_t fine_size, coarse_size;
    assert_int_equal(image_create(&m, 37, 51), STATUS_OK);
    for (int i = 0; i < 37 * 51; i++)
        for (int c = 0; c < 3; c++) m.data[3 * i + c] = (uint8_t)(2 * (i / 51) + 3 * (i % 51) + c);
    assert_int_equal(image_file_encode_jpeg(&m, 90, &fine, &fine_size), STATUS_OK);
    assert_int_equal(image_file_encode_jpeg(&m, 30, &coarse, &coarse_size), STATUS_OK);
    assert_true(coarse_size < fine_size);
    assert_int_equal(image_file_decode(fine, fine_size, "image", LIMIT, &back), STATUS_OK);
    assert_true(back.height == 37 && back.width == 51);
    for (int i = 0; i < 3 * 37 * 51; i++) assert_true(abs(m.data[i] - back.data[i]) <= 8);
    memory_free(fine);
    memory_free(coarse);
    image_destroy(&back);
    image_destroy(&m);
}

/* ---- damaged files: thousands of messages that nobody should read ---- */

static int quiet_begin(void) {
    fflush(stderr);
    int kept = dup(2), nothing = open("/dev/null", O_WRONLY);
    dup2(nothing, 2);
    close(nothing);
    return kept;
}

static void quiet_end(int kept) {
    dup2(kept, 2);
    close(kept);
}

/* A copy of exactly the right size, so that reading past its end is seen by the sanitizer. */
static void try_bytes(const uint8_t *bytes, size_t size, int must_fail) {
    image m = {0};
    labelmap l = {0};
    image_header h;
    uint8_t *copy = malloc(size + !size);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    status st = image_file_header(copy, size, "damaged", &h);
    assert_true(st == STATUS_OK || st == STATUS_DATA);
    st = image_file_decode(copy, size, "damaged", LIMIT, &m);
    assert_true(st == STATUS_DATA || (st == STATUS_OK && !must_fail));
    st = image_file_labels(copy, size, "damaged", LIMIT, &l);
    assert_true(st == STATUS_DATA || (st == STATUS_OK && !must_fail));
    image_destroy(&m);
    labelmap_destroy(&l);
    free(copy);
}

static void check_truncated(const picture *p) {
    for (size_t n = 0; n < (size_t)p->size; n += n < 600 ? 1 : 7) try_bytes(p->file, n, 1);
}

/* Of a smooth picture a quarter of the size is close to the mean over four by four pixels. */
static void a_jpeg_is_decoded_reduced(void **state) {
    (void)state;
    enum { H = 83, W = 120 };
    static const struct {
        int least_height, least_width, height, width;
    } of[] = {{H, W, H, W}, {H, 1, H, W}, {43, 60, H, W}, {42, 60, 42, 60}, {42, 61, H, W},
        {22, 30, 42, 60}, {21, 30, 21, 30}, {11, 15, 11, 15}, {1, 1, 11, 15}};
    image m, back;
    void *jpeg = NULL, *png = NULL;
    size_t size, png_size;
    assert_int_equal(image_create(&m, H, W), STATUS_OK);
    for (int i = 0; i < H * W; i++) {
        m.data[3 * i] = (uint8_t)(2 * (i % W));
        m.data[3 * i + 1] = (uint8_t)(3 * (i / W));
        m.data[3 * i + 2] = (uint8_t)(i / W + i % W);
    }
    assert_int_equal(image_file_encode_jpeg(&m, 95, &jpeg, &size), STATUS_OK);
    assert_int_equal(image_file_encode(&m, &png, &png_size), STATUS_OK);
    for (size_t k = 0; k < sizeof of / sizeof *of; k++) {
        int h = of[k].least_height, w = of[k].least_width;
        assert_int_equal(
            image_file_decode_reduced(jpeg, size, "jpeg", LIMIT, h, w, &back), STATUS_OK);
        assert_true(back.height == of[k].height && back.width == of[k].width);
        int by = (H + back.height - 1) / back.height;
        for (int i = 0; i < 3 * (H / by) * (W / by); i++) {
            int y = i / 3 / (W / by), x = i / 3 % (W / by), c = i % 3;
            double middle_y = by * y + 0.5 * (by - 1), middle_x = by * x + 0.5 * (by - 1);
            double want = c == 0 ? 2 * middle_x : c == 1 ? 3 * middle_y : middle_x + middle_y;
            assert_true(fabs(back.data[3 * (y * back.width + x) + c] - want) < 6);
        }
        image_destroy(&back);
        assert_int_equal(
            image_file_decode_reduced(png, png_size, "png", LIMIT, h, w, &back), STATUS_OK);
        assert_true(back.height == H && back.width == W);
        image_destroy(&back);
    }
    assert_int_equal(
        image_file_decode_reduced(jpeg, size, "jpeg", H * W - 1, 1, 1, &back), STATUS_DATA);
    memory_free(jpeg);
    memory_free(png);
    image_destroy(&m);
}

static void a_shortened_file_is_refused(void **state) {
    (void)state;
    int kept = quiet_begin();
    for_each(check_truncated);
    quiet_end(kept);
}

static void check_mutated(const picture *p) {
    uint8_t *bytes = malloc((size_t)p->size);
    assert_non_null(bytes);
    for (uint64_t i = 0; i < 300; i++) {
        random_stream r = random_begin(5, RANDOM_SYNTH, (uint64_t)p->size, i);
        memcpy(bytes, p->file, (size_t)p->size);
        for (uint64_t n = 1 + random_below(&r, 4); n > 0; n--) {
            /* Half of them in the first bytes, where sizes and types stand. */
            uint64_t range = random_below(&r, 2) ? 64 : (uint64_t)p->size;
            size_t at = (size_t)random_below(&r, range) % (size_t)p->size;
            bytes[at] = (uint8_t)random_below(&r, 256);
        }
        try_bytes(bytes, (size_t)p->size, 0);
    }
    free(bytes);
}

static void a_changed_file_does_no_harm(void **state) {
    (void)state;
    int kept = quiet_begin();
    for_each(check_mutated);
    quiet_end(kept);
}

static void other_bytes_are_no_image(void **state) {
    (void)state;
    static const char text[] = "GIF89a and more", start[] = "\xFF\xD8\xFF",
                      sign[] = "\x89PNG\r\n\x1a\n";
    image_header h;
    check_refused(text, sizeof text, "text", LIMIT);
    check_refused(start, 3, "start", LIMIT);
    check_refused(sign, 8, "signature", LIMIT);
    check_refused(text, 0, "nothing", LIMIT);
    assert_int_equal(image_file_header(text, sizeof text, "text", &h), STATUS_DATA);
}

/* What a look at a file's ends can tell: whether it was cut off. */
static void check_ends(const picture *p) {
    enum { END = 16 };
    image_header h;
    size_t size = (size_t)p->size;
    if (p->kind == REFUSED) return;
    assert_int_equal(image_file_header(p->file, size, p->name, &h), STATUS_OK);
    assert_true(image_file_ends(&h, p->file + size - END, END));
    for (size_t cut = 1; cut < END; cut++)
        assert_false(image_file_ends(&h, p->file + size - END, END - cut));
    /* Of a beginning that is too short nothing is said, as more of the file will be read. */
    capture c;
    capture_begin(&c, 2);
    status st = image_file_header(p->file, 20, NULL, &h);
    capture_end(&c);
    assert_int_equal(st, STATUS_DATA);
    assert_string_equal(c.text, "");
}

static void ends_of_files_are_known(void **state) {
    (void)state;
    for_each(check_ends);
}

/* A JPEG of two colours, of which the library makes no RGB. */
static void two_colours_are_refused_by_the_header(void **state) {
    (void)state;
    static const uint8_t jpeg[] = {0xFF, 0xD8, 0xFF, 0xC0, 0, 14, 8, 0, 8, 0, 8, 2, 1, 0x11, 0, 2,
        0x11, 0, 0xFF, 0xDA, 0, 10, 2, 1, 0, 2, 0, 0, 63, 0};
    image_header h;
    capture c;
    assert_int_equal(image_file_header(jpeg, sizeof jpeg, "two", &h), STATUS_OK);
    assert_string_equal(h.colour, "unknown");
    assert_int_equal(h.channels, 2);
    capture_begin(&c, 2);
    status st = image_file_check(&h, "two.jpg", LIMIT);
    capture_end(&c);
    assert_int_equal(st, STATUS_DATA);
    assert_non_null(strstr(c.text, "two.jpg: a jpeg of 8 bits and unknown colours is not read"));
    check_refused(jpeg, sizeof jpeg, "two", LIMIT);
}

/* ---- hostile files ---- */

/* A progressive JPEG, grey, that says the same flat picture again in each scan. */
static size_t make_scans(uint8_t *to, int height, int width, int scans) {
    static const uint8_t head[] = {0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0};
    uint8_t frame[] = {0xFF, 0xC2, 0, 11, 8, (uint8_t)(height >> 8), (uint8_t)height,
        (uint8_t)(width >> 8), (uint8_t)width, 1, 1, 0x11, 0};
    static const uint8_t table[] = {
        0xFF, 0xC4, 0, 20, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t scan[] = {0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 0, 0};
    uint8_t *at = to;
    at = (uint8_t *)mempcpy(at, head, sizeof head);
    at = (uint8_t *)memset(at, 1, 64) + 64;
    at = (uint8_t *)mempcpy(at, frame, sizeof frame);
    at = (uint8_t *)mempcpy(at, table, sizeof table);
    int blocks = (height + 7) / 8 * ((width + 7) / 8);
    for (int i = 0; i < scans; i++) {
        at = (uint8_t *)mempcpy(at, scan, sizeof scan);
        for (int bits = blocks; bits > 0; bits -= 8) *at++ = (uint8_t)(bits < 8 ? 0xFF >> bits : 0);
    }
    *at++ = 0xFF;
    *at++ = 0xD9;
    return (size_t)(at - to);
}

static void endless_scans_are_refused(void **state) {
    (void)state;
    static uint8_t bytes[1 << 20];
    image m;
    size_t size = make_scans(bytes, 20, 20, 90);
    assert_int_equal(image_file_decode(bytes, size, "90 scans", LIMIT, &m), STATUS_OK);
    for (int i = 0; i < 20 * 20 * 3; i++) assert_int_equal(m.data[i], 128);
    image_destroy(&m);
    check_refused(bytes, make_scans(bytes, 20, 20, 1000), "1000 scans", LIMIT);
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Sizes come from the header: a refusal costs no time and no memory. The best of a few times: the
 * machine may be busy. */
static void check_cheap_refusal(const void *bytes, size_t size, const char *name) {
    size_t before = memory_peak();
    double best = 1;
    for (int i = 0; i < 5; i++) {
        double began = seconds();
        check_refused(bytes, size, name, 100 * LIMIT);
        if (seconds() - began < best) best = seconds() - began;
    }
    assert_true(best < 0.05);
    assert_true(memory_peak() - before < 20u << 20);
}

static void bombs_are_refused_at_once(void **state) {
    (void)state;
    static const char *const name[] = {"bomb.jpg", "bomb.png"};
    const char *shared = getenv("AUXSEG_SHARED");
    if (!shared) {
        print_message("AUXSEG_SHARED is not set: no hostile files\n");
        skip();
    }
    for (int i = 0; i < 2; i++) {
        char path[FILE_PATH];
        void *bytes = NULL;
        size_t size;
        snprintf(path, sizeof path, "%s/data/hostile/%s", shared, name[i]);
        assert_int_equal(file_read(path, (size_t)1 << 30, &bytes, &size), STATUS_OK);
        check_cheap_refusal(bytes, size, path);
        memory_free(bytes);
    }
}

/* The same without the files: a header that claims all that a JPEG can. */
static void a_claim_is_refused_at_once(void **state) {
    (void)state;
    static uint8_t bytes[4096];
    make_scans(bytes, 8, 8, 1);
    const uint8_t large[4] = {0xFF, 0xDC, 0xFF, 0xDC};
    memcpy(bytes + 7 + 64 + 5, large, 4);
    check_cheap_refusal(bytes, sizeof bytes, "claim");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_decoded),
        cmocka_unit_test(more_pixels_than_the_limit_are_refused),
        cmocka_unit_test(without_memory_no_picture_is_called_bad),
        cmocka_unit_test(colours_are_no_labels),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_jpeg_is_close),
        cmocka_unit_test(a_jpeg_is_decoded_reduced),
        cmocka_unit_test(a_shortened_file_is_refused),
        cmocka_unit_test(a_changed_file_does_no_harm),
        cmocka_unit_test(other_bytes_are_no_image),
        cmocka_unit_test(ends_of_files_are_known),
        cmocka_unit_test(two_colours_are_refused_by_the_header),
        cmocka_unit_test(endless_scans_are_refused),
        cmocka_unit_test(a_claim_is_refused_at_once),
        cmocka_unit_test(bombs_are_refused_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
