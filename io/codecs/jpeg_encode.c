/* JPEG for the pictures of the page: small rather than exact. The result depends on the library's
 * version: these bytes are for the eye, and no hash or key has them in it. libjpeg reports errors
 * by a call that must not return, so that it is left by longjmp. */
#include "io/codecs/image_file.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

enum { FULL_COLOURS = 95 }; /* quality from which on no colour is left out */

/* The library hands its first member back, from which the whole is found. */
typedef struct jpeg_errors {
    struct jpeg_error_mgr manager;
    jmp_buf jump;
} jpeg_errors;

/* Without this the library would end the process. */
static void on_error(j_common_ptr c) {
    char message[JMSG_LENGTH_MAX];
    c->err->format_message(c, message);
    log_error("JPEG: cannot encode: %s", message);
    longjmp(((jpeg_errors *)c->err)->jump, 1);
}

/* *bytes is the library's, to be freed with free(), whatever is returned. Nothing is allocated here
 * that a longjmp could lose: the library frees its own. Rows are given to it where they lie:
 * nothing of the picture is copied. */
static status encode(const image *m, int quality, unsigned char **bytes, unsigned long *size) {
    struct jpeg_compress_struct j;
    jpeg_errors e;
    memset(&j, 0, sizeof j);
    j.err = jpeg_std_error(&e.manager);
    e.manager.error_exit = on_error;
    if (setjmp(e.jump)) {
        jpeg_destroy_compress(&j);
        return STATUS_FAILED;
    }
    jpeg_create_compress(&j);
    jpeg_mem_dest(&j, bytes, size);
    j.image_width = (JDIMENSION)m->width;
    j.image_height = (JDIMENSION)m->height;
    j.input_components = 3;
    j.in_color_space = JCS_RGB;
    /* After the colours, as the defaults depend on them; quality after the defaults, which set
     * their own. */
    jpeg_set_defaults(&j);
    jpeg_set_quality(&j, quality, TRUE);
    /* Who asks for so much wants the colours whole, too: half as many would be the default. */
    if (quality >= FULL_COLOURS) j.comp_info[0].h_samp_factor = j.comp_info[0].v_samp_factor = 1;
    jpeg_start_compress(&j, TRUE);
    while (j.next_scanline < j.image_height) {
        JSAMPROW row = m->data + (size_t)j.next_scanline * (size_t)m->width * 3;
        jpeg_write_scanlines(&j, &row, 1);
    }
    jpeg_finish_compress(&j);
    jpeg_destroy_compress(&j);
    return STATUS_OK;
}

/* The library allocates with malloc: a copy is made in memory that callers free like all other. */
status image_file_encode_jpeg(const image *m, int quality, void **bytes, size_t *size) {
    unsigned char *encoded = NULL;
    unsigned long n = 0;
    status st = encode(m, quality, &encoded, &n);
    void *copy = st == STATUS_OK ? memory_alloc(n, 1, "JPEG") : NULL;
    if (st == STATUS_OK && !copy) st = STATUS_FAILED;
    if (st == STATUS_OK) {
        memcpy(copy, encoded, n);
        *bytes = copy;
        *size = n;
    }
    free(encoded);
    return st;
}
