/* Products of rows with panels of centroids, in three arithmetics: the flops of k-means. For the
 * screens (kmeans_screen.h) alone. Not collective.
 *
 * A row is a sequence of steps of four bytes: one float, two bf16 or four int8. A panel holds
 * PRODUCT_PANEL centroids side by side, [steps, PANEL] words of four bytes, so that one vector
 * instruction multiplies one step of a row with all of them. Float and bf16 products are summed in
 * float32; int8 is signed in rows, offset by 128 to unsigned in panels, and summed exactly. */
#ifndef AUXSEG_LABEL_KMEANS_PRODUCT_H
#define AUXSEG_LABEL_KMEANS_PRODUCT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum product_type { PRODUCT_F32, PRODUCT_BF16, PRODUCT_INT8, PRODUCT_TYPES } product_type;

enum {
    PRODUCT_PANEL = 16,                  /* centroids of a panel: one vector of 512 bits */
    PRODUCT_ROWS = 48,                   /* rows of a dense tile */
    PRODUCT_GROUP = 12,                  /* of them, multiplied together */
    PRODUCT_DEPTH = 128,                 /* steps of a row in one slice of a dense tile */
    PRODUCT_STRIDE = PRODUCT_DEPTH + 16, /* between its rows: no power of two, for the cache */
    PRODUCT_GATHER = 8,                  /* rows from anywhere that are multiplied together */
    PRODUCT_PANELS = 2,                  /* panels that a dense tile is multiplied with at once */
    PRODUCT_WIDTH = PRODUCT_PANELS * PRODUCT_PANEL,
};

/* Float sums or exact integers, by type. */
typedef union product_word {
    float f;
    int32_t i;
} product_word;

/* "f32" | "bf16" | "int8". */
const char *product_name(product_type t);
/* Has this processor the instructions? Always for f32. */
bool product_available(product_type t);
/* Elements in a step. */
int product_elements(product_type t);

/* Memory to be fetched meanwhile: `each` bytes further with each step. */
typedef struct product_fetch {
    const char *at;
    size_t each;
} product_fetch;

/* out [GROUP, WIDTH] becomes (add: is added) rows [GROUP, STRIDE] times two panels of `steps`
 * steps, which lie `apart` words from each other. */
void product_group(product_type t, const uint32_t *rows, size_t steps, const uint32_t *panels,
    size_t apart, product_word *out, bool add, product_fetch fetch);
/* out [GATHER, PANEL] becomes the rows that the pointers name times one panel. */
void product_gather(product_type t, const void *const rows[PRODUCT_GATHER], size_t steps,
    const uint32_t *panel, product_word *out);

#endif
