/* The inside of a pickle that is read: its values, the stack, and what is built on it. For pickle.c
 * and pickle_build.c alone. Every function writes its message; the stack is then of no more use. */
#ifndef AUXSEG_IO_WEIGHTS_PICKLE_STATE_H
#define AUXSEG_IO_WEIGHTS_PICKLE_STATE_H

#include "io/weights/pickle.h"

#include <stdbool.h>

#define UNSET UINT32_MAX /* a place of the memo that nothing was put in */

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

/* STATUS_DATA, with where and why. */
status pickle_refuse(const pickle *p, const char *why);
/* A number of a value onto the stack, the marks or the memo. */
status pickle_push_ref(pickle *p, refs *r, pickle_ref i);
/* A new value on the stack. */
status pickle_push(pickle *p, pickle_value v);
/* The n-th value from the top, 0 the topmost, that no mark hides. */
status pickle_top(const pickle *p, uint32_t n, pickle_ref *i);
status pickle_pop(pickle *p, pickle_ref *i);

/* A container of what stands on the stack from `begin` on, which leaves it; the same from the
 * topmost mark on; of the n topmost values. */
status pickle_push_items(pickle *p, pickle_kind kind, uint32_t begin);
status pickle_push_marked(pickle *p, pickle_kind kind);
status pickle_push_tuple(pickle *p, uint32_t n);
/* What stands above the topmost mark, or the n topmost values, into the container below, which must
 * be of that kind. */
status pickle_fill_marked(pickle *p, pickle_kind kind);
status pickle_fill_top(pickle *p, uint32_t n, pickle_kind kind);
/* A container that a name is called for: from nothing or from one list. */
status pickle_call_container(pickle *p, pickle_kind kind, const pickle_value *args);
/* The value on top goes to a place of the memo. */
status pickle_put(pickle *p, uint64_t place);

#endif
