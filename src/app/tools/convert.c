/* Weights in another format, and with other names if that is asked for. The ending of the output's
 * name decides what is written, so that no program later takes a file for what it is not: today
 * there is one such format. Names go two ways: a rule (--names) reads a project's names as
 * torchvision's, a format (--to) writes torchvision's names as a project's; with --to alone the
 * rule is found, as everywhere. Tensors that either does not know (a momentum encoder, a queue of
 * keys, another program's head) are left out and counted. Without both all tensors are written. The
 * convention of input goes along in the metadata. Values are looked at before anything is written:
 * weights that are not finite are refused here, not in a run. */
#include "src/app/tools/convert.h"

#include "io/weights/tensor_fault.h"
#include "io/weights/tensor_file.h"
#include "io/weights/weight_family.h"
#include "io/weights/weight_names.h"
#include "io/weights/weights_about.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/plain.h"
#include "src/base/nearest.h"

#include <stdio.h>
#include <string.h>

#define ENDING ".safetensors"
/* Names of rules that a wrong one is compared with; the table of rules is far shorter. */
enum { RULES_MOST = 64 };

/* What the command line asks for. Texts are borrowed from argv. */
typedef struct request {
    const char *from, *to;
    const weight_rule *rule;     /* NULL: names stay, but for a format: then the best rule */
    const weight_format *format; /* NULL: torchvision's names, or as they were */
    image_input input;           /* of --input */
    bool input_given;
} request;

static void print_rules(void) {
    const weight_rule *r;
    for (int i = 0; (r = weight_rule_at(i)); i++) {
        char input[IMAGE_INPUT_TEXT] = "";
        if (r->input) image_input_text(r->input, input);
        plain_print("%-24s %s%s  (%s)%s%s\n", r->name,
            r->prefix[0] ? r->prefix : "(nothing in front)", r->change ? ", changed" : "",
            r->origin, input[0] ? " input: " : "", input);
    }
}

/* NULL after a message that names the rule most like it. */
static const weight_rule *find_rule(const char *name) {
    char hint[NEAREST_HINT];
    const char *known[RULES_MOST];
    const weight_rule *r;
    int count = 0;
    for (; count < RULES_MOST && (r = weight_rule_at(count)); count++) {
        if (strcmp(r->name, name) == 0) return r;
        known[count] = r->name;
    }
    log_error("convert: --names %s: no such rule (auxseg convert --rules)%s", name,
        nearest_hint(hint, name, known, count));
    return NULL;
}

/* NULL after a message that names the format most like it. */
static const weight_format *find_format(const char *name) {
    const char *known[RULES_MOST];
    const weight_format *f;
    int count = 0;
    for (; count < RULES_MOST && (f = weight_format_at(count)); count++) {
        if (strcmp(f->name, name) == 0) return f;
        known[count] = f->name;
    }
    log_error("convert: --to %s: torchvision, timm or mmseg; did you mean %s?", name,
        known[nearest_word(name, known, count)]);
    return NULL;
}

/* The format that is asked for is the one that is written. */
static status check_ending(const char *to) {
    size_t n = strlen(to), m = sizeof ENDING - 1;
    if (n > m && strcmp(to + n - m, ENDING) == 0) return STATUS_OK;
    log_error("convert: %s: what is written is a safetensors file, whose name ends in " ENDING, to);
    return STATUS_USAGE;
}

/* What the options say, into *out; false after a message. The first mistake of the line is the one
 * that is told. */
static bool read_options(const char *rule, const char *format, const char *input, request *out) {
    if (rule && !(out->rule = find_rule(rule))) return false;
    if (format && !(out->format = find_format(format))) return false;
    if (input && !(out->input_given = image_input_parse(input, &out->input))) {
        log_error(
            "convert: --input \"%s\": as in \"rgb 0..1 mean 0.485 0.456 0.406 std 0.229 0.224 "
            "0.225\"",
            input);
        return false;
    }
    return true;
}

/* Everything is refused before the input is read: it may be large. Options and files may come in
 * any order. */
static status read_arguments(int argc, char **argv, request *out) {
    static const char *const options[] = {"--names", "--to", "--input"};
    const char *file[2] = {NULL, NULL}, *given[3] = {NULL, NULL, NULL};
    int files = 0;
    bool good = true;
    for (int i = 0; i < argc && good; i++) {
        int k = 0;
        while (k < 3 && strcmp(argv[i], options[k]) != 0) k++;
        if (k < 3 && i + 1 < argc)
            given[k] = argv[++i];
        else if (argv[i][0] == '-' || files == 2)
            good = false;
        else
            file[files++] = argv[i];
    }
    if (!good || files != 2) {
        log_error("convert: two files are needed (auxseg convert IN OUT [--names RULE] [--to "
                  "torchvision|timm|mmseg] [--input TEXT])");
        return STATUS_USAGE;
    }
    *out = (request){.from = file[0], .to = file[1]};
    return read_options(given[0], given[1], given[2], out) ? check_ending(out->to) : STATUS_USAGE;
}

/* Whether the names, once they are torchvision's, have a head for segmentation. */
static bool has_head(const tensor_file *f, const weight_rule *rule) {
    char name[WEIGHT_NAME];
    for (int i = 0; i < tensor_file_count(f); i++)
        if (weight_rule_apply(rule, tensor_file_get(f, i).name, name) &&
            (strcmp(name, "classifier.0.weight") == 0 ||
                strncmp(name, "classifier.0.convs.", 19) == 0))
            return true;
    return false;
}

/* t [count], name [count]: the tensors to write, those that rule and format know; returns how many.
 * Data are borrowed from f: tensors are written from where they were read, so f must stay open
 * until the file is written. */
static int take_tensors(
    const request *q, const tensor_file *f, tensor_info *t, char (*name)[WEIGHT_NAME]) {
    int n = 0;
    bool segments = q->format && has_head(f, q->rule);
    for (int i = 0; i < tensor_file_count(f); i++) {
        char ours[WEIGHT_NAME];
        t[n] = tensor_file_get(f, i);
        if (q->rule && !weight_rule_apply(q->rule, t[n].name, ours)) continue;
        if (q->format && !weight_format_name(q->format, ours, segments, name[n])) continue;
        if (q->rule && !q->format) memcpy(name[n], ours, sizeof ours);
        if (q->rule) t[n].name = name[n];
        n++;
    }
    return n;
}

/* The line for people. */
static void say(const request *q, const tensor_file *f, int n) {
    plain_print("%s: %d tensors of %s (%s), ", q->to, n, q->from, tensor_file_format(f));
    if (q->format) plain_print("names of %s, from ", q->format->name);
    if (q->rule)
        plain_print(
            "names by the rule \"%s\", %d left out\n", q->rule->name, tensor_file_count(f) - n);
    else
        plain_print("names as they were\n");
}

/* Types stay: what a file has in half precision is not made larger. name lives until the file is
 * written, as t points into it. What is printed comes last: a line on the terminal means that the
 * file is there. The metadata say "pt", as readers of safetensors files expect that word of weights
 * for PyTorch. */
static status write_tensors(const request *q, const tensor_file *f, const weights_about *a) {
    char input[IMAGE_INPUT_TEXT];
    image_input_text(q->input_given ? &q->input : &a->input, input);
    const char *metadata[] = {"format", "pt", "converter", "auxseg " AUXSEG_VERSION, WEIGHTS_INPUT,
        input, WEIGHTS_STRIDE, a->stride_first ? "1x1" : "3x3"};
    size_t count = (size_t)tensor_file_count(f);
    tensor_info *t = memory_alloc(count, sizeof *t, "tensors");
    char(*name)[WEIGHT_NAME] = memory_alloc(count, sizeof *name, "tensor names");
    status st = t && name ? STATUS_OK : STATUS_FAILED;
    int n = st == STATUS_OK ? take_tensors(q, f, t, name) : 0;
    if (st == STATUS_OK && n == 0) {
        log_error("%s: no tensor%s", q->from,
            q->format ? " that the format has"
            : q->rule ? " that the rule knows"
                      : "");
        st = STATUS_DATA;
    }
    if (st == STATUS_OK) st = tensor_fault_check(q->from, t, n);
    if (st == STATUS_OK) st = safetensors_write(q->to, t, n, metadata, 4);
    if (st == STATUS_OK) say(q, f, n);
    memory_free(name);
    memory_free(t);
    return st;
}

/* A network that the format's project does not have is no matter of names. */
static status check_format(const request *q, const weights_about *a) {
    if (!q->format) return STATUS_OK;
    bool vision = strcmp(q->format->name, "torchvision") == 0;
    bool mm = strcmp(q->format->name, "mmseg") == 0;
    if (vision && a->deep_stem)
        log_error("%s: its stem is deep, which no network of torchvision has: --to timm or mmseg",
            q->from);
    else if (!mm && a->stride_first)
        log_error("%s: its blocks stride in their first convolution, those of %s in the 3x3: the "
                  "same names would be another network. --to mmseg (style=\"caffe\")",
            q->from, q->format->name);
    else
        return STATUS_OK;
    return STATUS_USAGE;
}

/* Checksums, where the input has them, are compared before its values are believed. */
status command_convert(int argc, char **argv) {
    tensor_file *f = NULL;
    request q;
    weights_about a;
    if (argc == 1 && strcmp(argv[0], "--rules") == 0) {
        print_rules();
        return STATUS_OK;
    }
    status st = read_arguments(argc, argv, &q);
    if (st == STATUS_OK) st = weights_about_read(NULL, q.from, &a);
    if (st == STATUS_OK && q.rule && !a.carried) {
        a.input = q.rule->input ? *q.rule->input : image_input_imagenet;
        a.stride_first = q.rule->stride_first;
    }
    if (st == STATUS_OK) st = check_format(&q, &a);
    if (st == STATUS_OK) st = tensor_file_read(&f, q.from);
    if (st == STATUS_OK) st = tensor_file_verify(f, NULL);
    if (st == STATUS_OK && q.format && !q.rule) q.rule = weight_family_rule(f);
    if (st == STATUS_OK) st = write_tensors(&q, f, &a);
    tensor_file_close(f);
    return st;
}
