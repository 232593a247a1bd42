/* The machine that reads a pickle: a stack of values, marks on it, a memo of values by number. One
 * function for each family of opcodes; what an opcode's argument claims is compared with what is
 * left of the pickle before anything is done with it. The opcodes are those of CPython's
 * Lib/pickletools.py. */
#include "io/weights/pickle.h"

#include "src/base/log.h"
#include "src/base/memory.h"

#include <stdbool.h>
#include <string.h>

enum { MOST_BYTES = 1 << 27 }; /* of all arrays of a pickle that is read */
#define UNSET UINT32_MAX       /* a place of the memo that nothing was put in */

/* An array of numbers of values that grows. */
typedef struct refs {
    pickle_ref *at;
    uint32_t count, capacity;
} refs;

struct pickle {
    const pickle_rules *rules;
    const unsigned char *bytes;
    size_t size, next; /* next: of the opcode or argument that is read next */
    size_t taken;      /* bytes of all arrays */
    pickle_value *value;
    uint32_t values, capacity;
    uint32_t *filled; /* [capacity]: how many items a container has memory for */
    refs stack, mark, memo;
    pickle_ref root;
};

static status refuse(const pickle *p, const char *why) {
    log_error("%s: pickle, byte %zu: %s", p->rules->path, p->next, why);
    return STATUS_DATA;
}

/* What an array of n elements takes: blocks are aligned to 64 bytes and have a head. */
static size_t array_bytes(uint32_t n, size_t size) {
    return n ? (n * size + 63) / 64 * 64 + 64 : 0;
}

/* A block of `size` bytes an element becomes one of at least `count` elements. */
static status grow(pickle *p, void **block, uint32_t *capacity, uint32_t count, size_t size) {
    if (count <= *capacity) return STATUS_OK;
    uint32_t wanted = *capacity < 4 ? 8 : 2 * *capacity;
    if (wanted < count) wanted = count;
    if (p->taken + array_bytes(wanted, size) > MOST_BYTES)
        return refuse(p, "reading it takes more than 128 MiB: refused");
    char *larger = memory_alloc(wanted, size, "pickle");
    if (!larger) return STATUS_FAILED;
    p->taken += array_bytes(wanted, size) - array_bytes(*capacity, size);
    if (*block) memcpy(larger, *block, *capacity * size);
    memory_free(*block);
    *block = larger;
    *capacity = wanted;
    return STATUS_OK;
}

static status push_ref(pickle *p, refs *r, pickle_ref i) {
    void *at = r->at;
    status st = grow(p, &at, &r->capacity, r->count + 1, sizeof *r->at);
    r->at = at;
    if (st == STATUS_OK) r->at[r->count++] = i;
    return st;
}

/* A new value, not on the stack. */
static status new_value(pickle *p, pickle_value v, pickle_ref *i) {
    uint32_t capacity = p->capacity;
    void *value = p->value, *filled = p->filled;
    status st = grow(p, &value, &capacity, p->values + 1, sizeof *p->value);
    p->value = value;
    if (st == STATUS_OK) st = grow(p, &filled, &p->capacity, p->values + 1, sizeof *p->filled);
    p->filled = filled;
    if (st != STATUS_OK) return st;
    *i = p->values;
    p->value[p->values++] = v;
    return STATUS_OK;
}

static status push(pickle *p, pickle_value v) {
    pickle_ref i;
    status st = new_value(p, v, &i);
    return st == STATUS_OK ? push_ref(p, &p->stack, i) : st;
}

/* Where the values above the topmost mark, or the bottom, begin. */
static uint32_t floor_of(const pickle *p) {
    return p->mark.count ? p->mark.at[p->mark.count - 1] : 0;
}

/* The n-th value from the top, 0 the topmost, that no mark hides. */
static status top(const pickle *p, uint32_t n, pickle_ref *i) {
    if (p->stack.count <= floor_of(p) + n) return refuse(p, "the stack is empty");
    *i = p->stack.at[p->stack.count - 1 - n];
    return STATUS_OK;
}

static status pop(pickle *p, pickle_ref *i) {
    status st = top(p, 0, i);
    if (st == STATUS_OK) p->stack.count--;
    return st;
}

/* Removes the topmost mark; *begin: where what stands above it begins on the stack. */
static status pop_mark(pickle *p, uint32_t *begin) {
    if (p->mark.count == 0) return refuse(p, "a mark is missing");
    *begin = p->mark.at[--p->mark.count];
    return STATUS_OK;
}

/* n bytes of an argument, little endian. */
static status read_number(pickle *p, int n, uint64_t *x) {
    if (p->size - p->next < (size_t)n) return refuse(p, "it ends within a number");
    *x = 0;
    for (int i = n - 1; i >= 0; i--) *x = *x << 8 | p->bytes[p->next + (size_t)i];
    p->next += (size_t)n;
    return STATUS_OK;
}

/* A length of n bytes, then as many bytes of text. */
static status read_text(pickle *p, int n, pickle_value *v) {
    uint64_t length;
    status st = read_number(p, n, &length);
    if (st != STATUS_OK) return st;
    if (length > p->size - p->next) return refuse(p, "a text reaches beyond the end");
    v->text = (const char *)p->bytes + p->next;
    v->count = (uint32_t)length;
    p->next += (size_t)length;
    return STATUS_OK;
}

static status push_text(pickle *p, pickle_kind kind, int n) {
    pickle_value v = {.kind = kind};
    status st = read_text(p, n, &v);
    return st == STATUS_OK ? push(p, v) : st;
}

static status push_integer(pickle *p, pickle_kind kind, int64_t x) {
    return push(p, (pickle_value){.kind = kind, .integer = x});
}

/* BININT and its short forms: 4 bytes are signed. */
static status push_number(pickle *p, int n) {
    uint64_t x;
    status st = read_number(p, n, &x);
    if (st != STATUS_OK) return st;
    return push_integer(p, PICKLE_INTEGER, n == 4 ? (int32_t)(uint32_t)x : (int64_t)x);
}

/* LONG1, LONG4: two's complement of any length. */
static status push_long(pickle *p, int n) {
    pickle_value v = {.kind = PICKLE_LONG};
    status st = read_text(p, n, &v);
    if (st != STATUS_OK) return st;
    if (v.count > 8) return push(p, v);
    uint64_t x = v.count && (unsigned char)v.text[v.count - 1] >> 7 ? UINT64_MAX : 0;
    for (uint32_t i = v.count; i > 0; i--) x = x << 8 | (unsigned char)v.text[i - 1];
    return push_integer(p, PICKLE_INTEGER, (int64_t)x);
}

/* BINFLOAT: big endian. */
static status push_real(pickle *p) {
    uint64_t x;
    status st = read_number(p, 8, &x);
    if (st != STATUS_OK) return st;
    pickle_value v = {.kind = PICKLE_REAL};
    x = __builtin_bswap64(x);
    memcpy(&v.real, &x, sizeof v.real);
    return push(p, v);
}

/* Appends the values on the stack from `begin` on to container `to`, and takes them off. */
static status take_items(pickle *p, uint32_t begin, pickle_ref to) {
    pickle_value *v = &p->value[to];
    uint32_t n = p->stack.count - begin;
    void *item = v->item;
    if (n > UINT32_MAX / 4 - v->count) return refuse(p, "a container is too long");
    status st = grow(p, &item, &p->filled[to], v->count + n, sizeof *v->item);
    v->item = item;
    if (st != STATUS_OK) return st;
    if (n) memcpy(v->item + v->count, p->stack.at + begin, n * sizeof *v->item);
    v->count += n;
    p->stack.count = begin;
    return STATUS_OK;
}

/* A container of what stands on the stack from `begin` on. */
static status push_items(pickle *p, pickle_kind kind, uint32_t begin) {
    pickle_ref i;
    status st = new_value(p, (pickle_value){.kind = kind}, &i);
    if (st == STATUS_OK) st = take_items(p, begin, i);
    return st == STATUS_OK ? push_ref(p, &p->stack, i) : st;
}

static status push_marked(pickle *p, pickle_kind kind) {
    uint32_t begin;
    status st = pop_mark(p, &begin);
    if (st != STATUS_OK) return st;
    if (kind == PICKLE_DICT && (p->stack.count - begin) % 2) return refuse(p, "a key has no value");
    return push_items(p, kind, begin);
}

static status push_tuple(pickle *p, uint32_t n) {
    pickle_ref last;
    status st = n ? top(p, n - 1, &last) : STATUS_OK;
    return st == STATUS_OK ? push_items(p, PICKLE_TUPLE, p->stack.count - n) : st;
}

/* APPEND(S), ADDITEMS, SETITEM(S): what stands from `begin` on goes into the container below it. */
static status fill(pickle *p, uint32_t begin, pickle_kind kind) {
    if (begin == 0 || begin - 1 < floor_of(p)) return refuse(p, "a container is missing");
    pickle_ref to = p->stack.at[begin - 1];
    if (p->value[to].kind != kind) return refuse(p, "what is filled is no such container");
    if (kind == PICKLE_DICT && (p->stack.count - begin) % 2) return refuse(p, "a key has no value");
    return take_items(p, begin, to);
}

static status fill_marked(pickle *p, pickle_kind kind) {
    uint32_t begin;
    status st = pop_mark(p, &begin);
    return st == STATUS_OK ? fill(p, begin, kind) : st;
}

static status fill_top(pickle *p, uint32_t n, pickle_kind kind) {
    pickle_ref container;
    status st = top(p, n, &container);
    return st == STATUS_OK ? fill(p, p->stack.count - n, kind) : st;
}

static status put(pickle *p, uint64_t place) {
    pickle_ref i;
    void *at = p->memo.at;
    status st = top(p, 0, &i);
    if (st != STATUS_OK) return st;
    if (place >= p->size) return refuse(p, "a place of the memo beyond the pickle's length");
    st = grow(p, &at, &p->memo.capacity, (uint32_t)place + 1, sizeof *p->memo.at);
    p->memo.at = at;
    if (st != STATUS_OK) return st;
    while (p->memo.count <= place) p->memo.at[p->memo.count++] = UNSET;
    p->memo.at[place] = i;
    return STATUS_OK;
}

static status put_numbered(pickle *p, int n) {
    uint64_t place;
    status st = read_number(p, n, &place);
    return st == STATUS_OK ? put(p, place) : st;
}

static status get(pickle *p, int n) {
    uint64_t place;
    status st = read_number(p, n, &place);
    if (st != STATUS_OK) return st;
    if (place >= p->memo.count || p->memo.at[place] == UNSET)
        return refuse(p, "a place of the memo that nothing was put in");
    return push_ref(p, &p->stack, p->memo.at[place]);
}

static bool same_text(const char *text, uint32_t count, const char *word) {
    return strlen(word) == count && memcmp(text, word, count) == 0;
}

static bool printable(const pickle_value *v) {
    for (uint32_t i = 0; i < v->count; i++)
        if (v->text[i] < 33 || v->text[i] > 126) return false;
    return v->count > 0 && v->count < 128;
}

/* The name MODULE NAME, if the rules have it. */
static status push_name(pickle *p, const pickle_value *module, const pickle_value *name) {
    for (int i = 0; i < p->rules->count; i++) {
        const pickle_name *n = &p->rules->name[i];
        if (same_text(module->text, module->count, n->module) &&
            same_text(name->text, name->count, n->name))
            return push(p, (pickle_value){.kind = PICKLE_NAME, .name = n});
    }
    if (!printable(module) || !printable(name)) return refuse(p, "a name that is none");
    log_error("%s: pickle, byte %zu: it asks for %.*s.%.*s, which is neither a tensor nor a plain "
              "container: refused",
        p->rules->path, p->next, (int)module->count, module->text, (int)name->count, name->text);
    return STATUS_DATA;
}

/* GLOBAL: two lines. */
static status read_line(pickle *p, pickle_value *v) {
    const unsigned char *at = p->bytes + p->next;
    const unsigned char *end = memchr(at, '\n', p->size - p->next);
    if (!end) return refuse(p, "a name has no end");
    *v = (pickle_value){.text = (const char *)at, .count = (uint32_t)(end - at)};
    p->next += (size_t)(end - at) + 1;
    return STATUS_OK;
}

static status push_global(pickle *p) {
    pickle_value module, name;
    status st = read_line(p, &module);
    if (st == STATUS_OK) st = read_line(p, &name);
    return st == STATUS_OK ? push_name(p, &module, &name) : st;
}

static status push_stack_global(pickle *p) {
    pickle_ref module, name;
    status st = pop(p, &name);
    if (st == STATUS_OK) st = pop(p, &module);
    if (st != STATUS_OK) return st;
    if (p->value[module].kind != PICKLE_TEXT || p->value[name].kind != PICKLE_TEXT)
        return refuse(p, "a name that is no text");
    const pickle_value m = p->value[module], n = p->value[name];
    return push_name(p, &m, &n);
}

/* A dictionary's items from a list of pairs (what an OrderedDict was called with). */
static status take_pairs(pickle *p, pickle_ref list, pickle_ref to) {
    uint32_t begin = p->stack.count;
    status st = STATUS_OK;
    for (uint32_t i = 0; i < p->value[list].count && st == STATUS_OK; i++) {
        const pickle_value *pair = &p->value[p->value[list].item[i]];
        if ((pair->kind != PICKLE_TUPLE && pair->kind != PICKLE_LIST) || pair->count != 2)
            return refuse(p, "a dictionary of what are no pairs");
        st = push_ref(p, &p->stack, pair->item[0]);
        if (st == STATUS_OK) st = push_ref(p, &p->stack, pair->item[1]);
    }
    return st == STATUS_OK ? take_items(p, begin, to) : st;
}

/* A container that a name is called for: from nothing or from one list. */
static status call_container(pickle *p, pickle_kind kind, const pickle_value *args) {
    pickle_ref made, from = args->count ? args->item[0] : 0;
    uint32_t count = args->count;
    if (count > 1 || (count && p->value[from].kind != PICKLE_LIST))
        return refuse(p, "a container of what is no list");
    status st = new_value(p, (pickle_value){.kind = kind}, &made);
    if (st == STATUS_OK && count && kind == PICKLE_DICT) st = take_pairs(p, from, made);
    for (uint32_t i = 0, n = count ? p->value[from].count : 0;
         kind == PICKLE_LIST && i < n && st == STATUS_OK; i++) {
        uint32_t begin = p->stack.count;
        st = push_ref(p, &p->stack, p->value[from].item[i]);
        if (st == STATUS_OK) st = take_items(p, begin, made);
    }
    return st == STATUS_OK ? push_ref(p, &p->stack, made) : st;
}

/* REDUCE: nothing is called; what the call would make is built or put down. */
static status reduce(pickle *p) {
    pickle_ref args, name;
    status st = pop(p, &args);
    if (st == STATUS_OK) st = pop(p, &name);
    if (st != STATUS_OK) return st;
    const pickle_value *a = &p->value[args], *n = &p->value[name];
    if (n->kind != PICKLE_NAME || a->kind != PICKLE_TUPLE) return refuse(p, "a call of no name");
    const pickle_value tuple = *a, callee = *n;
    switch (callee.name->makes) {
    case PICKLE_MAKES_DICT:
        return call_container(p, PICKLE_DICT, &tuple);
    case PICKLE_MAKES_LIST:
        return call_container(p, PICKLE_LIST, &tuple);
    case PICKLE_MAKES_NOTHING:
        log_error("%s: pickle, byte %zu: it calls %s.%s: refused", p->rules->path, p->next,
            callee.name->module, callee.name->name);
        return STATUS_DATA;
    case PICKLE_MAKES_CALL:
        break;
    }
    st = push_ref(p, &p->stack, args);
    if (st == STATUS_OK) st = push_items(p, PICKLE_CALL, p->stack.count - 1);
    if (st == STATUS_OK) p->value[p->values - 1].name = callee.name;
    return st;
}

/* BUILD: a state for the object below. Attributes of a dictionary (a state_dict's _metadata) are
 * let go; nothing else has any. */
static status build(pickle *p) {
    pickle_ref state, object;
    status st = pop(p, &state);
    if (st == STATUS_OK) st = top(p, 0, &object);
    if (st != STATUS_OK) return st;
    if (p->value[object].kind != PICKLE_DICT) return refuse(p, "a state for what has none");
    return STATUS_OK;
}

static status persistent(pickle *p) {
    pickle_ref id;
    status st = top(p, 0, &id);
    return st == STATUS_OK ? push_items(p, PICKLE_PERSISTENT, p->stack.count - 1) : st;
}

static status drop(pickle *p) {
    pickle_ref i;
    return pop(p, &i);
}

static status protocol(pickle *p) {
    uint64_t version;
    status st = read_number(p, 1, &version);
    if (st != STATUS_OK) return st;
    return version >= 2 && version <= 5 ? STATUS_OK : refuse(p, "a protocol other than 2 to 5");
}

/* FRAME: how many bytes follow, which nothing here needs to know. */
static status frame(pickle *p) {
    uint64_t bytes;
    return read_number(p, 8, &bytes);
}

static status unknown(const pickle *p, unsigned char opcode) {
    log_error("%s: pickle, byte %zu: opcode 0x%02x: no pickle of tensors and plain containers has "
              "it: refused",
        p->rules->path, p->next - 1, opcode);
    return STATUS_DATA;
}

/* Constants and texts. */
static status run_scalar(pickle *p, unsigned char opcode) {
    switch (opcode) {
    case 'N': /* NONE */
        return push(p, (pickle_value){.kind = PICKLE_NONE});
    case 0x88: /* NEWTRUE */
        return push_integer(p, PICKLE_BOOL, 1);
    case 0x89: /* NEWFALSE */
        return push_integer(p, PICKLE_BOOL, 0);
    case 'K': /* BININT1 */
        return push_number(p, 1);
    case 'M': /* BININT2 */
        return push_number(p, 2);
    case 'J': /* BININT */
        return push_number(p, 4);
    case 0x8a: /* LONG1 */
        return push_long(p, 1);
    case 0x8b: /* LONG4 */
        return push_long(p, 4);
    case 'G': /* BINFLOAT */
        return push_real(p);
    case 0x8c: /* SHORT_BINUNICODE */
        return push_text(p, PICKLE_TEXT, 1);
    case 'X': /* BINUNICODE */
        return push_text(p, PICKLE_TEXT, 4);
    case 0x8d: /* BINUNICODE8 */
        return push_text(p, PICKLE_TEXT, 8);
    case 'U': /* SHORT_BINSTRING, Python 2's texts */
        return push_text(p, PICKLE_TEXT, 1);
    case 'T': /* BINSTRING */
        return push_text(p, PICKLE_TEXT, 4);
    case 'C': /* SHORT_BINBYTES */
        return push_text(p, PICKLE_BYTES, 1);
    case 'B': /* BINBYTES */
        return push_text(p, PICKLE_BYTES, 4);
    default:
        return unknown(p, opcode);
    }
}

/* Containers. */
static status run_container(pickle *p, unsigned char opcode) {
    switch (opcode) {
    case ']':  /* EMPTY_LIST */
    case 0x8f: /* EMPTY_SET */
        return push_items(p, PICKLE_LIST, p->stack.count);
    case '}': /* EMPTY_DICT */
        return push_items(p, PICKLE_DICT, p->stack.count);
    case ')': /* EMPTY_TUPLE */
        return push_tuple(p, 0);
    case 0x85: /* TUPLE1 */
        return push_tuple(p, 1);
    case 0x86: /* TUPLE2 */
        return push_tuple(p, 2);
    case 0x87: /* TUPLE3 */
        return push_tuple(p, 3);
    case 't': /* TUPLE */
        return push_marked(p, PICKLE_TUPLE);
    case 'l': /* LIST */
        return push_marked(p, PICKLE_LIST);
    case 'd': /* DICT */
        return push_marked(p, PICKLE_DICT);
    case 'a': /* APPEND */
        return fill_top(p, 1, PICKLE_LIST);
    case 'e':  /* APPENDS */
    case 0x90: /* ADDITEMS */
        return fill_marked(p, PICKLE_LIST);
    case 's': /* SETITEM */
        return fill_top(p, 2, PICKLE_DICT);
    case 'u': /* SETITEMS */
        return fill_marked(p, PICKLE_DICT);
    default:
        return run_scalar(p, opcode);
    }
}

/* One opcode but STOP. */
static status run(pickle *p, unsigned char opcode) {
    switch (opcode) {
    case 0x80: /* PROTO */
        return protocol(p);
    case 0x95: /* FRAME */
        return frame(p);
    case '(': /* MARK */
        return push_ref(p, &p->mark, p->stack.count);
    case '0': /* POP */
        return drop(p);
    case 'q': /* BINPUT */
        return put_numbered(p, 1);
    case 'r': /* LONG_BINPUT */
        return put_numbered(p, 4);
    case 0x94: /* MEMOIZE */
        return put(p, p->memo.count);
    case 'h': /* BINGET */
        return get(p, 1);
    case 'j': /* LONG_BINGET */
        return get(p, 4);
    case 'c': /* GLOBAL */
        return push_global(p);
    case 0x93: /* STACK_GLOBAL */
        return push_stack_global(p);
    case 'R': /* REDUCE */
        return reduce(p);
    case 'b': /* BUILD */
        return build(p);
    case 'Q': /* BINPERSID */
        return persistent(p);
    default:
        return run_container(p, opcode);
    }
}

static status run_all(pickle *p) {
    for (;;) {
        if (p->next >= p->size) return refuse(p, "it has no end");
        unsigned char opcode = p->bytes[p->next++];
        if (opcode == '.') return pop(p, &p->root);
        status st = run(p, opcode);
        if (st != STATUS_OK) return st;
    }
}

status pickle_read(
    pickle **out, const pickle_rules *rules, const void *bytes, size_t size, size_t *used) {
    pickle *p = memory_alloc(1, sizeof *p, "pickle");
    if (!p) return STATUS_FAILED;
    p->rules = rules;
    p->bytes = bytes;
    p->size = size < PICKLE_LIMIT ? size : PICKLE_LIMIT;
    status st = run_all(p);
    if (st == STATUS_OK) {
        *out = p;
        *used = p->next;
    } else {
        pickle_free(p);
    }
    return st;
}

static bool has_items(const pickle_value *v) {
    return v->kind == PICKLE_LIST || v->kind == PICKLE_TUPLE || v->kind == PICKLE_DICT ||
           v->kind == PICKLE_CALL || v->kind == PICKLE_PERSISTENT;
}

void pickle_free(pickle *p) {
    if (!p) return;
    for (uint32_t i = 0; i < p->values; i++)
        if (has_items(&p->value[i])) memory_free(p->value[i].item);
    memory_free(p->value);
    memory_free(p->filled);
    memory_free(p->stack.at);
    memory_free(p->mark.at);
    memory_free(p->memo.at);
    memory_free(p);
}

pickle_ref pickle_root(const pickle *p) {
    return p->root;
}

uint32_t pickle_values(const pickle *p) {
    return p->values;
}

const pickle_value *pickle_get(const pickle *p, pickle_ref i) {
    return &p->value[i];
}
