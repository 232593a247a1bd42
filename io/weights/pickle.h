/* A restricted reader of Python's pickles (protocols 2 to 5): it builds plain containers, and
 * records of what else the pickle asks for, but calls nothing and imports nothing. Names (classes,
 * functions) that the caller does not list are refused, as is every opcode that a pickle of tensors
 * and plain containers does not need; both are named. Not collective.
 *
 * Memory and time grow with the pickle's own bytes, never with the numbers it claims: a value costs
 * at least a byte of the pickle, containers grow as they are filled, a place of the memo lies below
 * the pickle's length. Containers may hold each other in cycles; whoever walks bounds his way. */
#ifndef AUXSEG_IO_WEIGHTS_PICKLE_H
#define AUXSEG_IO_WEIGHTS_PICKLE_H

#include "src/base/status.h"

#include <stddef.h>
#include <stdint.h>

enum { PICKLE_LIMIT = 1 << 24 }; /* bytes of a pickle; more are refused */

typedef enum pickle_kind {
    PICKLE_NONE,
    PICKLE_BOOL,       /* integer */
    PICKLE_INTEGER,    /* integer */
    PICKLE_LONG,       /* text: an integer beyond 64 bits, two's complement, little endian */
    PICKLE_REAL,       /* real */
    PICKLE_TEXT,       /* text: UTF-8 */
    PICKLE_BYTES,      /* text */
    PICKLE_LIST,       /* item: also a set's */
    PICKLE_TUPLE,      /* item */
    PICKLE_DICT,       /* item: keys and values in turn */
    PICKLE_NAME,       /* name: a class or function by itself */
    PICKLE_CALL,       /* name, and item [1]: what it would be called with, a tuple */
    PICKLE_PERSISTENT, /* item [1]: what stands for something outside the pickle */
} pickle_kind;

typedef uint32_t pickle_ref; /* a value's number, below pickle_values */

/* What a call of a name becomes. */
typedef enum pickle_makes {
    PICKLE_MAKES_CALL,    /* a PICKLE_CALL */
    PICKLE_MAKES_RECORD,  /* the same, of an object whose state may follow, and is let go */
    PICKLE_MAKES_DICT,    /* a dictionary, from nothing or from a list of pairs */
    PICKLE_MAKES_LIST,    /* a list, from nothing or from a list */
    PICKLE_MAKES_NOTHING, /* it may be named, not called */
} pickle_makes;

typedef struct pickle_name {
    const char *module, *name;
    pickle_makes makes;
    int id; /* the caller's */
} pickle_name;

typedef struct pickle_value {
    pickle_kind kind;
    uint32_t count; /* of item, or bytes of text */
    union {
        int64_t integer;
        double real;
        const char *text; /* in the pickle's bytes: no zero byte at the end */
        pickle_ref *item;
    };
    const pickle_name *name;
} pickle_value;

typedef struct pickle pickle;

/* Which names a pickle may hold [count], borrowed for its life, like `path`, which is for messages.
 */
typedef struct pickle_rules {
    const char *path;
    const pickle_name *name;
    int count;
} pickle_rules;

/* Reads one pickle from the start of bytes [size], which are borrowed for its life. *used: how many
 * it has. STATUS_DATA with a message. */
status pickle_read(
    pickle **out, const pickle_rules *rules, const void *bytes, size_t size, size_t *used);
/* NULL-safe. */
void pickle_free(pickle *p);

/* The value that the pickle is. */
pickle_ref pickle_root(const pickle *p);
/* All values in the order in which they came. */
uint32_t pickle_values(const pickle *p);
const pickle_value *pickle_get(const pickle *p, pickle_ref i);

#endif
