/* Weights in another format, and with other names if that is asked for. The ending of the output's
 * name decides what is written, so that no program later takes a file for what it is not: today
 * there is one such format. A rule that is asked for chooses, too: tensors that it does not know (a
 * momentum encoder, a queue of keys) are left out and counted. Without a rule all tensors are
 * written. Values are looked at before anything is written: weights that are not finite are refused
 * here, not in a run. */
#include "src/app/tools/convert.h"

#include "io/weights/tensor_fault.h"
#include "io/weights/tensor_file.h"
#include "io/weights/weight_names.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/nearest.h"

#include <stdio.h>
#include <string.h>

#define ENDING ".safetensors"
/* Names of rules that a wrong one is compared with; the table of rules is far shorter. */
enum { RULES_MOST = 64 };

/* What the command line asks for. Texts are borrowed from argv. */
typedef struct request {
    const char *from, *to;
    const weight_rule *rule; /* NULL: names stay */
} request;

static void print_rules(void) {
    const weight_rule *r;
    for (int i = 0; (r = weight_rule_at(i)); i++) {
        printf("%-18s %s%s  (%s)\n", r->name, r->prefix[0] ? r->prefix : "(nothing in front)",
            r->change ? ", children by number" : "", r->origin);
    }
}

/* NULL after a message that names the rule most like it. */
static const weight_rule *find_rule(const char *name) {
    const char *known[RULES_MOST];
    const weight_rule *r;
    int count = 0;
    for (; count < RULES_MOST && (r = weight_rule_at(count)); count++) {
        if (strcmp(r->name, name) == 0) return r;
        known[count] = r->name;
    }
    log_error("convert: --names %s: no such rule (auxseg convert --rules): did you mean %s?", name,
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

/* Everything is refused before the input is read: it may be large. Options and files may come in
 * any order. The rule is looked up before the ending is judged, so that one message tells the first
 * mistake of the line. */
static status read_arguments(int argc, char **argv, request *out) {
    const char *file[2] = {NULL, NULL}, *rule = NULL;
    int files = 0;
    bool good = true;
    for (int i = 0; i < argc && good; i++) {
        if (strcmp(argv[i], "--names") == 0 && i + 1 < argc)
            rule = argv[++i];
        else if (argv[i][0] == '-' || files == 2)
            good = false;
        else
            file[files++] = argv[i];
    }
    if (!good || files != 2) {
        log_error("convert: two files are needed (auxseg convert IN OUT [--names RULE])");
        return STATUS_USAGE;
    }
    *out = (request){file[0], file[1], rule ? find_rule(rule) : NULL};
    return rule && !out->rule ? STATUS_USAGE : check_ending(out->to);
}

/* t [count], name [count]: the tensors to write, those that the rule knows; returns how many. Data
 * are borrowed from f: tensors are written from where they were read, so f must stay open until the
 * file is written. */
static int take_tensors(
    const request *q, const tensor_file *f, tensor_info *t, char (*name)[WEIGHT_NAME]) {
    int n = 0;
    for (int i = 0; i < tensor_file_count(f); i++) {
        t[n] = tensor_file_get(f, i);
        if (q->rule && !weight_rule_apply(q->rule, t[n].name, name[n])) continue;
        if (q->rule) t[n].name = name[n];
        n++;
    }
    return n;
}

/* Types stay: what a file has in half precision is not made larger. name lives until the file is
 * written, as t points into it. What is printed comes last: a line on the terminal means that the
 * file is there. The metadata say "pt", as readers of safetensors files expect that word of weights
 * for PyTorch. */
static status write_tensors(const request *q, const tensor_file *f) {
    const char *metadata[] = {"format", "pt", "program", "auxseg " AUXSEG_VERSION};
    size_t count = (size_t)tensor_file_count(f);
    tensor_info *t = memory_alloc(count, sizeof *t, "tensors");
    char(*name)[WEIGHT_NAME] = memory_alloc(count, sizeof *name, "tensor names");
    status st = t && name ? STATUS_OK : STATUS_FAILED;
    int n = st == STATUS_OK ? take_tensors(q, f, t, name) : 0;
    if (st == STATUS_OK && n == 0) {
        log_error("%s: no tensor%s", q->from, q->rule ? " that the rule knows" : "");
        st = STATUS_DATA;
    }
    if (st == STATUS_OK) st = tensor_fault_check(q->from, t, n);
    if (st == STATUS_OK) st = safetensors_write(q->to, t, n, metadata, 2);
    if (st == STATUS_OK) {
        printf("%s: %d tensors of %s (%s), ", q->to, n, q->from, tensor_file_format(f));
        if (q->rule)
            printf("names by the rule \"%s\", %d left out\n", q->rule->name, (int)count - n);
        else
            printf("names as they were\n");
    }
    memory_free(name);
    memory_free(t);
    return st;
}

/* Checksums, where the input has them, are compared before its values are believed. */
status command_convert(int argc, char **argv) {
    tensor_file *f = NULL;
    request q;
    if (argc == 1 && strcmp(argv[0], "--rules") == 0) {
        print_rules();
        return STATUS_OK;
    }
    status st = read_arguments(argc, argv, &q);
    if (st == STATUS_OK) st = tensor_file_read(&f, q.from);
    if (st == STATUS_OK) st = tensor_file_verify(f, NULL);
    if (st == STATUS_OK) st = write_tensors(&q, f);
    tensor_file_close(f);
    return st;
}
