/* PNG: exact pictures, and label maps as palette indices, which every viewer shows in colour.
 * Pixels that are read back are the ones that were written; the compressed bytes may differ between
 * versions of zlib, and with them the hash of the built-in data set, whose files are written here.
 */
#include "io/codecs/image_file.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <string.h>

/* What libpng writes, in memory that grows. */
typedef struct png_sink {
    uint8_t *bytes;
    size_t size, capacity;
} png_sink;

/* libpng demands that this does not return: it leaves to encode's setjmp. */
static void on_error(png_structp png, png_const_charp message) {
    log_error("PNG: cannot encode: %s", message);
    longjmp(png_jmpbuf(png), 1);
}

/* What we write ourselves needs no advice. */
static void on_warning(png_structp png, png_const_charp message) {
    (void)png, (void)message;
}

/* Twice what is needed, so that growing costs no more than writing. */
static void write_bytes(png_structp png, png_bytep from, size_t size) {
    png_sink *s = png_get_io_ptr(png);
    if (s->size + size > s->capacity) {
        size_t capacity = 2 * (s->size + size);
        uint8_t *more = memory_alloc(capacity, 1, "PNG");
        if (!more) png_error(png, "out of memory");
        if (s->size > 0) memcpy(more, s->bytes, s->size);
        memory_free(s->bytes);
        s->bytes = more;
        s->capacity = capacity;
    }
    memcpy(s->bytes + s->size, from, size);
    s->size += size;
}

/* Memory needs no flushing, but libpng asks for the function. */
static void flush_bytes(png_structp png) {
    (void)png;
}

/* What encode needs of an image or a label map: 3 bytes a pixel, or 1. */
typedef struct png_picture {
    int height, width, type; /* PNG_COLOR_TYPE_ */
    const uint8_t *data;     /* rows, dense */
    const png_color *palette;
} png_picture;

/* With one setjmp, and nothing to free here when libpng jumps back. */
static bool encode(png_structp png, png_infop info, const png_picture *m, png_sink *sink) {
    size_t row = (size_t)m->width * (m->type == PNG_COLOR_TYPE_RGB ? 3 : 1);
    /* sink is the caller's, and keeps what was written until then: it is freed there. */
    if (setjmp(png_jmpbuf(png))) return false;
    png_set_write_fn(png, sink, write_bytes, flush_bytes);
    png_set_IHDR(png, info, (png_uint_32)m->width, (png_uint_32)m->height, 8, m->type,
        PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (m->palette) png_set_PLTE(png, info, m->palette, 256);
    png_write_info(png, info);
    for (int y = 0; y < m->height; y++) png_write_row(png, m->data + (size_t)y * row);
    png_write_end(png, info);
    return true;
}

/* One place that makes and destroys the library's objects, whatever became of the picture. */
static status write_picture(const png_picture *m, void **bytes, size_t *size) {
    png_sink sink = {0};
    png_infop info = NULL;
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, on_error, on_warning);
    if (png) info = png_create_info_struct(png);
    bool good = info && encode(png, info, m, &sink);
    png_destroy_write_struct(&png, &info);
    if (!good) {
        memory_free(sink.bytes);
        return STATUS_FAILED;
    }
    *bytes = sink.bytes;
    *size = sink.size;
    return STATUS_OK;
}

status image_file_encode(const image *m, void **bytes, size_t *size) {
    return write_picture(
        &(png_picture){m->height, m->width, PNG_COLOR_TYPE_RGB, m->data, NULL}, bytes, size);
}

/* Ids beyond 254 become 255, the palette's "none". colours [256]. Predictions of data sets with
 * more classes need another file: a palette has no more entries. */
status image_file_encode_labels(
    const labelmap *m, const uint8_t (*colours)[3], void **bytes, size_t *size) {
    png_color colour[256];
    size_t pixels = (size_t)m->height * (size_t)m->width;
    uint8_t *index = memory_alloc(pixels, 1, "label map");
    if (!index) return STATUS_FAILED;
    for (int i = 0; i < 256; i++)
        colour[i] = (png_color){colours[i][0], colours[i][1], colours[i][2]};
    for (size_t i = 0; i < pixels; i++) index[i] = (uint8_t)(m->data[i] > 254 ? 255 : m->data[i]);
    status st = write_picture(
        &(png_picture){m->height, m->width, PNG_COLOR_TYPE_PALETTE, index, colour}, bytes, size);
    memory_free(index);
    return st;
}
