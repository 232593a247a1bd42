/* PNG by libpng, from bytes that may be anything: pictures become 8-bit RGB, label maps keep the
 * numbers that stand in the file, whatever their depth and palette. The library reports by longjmp,
 * so that each group of its calls is a function of its own with one setjmp. reader_create,
 * read_header, one of the want_... functions, read_rows, reader_destroy: in this order. A function
 * with a setjmp allocates nothing that it keeps in a local: what a longjmp must not lose is in the
 * reader, which is destroyed whatever happened. */
#include "io/codecs/png_file.h"

#include "io/codecs/exif.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/image/turn.h"

#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <string.h>

/* Chunks besides the picture (profiles, texts) may not ask for more than this. */
enum { CHUNK_BYTES = 8 << 20 };

/* What is left of the bytes; name NULL: no messages. no_memory: the library asked for some in vain.
 */
typedef struct png_source {
    const uint8_t *bytes;
    size_t left;
    const char *name;
    bool no_memory;
} png_source;

/* The library must not return here: it would go on with what it has. */
static void on_error(png_structp png, png_const_charp message) {
    const png_source *s = png_get_error_ptr(png);
    if (s->name) log_error("%s: PNG: %s", s->name, message);
    longjmp(png_jmpbuf(png), 1);
}

/* Some old writers leave a wrong profile or text behind: only what touches the picture counts, and
 * read_rows makes that an error. A chunk beyond CHUNK_BYTES is more than that: after the warning
 * libpng 1.6 before 1.6.47 takes memory for all that it claims. */
static void on_warning(png_structp png, png_const_charp message) {
    if (strstr(message, "chunk data is too large")) png_error(png, message);
}

/* The library's memory, and that of zlib within it: its words for a lack of it are those for a file
 * that claims too much. */
static png_voidp take_memory(png_structp png, png_alloc_size_t size) {
    png_source *s = png_get_mem_ptr(png);
    void *p = memory_alloc(1, size, "PNG");
    if (!p) s->no_memory = true;
    return p;
}

static void give_memory(png_structp png, png_voidp p) {
    (void)png;
    memory_free(p);
}

/* libpng reads from where we say: no file, and never past the end. */
static void read_bytes(png_structp png, png_bytep to, size_t size) {
    png_source *s = png_get_io_ptr(png);
    if (size > s->left) png_error(png, "file ends early");
    memcpy(to, s->bytes, size);
    s->bytes += size;
    s->left -= size;
}

int png_file_is(const void *bytes, size_t size) {
    return size >= 8 && png_sig_cmp(bytes, 0, 8) == 0;
}

/* Lives on the caller's stack, so that its members are as they were left when libpng jumps. */
typedef struct png_reader {
    png_source source;
    png_structp png;
    png_infop info;
    png_bytep *row; /* [H], into the rows' block */
    uint8_t *block;
} png_reader;

/* Of a jump: without memory the picture may be a good one. */
static status why(const png_reader *r) {
    return r->source.no_memory ? STATUS_FAILED : STATUS_DATA;
}

static status reader_create(png_reader *r, const void *bytes, size_t size, const char *name) {
    *r = (png_reader){.source = {bytes, size, name, false}};
    r->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &r->source, on_error, on_warning,
        &r->source, take_memory, give_memory);
    if (r->png) r->info = png_create_info_struct(r->png);
    if (r->info) return STATUS_OK;
    log_error("%s: PNG: out of memory", name);
    png_destroy_read_struct(&r->png, &r->info, NULL);
    return STATUS_FAILED;
}

/* Also of a reader that has read nothing. */
static void reader_destroy(png_reader *r) {
    png_destroy_read_struct(&r->png, &r->info, NULL);
    memory_free(r->row);
    memory_free(r->block);
}

/* For messages and `inspect`. */
static const char *colour_name(int type) {
    switch (type) {
    case PNG_COLOR_TYPE_GRAY:
        return "grey";
    case PNG_COLOR_TYPE_GRAY_ALPHA:
        return "grey and alpha";
    case PNG_COLOR_TYPE_PALETTE:
        return "palette";
    case PNG_COLOR_TYPE_RGB_ALPHA:
        return "RGB and alpha";
    default:
        return "RGB";
    }
}

/* Of the eXIf chunk, which may stand before the picture or behind it: the library would come to the
 * second only by decoding. A chunk is its length, four letters, so many bytes, and a checksum. */
static int orientation_of(const uint8_t *bytes, size_t size) {
    enum { SIGNATURE = 8, FRAME = 12 };
    for (size_t at = SIGNATURE; size >= FRAME && at <= size - FRAME;) {
        size_t length = png_get_uint_32(bytes + at);
        if (length > size - at - FRAME) return ORIENTATION_UPRIGHT;
        if (memcmp(bytes + at + 4, "eXIf", 4) == 0) return exif_orientation(bytes + at + 8, length);
        at += length + FRAME;
    }
    return ORIENTATION_UPRIGHT;
}

/* Up to the first bytes of the picture. Limits of the library's own are set wide: ours is on
 * pixels, and the caller's (image_file_check). decodes is always so: every kind of PNG is turned
 * into RGB. INT32_MAX keeps sides within an int. */
static status read_header(png_reader *r, image_header *out) {
    if (setjmp(png_jmpbuf(r->png))) return why(r);
    png_set_read_fn(r->png, &r->source, read_bytes);
    png_set_user_limits(r->png, INT32_MAX, INT32_MAX);
    png_set_chunk_malloc_max(r->png, CHUNK_BYTES);
    png_read_info(r->png, r->info);
    int type = png_get_color_type(r->png, r->info);
    *out = (image_header){.height = (int)png_get_image_height(r->png, r->info),
        .width = (int)png_get_image_width(r->png, r->info),
        .channels = png_get_channels(r->png, r->info),
        .bits = png_get_bit_depth(r->png, r->info),
        .palette = type == PNG_COLOR_TYPE_PALETTE,
        .format = "png",
        .colour = colour_name(type),
        .decodes = 1,
        .orientation = ORIENTATION_UPRIGHT};
    return STATUS_OK;
}

/* Rows as the transformations that have been set make them. From here on what the library merely
 * complains of is an error. Interlaced files fill rows in several passes, so all rows are held.
 * read_end checks what follows the picture. */
static status read_rows(png_reader *r, int height) {
    if (setjmp(png_jmpbuf(r->png))) return why(r);
    png_set_benign_errors(r->png, 0);
    png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
    size_t bytes = png_get_rowbytes(r->png, r->info);
    r->block = memory_alloc((size_t)height, bytes, "PNG rows");
    r->row = memory_alloc((size_t)height, sizeof *r->row, "PNG rows");
    if (!r->block || !r->row) return STATUS_FAILED;
    for (int y = 0; y < height; y++) r->row[y] = r->block + (size_t)y * bytes;
    png_read_image(r->png, r->row);
    png_read_end(r->png, NULL);
    return STATUS_OK;
}

/* The same rows, each over the one before: of an interlaced file all passes come through here. */
static status skip_rows(png_reader *r, int height) {
    if (setjmp(png_jmpbuf(r->png))) return why(r);
    png_set_benign_errors(r->png, 0);
    int passes = png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
    r->block = memory_alloc(1, png_get_rowbytes(r->png, r->info), "PNG row");
    if (!r->block) return STATUS_FAILED;
    for (int i = 0; i < passes; i++)
        for (int y = 0; y < height; y++) png_read_row(r->png, r->block, NULL);
    png_read_end(r->png, NULL);
    return STATUS_OK;
}

status png_file_header(const void *bytes, size_t size, const char *name, image_header *out) {
    png_reader r;
    status st = reader_create(&r, bytes, size, name);
    if (st != STATUS_OK) return st;
    st = read_header(&r, out);
    if (st == STATUS_OK) out->orientation = orientation_of(bytes, size);
    reader_destroy(&r);
    return st;
}

/* 16 bits lose their lower half; grey and palettes become three channels. The order of calls does
 * not matter to libpng, which has one of its own. Alpha is dropped, not blended: what lies below is
 * not known. */
static status want_rgb(png_reader *r) {
    if (setjmp(png_jmpbuf(r->png))) return why(r);
    png_set_expand(r->png);
    png_set_strip_16(r->png);
    png_set_strip_alpha(r->png);
    png_set_gray_to_rgb(r->png);
    return STATUS_OK;
}

/* Rows come in a block of the library's own layout, then into the picture's dense rows: an
 * interlaced file fills them in seven passes. */
status png_file_decode(const void *bytes, size_t size, const char *name, image *out) {
    png_reader r;
    image_header h;
    image picture = {0};
    status st = reader_create(&r, bytes, size, name);
    if (st != STATUS_OK) return st;
    st = read_header(&r, &h);
    if (st == STATUS_OK) st = want_rgb(&r);
    if (st == STATUS_OK) st = read_rows(&r, h.height);
    if (st == STATUS_OK) st = image_create(&picture, h.height, h.width);
    for (int y = 0; st == STATUS_OK && y < h.height; y++)
        memcpy(picture.data + (size_t)y * (size_t)h.width * 3, r.row[y], (size_t)h.width * 3);
    reader_destroy(&r);
    if (st == STATUS_OK) *out = picture;
    return st;
}

/* What was complained of in the picture is an error there as here. */
status png_file_try(const void *bytes, size_t size, const char *name, image_header *h) {
    png_reader r;
    status st = reader_create(&r, bytes, size, name);
    if (st != STATUS_OK) return st;
    st = read_header(&r, h);
    if (st == STATUS_OK) st = want_rgb(&r);
    if (st == STATUS_OK) st = skip_rows(&r, h->height);
    if (st == STATUS_OK) h->orientation = orientation_of(bytes, size);
    reader_destroy(&r);
    return st;
}

/* Ids as they stand: palette indices and grey values of 1 to 8 bits one a byte, 16 bits as two. */
static status want_ids(png_reader *r, const image_header *h) {
    if (setjmp(png_jmpbuf(r->png))) return why(r);
    if (h->bits < 8) png_set_packing(r->png);
    /* An id needs no colour: writers cut palettes short, and void is 255. */
    png_set_check_for_invalid_index(r->png, -1);
    return STATUS_OK;
}

/* Sixteen bits stand most significant first, as PNG has them. One channel, as
 * image_file_check_labels has made sure of. */
status png_file_labels(const void *bytes, size_t size, const char *name, labelmap *out) {
    png_reader r;
    image_header h;
    labelmap map = {0};
    status st = reader_create(&r, bytes, size, name);
    if (st != STATUS_OK) return st;
    st = read_header(&r, &h);
    if (st == STATUS_OK) st = want_ids(&r, &h);
    if (st == STATUS_OK) st = read_rows(&r, h.height);
    if (st == STATUS_OK) st = labelmap_create(&map, h.height, h.width);
    for (int y = 0; st == STATUS_OK && y < h.height; y++) {
        const uint8_t *row = r.row[y];
        uint16_t *id = map.data + (size_t)y * (size_t)h.width;
        for (int x = 0; x < h.width; x++) {
            unsigned sample = row[x];
            if (h.bits == 16) sample = (unsigned)row[2 * x] << 8 | row[2 * x + 1];
            id[x] = (uint16_t)sample;
        }
    }
    reader_destroy(&r);
    if (st == STATUS_OK) *out = map;
    return st;
}

/* The palette of a PNG whose header has been read. */
static status copy_palette(png_reader *r, palette out, int *colours) {
    png_colorp entry = NULL;
    int n = 0;
    if (setjmp(png_jmpbuf(r->png))) return why(r);
    if (png_get_PLTE(r->png, r->info, &entry, &n) == 0) return STATUS_OK;
    for (int i = 0; i < n && i < 256; i++) {
        out[i][0] = entry[i].red;
        out[i][1] = entry[i].green;
        out[i][2] = entry[i].blue;
    }
    *colours = n < 256 ? n : 256;
    return STATUS_OK;
}

status png_file_palette(
    const void *bytes, size_t size, const char *name, palette out, int *colours) {
    png_reader r;
    image_header h;
    status st = reader_create(&r, bytes, size, name);
    if (st != STATUS_OK) return st;
    st = read_header(&r, &h);
    if (st == STATUS_OK && h.palette) st = copy_palette(&r, out, colours);
    reader_destroy(&r);
    return st;
}
