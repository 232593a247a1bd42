/* JPEG by libjpeg-turbo, from bytes that may be anything. The library reports by longjmp. It warns
 * of much: of what cost pixels (an early end, corrupt data), which is taken as an error, and of
 * what every viewer reads whole, which is noted. A progressive file may not ask for more passes
 * than any real one does. The order of calls is the library's contract: errors set up, object made,
 * source, header, then settings, then pixels. */
#include "io/codecs/jpeg_file.h"

#include "io/codecs/exif.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <assert.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

/* A progressive file may ask for thousands of passes over a large image. */
enum { SCANS = 100 };

typedef struct jpeg_errors {
    struct jpeg_error_mgr manager;
    jmp_buf jump;
    char message[JMSG_LENGTH_MAX];
    unsigned warnings; /* bits of image_warning */
    status why;        /* of the jump */
} jpeg_errors;

/* Without this the library would end the process. The message waits in e, as the name of the file
 * is known where setjmp stands. */
static void on_error(j_common_ptr c) {
    jpeg_errors *e = (jpeg_errors *)c->err;
    e->manager.format_message(c, e->message);
    /* The library's own memory: the picture may be a good one. */
    e->why = e->manager.msg_code == JERR_OUT_OF_MEMORY ? STATUS_FAILED : STATUS_DATA;
    longjmp(e->jump, 1);
}

/* The warnings that leave every pixel whole, or IMAGE_WARNINGS. Bytes before a restart marker were
 * a part of the picture: before any other marker they are padding, or what a camera put there. Of a
 * code that this does not know nothing is assumed. */
static image_warning harmless(const struct jpeg_error_mgr *e) {
    switch (e->msg_code) {
    case JWRN_JFIF_MAJOR:
        return IMAGE_WARNING_JFIF;
    case JWRN_NOT_SEQUENTIAL:
        return IMAGE_WARNING_SCAN;
    case JWRN_EXTRANEOUS_DATA: {
        int marker = e->msg_parm.i[1];
        return marker >= 0xD0 && marker <= 0xD7 ? IMAGE_WARNINGS : IMAGE_WARNING_EXTRANEOUS;
    }
    case JWRN_ADOBE_XFORM:
        return IMAGE_WARNING_ADOBE;
    case JWRN_BOGUS_ICC:
        return IMAGE_WARNING_PROFILE;
    default:
        return IMAGE_WARNINGS;
    }
}

/* Level -1 is a warning, others are traces. A damaged picture is no picture. */
static void on_message(j_common_ptr c, int level) {
    jpeg_errors *e = (jpeg_errors *)c->err;
    if (level >= 0) return;
    image_warning kind = harmless(&e->manager);
    if (kind == IMAGE_WARNINGS) on_error(c);
    e->warnings |= 1u << kind;
}

/* Called between passes: a file of some kilobytes may ask for minutes of them. */
static void on_progress(j_common_ptr c) {
    j_decompress_ptr d = (j_decompress_ptr)c;
    jpeg_errors *e = (jpeg_errors *)c->err;
    if (d->input_scan_number <= SCANS) return;
    snprintf(e->message, sizeof e->message, "more than %d scans", SCANS);
    e->why = STATUS_DATA;
    longjmp(e->jump, 1);
}

/* What is decoded; *warnings is written. */
typedef struct jpeg_task {
    const void *bytes;
    size_t size;
    const char *name;
    unsigned *warnings;
} jpeg_task;

int jpeg_file_is(const void *bytes, size_t size) {
    return size >= 3 && memcmp(bytes, "\xFF\xD8\xFF", 3) == 0;
}

/* Up to the first scan's header; every error comes back to the caller's setjmp. */
static void begin(
    struct jpeg_decompress_struct *d, jpeg_errors *e, const void *bytes, size_t size) {
    d->err = jpeg_std_error(&e->manager);
    e->manager.error_exit = on_error;
    e->manager.emit_message = on_message;
    e->warnings = 0;
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

/* The library converts to RGB, or from YCCK to CMYK, which convert_cmyk() converts. Of more than 8
 * bits, which its newer versions know, it would want other calls. */
static bool converted(const struct jpeg_decompress_struct *d) {
    return d->jpeg_color_space != JCS_UNKNOWN && d->data_precision == 8;
}

static bool is_cmyk(const struct jpeg_decompress_struct *d) {
    return d->jpeg_color_space == JCS_CMYK || d->jpeg_color_space == JCS_YCCK;
}

/* name NULL: without a message. Nothing of the picture is decoded. */
status jpeg_file_header(const void *bytes, size_t size, const char *name, image_header *out) {
    struct jpeg_decompress_struct d;
    jpeg_errors e;
    memset(&d, 0, sizeof d);
    if (setjmp(e.jump)) {
        if (name) log_error("%s: JPEG: %s", name, e.message);
        jpeg_destroy_decompress(&d);
        return e.why;
    }
    begin(&d, &e, bytes, size);
    *out = (image_header){.height = (int)d.image_height,
        .width = (int)d.image_width,
        .channels = d.num_components,
        .bits = d.data_precision,
        .format = "jpeg",
        .colour = colour_name(d.jpeg_color_space),
        .decodes = converted(&d),
        .orientation = exif_orientation_of_jpeg(bytes, size),
        .warnings = e.warnings};
    jpeg_destroy_decompress(&d);
    return STATUS_OK;
}

/* As the library rounds, so that memory can be taken before it is asked. */
int jpeg_file_reduced(int size, int divisor) {
    return (size + divisor - 1) / divisor;
}

/* a b / 255, rounded, for bytes. */
static unsigned product(unsigned a, unsigned b) {
    unsigned p = a * b + 128;
    return ((p >> 8) + p) >> 8;
}

/* The four inks stand inverted in the file (255: none), as Adobe's programs write them and nearly
 * all others after them; what they look like in RGB is Pillow's rule: each ink takes its share of
 * what black leaves. */
static void convert_cmyk(const uint8_t *in, int width, uint8_t *out) {
    for (int x = 0; x < width; x++, in += 4, out += 3)
        for (int c = 0; c < 3; c++) out[c] = (uint8_t)(in[3] - product(255u - in[c], in[3]));
}

/* Rows through `line` where that is there; picture NULL: they are decoded and forgotten. */
static void read_rows(struct jpeg_decompress_struct *d, uint8_t *line, image *picture) {
    size_t stride = (size_t)d->output_width * 3;
    while (d->output_scanline < d->output_height) {
        uint8_t *to = picture ? picture->data + (size_t)d->output_scanline * stride : NULL;
        JSAMPROW row = line ? line : to;
        jpeg_read_scanlines(d, &row, 1);
        if (line && to) convert_cmyk(line, (int)d->output_width, to);
    }
}

/* picture and line were made before, from the size in the header, so that a longjmp finds them as
 * they were; memory of the library is freed by the library. */
static status decode(const jpeg_task *t, int divisor, uint8_t *line, image *picture) {
    struct jpeg_decompress_struct d;
    struct jpeg_progress_mgr monitor = {.progress_monitor = on_progress};
    jpeg_errors e;
    memset(&d, 0, sizeof d);
    if (setjmp(e.jump)) {
        log_error("%s: JPEG: %s", t->name, e.message);
        jpeg_destroy_decompress(&d);
        return e.why;
    }
    begin(&d, &e, t->bytes, t->size);
    d.progress = &monitor;
    d.scale_num = 1;
    d.scale_denom = (unsigned)divisor;
    d.out_color_space = is_cmyk(&d) ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&d);
    /* Rows are written up to the library's own height: were it larger than ours, past the picture.
     */
    assert(!picture ||
           ((int)d.output_height == picture->height && (int)d.output_width == picture->width));
    read_rows(&d, line, picture);
    jpeg_finish_decompress(&d);
    *t->warnings = e.warnings;
    jpeg_destroy_decompress(&d);
    return STATUS_OK;
}

status jpeg_file_decode(const void *bytes, size_t size, const char *name, int divisor, image *out) {
    unsigned warnings;
    image picture = {0};
    image_header h;
    uint8_t *line = NULL;
    status st = jpeg_file_header(bytes, size, name, &h);
    if (st != STATUS_OK) return st;
    int height = jpeg_file_reduced(h.height, divisor), width = jpeg_file_reduced(h.width, divisor);
    st = image_create(&picture, height, width);
    if (st == STATUS_OK && h.channels == 4) {
        line = memory_alloc((size_t)width, 4, "JPEG row");
        if (!line) st = STATUS_FAILED;
    }
    if (st == STATUS_OK)
        st = decode(&(jpeg_task){bytes, size, name, &warnings}, divisor, line, &picture);
    memory_free(line);
    if (st == STATUS_OK)
        *out = picture;
    else
        image_destroy(&picture);
    return st;
}

status jpeg_file_try(const void *bytes, size_t size, const char *name, image_header *h) {
    status st = jpeg_file_header(bytes, size, name, h);
    if (st != STATUS_OK) return st;
    uint8_t *line = memory_alloc((size_t)h->width, 4, "JPEG row");
    if (!line) return STATUS_FAILED;
    st = decode(&(jpeg_task){bytes, size, name, &h->warnings}, 1, line, NULL);
    memory_free(line);
    return st;
}
