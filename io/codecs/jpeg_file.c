/* JPEG by libjpeg-turbo, from bytes that may be anything. The library reports by longjmp; what it
 * merely warns of (an early end, corrupt data) is taken as an error, and a progressive file may not
 * ask for more passes than any real one does. The order of calls is the library's contract: errors
 * set up, object made, source, header, then settings, then pixels. */
#include "io/codecs/jpeg_file.h"

#include "src/base/log.h"

#include <assert.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

/* A progressive file may ask for thousands of passes over a large image. */
enum { SCANS = 100 };

typedef struct jpeg_errors {
    struct jpeg_error_mgr manager;
    jmp_buf jump;
    char message[JMSG_LENGTH_MAX];
} jpeg_errors;

/* Without this the library would end the process. The message waits in e, as the name of the file
 * is known where setjmp stands. */
static void on_error(j_common_ptr c) {
    jpeg_errors *e = (jpeg_errors *)c->err;
    e->manager.format_message(c, e->message);
    longjmp(e->jump, 1);
}

/* Warnings of the decoder (premature end, corrupt data) are errors here: a damaged picture is no
 * picture. Level -1 is a warning, others are traces. */
static void on_message(j_common_ptr c, int level) {
    if (level < 0) on_error(c);
}

/* Called between passes: a file of some kilobytes may ask for minutes of them. */
static void on_progress(j_common_ptr c) {
    j_decompress_ptr d = (j_decompress_ptr)c;
    jpeg_errors *e = (jpeg_errors *)c->err;
    if (d->input_scan_number <= SCANS) return;
    snprintf(e->message, sizeof e->message, "more than %d scans", SCANS);
    longjmp(e->jump, 1);
}

int jpeg_file_is(const void *bytes, size_t size) {
    return size >= 3 && memcmp(bytes, "\xFF\xD8\xFF", 3) == 0;
}

/* Up to the first scan's header; every error comes back to the caller's setjmp. */
static void begin(
    struct jpeg_decompress_struct *d, jpeg_errors *e, const void *bytes, size_t size) {
    d->err = jpeg_std_error(&e->manager);
    e->manager.error_exit = on_error;
    e->manager.emit_message = on_message;
    jpeg_create_decompress(d);
    jpeg_mem_src(d, bytes, (unsigned long)size);
    jpeg_read_header(d, TRUE);
}

/* For messages and `inspect`. */
static const char *colour_name(J_COLOR_SPACE colours) {
    switch (colours) {
    case JCS_GRAYSCALE:
        return "grey";
    case JCS_RGB:
        return "RGB";
    case JCS_YCbCr:
        return "YCbCr";
    case JCS_CMYK:
        return "CMYK";
    case JCS_YCCK:
        return "YCCK (CMYK)";
    default:
        return "unknown";
    }
}

/* What the library converts to RGB. */
static bool converted(J_COLOR_SPACE colours) {
    return colours == JCS_GRAYSCALE || colours == JCS_RGB || colours == JCS_YCbCr;
}

/* name NULL: without a message. Nothing of the picture is decoded. */
status jpeg_file_header(const void *bytes, size_t size, const char *name, image_header *out) {
    struct jpeg_decompress_struct d;
    jpeg_errors e;
    memset(&d, 0, sizeof d);
    if (setjmp(e.jump)) {
        if (name) log_error("%s: JPEG: %s", name, e.message);
        jpeg_destroy_decompress(&d);
        return STATUS_DATA;
    }
    begin(&d, &e, bytes, size);
    *out = (image_header){.height = (int)d.image_height,
        .width = (int)d.image_width,
        .channels = d.num_components,
        .bits = 8,
        .format = "jpeg",
        .colour = colour_name(d.jpeg_color_space),
        .decodes = converted(d.jpeg_color_space)};
    jpeg_destroy_decompress(&d);
    return STATUS_OK;
}

/* As the library rounds, so that memory can be taken before it is asked. */
int jpeg_file_reduced(int size, int divisor) {
    return (size + divisor - 1) / divisor;
}

/* The picture is made before setjmp, from the size in the header, so that a longjmp finds it as it
 * was; memory of the library is freed by the library. */
status jpeg_file_decode(const void *bytes, size_t size, const char *name, int divisor, image *out) {
    struct jpeg_decompress_struct d;
    struct jpeg_progress_mgr monitor = {.progress_monitor = on_progress};
    jpeg_errors e;
    image picture = {0};
    image_header h;
    status st = jpeg_file_header(bytes, size, name, &h);
    if (st == STATUS_OK)
        st = image_create(
            &picture, jpeg_file_reduced(h.height, divisor), jpeg_file_reduced(h.width, divisor));
    if (st != STATUS_OK) return st;
    memset(&d, 0, sizeof d);
    if (setjmp(e.jump)) {
        log_error("%s: JPEG: %s", name, e.message);
        jpeg_destroy_decompress(&d);
        image_destroy(&picture);
        return STATUS_DATA;
    }
    begin(&d, &e, bytes, size);
    d.progress = &monitor;
    d.scale_num = 1;
    d.scale_denom = (unsigned)divisor;
    d.out_color_space = JCS_RGB;
    jpeg_start_decompress(&d);
    /* Rows are written below up to the library's own height: were it larger than ours, past the
     * picture. */
    assert((int)d.output_height == picture.height && (int)d.output_width == picture.width);
    while (d.output_scanline < d.output_height) {
        JSAMPROW row = picture.data + (size_t)d.output_scanline * (size_t)picture.width * 3;
        jpeg_read_scanlines(&d, &row, 1);
    }
    jpeg_finish_decompress(&d);
    jpeg_destroy_decompress(&d);
    *out = picture;
    return STATUS_OK;
}
