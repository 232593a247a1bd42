/* From the object of a PyTorch file to its tensors: finds the dictionary of weights, lists its
 * tensors with names, and copies each out of its storage, whatever its strides. All sizes are
 * checked before anything is copied. The object comes from a stranger and is a graph, not a tree: a
 * container may hold itself, or one that is named a thousand times may hold another that is, so
 * that the ways through a short pickle are without number. Hence three limits: how deep the walk
 * goes, how many values it looks at, and how many bytes the tensors have together, measured by the
 * file's own size. Tensors may share a storage; each gets a copy of its own part, in C order, after
 * which nothing of the source is needed. */
#include "io/weights/torch_file.h"

#include "io/weights/torch_names.h"
#include "io/weights/torch_source.h"
#include "src/base/log.h"
#include "src/base/memory.h"

#include <stdio.h>
#include <string.h>

enum {
    DEPTH = 16,       /* of dictionaries in dictionaries */
    VISITS = 1000000, /* values that the walk looks at */
    NAME = 512,       /* a tensor's name, with its end */
    PLACE = 128,
    SHARED = 4, /* tensors may share storages: as many times the file's bytes, at most */
    KIBI = 1024
};

typedef struct torch_tensor {
    char *name;
    const torch_storage *storage;
    const char *type;
    uint64_t first; /* element of the storage */
    int dims;
    int64_t shape[TENSOR_DIMS], stride[TENSOR_DIMS];
    size_t bytes;
    char *data;
} torch_tensor;

struct torch_file {
    torch_source *source;
    const pickle *object;
    const char *path; /* borrowed while it is read */
    char place[PLACE];
    bool archive;
    torch_tensor *tensor; /* [capacity] */
    int count, capacity, visits;
    uint64_t bytes; /* of all tensors */
};

static status refuse_tensor(const torch_file *f, const char *name, const char *why) {
    log_error("%s: tensor \"%s\" %s", f->path, name, why);
    return STATUS_DATA;
}

static const pickle_value *item(const torch_file *f, const pickle_value *v, uint32_t i) {
    return pickle_get(f->object, v->item[i]);
}

/* A whole number that is not below zero. */
static bool take_number(const pickle_value *v, int64_t *x) {
    *x = v->integer;
    return v->kind == PICKLE_INTEGER && v->integer >= 0;
}

/* ---- a tensor's description ---- */

/* Sizes or strides: a tuple of numbers, or torch.Size of one. */
/* Numbers below zero are refused here, strides included: check_bounds relies on it. */
static bool take_extents(const torch_file *f, const pickle_value *v, int64_t *x, int *dims) {
    if (v->kind == PICKLE_CALL) {
        const pickle_value *args = item(f, v, 0);
        if (args->count != 1) return false;
        v = item(f, args, 0);
    }
    if (v->kind != PICKLE_TUPLE || v->count > TENSOR_DIMS) return false;
    *dims = (int)v->count;
    for (uint32_t i = 0; i < v->count; i++)
        if (!take_number(item(f, v, i), &x[i])) return false;
    return true;
}

/* Why its elements are not all in the storage, or NULL; sets t->bytes. No stride is below zero, so
 * that the last index of each dimension together is the furthest element. A stride of zero repeats
 * elements without end: hence the second rule, that there be no more of them than the storage
 * has. */
static const char *check_bounds(torch_tensor *t, size_t size) {
    uint64_t elements = 1, last = t->first, reach;
    for (int d = 0; d < t->dims; d++)
        if (__builtin_mul_overflow(elements, (uint64_t)t->shape[d], &elements))
            return "has a shape whose product overflows";
    uint64_t whole = t->storage->bytes / size;
    for (int d = 0; d < t->dims && elements; d++)
        if (__builtin_mul_overflow((uint64_t)t->shape[d] - 1, (uint64_t)t->stride[d], &reach) ||
            __builtin_add_overflow(last, reach, &last))
            return "has strides that overflow";
    if (elements && last >= whole) return "reaches beyond its storage";
    if (elements > whole) return "has more elements than its storage";
    t->bytes = (size_t)elements * size;
    return NULL;
}

/* The call that puts a tensor together: storage, first element, sizes, strides ... and for the
 * third version the type. NULL if it is sound, else what is wrong with it. The seventh argument of
 * the second version holds marks of a view that is yet to be conjugated or negated: its numbers are
 * not those in the storage. */
static const char *parse_tensor(const torch_file *f, const pickle_value *call, torch_tensor *t) {
    const pickle_value *args = item(f, call, 0);
    int64_t first;
    uint64_t view;
    int strides;
    if (args->count < 4) return "is put together in an unknown way";
    t->storage = torch_source_storage(f->source, item(f, args, 0), &view);
    if (!t->storage) return "has no storage";
    t->type = t->storage->type;
    if (call->name->id == TORCH_TENSOR_V3 && args->count >= 7)
        t->type = torch_type_of(item(f, args, 6));
    if (!t->type) return "has no known type";
    if (call->name->id == TORCH_TENSOR_V2 && args->count >= 7 &&
        (item(f, args, 6)->kind != PICKLE_DICT || item(f, args, 6)->count))
        return "is conjugated or negated lazily: refused";
    if (!take_number(item(f, args, 1), &first) ||
        !take_extents(f, item(f, args, 2), t->shape, &t->dims) ||
        !take_extents(f, item(f, args, 3), t->stride, &strides) || strides != t->dims)
        return "has sizes or strides that are none";
    t->first = (uint64_t)first;
    if (__builtin_add_overflow(t->first, view, &t->first)) return "reaches beyond its storage";
    return check_bounds(t, safetensors_type_size(t->type));
}

/* The call of a parameter is around that of its tensor. */
static const pickle_value *tensor_call(const torch_file *f, const pickle_value *v) {
    if (v->kind == PICKLE_CALL && v->name->id == TORCH_PARAMETER) {
        const pickle_value *args = item(f, v, 0);
        if (args->count == 0) return NULL;
        v = item(f, args, 0);
    }
    bool is =
        v->kind == PICKLE_CALL && (v->name->id == TORCH_TENSOR || v->name->id == TORCH_TENSOR_V2 ||
                                      v->name->id == TORCH_TENSOR_V3);
    return is ? v : NULL;
}

/* How many tensors there are is known after the walk alone. */
static status make_room(torch_file *f) {
    if (f->count < f->capacity) return STATUS_OK;
    int capacity = f->capacity ? 2 * f->capacity : 64;
    torch_tensor *larger = memory_alloc((size_t)capacity, sizeof *larger, "table of tensors");
    if (!larger) return STATUS_FAILED;
    if (f->count) memcpy(larger, f->tensor, (size_t)f->count * sizeof *larger);
    memory_free(f->tensor);
    f->tensor = larger;
    f->capacity = capacity;
    return STATUS_OK;
}

/* Takes the tensor into the table under a copy of its name. No data are read yet: the sum of all
 * sizes is bounded first. */
static status add_tensor(torch_file *f, const char *name, const pickle_value *call) {
    torch_tensor t = {0};
    const char *wrong = parse_tensor(f, call, &t);
    if (wrong) return refuse_tensor(f, name, wrong);
    f->bytes += t.bytes;
    if (f->bytes > SHARED * (torch_source_bytes(f->source) + KIBI))
        return refuse_tensor(f, name, "and those before it are many times as large as the file");
    status st = make_room(f);
    size_t n = strlen(name) + 1;
    if (st == STATUS_OK) t.name = memory_alloc(n, 1, "tensor name");
    if (!t.name) return STATUS_FAILED;
    memcpy(t.name, name, n);
    f->tensor[f->count++] = t;
    return STATUS_OK;
}

/* ---- the walk ---- */

static bool is_word(const pickle_value *v, const char *word) {
    return v->kind == PICKLE_TEXT && v->count == strlen(word) &&
           memcmp(v->text, word, v->count) == 0;
}

/* prefix.key in name [NAME]; false: too long, or no text that a name can be (a zero byte within it
 * would hide the rest of it). A dictionary's keys may be whole numbers, too. */
static bool join(char *name, const char *prefix, const pickle_value *key, uint32_t index) {
    const char *dot = prefix[0] ? "." : "";
    int n;
    if (!key || key->kind == PICKLE_INTEGER)
        n = snprintf(
            name, NAME, "%s%s%lld", prefix, dot, key ? (long long)key->integer : (long long)index);
    else if (key->kind == PICKLE_TEXT && key->count < NAME && !memchr(key->text, 0, key->count))
        n = snprintf(name, NAME, "%s%s%.*s", prefix, dot, (int)key->count, key->text);
    else
        return false;
    return n >= 0 && n < NAME;
}

static status walk(torch_file *f, const pickle_value *v, const char *prefix, int depth);

/* A value of a container under its name; key is NULL in lists, whose items are named by their
 * index. What is neither a tensor nor a container is passed over (a checkpoint holds much else),
 * and so is an optimizer's state, whose tensors would pass for weights under other names. */
static status walk_item(torch_file *f, const pickle_value *v, const pickle_value *key,
    uint32_t index, const char *prefix, int depth) {
    char name[NAME];
    bool container = v->kind == PICKLE_DICT || v->kind == PICKLE_LIST || v->kind == PICKLE_TUPLE;
    const pickle_value *call = tensor_call(f, v);
    if (!call && !container) return STATUS_OK;
    if (key && (is_word(key, "optimizer") || is_word(key, "optimizers"))) return STATUS_OK;
    if (!join(name, prefix, key, index)) {
        log_error("%s: a name in \"%s\" is too long, or none", f->path, prefix);
        return STATUS_DATA;
    }
    return call ? add_tensor(f, name, call) : walk(f, v, name, depth + 1);
}

/* All tensors of a container and of those in it, in the file's order. The depth ends a cycle, the
 * number of visits a graph that is wide and shared. Both limits are far beyond what weights
 * have. */
static status walk(torch_file *f, const pickle_value *v, const char *prefix, int depth) {
    status st = STATUS_OK;
    bool dict = v->kind == PICKLE_DICT;
    if (depth > DEPTH) {
        log_error("%s: containers in containers, more than %d deep (or in a cycle): refused",
            f->path, DEPTH);
        return STATUS_DATA;
    }
    for (uint32_t i = 0; i < v->count && st == STATUS_OK; i += dict ? 2 : 1) {
        if (++f->visits > VISITS) {
            log_error("%s: more than %d values: refused", f->path, VISITS);
            return STATUS_DATA;
        }
        st = dict ? walk_item(f, item(f, v, i + 1), item(f, v, i), 0, prefix, depth)
                  : walk_item(f, item(f, v, i), NULL, i, prefix, depth);
    }
    return st;
}

/* A dictionary that holds a tensor itself is one of weights, whatever its keys are called. */
static bool has_tensor(const torch_file *f, const pickle_value *dict) {
    for (uint32_t i = 0; i + 1 < dict->count; i += 2)
        if (tensor_call(f, item(f, dict, i + 1))) return true;
    return false;
}

/* A dictionary's value of that name that is a dictionary, or NULL; of two the last, as in
 * Python. */
static const pickle_value *inner(const torch_file *f, const pickle_value *dict, const char *word) {
    const pickle_value *found = NULL;
    for (uint32_t i = 0; i + 1 < dict->count; i += 2)
        if (is_word(item(f, dict, i), word) && item(f, dict, i + 1)->kind == PICKLE_DICT)
            found = item(f, dict, i + 1);
    return found;
}

/* The dictionary of weights; its way goes to f->place. Down through the known words, the first of
 * the list that is there, until a dictionary holds tensors itself; where no word fits, what was
 * reached is taken, and the walk finds tensors below it, if there are any. */
static const pickle_value *find_weights(torch_file *f, const pickle_value *v) {
    static const char *const places[] = {"state_dict", "model_state_dict", "model_state", "model",
        "classy_state_dict", "base_model", "teacher", "net", "network", "module"};
    enum { PLACES = sizeof places / sizeof *places, DEEP = 4 };
    for (int depth = 0; depth < DEEP && v->kind == PICKLE_DICT && !has_tensor(f, v); depth++) {
        const pickle_value *next = NULL;
        for (int i = 0; i < PLACES && !next; i++) {
            next = inner(f, v, places[i]);
            size_t n = strlen(f->place);
            if (next) snprintf(f->place + n, sizeof f->place - n, "%s%s", n ? "." : "", places[i]);
        }
        if (!next) break;
        v = next;
    }
    return v;
}

/* A file may hold one tensor and nothing around it: that one has no name but "tensor". */
static status list_tensors(torch_file *f) {
    const pickle_value *root = pickle_get(f->object, pickle_root(f->object));
    const pickle_value *call = tensor_call(f, root);
    status st = STATUS_OK;
    if (call) return add_tensor(f, "tensor", call);
    const pickle_value *v = find_weights(f, root);
    if (v->kind == PICKLE_DICT || v->kind == PICKLE_LIST || v->kind == PICKLE_TUPLE)
        st = walk(f, v, "", 0);
    if (st == STATUS_OK && f->count == 0) {
        log_error("%s: a PyTorch file without tensors", f->path);
        st = STATUS_DATA;
    }
    return st;
}

/* ---- data ---- */

/* A tensor's elements out of its storage, in C order: `at` is the index, counted up like an
 * odometer, and `from` the element that it stands for, kept in step so that no product is
 * needed. */
static void copy_out(const torch_tensor *t, const char *storage, size_t size) {
    int64_t at[TENSOR_DIMS] = {0};
    size_t n = t->bytes / size;
    uint64_t from = t->first;
    for (size_t i = 0; i < n; i++) {
        memcpy(t->data + i * size, storage + from * size, size);
        for (int d = t->dims - 1; d >= 0; d--) {
            from += (uint64_t)t->stride[d];
            if (++at[d] < t->shape[d]) break;
            from -= (uint64_t)t->shape[d] * (uint64_t)t->stride[d];
            at[d] = 0;
        }
    }
}

/* Whether the elements follow each other: then one copy does. A dimension of one element is never
 * stepped along, and its stride may be anything. */
static bool contiguous(const torch_tensor *t) {
    int64_t step = 1;
    for (int d = t->dims - 1; d >= 0; d--) {
        if (t->shape[d] != 1 && t->stride[d] != step) return false;
        step *= t->shape[d];
    }
    return true;
}

/* Tensors of one storage mostly follow each other: it is read once for all of them. One storage is
 * in memory at a time, beside the copies; one that is asked for again later is read again. */
static status read_data(torch_file *f) {
    const torch_storage *now = NULL;
    void *storage = NULL;
    status st = STATUS_OK;
    for (int i = 0; i < f->count && st == STATUS_OK; i++) {
        torch_tensor *t = &f->tensor[i];
        size_t size = safetensors_type_size(t->type);
        if (t->storage != now) {
            memory_free(storage);
            storage = NULL;
            st = torch_source_read(f->source, t->storage, &storage);
            now = t->storage;
        }
        if (st == STATUS_OK) t->data = memory_alloc(t->bytes, 1, t->name);
        if (st == STATUS_OK && !t->data) st = STATUS_FAILED;
        if (st != STATUS_OK) break;
        if (t->bytes == 0) continue; /* its first element and strides mean nothing */
        if (contiguous(t))
            memcpy(t->data, (char *)storage + t->first * size, t->bytes);
        else
            copy_out(t, storage, size);
    }
    memory_free(storage);
    return st;
}

static status open_file(torch_file **out, const char *path, bool data) {
    torch_file *f = memory_alloc(1, sizeof *f, "PyTorch file");
    if (!f) return STATUS_FAILED;
    f->path = path;
    status st = torch_source_open(&f->source, path);
    if (st == STATUS_OK) {
        f->object = torch_source_object(f->source);
        f->archive = torch_source_is_archive(f->source);
        st = list_tensors(f);
    }
    if (st == STATUS_OK && data) st = read_data(f);
    /* Names and data are copies: nothing that stays points into the source, the pickle or the
     * caller's path. */
    torch_source_close(f->source);
    f->source = NULL;
    f->object = NULL;
    f->path = NULL;
    if (st == STATUS_OK)
        *out = f;
    else
        torch_file_close(f);
    return st;
}

bool torch_file_is(const unsigned char first[8]) {
    return torch_source_is(first);
}

status torch_file_read(torch_file **out, const char *path) {
    return open_file(out, path, true);
}

status torch_file_read_header(torch_file **out, const char *path) {
    return open_file(out, path, false);
}

void torch_file_close(torch_file *f) {
    if (!f) return;
    for (int i = 0; i < f->count; i++) {
        memory_free(f->tensor[i].name);
        memory_free(f->tensor[i].data);
    }
    memory_free(f->tensor);
    memory_free(f);
}

int torch_file_count(const torch_file *f) {
    return f->count;
}

tensor_info torch_file_get(const torch_file *f, int i) {
    const torch_tensor *t = &f->tensor[i];
    tensor_info info = {.name = t->name, .type = t->type, .dims = t->dims};
    memcpy(info.shape, t->shape, sizeof info.shape);
    info.data = t->data;
    info.bytes = t->bytes;
    return info;
}

const char *torch_file_place(const torch_file *f) {
    return f->place;
}

const char *torch_file_format(const torch_file *f) {
    return f->archive ? "PyTorch archive" : "PyTorch file of before 1.6";
}

bool torch_file_checked(const torch_file *f) {
    return f->archive;
}
