/* The machine that reads a pickle: a stack of values, marks on it, a memo of values by number. A
 * pickle is a program for such a machine, and Python's own may import and call whatever the program
 * asks for: this one looks names up in the caller's table and writes calls down instead. One
 * function for each family of opcodes; what an opcode's argument claims is compared with what is
 * left of the pickle before anything is done with it. Opcodes that are in no switch below are
 * refused: those that make objects of classes (INST, OBJ, NEWOBJ, EXT), and protocol 0's numbers
 * and texts in lines. The opcodes are those of CPython's Lib/pickletools.py. Texts of values point
 * into the pickle's bytes: nothing is copied but numbers. */
#include "io/weights/pickle_state.h"

#include "src/base/log.h"
#include "src/base/memory.h"

#include <string.h>

/* n bytes of an argument, little endian. */
static status read_number(pickle *p, int n, uint64_t *x) {
    if (p->size - p->next < (size_t)n) return pickle_refuse(p, "it ends within a number");
    *x = 0;
    for (int i = n - 1; i >= 0; i--) *x = *x << 8 | p->bytes[p->next + (size_t)i];
    p->next += (size_t)n;
    return STATUS_OK;
}

/* A length of n bytes, then as many bytes of text. */
static status read_text(pickle *p, int n, pickle_value *v) {
    uint64_t length = 0;
    status st = read_number(p, n, &length);
    if (st != STATUS_OK) return st;
    if (length > p->size - p->next) return pickle_refuse(p, "a text reaches beyond the end");
    v->text = (const char *)p->bytes + p->next;
    v->count = (uint32_t)length;
    p->next += (size_t)length;
    return STATUS_OK;
}

static status push_text(pickle *p, pickle_kind kind, int n) {
    pickle_value v = {.kind = kind};
    status st = read_text(p, n, &v);
    return st == STATUS_OK ? pickle_push(p, v) : st;
}

static status push_integer(pickle *p, pickle_kind kind, int64_t x) {
    return pickle_push(p, (pickle_value){.kind = kind, .integer = x});
}

/* BININT and its short forms: 4 bytes are signed. */
static status push_number(pickle *p, int n) {
    uint64_t x = 0;
    status st = read_number(p, n, &x);
    if (st != STATUS_OK) return st;
    return push_integer(p, PICKLE_INTEGER, n == 4 ? (int32_t)(uint32_t)x : (int64_t)x);
}

/* LONG1, LONG4: two's complement of any length. */
static status push_long(pickle *p, int n) {
    pickle_value v = {.kind = PICKLE_LONG};
    status st = read_text(p, n, &v);
    if (st != STATUS_OK) return st;
    /* It stays text: PyTorch's magic number is one of these, and nobody computes with it. */
    if (v.count > 8) return pickle_push(p, v);
    uint64_t x = v.count && (unsigned char)v.text[v.count - 1] >> 7 ? UINT64_MAX : 0;
    for (uint32_t i = v.count; i > 0; i--) x = x << 8 | (unsigned char)v.text[i - 1];
    return push_integer(p, PICKLE_INTEGER, (int64_t)x);
}

/* BINFLOAT: big endian. */
static status push_real(pickle *p) {
    uint64_t x = 0;
    status st = read_number(p, 8, &x);
    if (st != STATUS_OK) return st;
    pickle_value v = {.kind = PICKLE_REAL};
    x = __builtin_bswap64(x);
    memcpy(&v.real, &x, sizeof v.real);
    return pickle_push(p, v);
}

static status put_numbered(pickle *p, int n) {
    uint64_t place = 0;
    status st = read_number(p, n, &place);
    return st == STATUS_OK ? pickle_put(p, place) : st;
}

/* Memoised values are shared, not copied: one container may stand in many places, itself
 * included. */
static status get(pickle *p, int n) {
    uint64_t place = 0;
    status st = read_number(p, n, &place);
    if (st != STATUS_OK) return st;
    if (place >= p->memo.count || p->memo.at[place] == UNSET)
        return pickle_refuse(p, "a place of the memo that nothing was put in");
    return pickle_push_ref(p, &p->stack, p->memo.at[place]);
}

static bool same_text(const char *text, uint32_t count, const char *word) {
    return strlen(word) == count && memcmp(text, word, count) == 0;
}

/* A message goes to a terminal: a file must not be able to write control characters to it, nor to
 * fill the screen. */
static bool printable(const pickle_value *v) {
    for (uint32_t i = 0; i < v->count; i++)
        if (v->text[i] < 33 || v->text[i] > 126) return false;
    return v->count > 0 && v->count < 128;
}

/* The name MODULE NAME, if the rules have it: the pair as a whole, so that a harmless name of
 * another module does not pass. The message names what was asked for, as this is how a user learns
 * that a file holds more than weights. */
static status push_name(pickle *p, const pickle_value *module, const pickle_value *name) {
    for (int i = 0; i < p->rules->count; i++) {
        const pickle_name *n = &p->rules->name[i];
        if (same_text(module->text, module->count, n->module) &&
            same_text(name->text, name->count, n->name))
            return pickle_push(p, (pickle_value){.kind = PICKLE_NAME, .name = n});
    }
    if (!printable(module) || !printable(name)) return pickle_refuse(p, "a name that is none");
    log_error("%s: pickle, byte %zu: it asks for %.*s.%.*s, which is neither a tensor nor a plain "
              "container: refused",
        p->rules->path, p->next, (int)module->count, module->text, (int)name->count, name->text);
    return STATUS_DATA;
}

/* GLOBAL: two lines. */
static status read_line(pickle *p, pickle_value *v) {
    const unsigned char *at = p->bytes + p->next;
    const unsigned char *end = memchr(at, '\n', p->size - p->next);
    if (!end) return pickle_refuse(p, "a name has no end");
    *v = (pickle_value){.text = (const char *)at, .count = (uint32_t)(end - at)};
    p->next += (size_t)(end - at) + 1;
    return STATUS_OK;
}

static status push_global(pickle *p) {
    pickle_value module = {0}, name = {0};
    status st = read_line(p, &module);
    if (st == STATUS_OK) st = read_line(p, &name);
    return st == STATUS_OK ? push_name(p, &module, &name) : st;
}

/* The form of protocol 4: both texts are on the stack, the name on top. Anything may have put them
 * there, so that their kinds are looked at. */
static status push_stack_global(pickle *p) {
    pickle_ref module, name;
    status st = pickle_pop(p, &name);
    if (st == STATUS_OK) st = pickle_pop(p, &module);
    if (st != STATUS_OK) return st;
    if (p->value[module].kind != PICKLE_TEXT || p->value[name].kind != PICKLE_TEXT)
        return pickle_refuse(p, "a name that is no text");
    /* Copies: a new value may move the array that these are in. */
    const pickle_value m = p->value[module], n = p->value[name];
    return push_name(p, &m, &n);
}

/* REDUCE, which calls in Python. Nothing is called: a container is built, and of a tensor's
 * function it is put down what it would have been called with, for torch_file.c to make sense of.
 * Whatever else may be named, a type or a storage's class, is no function: to call it is
 * refused. */
static status reduce(pickle *p) {
    pickle_ref args, name;
    status st = pickle_pop(p, &args);
    if (st == STATUS_OK) st = pickle_pop(p, &name);
    if (st != STATUS_OK) return st;
    const pickle_value *a = &p->value[args], *n = &p->value[name];
    if (n->kind != PICKLE_NAME || a->kind != PICKLE_TUPLE)
        return pickle_refuse(p, "a call of no name");
    /* Copies, as building a container may move the array of values. */
    const pickle_value tuple = *a, callee = *n;
    switch (callee.name->makes) {
    case PICKLE_MAKES_DICT:
        return pickle_call_container(p, PICKLE_DICT, &tuple);
    case PICKLE_MAKES_LIST:
        return pickle_call_container(p, PICKLE_LIST, &tuple);
    case PICKLE_MAKES_NOTHING:
        log_error("%s: pickle, byte %zu: it calls %s.%s: refused", p->rules->path, p->next,
            callee.name->module, callee.name->name);
        return STATUS_DATA;
    case PICKLE_MAKES_CALL:
    case PICKLE_MAKES_RECORD:
        break;
    }
    st = pickle_push_ref(p, &p->stack, args);
    if (st == STATUS_OK) st = pickle_push_items(p, PICKLE_CALL, p->stack.count - 1);
    if (st == STATUS_OK) p->value[p->values - 1].name = callee.name;
    return st;
}

/* NEWOBJ: an object of a class, as REDUCE has it. A function is none. */
static status new_object(pickle *p) {
    pickle_ref class;
    status st = pickle_top(p, 1, &class);
    if (st != STATUS_OK) return st;
    const pickle_value *v = &p->value[class];
    if (v->kind == PICKLE_NAME && v->name->makes == PICKLE_MAKES_CALL)
        return pickle_refuse(p, "an object of what is no class");
    return reduce(p);
}

/* BUILD: a state for the object below. Attributes of a dictionary (a state_dict's _metadata, what
 * the command line said) and of a record (numpy's types) are let go; nothing else has any. */
static status build(pickle *p) {
    pickle_ref state, object;
    status st = pickle_pop(p, &state);
    if (st == STATUS_OK) st = pickle_top(p, 0, &object);
    if (st != STATUS_OK) return st;
    const pickle_value *v = &p->value[object];
    bool record = v->kind == PICKLE_CALL && v->name->makes == PICKLE_MAKES_RECORD;
    if (v->kind != PICKLE_DICT && !record) return pickle_refuse(p, "a state for what has none");
    return STATUS_OK;
}

/* BINPERSID: the value on top is the id of something outside the pickle (in PyTorch's files a
 * storage). It becomes the one item of a value of its own kind, so that no other value can be taken
 * for it. */
static status persistent(pickle *p) {
    pickle_ref id;
    status st = pickle_top(p, 0, &id);
    return st == STATUS_OK ? pickle_push_items(p, PICKLE_PERSISTENT, p->stack.count - 1) : st;
}

static status drop(pickle *p) {
    pickle_ref i;
    return pickle_pop(p, &i);
}

/* torch.save writes protocol 2 unless it is told otherwise; 3 to 5 add opcodes that are read as
 * well. */
static status protocol(pickle *p) {
    uint64_t version = 0;
    status st = read_number(p, 1, &version);
    if (st != STATUS_OK) return st;
    return version >= 2 && version <= 5 ? STATUS_OK
                                        : pickle_refuse(p, "a protocol other than 2 to 5");
}

/* FRAME: how many bytes follow, which nothing here needs to know. */
static status frame(pickle *p) {
    uint64_t bytes = 0;
    return read_number(p, 8, &bytes);
}

static status unknown(const pickle *p, unsigned char opcode) {
    log_error("%s: pickle, byte %zu: opcode 0x%02x: no pickle of tensors and plain containers has "
              "it: refused",
        p->rules->path, p->next - 1, opcode);
    return STATUS_DATA;
}

/* Constants and texts, the last of the three switches: what it does not know is unknown. They are
 * one table in three parts, each falling through to the next, as no function here may be that
 * long. */
static status run_scalar(pickle *p, unsigned char opcode) {
    switch (opcode) {
    case 'N': /* NONE */
        return pickle_push(p, (pickle_value){.kind = PICKLE_NONE});
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

/* Containers. A set is a list: whoever reads weights asks for nothing that only a set can
 * answer. */
static status run_container(pickle *p, unsigned char opcode) {
    switch (opcode) {
    case ']':  /* EMPTY_LIST */
    case 0x8f: /* EMPTY_SET */
        return pickle_push_items(p, PICKLE_LIST, p->stack.count);
    case '}': /* EMPTY_DICT */
        return pickle_push_items(p, PICKLE_DICT, p->stack.count);
    case ')': /* EMPTY_TUPLE */
        return pickle_push_tuple(p, 0);
    case 0x85: /* TUPLE1 */
        return pickle_push_tuple(p, 1);
    case 0x86: /* TUPLE2 */
        return pickle_push_tuple(p, 2);
    case 0x87: /* TUPLE3 */
        return pickle_push_tuple(p, 3);
    case 't': /* TUPLE */
        return pickle_push_marked(p, PICKLE_TUPLE);
    case 'l': /* LIST */
        return pickle_push_marked(p, PICKLE_LIST);
    case 'd': /* DICT */
        return pickle_push_marked(p, PICKLE_DICT);
    case 'a': /* APPEND */
        return pickle_fill_top(p, 1, PICKLE_LIST);
    case 'e':  /* APPENDS */
    case 0x90: /* ADDITEMS */
        return pickle_fill_marked(p, PICKLE_LIST);
    case 's': /* SETITEM */
        return pickle_fill_top(p, 2, PICKLE_DICT);
    case 'u': /* SETITEMS */
        return pickle_fill_marked(p, PICKLE_DICT);
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
        return pickle_push_ref(p, &p->mark, p->stack.count);
    case '0': /* POP */
        return drop(p);
    case 'q': /* BINPUT */
        return put_numbered(p, 1);
    case 'r': /* LONG_BINPUT */
        return put_numbered(p, 4);
    case 0x94: /* MEMOIZE */
        return pickle_put(p, p->memo.count);
    case 'h': /* BINGET */
        return get(p, 1);
    case 'j': /* LONG_BINGET */
        return get(p, 4);
    case 'c': /* GLOBAL */
        return push_global(p);
    case 0x93: /* STACK_GLOBAL */
        return push_stack_global(p);
    case 0x81: /* NEWOBJ */
        return new_object(p);
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

/* Each turn takes at least a byte, and no opcode jumps: it ends with the bytes at the latest. What
 * comes after STOP is the caller's: a legacy file has pickles one after another. */
static status run_all(pickle *p) {
    for (;;) {
        if (p->next >= p->size) return pickle_refuse(p, "it has no end");
        unsigned char opcode = p->bytes[p->next++];
        if (opcode == '.') return pickle_pop(p, &p->root);
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
    /* The caller may not know where the pickle ends: one that is longer ends too early here, and is
     * refused. */
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

pickle_ref pickle_root(const pickle *p) {
    return p->root;
}

uint32_t pickle_values(const pickle *p) {
    return p->values;
}

const pickle_value *pickle_get(const pickle *p, pickle_ref i) {
    return &p->value[i];
}
