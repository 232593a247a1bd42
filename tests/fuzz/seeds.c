/* Writes the corpora from which the targets begin: OUT/TARGET/NAME, files of the kinds that the
 * program itself writes, and the pictures and PyTorch files of tests/fixtures. Small ones: a run is
 * short, and a mutation then hits what matters.
 * seeds FIXTURES OUT */
#include "io/codecs/image_file.h"
#include "io/files/file.h"
#include "io/files/npy.h"
#include "io/files/run_record.h"
#include "io/weights/safetensors.h"
#include "src/base/memory.h"
#include "src/base/settings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

static const char *out;

/* OUT/TARGET/NAME, and its folder. */
static const char *place(const char *target, const char *name) {
    static char path[FILE_PATH];
    snprintf(path, sizeof path, "%s/%s", out, target);
    if (file_make_folder(path) != STATUS_OK) exit(1);
    snprintf(path, sizeof path, "%s/%s/%s", out, target, name);
    return path;
}

static void keep(const char *target, const char *name, const void *data, size_t bytes) {
    if (file_write(place(target, name), data, bytes) != STATUS_OK) exit(1);
}

/* Records of images.bin: name, kind, height, width, tolerance, size, the file, its pixels. */
static void pictures(const char *fixtures) {
    char path[FILE_PATH], name[17] = "";
    int32_t about[5];
    snprintf(path, sizeof path, "%s/images.bin", fixtures);
    FILE *f = fopen(path, "rb");
    if (!f) exit(1);
    while (fread(name, 16, 1, f) == 1 && fread(about, sizeof about, 1, f) == 1) {
        size_t size = (size_t)about[4];
        long pixels = (long)about[1] * about[2] * (about[0] == 1 ? 2 : 3);
        unsigned char *file = malloc(size);
        if (!file || fread(file, size, 1, f) != 1) exit(1);
        keep(file[0] == 0xFF ? "jpeg" : "png", name, file, size);
        if (file[0] != 0xFF) keep("labels", name, file, size);
        free(file);
        if (fseek(f, pixels, SEEK_CUR) != 0) exit(1);
    }
    fclose(f);
}

/* By the program's own encoders. */
static void encoded(void) {
    image m;
    labelmap l;
    palette colours = {{0}};
    void *bytes;
    size_t size;
    if (image_create(&m, 13, 17) != STATUS_OK || labelmap_create(&l, 9, 11) != STATUS_OK) exit(1);
    for (int i = 0; i < 13 * 17 * 3; i++) m.data[i] = (uint8_t)(i * 37);
    for (int i = 0; i < 9 * 11; i++) l.data[i] = (uint16_t)(i % 5 == 4 ? LABEL_IGNORE : i % 5);
    if (image_file_encode_jpeg(&m, 80, &bytes, &size) != STATUS_OK) exit(1);
    keep("jpeg", "own.jpg", bytes, size);
    memory_free(bytes);
    if (image_file_encode(&m, &bytes, &size) != STATUS_OK) exit(1);
    keep("png", "own.png", bytes, size);
    memory_free(bytes);
    if (image_file_encode_labels(&l, (const uint8_t(*)[3])colours, &bytes, &size) != STATUS_OK)
        exit(1);
    keep("labels", "own.png", bytes, size);
    memory_free(bytes);
    image_destroy(&m);
    labelmap_destroy(&l);
}

static void tensors(void) {
    static const float weight[2][3] = {{1, 2, 3}, {4, 5, 6}};
    static const int64_t steps = 7;
    const tensor_info t[] = {{.name = "conv1.weight",
                                 .type = "F32",
                                 .dims = 2,
                                 .shape = {2, 3},
                                 .data = weight,
                                 .bytes = sizeof weight},
        {.name = "bn1.num_batches_tracked", .type = "I64", .data = &steps, .bytes = sizeof steps},
        {.name = "half", .type = "BF16", .dims = 1, .shape = {4}, .data = weight, .bytes = 8}};
    const char *const about[] = {"format", "pt", "stage", "finetune"};
    if (safetensors_write(place("safetensors", "three"), t, 3, about, 2) != STATUS_OK) exit(1);
    if (safetensors_write(place("safetensors", "none"), t, 0, about, 0) != STATUS_OK) exit(1);
    if (npy_write(place("npy", "f4"), "<f4", weight, 2, 3) != STATUS_OK) exit(1);
    if (npy_write(place("npy", "i4"), "<i4", weight, 6, 0) != STATUS_OK) exit(1);
    if (npy_write(place("npy", "u2"), "<u2", weight, 12, 0) != STATUS_OK) exit(1);
}

static void texts(void) {
    static const char list[] = "1images/a.png labels/a.png\n/set/b.png /set/l/b.png\r\n\n";
    static const char pairs[] = "0images/a.jpg\tlabels/a.png\nimages/b.jpg\n\xEF\xBB\xBF c\t\td\n";
    static const char map[] = "# ids\n7:0, 8:1\n11 2\n*:255\n";
    static const char colours[] =
        "name,r,g,b\nAnimal,64,128,64\n0 0 192\tSide walk # x\nvoid 0 0 0\n";
    char *text;
    size_t bytes;
    settings s;
    keep("list", "camvid", list, sizeof list - 1);
    keep("list", "pairs", pairs, sizeof pairs - 1);
    keep("label_map", "map", map, sizeof map - 1);
    keep("colours", "table", colours, sizeof colours - 1);
    settings_set_defaults(&s);
    s.pretrain.lr = 0.125;
    strcpy(s.dataset.root, "data \"set\"");
    FILE *f = open_memstream(&text, &bytes);
    if (!f) exit(1);
    settings_write_changes(&s, f);
    fclose(f);
    keep("config", "changes", text, bytes);
    free(text);
    f = open_memstream(&text, &bytes);
    if (!f) exit(1);
    settings_write(&s, f, false);
    fclose(f);
    keep("config", "all", text, bytes);
    free(text);
}

static void record(void) {
    run_record *r;
    const run_place here = {1, 2, 4, "n001"};
    const start_record start = {.started = "2025-01-31T23:59:59Z",
        .command = "auxseg run a.cfg",
        .version = "1",
        .place = here};
    const stage_record stage = {.name = "cluster",
        .key = 12345,
        .output = "labels.h5",
        .output_hash = 67890,
        .started = start.started,
        .seconds = 1.5,
        .place = here,
        .peak_memory = NAN,
        .fom = 3,
        .fom_unit = "rows/s"};
    if (run_record_open(&r, place("record", "run.json")) != STATUS_OK) exit(1);
    run_record_add_start(r, &start);
    run_record_end_start(r, &start);
    run_record_set_stage(r, &stage);
    run_record_set_arithmetic(r, "type", "bf16");
    run_record_set_result(r, "finetuned/iou", "sky", 0.5);
    run_record_set_hash(r, "labels", 67890);
    if (run_record_save(r) != STATUS_OK) exit(1);
    run_record_close(r);
}

static void torch(const char *fixtures, const char *name) {
    char path[FILE_PATH];
    void *data;
    size_t bytes;
    snprintf(path, sizeof path, "%s/%s", fixtures, name);
    if (file_read(path, 1 << 20, &data, &bytes) != STATUS_OK) exit(1);
    keep("torch", name, data, bytes);
    memory_free(data);
}

/* The pickle of the archive by itself, and as the target of archives takes it. */
static void archived(const char *fixtures) {
    char path[FILE_PATH];
    unsigned char text[1 << 15];
    snprintf(path, sizeof path, "%s/torch_zip.pth", fixtures);
    zip_t *z = zip_open(path, ZIP_RDONLY, NULL);
    if (!z) exit(1);
    for (zip_int64_t i = 0; i < zip_get_num_entries(z, 0); i++) {
        const char *name = zip_get_name(z, (zip_uint64_t)i, 0);
        if (!name || !strstr(name, "/data.pkl")) continue;
        zip_file_t *f = zip_fopen_index(z, (zip_uint64_t)i, 0);
        zip_int64_t n = f ? zip_fread(f, text + 2, sizeof text - 4096) : -1;
        if (n < 0) exit(1);
        keep("pickle", "torch_zip", text + 2, (size_t)n);
        text[0] = (unsigned char)n;
        text[1] = (unsigned char)(n >> 8);
        memset(text + 2 + n, 1, 1024);
        keep("archive", "torch_zip", text, (size_t)n + 2 + 1024);
        zip_fclose(f);
    }
    zip_close(z);
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    out = argv[2];
    pictures(argv[1]);
    encoded();
    tensors();
    texts();
    record();
    torch(argv[1], "torch_zip.pth");
    torch(argv[1], "torch_legacy.pth");
    archived(argv[1]);
    return 0;
}
