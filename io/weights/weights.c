/* Weights between files and networks. A file knows nothing of the network: names decide what goes
 * where, by one of the rules for published weights, and a shape that differs is never guessed at.
 * Everything is read into a copy first: a file that turns out to be wrong halfway leaves the
 * network as it was. Reading is rank 0's; all ranks hear of its end before the values are sent.
 * What the network has and the file has not keeps the value it had: whether that is an error is for
 * the caller, who gets the counts. */
#include "io/weights/weights.h"

#include "io/weights/tensor_file.h"
#include "io/weights/weight_family.h"
#include "io/weights/weight_names.h"
#include "io/weights/tensor_fault.h"
#include "src/base/bf16.h"
#include "src/base/float16.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/text.h"

#include <stdio.h>
#include <string.h>

enum { NAMED = 8, NAME = PARAMETER_NAME + 32, SHAPE_TEXT = 128, LEFT_OUT = 400 };
#define BACKBONE "backbone."
/* PyTorch counts batches for each norm, here one number counts for all. */
#define TRACKED ".num_batches_tracked"
#define MEAN ".running_mean"

float *weights_of(const parameters *p, int i) {
    const parameter *item = &p->item[i];
    return (item->trainable ? p->value : p->buffer) + item->offset;
}

tensor_info weights_tensor(const parameters *p, int i) {
    const parameter *item = &p->item[i];
    tensor_info t = {.name = item->name, .type = "F32", .dims = item->dims};
    for (int d = 0; d < item->dims; d++) t.shape[d] = item->shape[d];
    t.data = weights_of(p, i);
    t.bytes = item->count * sizeof(float);
    return t;
}

/* Dimensions of one element count: a matrix [O, I] is no convolution [O, I, 1, 1], though its bytes
 * are the same. */
bool weights_same_shape(const tensor_info *t, const parameter *item) {
    bool same = t->dims == item->dims;
    for (int d = 0; same && d < t->dims; d++) same = t->shape[d] == item->shape[d];
    return same;
}

/* out [elements]. The file's data may be unaligned: every element is copied out. Only F64 is
 * rounded; integers are refused, as their scale would be a guess. */
bool weights_to_float(const tensor_info *t, float *out) {
    size_t size = safetensors_type_size(t->type), n = t->bytes / size;
    const char *at = t->data;
    bool half = strcmp(t->type, "F16") == 0;
    if (strcmp(t->type, "F32") == 0) {
        memcpy(out, at, t->bytes);
    } else if (strcmp(t->type, "F64") == 0) {
        for (size_t i = 0; i < n; i++) {
            double x;
            memcpy(&x, at + i * size, sizeof x);
            out[i] = (float)x;
        }
    } else if (half || strcmp(t->type, "BF16") == 0) {
        for (size_t i = 0; i < n; i++) {
            uint16_t x;
            memcpy(&x, at + i * size, sizeof x);
            out[i] = half ? float16_to_float(x) : bf16_to_float(x);
        }
    } else {
        return false;
    }
    return true;
}

/* The item that a file's name stands for, or -1. Published encoders have bare names, segmentation
 * models "backbone.": either may meet a network of the other kind. The name as it is comes first,
 * so that a file of this program's own is never read in another way. */
static int find_item(const parameters *p, const char *name) {
    char other[NAME];
    int at = parameters_find(p, name);
    if (at >= 0) return at;
    size_t n = strlen(BACKBONE);
    if (strncmp(name, BACKBONE, n) == 0) return parameters_find(p, name + n);
    int length = snprintf(other, sizeof other, BACKBONE "%s", name);
    return length < (int)sizeof other ? parameters_find(p, other) : -1;
}

/* What is read, and into what. */
typedef struct reading {
    const char *path, *classifier;
    bool foreign; /* the file is not of this program */
    bool deeper;  /* it has blocks that the network's stages have not */
    const tensor_file *f;
    const parameters *p;  /* what the network has */
    const parameters *to; /* value and buffer: copies of p's */
    bool *found;          /* [items] */
    weights_match match;
} reading;

/* "21 512 1 1": text [SHAPE_TEXT]. */
static void print_shape(const int64_t *shape, int dims, char *text) {
    int n = 0;
    text[0] = '\0';
    for (int d = 0; d < dims && n < SHAPE_TEXT - 24; d++)
        n +=
            snprintf(text + n, SHAPE_TEXT - (size_t)n, "%s%lld", d ? " " : "", (long long)shape[d]);
}

/* Whether the item is of the classifier, and the tensor one of another number of classes: the first
 * extent differs, all others are the same. Anything else is an error even there. */
static bool other_classes(const reading *r, const tensor_info *t, const parameter *item) {
    size_t n = r->classifier ? strlen(r->classifier) : 0;
    if (n == 0 || strncmp(item->name, r->classifier, n) != 0 || item->name[n] != '.') return false;
    bool same = t->dims == item->dims && t->dims > 0;
    for (int d = 1; same && d < t->dims; d++) same = t->shape[d] == item->shape[d];
    return same;
}

/* Whether the item is of a head, and the file one of another program, which may call a head's
 * layers by the same names and mean others: training begins without them. A file of this program
 * with another head is a mistake in the settings. */
static bool other_head(const reading *r, const parameter *item) {
    return r->classifier && r->foreign && item->group == GROUP_HEAD;
}

/* A tensor whose shape is not its item's. */
static status other_shape(reading *r, const tensor_info *t, const parameter *item) {
    char have[SHAPE_TEXT], want[SHAPE_TEXT], family[WEIGHT_FAMILY];
    print_shape(t->shape, t->dims, have);
    print_shape(item->shape, item->dims, want);
    if (other_classes(r, t, item)) {
        log_warn("%s: tensor \"%s\" is [%s], of %lld classes, the network's is [%s]: left out",
            r->path, t->name, have, (long long)t->shape[0], want);
        return STATUS_OK;
    }
    if (other_head(r, item)) {
        log_warn("%s: tensor \"%s\" is [%s], the network's \"%s\" is [%s]: left out, as it is of "
                 "another head",
            r->path, t->name, have, item->name, want);
        return STATUS_OK;
    }
    weight_family_text(r->f, family);
    log_error("%s: tensor \"%s\" is [%s], the network's \"%s\" is [%s]; %s", r->path, t->name, have,
        item->name, want, family);
    return STATUS_DATA;
}

/* One tensor of the file, as item i. Two names of a file may stand for one parameter ("x" and
 * "backbone.x"): which one counts would be chance. */
static status take_tensor(reading *r, const tensor_info *t, int i) {
    const char *path = r->path;
    const parameter *item = &r->p->item[i];
    if (r->found[i]) {
        log_error(
            "%s: tensor \"%s\": another one also stands for \"%s\"", path, t->name, item->name);
        return STATUS_DATA;
    }
    if (!weights_same_shape(t, item)) return other_shape(r, t, item);
    if (!weights_to_float(t, weights_of(r->to, i))) {
        log_error("%s: tensor \"%s\" is %s, not a floating-point type", path, t->name, t->type);
        return STATUS_DATA;
    }
    tensor_info taken = weights_tensor(r->to, i);
    taken.name = t->name;
    if (tensor_fault_check(path, &taken, 1) != STATUS_OK) return STATUS_DATA;
    r->found[i] = true;
    r->match.matched++;
    return STATUS_OK;
}

/* The first few tell what kind of file it is; hundreds would hide the line with the counts. */
static void name_one(const char *path, int *count, const char *what, const char *name) {
    ++*count;
    if (*count <= NAMED) log_detail("%s: %s: %s", path, what, name);
    if (*count == NAMED + 1) log_detail("%s: %s: and more", path, what);
}

static bool has_item(void *context, const char *name) {
    return find_item(context, name) >= 0;
}

/* The rule of names that fits the file best (weight_names.h); says so where it changes names. */
static const weight_rule *choose_rule(
    const char *path, const tensor_file *f, const parameters *p, const char **name) {
    int count = tensor_file_count(f), matched;
    /* The rule asks whether a name is known; which file that is for is none of its business. */
    parameters own = *p;
    for (int i = 0; i < count; i++) name[i] = tensor_file_get(f, i).name;
    const weight_rule *rule = weight_rule_best(name, count, has_item, &own, &matched);
    const char *place = tensor_file_place(f);
    if (place[0] || rule != weight_rule_at(0))
        log_info("%s: a %s%s%s, names by the rule \"%s\" (%s)", path, tensor_file_format(f),
            place[0] ? ", in it " : "", place, rule->name, rule->origin);
    return rule;
}

/* Whether a name that the network has not is a block of a stage that it has: then the file is of a
 * deeper network, of which the first blocks alone would be taken without a word. */
static bool is_deeper(const parameters *p, const char *name) {
    char first[] = "layerN.0.conv1.weight", block[] = "layerN.0.";
    if (!weight_family_begins(name, "layer")) return false;
    first[5] = block[5] = strstr(name, "layer")[5];
    return find_item(p, first) >= 0 && !weight_family_begins(name, block) &&
           text_ends_with(name, ".conv1.weight");
}

/* One part of a list of what is left out: "aux_classifier (7)". */
static void add_part(char *text, const char *name, size_t length, int count) {
    size_t n = strlen(text);
    if (count == 0 || n + length + 24 > LEFT_OUT) return;
    snprintf(text + n, LEFT_OUT - n, "%s%.*s (%d)", n ? ", " : "", (int)length, name, count);
}

/* What of the file was not wanted, by the first part of its names, or the first two where the first
 * is a wrapper's. Heads that do not fit are named here; with run.verbose tensor by tensor. */
static void name_left_out(const reading *r, const weight_rule *rule) {
    char text[LEFT_OUT] = "", name[WEIGHT_NAME];
    const char *part = "";
    size_t length = 0;
    int count = 0;
    for (int i = 0; i < tensor_file_count(r->f); i++) {
        const char *given = tensor_file_get(r->f, i).name;
        bool taken = weight_rule_apply(rule, given, name) && find_item(r->p, name) >= 0;
        if (taken || text_ends_with(given, TRACKED)) continue;
        size_t n = strcspn(given, ".");
        if (strncmp(given, "module.", 7) == 0) n = 7 + strcspn(given + 7, ".");
        if (count && n == length && strncmp(part, given, n) == 0) {
            count++;
            continue;
        }
        add_part(text, part, length, count);
        part = given;
        length = n;
        count = 1;
    }
    add_part(text, part, length, count);
    if (text[0]) log_info("%s: left out: %s", r->path, text);
}

/* Every tensor of the file that the network has. In the file's order: messages come in an order
 * that the user can follow. */
static status take_tensors(reading *r, const weight_rule *rule) {
    status st = STATUS_OK;
    for (int i = 0; st == STATUS_OK && i < tensor_file_count(r->f); i++) {
        tensor_info t = tensor_file_get(r->f, i);
        char name[WEIGHT_NAME];
        if (text_ends_with(t.name, TRACKED)) continue;
        int at = weight_rule_apply(rule, t.name, name) ? find_item(r->p, name) : -1;
        if (at >= 0) {
            st = take_tensor(r, &t, at);
            continue;
        }
        name_one(r->path, &r->match.unexpected, "not in the network", t.name);
        r->deeper |= weight_rule_apply(rule, t.name, name) && is_deeper(r->p, name);
    }
    return st;
}

/* Everything of the file that the network has, with the counts that tell a user what became of his
 * file. Checksums are compared before anything is taken. `name` and `found` are this call's own. */
static status take_all(reading *r) {
    const parameters *p = r->p;
    const weight_rule *rule = NULL;
    const char *program = tensor_file_metadata(r->f, "program");
    char family[WEIGHT_FAMILY];
    r->foreign = !program || strncmp(program, "auxseg", 6) != 0;
    status st = tensor_file_verify(r->f, NULL);
    const char **name = memory_alloc((size_t)tensor_file_count(r->f), sizeof *name, "names");
    r->found = memory_alloc((size_t)p->items, sizeof *r->found, "matched weights");
    if (!r->found || !name) st = STATUS_FAILED;
    if (st == STATUS_OK) st = take_tensors(r, rule = choose_rule(r->path, r->f, p, name));
    for (int i = 0; st == STATUS_OK && i < p->items; i++)
        if (!r->found[i])
            name_one(r->path, &r->match.missing, "not taken from the file", p->item[i].name);
    memory_free(name);
    memory_free(r->found);
    if (st != STATUS_OK) return st;
    const weights_match *m = &r->match;
    weight_family_text(r->f, family);
    /* A network of random weights would train, too, and nobody would notice. */
    if (m->matched == 0) {
        log_error("%s: none of its %d tensors belongs to this network; %s", r->path,
            tensor_file_count(r->f), family);
        return STATUS_DATA;
    }
    if (r->deeper) {
        log_error("%s: it is of a deeper network than this one; %s", r->path, family);
        return STATUS_DATA;
    }
    if (m->unexpected > 0) name_left_out(r, rule);
    bool all = m->missing == 0 && m->unexpected == 0;
    (all ? log_detail : log_info)("%s: %d tensors matched, %d missing, %d unexpected", r->path,
        m->matched, m->missing, m->unexpected);
    return STATUS_OK;
}

/* Rank 0's part: p is written only if all went well. */
static status read_weights(
    const char *path, const char *classifier, parameters *p, weights_match *match) {
    tensor_file *f = NULL;
    parameters to = *p;
    size_t values = p->count * sizeof *to.value, buffers = p->buffers * sizeof *to.buffer;
    /* Twice the memory of the weights for as long as they are read. */
    to.value = memory_alloc(values, 1, "weights");
    to.buffer = memory_alloc(buffers, 1, "norm statistics");
    status st = to.value && to.buffer ? tensor_file_read(&f, path) : STATUS_FAILED;
    if (st == STATUS_OK) {
        memcpy(to.value, p->value, values);
        memcpy(to.buffer, p->buffer, buffers);
        reading r = {.path = path, .classifier = classifier, .f = f, .p = p, .to = &to};
        st = take_all(&r);
        *match = r.match;
    }
    if (st == STATUS_OK) {
        memcpy(p->value, to.value, values);
        memcpy(p->buffer, to.buffer, buffers);
    }
    tensor_file_close(f);
    memory_free(to.value);
    memory_free(to.buffer);
    return st;
}

/* One rank reads and sends: a file system serves one reader of a large file better than
 * thousands. */
status weights_load(
    const comm *c, const char *path, const char *classifier, parameters *p, weights_match *match) {
    weights_match m = {0};
    status st = comm_agree(c, comm_root(c) ? read_weights(path, classifier, p, &m) : STATUS_OK);
    if (st != STATUS_OK) return st;
    comm_broadcast(c, &m, sizeof m);
    comm_broadcast(c, p->value, p->count * sizeof *p->value);
    comm_broadcast(c, p->buffer, p->buffers * sizeof *p->buffer);
    *match = m;
    return STATUS_OK;
}

/* Every parameter, then num_batches_tracked of every norm; name [items]: where those names stand.
 * Strict loading in PyTorch wants a counter for each norm, and gets the one there is. */
static int list_tensors(const parameters *p, tensor_info *tensor, char (*name)[NAME]) {
    int n = 0;
    for (int i = 0; i < p->items; i++) tensor[n++] = weights_tensor(p, i);
    for (int i = 0; i < p->items; i++) {
        const char *item = p->item[i].name;
        if (!text_ends_with(item, MEAN)) continue;
        int stem = (int)(strlen(item) - strlen(MEAN));
        snprintf(name[i], NAME, "%.*s" TRACKED, stem, item);
        tensor[n++] = (tensor_info){.name = name[i],
            .type = "I64",
            .data = &p->batches_tracked,
            .bytes = sizeof p->batches_tracked};
    }
    return n;
}

/* Checked before a byte is written: a file of weights that nobody can use must not get the name
 * that a stage looks for. */
static status write_weights(
    const char *path, const parameters *p, const char *const *metadata, int pairs) {
    tensor_info *tensor = memory_alloc(2 * (size_t)p->items, sizeof *tensor, "table of weights");
    char(*name)[NAME] = memory_alloc((size_t)p->items, sizeof *name, "names of weights");
    status st = STATUS_FAILED;
    if (tensor && name) {
        int n = list_tensors(p, tensor, name);
        st = tensor_fault_check(path, tensor, n);
        if (st == STATUS_OK) st = safetensors_write(path, tensor, n, metadata, pairs);
    }
    memory_free(tensor);
    memory_free(name);
    return st;
}

status weights_save(
    const comm *c, const char *path, const parameters *p, const char *const *metadata, int pairs) {
    return comm_agree(c, comm_root(c) ? write_weights(path, p, metadata, pairs) : STATUS_OK);
}

/* Statistics of norms are as much part of a model as its weights. */
uint64_t weights_hash(const parameters *p) {
    uint64_t hash = hash_bytes(p->value, p->count * sizeof *p->value);
    return hash_append(hash, p->buffer, p->buffers * sizeof *p->buffer);
}
