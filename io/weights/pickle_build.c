/* What a pickle builds: values in one growing array, the stack of their numbers with its marks, and
 * containers that are filled from it. All arrays of a pickle together have a limit, so that no file
 * takes more memory than that, whatever it holds. Values are known by number, never by address: the
 * array moves as it grows, and no pointer into it may be kept over a call that makes a value. Only
 * take_items writes into containers. After a refusal the stack is left as it is: pickle_free frees
 * all by the array of values, whatever the stack says. */
#include "io/weights/pickle_state.h"

#include "src/base/log.h"
#include "src/base/memory.h"

#include <string.h>

enum { MOST_BYTES = 1 << 27 }; /* of all arrays of a pickle that is read */

status pickle_refuse(const pickle *p, const char *why) {
    log_error("%s: pickle, byte %zu: %s", p->rules->path, p->next, why);
    return STATUS_DATA;
}

/* What an array of n elements takes: blocks are aligned to 64 bytes and have a head. */
static size_t array_bytes(uint32_t n, size_t size) {
    return n ? (n * size + 63) / 64 * 64 + 64 : 0;
}

/* A block of `size` bytes an element becomes one of at least `count` elements, the old ones in
 * front. By doubling, so that copying stays in proportion to what is read. The limit is asked with
 * the old block still counted, as both are there while it is copied. On failure the block is as it
 * was. */
static status grow(pickle *p, void **block, uint32_t *capacity, uint32_t count, size_t size) {
    if (count <= *capacity) return STATUS_OK;
    uint32_t wanted = *capacity < 4 ? 8 : 2 * *capacity;
    if (wanted < count) wanted = count;
    if (p->taken + array_bytes(wanted, size) > MOST_BYTES)
        return pickle_refuse(p, "reading it takes more than 128 MiB: refused");
    char *larger = memory_alloc(wanted, size, "pickle");
    if (!larger) return STATUS_FAILED;
    p->taken += array_bytes(wanted, size) - array_bytes(*capacity, size);
    if (*block) memcpy(larger, *block, *capacity * size);
    memory_free(*block);
    *block = larger;
    *capacity = wanted;
    return STATUS_OK;
}

status pickle_push_ref(pickle *p, refs *r, pickle_ref i) {
    void *at = r->at;
    status st = grow(p, &at, &r->capacity, r->count + 1, sizeof *r->at);
    r->at = at;
    if (st == STATUS_OK) r->at[r->count++] = i;
    return st;
}

/* A new value, not on the stack. `value` and `filled` grow together; the capacity is taken over
 * with the second one, so that a failure between the two leaves a number that is true of both. */
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

status pickle_push(pickle *p, pickle_value v) {
    pickle_ref i;
    status st = new_value(p, v, &i);
    return st == STATUS_OK ? pickle_push_ref(p, &p->stack, i) : st;
}

/* Where the values above the topmost mark, or the bottom, begin. No opcode may reach below it but
 * those that take the mark away: what lies there belongs to a container that is not finished. */
static uint32_t floor_of(const pickle *p) {
    return p->mark.count ? p->mark.at[p->mark.count - 1] : 0;
}

/* The n-th value from the top, 0 the topmost, that no mark hides. */
status pickle_top(const pickle *p, uint32_t n, pickle_ref *i) {
    if (p->stack.count <= floor_of(p) + n) return pickle_refuse(p, "the stack is empty");
    *i = p->stack.at[p->stack.count - 1 - n];
    return STATUS_OK;
}

status pickle_pop(pickle *p, pickle_ref *i) {
    status st = pickle_top(p, 0, i);
    if (st == STATUS_OK) p->stack.count--;
    return st;
}

/* Removes the topmost mark; *begin: where what stands above it begins on the stack. */
static status pop_mark(pickle *p, uint32_t *begin) {
    if (p->mark.count == 0) return pickle_refuse(p, "a mark is missing");
    *begin = p->mark.at[--p->mark.count];
    return STATUS_OK;
}

/* Appends the values on the stack from `begin` on to container `to`, and takes them off. */
static status take_items(pickle *p, uint32_t begin, pickle_ref to) {
    pickle_value *v = &p->value[to];
    uint32_t n = p->stack.count - begin;
    void *item = v->item;
    if (n > UINT32_MAX / 4 - v->count) return pickle_refuse(p, "a container is too long");
    status st = grow(p, &item, &p->filled[to], v->count + n, sizeof *v->item);
    v->item = item;
    if (st != STATUS_OK) return st;
    if (n) memcpy(v->item + v->count, p->stack.at + begin, n * sizeof *v->item);
    v->count += n;
    p->stack.count = begin;
    return STATUS_OK;
}

/* A container of what stands on the stack from `begin` on. */
status pickle_push_items(pickle *p, pickle_kind kind, uint32_t begin) {
    pickle_ref i;
    status st = new_value(p, (pickle_value){.kind = kind}, &i);
    if (st == STATUS_OK) st = take_items(p, begin, i);
    return st == STATUS_OK ? pickle_push_ref(p, &p->stack, i) : st;
}

status pickle_push_marked(pickle *p, pickle_kind kind) {
    uint32_t begin;
    status st = pop_mark(p, &begin);
    if (st != STATUS_OK) return st;
    if (kind == PICKLE_DICT && (p->stack.count - begin) % 2)
        return pickle_refuse(p, "a key has no value");
    return pickle_push_items(p, kind, begin);
}

status pickle_push_tuple(pickle *p, uint32_t n) {
    pickle_ref last;
    status st = n ? pickle_top(p, n - 1, &last) : STATUS_OK;
    return st == STATUS_OK ? pickle_push_items(p, PICKLE_TUPLE, p->stack.count - n) : st;
}

/* APPEND(S), ADDITEMS, SETITEM(S): what stands from `begin` on goes into the container below it. */
static status fill(pickle *p, uint32_t begin, pickle_kind kind) {
    if (begin == 0 || begin - 1 < floor_of(p)) return pickle_refuse(p, "a container is missing");
    pickle_ref to = p->stack.at[begin - 1];
    if (p->value[to].kind != kind) return pickle_refuse(p, "what is filled is no such container");
    if (kind == PICKLE_DICT && (p->stack.count - begin) % 2)
        return pickle_refuse(p, "a key has no value");
    return take_items(p, begin, to);
}

status pickle_fill_marked(pickle *p, pickle_kind kind) {
    uint32_t begin;
    status st = pop_mark(p, &begin);
    return st == STATUS_OK ? fill(p, begin, kind) : st;
}

status pickle_fill_top(pickle *p, uint32_t n, pickle_kind kind) {
    pickle_ref container;
    status st = pickle_top(p, n, &container);
    return st == STATUS_OK ? fill(p, p->stack.count - n, kind) : st;
}

/* A dictionary's items from a list of pairs (what an OrderedDict was called with): all onto the
 * stack first, key and value in turn, which is the order that a dictionary's items have. */
static status take_pairs(pickle *p, pickle_ref list, pickle_ref to) {
    uint32_t begin = p->stack.count;
    status st = STATUS_OK;
    for (uint32_t i = 0; i < p->value[list].count && st == STATUS_OK; i++) {
        const pickle_value *pair = &p->value[p->value[list].item[i]];
        if ((pair->kind != PICKLE_TUPLE && pair->kind != PICKLE_LIST) || pair->count != 2)
            return pickle_refuse(p, "a dictionary of what are no pairs");
        st = pickle_push_ref(p, &p->stack, pair->item[0]);
        if (st == STATUS_OK) st = pickle_push_ref(p, &p->stack, pair->item[1]);
    }
    return st == STATUS_OK ? take_items(p, begin, to) : st;
}

/* A container that a name is called for: from nothing or from one list. `args` is a copy that the
 * caller owns: the new value may move the others. Items go over the stack, so that take_items
 * remains the one place where a container grows; the list is looked up anew for each. */
status pickle_call_container(pickle *p, pickle_kind kind, const pickle_value *args) {
    pickle_ref made = 0, from = args->count ? args->item[0] : 0;
    uint32_t count = args->count;
    if (count > 1 || (count && p->value[from].kind != PICKLE_LIST))
        return pickle_refuse(p, "a container of what is no list");
    status st = new_value(p, (pickle_value){.kind = kind}, &made);
    if (st == STATUS_OK && count && kind == PICKLE_DICT) st = take_pairs(p, from, made);
    for (uint32_t i = 0, n = count ? p->value[from].count : 0;
         kind == PICKLE_LIST && i < n && st == STATUS_OK; i++) {
        uint32_t begin = p->stack.count;
        st = pickle_push_ref(p, &p->stack, p->value[from].item[i]);
        if (st == STATUS_OK) st = take_items(p, begin, made);
    }
    return st == STATUS_OK ? pickle_push_ref(p, &p->stack, made) : st;
}

status pickle_put(pickle *p, uint64_t place) {
    pickle_ref i;
    void *at = p->memo.at;
    status st = pickle_top(p, 0, &i);
    if (st != STATUS_OK) return st;
    /* The memo is an array up to the highest place: a number that is made up must not make it
     * long. */
    if (place >= p->size) return pickle_refuse(p, "a place of the memo beyond the pickle's length");
    st = grow(p, &at, &p->memo.capacity, (uint32_t)place + 1, sizeof *p->memo.at);
    p->memo.at = at;
    if (st != STATUS_OK) return st;
    while (p->memo.count <= place) p->memo.at[p->memo.count++] = UNSET;
    p->memo.at[place] = i;
    return STATUS_OK;
}

/* A value's item, text and number share one place: the kind alone says whether there is memory to
 * free. Texts are the pickle's bytes. */
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
