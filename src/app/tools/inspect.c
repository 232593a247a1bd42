/* What is in a file, in a few lines, whatever its name: for people who have found one and for those
 * who wonder whether theirs is the right one. Headers and tables are read, arrays and pixels are
 * not, so that a file of many gigabytes is told about as fast as a small one, and a hostile one
 * does no harm. A file that is damaged does not keep the next one from being told about. Nothing
 * here is collective and nothing is written. A kind is found by its bytes (file_kind.c); each
 * function below tells of one kind, to standard output, and leaves mistakes to the reader of that
 * kind, which names file and reason. */
#include "src/app/tools/inspect.h"

#include "io/codecs/image_file.h"
#include "io/dataset/dataset.h"
#include "io/files/file.h"
#include "io/files/metrics.h"
#include "io/files/npy.h"
#include "io/hdf5/features.h"
#include "io/hdf5/labels.h"
#include "io/weights/tensor_file.h"
#include "src/app/stage/file_kind.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/plain.h"
#include "src/image/turn.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Bytes that are read of an image, and of a record of a run. */
enum { IMAGE_LIMIT = 1 << 28, TEXT_LIMIT = 1 << 26 };

/* Of dataset.max_megapixels, as no settings are read here. */
static const int64_t default_pixels = 100000000;

/* One that the program would refuse to decode is told about, and then refused. The whole file is
 * read, as a header may come after any amount of other data; the limit keeps a file that is no
 * picture from filling memory. */
static status inspect_image(const char *path) {
    void *bytes = NULL;
    size_t size;
    image_header h;
    status st = file_read(path, IMAGE_LIMIT, &bytes, &size);
    if (st == STATUS_OK) st = image_file_header(bytes, size, path, &h);
    memory_free(bytes);
    if (st != STATUS_OK) return st;
    plain_print("%s: %s, %d x %d pixels, %d channel(s) of %d bits, %s", path, h.format, h.width,
        h.height, h.channels, h.bits, h.colour);
    if (h.orientation != ORIENTATION_UPRIGHT) plain_print(", EXIF orientation %d", h.orientation);
    plain_print("\n");
    return image_file_check(&h, path, default_pixels);
}

/* Splits with their labels, as `pack` counts them. Opened without a communicator: one process
 * alone. The tables are read and compared with their checksum; images are not. */
static status inspect_dataset(const char *path) {
    dataset *d = NULL;
    int images[SPLIT_COUNT] = {0}, labelled[SPLIT_COUNT] = {0};
    status st = dataset_open(NULL, path, &d);
    if (st != STATUS_OK) return st;
    for (int i = 0; i < dataset_count(d); i++) {
        dataset_item x = dataset_get(d, i);
        images[x.split]++;
        labelled[x.split] += x.labelled;
    }
    plain_print(
        "%s: data set, %d images, %d classes\n", path, dataset_count(d), dataset_classes(d));
    for (int i = 0; i < SPLIT_COUNT; i++)
        if (images[i] > 0 || i != SPLIT_HELD_OUT)
            plain_print(
                "  %-6s %7d images, %7d with labels\n", split_words[i], images[i], labelled[i]);
    plain_print("  classes:");
    for (int y = 0; y < dataset_classes(d); y++)
        plain_print("%s %s", y ? "," : "", dataset_class_name(d, y));
    plain_print("\n");
    dataset_close(d);
    return STATUS_OK;
}

/* How the labels came about, and when clustering ended. The figures are those of the clustering
 * that made the labels, as the file has kept them. */
static status inspect_labels(const char *path) {
    labels *l = NULL;
    status st = labels_open(NULL, path, &l);
    if (st != STATUS_OK) return st;
    labels_info a = labels_about(l);
    plain_print("%s: auxiliary labels of %d images\n", path, labels_count(l));
    plain_print(
        "  %s (%s), %d clusters in %d dimensions, %d iterations, objective %.6g, outliers beyond "
        "%.6g\n",
        a.method, a.metric, a.k, a.d, a.iterations, a.objective, a.outlier_threshold);
    labels_close(l);
    return STATUS_OK;
}

/* Shape and origin: which layers of a network, and how many pixels lie from a row to the next. */
static status inspect_features(const char *path) {
    features_info a;
    status st = features_about(path, &a);
    if (st != STATUS_OK) return st;
    plain_print("%s: features of %" PRId64 " images, %" PRIu64
                " rows of %d %s, layers %s, stride %d\n",
        path, a.images, a.rows, a.d, features_dtype_name(a.type), a.layers, a.stride);
    return STATUS_OK;
}

/* Also of kinds that the program does not read: what it refuses, it can still name. */
static status inspect_array(const char *path) {
    npy_info a;
    status st = npy_about(path, &a);
    if (st != STATUS_OK) return st;
    plain_print("%s: numpy array of %s, [", path, a.type);
    for (int k = 0; k < a.dimensions; k++) plain_print("%s%" PRIu64, k ? ", " : "", a.shape[k]);
    plain_print("]%s, %.1f MB\n", a.fortran ? " in Fortran order" : "", (double)a.bytes / 1e6);
    return STATUS_OK;
}

static void print_tensor(const tensor_info *t) {
    plain_print("  %-56s %-5s [", t->name, t->type);
    for (int k = 0; k < t->dims; k++) plain_print("%s%" PRId64, k ? ", " : "", t->shape[k]);
    plain_print("]\n");
}

/* What is written here carries a few words on where it is from. The header is read a second time:
 * tensor_file.h has no metadata to give, as this format alone has them. */
static status print_metadata(const char *path) {
    safetensors *f = NULL;
    const char *key, *text;
    status st = safetensors_read_header(&f, path);
    if (st != STATUS_OK) return st;
    for (int i = 0; safetensors_metadata_at(f, i, &key, &text); i++)
        plain_print("  %s: %s\n", key, text);
    safetensors_close(f);
    return STATUS_OK;
}

/* Sizes come from the header; tensors are not read. Of PyTorch's files nothing is run. */
static status inspect_weights(const char *path) {
    tensor_file *f = NULL;
    status st = tensor_file_read_header(&f, path);
    if (st != STATUS_OK) return st;
    const char *format = tensor_file_format(f), *place = tensor_file_place(f);
    /* In double: the sum is told in megabytes, and a header may claim any sizes. */
    double bytes = 0;
    for (int i = 0; i < tensor_file_count(f); i++) bytes += (double)tensor_file_get(f, i).bytes;
    plain_print("%s: %s, %d tensors%s%s, %.1f MB\n", path, format, tensor_file_count(f),
        place[0] ? " in " : "", place, bytes / 1e6);
    if (strcmp(format, "safetensors") == 0) st = print_metadata(path);
    for (int i = 0; i < tensor_file_count(f); i++) {
        tensor_info t = tensor_file_get(f, i);
        print_tensor(&t);
    }
    tensor_file_close(f);
    return st;
}

/* Text for people already. */
static status inspect_text(const char *path, const char *what) {
    char *text = NULL;
    size_t bytes;
    status st = file_read(path, TEXT_LIMIT, (void **)&text, &bytes);
    if (st == STATUS_OK) plain_print("%s: %s\n%s\n", path, what, text);
    memory_free(text);
    return st;
}

/* What is no table of the program's is told in a line, with how it begins: whoever looks knows it
 * again. */
static status inspect_lines(const char *path, const char *what) {
    enum { SHOWN = 60 };
    char *text = NULL;
    size_t bytes;
    int lines = 0;
    status st = file_read(path, TEXT_LIMIT, (void **)&text, &bytes);
    if (st != STATUS_OK) return st;
    for (size_t i = 0; i < bytes; i++) lines += text[i] == '\n' || i + 1 == bytes;
    for (size_t i = 0; i < bytes; i++)
        if ((unsigned char)text[i] < ' ' && text[i] != '\n') text[i] = ' ';
    size_t first = strcspn(text, "\n");
    plain_print("%s: %s, %d line(s), the first: %.*s%s\n", path, what, lines,
        (int)(first < SHOWN ? first : SHOWN), text, first < SHOWN ? "" : "...");
    memory_free(text);
    return STATUS_OK;
}

/* How far each stage has come: its last row. Rows stand in the order in which they were written, a
 * stage's together, so that a change of the name ends a stage. */
static status inspect_metrics(const char *path) {
    metrics_row *row = NULL;
    int count = 0;
    status st = metrics_read(path, &row, &count);
    if (st == STATUS_OK) plain_print("%s: metrics, %d rows\n", path, count);
    for (int i = 0; st == STATUS_OK && i < count; i++)
        if (i + 1 == count || strcmp(row[i].stage, row[i + 1].stage) != 0)
            plain_print("  %-12s to step %" PRId64 "\n", row[i].stage, row[i].step);
    memory_free(row);
    return st;
}

/* A switch without a default: a kind that is new in file_kind.h is a compiler warning here. An
 * unknown kind has been named by file_kind_of, which returns a mistake then. */
static status inspect(const char *path) {
    file_kind kind;
    status st = file_kind_of(path, &kind);
    if (st != STATUS_OK) return st;
    switch (kind) {
    case KIND_IMAGE:
        return inspect_image(path);
    case KIND_DATASET:
        return inspect_dataset(path);
    case KIND_LABELS:
        return inspect_labels(path);
    case KIND_FEATURES:
        return inspect_features(path);
    case KIND_WEIGHTS:
        return inspect_weights(path);
    case KIND_ARRAY:
        return inspect_array(path);
    case KIND_RECORD:
        return inspect_text(path, "record of a run");
    case KIND_METRICS:
        return inspect_metrics(path);
    case KIND_CONFUSION:
        return inspect_text(path, "confusion matrix, pixels by label (row) and prediction");
    case KIND_SETTINGS:
        return inspect_lines(path, "settings");
    case KIND_PAGE:
        return inspect_lines(path, "HTML page, as `auxseg report` writes");
    case KIND_TEXT:
        return inspect_lines(path, "plain text: a list, a log or a note");
    case KIND_UNKNOWN:
        break;
    }
    return STATUS_DATA;
}

/* The code is that of the last file with a mistake; every file is told about. */
status command_inspect(int argc, char **argv) {
    status worst = STATUS_OK;
    if (argc < 1) {
        log_error("inspect: which file? (auxseg inspect FILE...)");
        return STATUS_USAGE;
    }
    for (int i = 0; i < argc; i++) {
        status st = inspect(argv[i]);
        if (st != STATUS_OK) worst = st;
    }
    return worst;
}
