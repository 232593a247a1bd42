/* Looks for values that a training does not come back from. A variance below zero is one: its root
 * is the first thing that a network would compute. By bits, not by isfinite: files hold types that
 * C does not have, elements may be unaligned, and no option for fast arithmetic can take a test of
 * bits away. Minus zero is a zero. */
#include "io/weights/tensor_fault.h"

#include "src/base/log.h"
#include "src/base/vector.h"

#include <stdio.h>
#include <string.h>

/* A floating-point type by its bits: an exponent of ones is NAN or infinity. */
typedef struct float_bits {
    const char *type;
    size_t size;
    uint64_t exponent, sign;
} float_bits;

static const float_bits known[] = {
    {"F32", 4, 0x7F800000, 0x80000000},
    {"BF16", 2, 0x7F80, 0x8000},
    {"F16", 2, 0x7C00, 0x8000},
    {"F64", 8, 0x7FF0000000000000, 0x8000000000000000},
};

static const float_bits *bits_of(const char *type) {
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].type, type) == 0) return &known[i];
    return NULL;
}

/* By its name, as files know no other kind. */
static bool is_variance(const char *name) {
    static const char end[] = ".running_var";
    size_t n = strlen(name), m = sizeof end - 1;
    return n >= m && strcmp(name + n - m, end) == 0;
}

/* Little-endian; may be unaligned. */
static uint64_t word_at(const tensor_info *t, size_t size, size_t i) {
    uint64_t word = 0;
    memcpy(&word, (const char *)t->data + i * size, size);
    return word;
}

static bool is_fault(const float_bits *b, bool variance, uint64_t word) {
    bool zero = (word & ~b->sign) == 0;
    return (word & b->exponent) == b->exponent || (variance && (word & b->sign) && !zero);
}

/* Whether one of n floats is not finite, with no branch inside: files of gigabytes are
 * looked at. */
VECTOR_CLONES
static bool any_nonfinite(const char *at, size_t n) {
    uint32_t found = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t word;
        memcpy(&word, at + i * sizeof word, sizeof word);
        found |= (word & 0x7F800000) == 0x7F800000;
    }
    return found != 0;
}

/* Fast where it matters: the usual tensor is of F32 and has no fault. */
int64_t tensor_fault(const tensor_info *t) {
    const float_bits *b = bits_of(t->type);
    if (!b) return -1;
    size_t n = t->bytes / b->size;
    bool variance = is_variance(t->name);
    if (b == &known[0] && !variance && !any_nonfinite(t->data, n)) return -1;
    for (size_t i = 0; i < n; i++)
        if (is_fault(b, variance, word_at(t, b->size, i))) return (int64_t)i;
    return -1;
}

bool tensor_fault_text(const tensor_info *t, char *text) {
    int64_t i = tensor_fault(t);
    text[0] = '\0';
    if (i < 0) return false;
    const float_bits *b = bits_of(t->type);
    bool finite = (word_at(t, b->size, (size_t)i) & b->exponent) != b->exponent;
    snprintf(text, TENSOR_FAULT_TEXT, "tensor \"%.160s\": element %lld is %s", t->name,
        (long long)i, finite ? "a variance below zero" : "not finite");
    return true;
}

/* The first fault is named, and is enough to refuse the whole: a list of them would have as many
 * lines as a diverged network has weights. */
status tensor_fault_check(const char *where, const tensor_info *tensor, int tensors) {
    char text[TENSOR_FAULT_TEXT];
    for (int i = 0; i < tensors; i++) {
        if (!tensor_fault_text(&tensor[i], text)) continue;
        log_error("%s: %s", where, text);
        return STATUS_NONFINITE;
    }
    return STATUS_OK;
}
