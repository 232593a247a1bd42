/* The header of a file of weights, asked for what decides how its network is built. Only the
 * header: the file may be large, and is read whole once the network is there. What a file says of
 * itself is stronger than what its names suggest. */
#include "io/weights/weights_about.h"

#include "io/weights/weight_family.h"
#include "src/base/log.h"

#include <stdio.h>
#include <string.h>

static status read_header(const char *path, weights_about *out) {
    tensor_file *f = NULL;
    status st = tensor_file_read_header(&f, path);
    if (st != STATUS_OK) return st;
    const weight_rule *rule = weight_family_rule(f);
    weights_about a = {.input = rule->input ? *rule->input : image_input_imagenet,
        .stride_first = rule->stride_first};
    snprintf(a.rule, sizeof a.rule, "%s", rule->name);
    for (int i = 0; i < tensor_file_count(f) && !a.deep_stem; i++) {
        char name[WEIGHT_NAME];
        a.deep_stem = weight_rule_apply(rule, tensor_file_get(f, i).name, name) &&
                      weight_family_begins(name, "stem.0.");
    }
    const char *input = tensor_file_metadata(f, WEIGHTS_INPUT);
    const char *stride = tensor_file_metadata(f, WEIGHTS_STRIDE);
    if (input && !(a.carried = image_input_parse(input, &a.input))) {
        log_error("%s: its metadata \"" WEIGHTS_INPUT "\" is no convention of input", path);
        st = STATUS_DATA;
    }
    if (stride) a.stride_first = strcmp(stride, "1x1") == 0;
    tensor_file_close(f);
    *out = a;
    return st;
}

/* Offsets within the file were compared with its size by the reader. Sparse files cost their makers
 * nothing and whoever hashes them hours. */
status weights_look(const char *path) {
    static const double largest = 64.0 * 1024 * 1024 * 1024;
    tensor_file *f = NULL;
    double bytes = 0;
    status st = tensor_file_read_header(&f, path);
    if (st != STATUS_OK) return st;
    for (int i = 0; i < tensor_file_count(f); i++) bytes += (double)tensor_file_get(f, i).bytes;
    tensor_file_close(f);
    if (bytes <= largest) return STATUS_OK;
    log_error("%s: %.0f GiB of tensors: no network of this program has more than 64", path,
        bytes / (largest / 64));
    return STATUS_DATA;
}

status weights_about_read(const comm *c, const char *path, weights_about *out) {
    weights_about a = {.carried = false};
    status st = comm_agree(c, comm_root(c) ? read_header(path, &a) : STATUS_OK);
    if (st != STATUS_OK) return st;
    comm_broadcast(c, &a, sizeof a);
    *out = a;
    return STATUS_OK;
}
