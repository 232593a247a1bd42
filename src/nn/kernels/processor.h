/* What the processor is, and by which arithmetic it multiplies faster: known from what it is, never
 * from a clock, so that a busy machine computes what an idle one does. Not collective. */
#ifndef AUXSEG_NN_KERNELS_PROCESSOR_H
#define AUXSEG_NN_KERNELS_PROCESSOR_H

#include <stdbool.h>
#include <stddef.h>

typedef struct processor {
    char vendor[16]; /* "GenuineIntel", "AuthenticAMD" ...; "": not an x86 */
    int family, model;
    bool bf16, amx; /* oneDNN computes in bf16 with instructions made for it; with AMX's tiles */
} processor;

/* This one. AMX needs the operating system's permission too, for which oneDNN asks. */
processor processor_here(void);
/* Whether products in bf16 are faster on it than in fp32. Where it is not known: no.
 * *why (may be NULL): a phrase that says so. */
bool processor_fast_bf16(const processor *p, const char **why);
/* "GenuineIntel, family 6, model 207, AMX": text is written. */
void processor_describe(const processor *p, char *text, size_t size);

#endif
