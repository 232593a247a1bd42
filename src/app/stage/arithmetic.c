/* The choice between bf16 and fp32, its place in run.json, and what it means to go on with a run on
 * other processors than it began on. The choice must be the same on every rank and in every start
 * of a run, so it rests on what processors are, never on a clock. Sequence: choose for the ranks
 * that are there, then recall what run.json has, which is stronger; a stage whose key the choice
 * enters keeps it (arithmetic_keep), and each network asks before it computes whether the ranks can
 * (arithmetic_require). */
#include "src/app/stage/arithmetic.h"

#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/contrast/product.h"
#include "src/nn/plan/plan.h"

#include <stdio.h>
#include <string.h>

/* What run.json says of the loss. */
static const char *const loss_words[] = {"floats", "pairs", NULL};
/* And of products: dtype_words, and what follows bf16. */
static const char *const products_words[] = {"f32", "bf16", "bf16 in tiles", NULL};

static int products_word(const arithmetic *a) {
    return (int)a->products + a->tiles;
}

/* fast: what bf16 is on these ranks. Without a default, as in choices.c. */
static dtype type_of(const settings *s, bool fast) {
    switch (s->model.dtype) {
    case MODEL_DTYPE_AUTO:
        return fast ? DTYPE_BF16 : DTYPE_F32;
    case MODEL_DTYPE_BF16:
        return DTYPE_BF16;
    case MODEL_DTYPE_F32:
        break;
    }
    return DTYPE_F32;
}

/* For these ranks: bf16 is not the faster arithmetic if it is not so on one of them. Questions are
 * put so that yes is the bad answer: the maximum over ranks is then the answer for all. The
 * processor is rank 0's, or says that ranks differ: it is only for people. */
static void choose(arithmetic *a, const comm *c, const settings *s) {
    enum { NO_BF16, SLOW_BF16, NO_TILES, NO_PAIRS, SLOW_PAIRS, QUESTIONS };
    int32_t rank[QUESTIONS] = {[NO_BF16] = !plan_supports(DTYPE_BF16),
        [SLOW_BF16] = !plan_fast_bf16(),
        [NO_TILES] = !plan_bf16_tiles(),
        [NO_PAIRS] = !product_has_pairs(),
        [SLOW_PAIRS] = !product_prefers_pairs()};
    int32_t all[QUESTIONS];
    memcpy(all, rank, sizeof all);
    comm_max_i32(c, all, QUESTIONS);
    dtype type = type_of(s, !all[SLOW_BF16]);
    *a = (arithmetic){.type = type,
        .products = all[SLOW_BF16] ? DTYPE_F32 : type,
        .tiles = !all[SLOW_BF16] && !all[NO_TILES] && type == DTYPE_BF16,
        .pairs = !all[SLOW_PAIRS],
        .lacks_bf16 = all[NO_BF16],
        .lacks_pairs = all[NO_PAIRS]};
    plan_processor(a->processor, sizeof a->processor);
    if (all[SLOW_BF16] != rank[SLOW_BF16])
        snprintf(a->processor, sizeof a->processor,
            "several kinds: bf16 is not faster than f32 on all of them");
}

/* -1: absent, or a word of a later version. */
static int recorded(const run_record *r, const char *key, const char *const *words) {
    const char *word = run_record_get_arithmetic(r, key);
    return word ? choice_find(words, word) : -1;
}

/* A record is taken whole or not at all: one that lacks a word, or has one that this version does
 * not know, is chosen anew. So is one that was made for another model.dtype, as the user has asked
 * for something else since. */
static void recall(arithmetic *a, const settings *s, const run_record *r) {
    int asked = recorded(r, "asked", model_dtype_words), type = recorded(r, "type", dtype_words);
    int products = recorded(r, "products", products_words), pairs = recorded(r, "loss", loss_words);
    const char *processor = run_record_get_arithmetic(r, "processor");
    if (s->run.resume == RUN_RESUME_NEVER || asked != (int)s->model.dtype) return;
    if (type < 0 || products < 0 || pairs < 0 || !processor) return;
    a->type = (dtype)type;
    a->tiles = products > DTYPE_BF16;
    a->products = a->tiles ? DTYPE_BF16 : (dtype)products;
    a->pairs = pairs;
    a->recorded = true;
    snprintf(a->processor, sizeof a->processor, "%s", processor);
}

/* Whether instructions are lacking is never recalled: it is asked of the processors that compute
 * now. direct is the setting's own, and is not a part of the record. */
void arithmetic_find(arithmetic *out, const comm *c, const settings *s, const run_record *r) {
    choose(out, c, s);
    if (comm_root(c)) recall(out, s, r);
    comm_broadcast(c, out, sizeof *out);
    out->direct = s->model.winograd == MODEL_WINOGRAD_OFF;
}

/* Marked as recorded on every rank, also where r is NULL, so that all go on alike. */
status arithmetic_keep(arithmetic *a, const settings *s, run_record *r) {
    if (a->recorded) return STATUS_OK;
    const char *const fact[][2] = {{"asked", model_dtype_words[s->model.dtype]},
        {"type", dtype_words[a->type]}, {"products", products_words[products_word(a)]},
        {"loss", loss_words[a->pairs]}, {"processor", a->processor}};
    status st = STATUS_OK;
    for (size_t i = 0; st == STATUS_OK && i < sizeof fact / sizeof *fact; i++)
        st = run_record_set_arithmetic(r, fact[i][0], fact[i][1]);
    a->recorded = true;
    return st == STATUS_OK ? run_record_save(r) : st;
}

enum { ARITHMETIC_TEXT = 192 }; /* more than the processor's */

/* Every network of a start computes in the same: it is said once. */
static void log_arithmetic(const arithmetic *a) {
    static char said[ARITHMETIC_TEXT];
    char text[ARITHMETIC_TEXT];
    snprintf(text, sizeof text, "arithmetic: %s, products in %s%s (%s)", dtype_words[a->type],
        products_words[products_word(a)], a->direct ? ", direct convolutions" : "", a->processor);
    /* Later ones go to the detailed log. */
    (strcmp(said, text) == 0 ? log_detail : log_info)("%s", text);
    strcpy(said, text);
}

status arithmetic_require(const arithmetic *a, const comm *c, bool loss) {
    bool bf16 = a->type == DTYPE_BF16 && a->lacks_bf16, pairs = loss && a->pairs && a->lacks_pairs;
    if (!bf16 && !pairs) {
        log_arithmetic(a);
        return STATUS_OK;
    }
    if (comm_root(c))
        log_error(
            "%s in bf16, which a rank's processor has no instructions for: run it on processors "
            "that have them (it began on %s), or with %s = \"f32\", which computes its stages "
            "anew",
            bf16 ? "the network computes" : "the loss computes", a->processor,
            bf16 ? "model.dtype" : "pretrain.loss_dtype");
    return STATUS_USAGE;
}

/* Raised whenever the same settings on the same processor give networks other bits than before:
 * what an earlier version has done or begun is then done anew. 2: units' images are added at once.
 * 3: dilated convolutions and weights' gradients below AVX-512. */
enum { REVISION = 3 };

uint64_t arithmetic_hash(uint64_t hash, const arithmetic *a) {
    /* How the loss multiplies is not in it: it is recorded with the rest, and stays the run's. */
    int how[] = {(int)a->type, products_word(a), a->direct, REVISION};
    return hash_append(hash, how, sizeof how);
}

void arithmetic_set(const arithmetic *a, plan_options *o) {
    o->type = a->type;
    o->products = a->products;
    o->tiles = a->tiles;
    o->direct = a->direct;
}
