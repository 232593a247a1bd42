/* Every odd kind of image against Pillow: tests/fixtures/odd_images.bin. Each is turned as its
 * header says, and compared pixel by pixel, or refused by name. AUXSEG_PRINT=1 prints the table. */
#include "io/codecs/exif.h"
#include "io/codecs/image_file.h"
#include "src/base/memory.h"
#include "src/image/turn.h"
#include "tests/base/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { LIMIT = 1000 * 1000, CASES = 70 };

typedef struct odd_image {
    char name[24];
    int32_t refused, height, width, tolerance, orientation, warnings, size;
    uint8_t *file;
    uint8_t *wanted; /* [h, w, 3] */
} odd_image;

static int next_image(FILE *f, odd_image *p) {
    if (fread(p->name, sizeof p->name, 1, f) != 1) return 0;
    assert_int_equal(fread(&p->refused, sizeof(int32_t), 7, f), 7);
    size_t bytes = (size_t)(p->height * p->width) * 3;
    p->file = malloc((size_t)p->size);
    p->wanted = malloc(bytes + 1);
    assert_true(p->file && p->wanted);
    assert_int_equal(fread(p->file, (size_t)p->size, 1, f), 1);
    assert_int_equal(fread(p->wanted, 1, bytes, f), bytes);
    return 1;
}

static void for_each(void (*check)(const odd_image *p)) {
    odd_image p;
    int count = 0;
    FILE *f = fopen(AUXSEG_TESTS "/fixtures/odd_images.bin", "rb");
    assert_non_null(f);
    for (; next_image(f, &p); count++) {
        check(&p);
        free(p.file);
        free(p.wanted);
    }
    fclose(f);
    assert_int_equal(count, CASES);
}

static int largest_difference(const odd_image *p, const image *m) {
    int largest = 0;
    if (m->height != p->height || m->width != p->width) return 256;
    for (int i = 0; i < 3 * p->height * p->width; i++) {
        int d = abs(m->data[i] - p->wanted[i]);
        largest = d > largest ? d : largest;
    }
    return largest;
}

/* Decoding and trying agree: what packing accepts is what training reads. */
static void check_refused(const odd_image *p) {
    image m;
    image_header h;
    capture c;
    capture_begin(&c, 2);
    status st = image_file_decode(p->file, (size_t)p->size, p->name, LIMIT, &m);
    status tried = image_file_try(p->file, (size_t)p->size, p->name, LIMIT, &h);
    capture_end(&c);
    if (getenv("AUXSEG_PRINT")) printf("%-24s refused: %s", p->name, c.text);
    assert_int_equal(st, STATUS_DATA);
    assert_int_equal(tried, STATUS_DATA);
    assert_non_null(strstr(c.text, p->name));
}

static void check_image(const odd_image *p) {
    image m;
    image_header h;
    size_t size = (size_t)p->size;
    if (p->refused) {
        check_refused(p);
        return;
    }
    if (image_file_try(p->file, size, p->name, LIMIT, &h) != STATUS_OK)
        fail_msg("%s is refused", p->name);
    assert_int_equal(image_file_decode(p->file, size, p->name, LIMIT, &m), STATUS_OK);
    assert_int_equal(image_turn(&m, h.orientation), STATUS_OK);
    int difference = largest_difference(p, &m);
    if (getenv("AUXSEG_PRINT")) printf("%-24s %d\n", p->name, difference);
    if (difference > p->tolerance || h.orientation != p->orientation ||
        h.warnings != (unsigned)p->warnings)
        fail_msg("%s: differs by %d, orientation %d, warnings %u", p->name, difference,
            h.orientation, h.warnings);
    image_destroy(&m);
}

static void odd_images_are_as_pillow_has_them(void **state) {
    (void)state;
    for_each(check_image);
}

/* Whatever the bytes, and wherever they end: a copy of the right size lets the sanitizer see. */
static void check_damaged_exif(const odd_image *p) {
    if (!strstr(p->name, "exif")) return;
    for (int n = 0; n < 120 && n < p->size; n++)
        for (int flip = 0; flip < 3; flip++) {
            uint8_t *copy = malloc((size_t)n + 1);
            assert_non_null(copy);
            memcpy(copy, p->file, (size_t)n);
            if (n > 0) copy[n - 1] ^= (uint8_t)(flip == 0 ? 0 : flip == 1 ? 0xFF : 0x80);
            uint8_t *exact = realloc(copy, n > 0 ? (size_t)n : 1);
            int o = exif_orientation_of_jpeg(exact, (size_t)n);
            assert_in_range(o, 1, 8);
            if (n > 30) assert_in_range(exif_orientation(exact + 30, (size_t)n - 30), 1, 8);
            free(exact);
        }
}

static void damaged_exif_does_no_harm(void **state) {
    (void)state;
    for_each(check_damaged_exif);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(odd_images_are_as_pillow_has_them),
        cmocka_unit_test(damaged_exif_does_no_harm)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
