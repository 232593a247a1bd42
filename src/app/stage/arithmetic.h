/* By which arithmetic the networks and the loss of a run compute. Where the settings leave it open
 * (model.dtype "auto"; how "bf16" is multiplied), it is chosen by what the processors of all ranks
 * are, never by a clock, and run.json keeps the choice: a run that is continued, on whatever
 * processors, goes on in the arithmetic that it began with, to the same bits. */
#ifndef AUXSEG_APP_STAGE_ARITHMETIC_H
#define AUXSEG_APP_STAGE_ARITHMETIC_H

#include "io/files/run_record.h"
#include "mpi/comm.h"
#include "src/base/dtype.h"
#include "src/base/settings.h"

typedef struct arithmetic {
    dtype type;     /* of the networks' maps and convolutions */
    dtype products; /* of their other products, DTYPE_F32 where the type is */
    bool tiles;     /* those in bf16 by AMX's tiles on every rank: other kernels pay */
    bool direct;    /* model.winograd */
    bool pairs;     /* how the loss multiplies bf16 (src/contrast/product.h) */
    bool recorded;  /* it is the one that run.json has */
    bool lacks_bf16, lacks_pairs; /* a rank's processor has no such instructions */
    char processor[128];          /* rank 0's, when it was chosen, and what that says of bf16 */
} arithmetic;

/* What r (rank 0's, else NULL) has kept for the same model.dtype, unless run.resume is "never";
 * else the choice for these ranks. The same on every rank. Collective. */
void arithmetic_find(arithmetic *out, const comm *c, const settings *s, const run_record *r);
/* Keeps it in r, and saves that if it is new; r NULL: nothing. Not collective. */
status arithmetic_keep(arithmetic *a, const settings *s, run_record *r);
/* Logs it. STATUS_USAGE, with what to do, if a rank's processor lacks the instructions; loss: those
 * of a loss in bf16 are wanted too. The same on every rank. Not collective. */
status arithmetic_require(const arithmetic *a, const comm *c, bool loss);
/* Continues a hash with it: results in another arithmetic are not the same bits. */
uint64_t arithmetic_hash(uint64_t hash, const arithmetic *a);
/* type, products, tiles and direct of a plan. */
struct plan_options;
void arithmetic_set(const arithmetic *a, struct plan_options *o);

#endif
