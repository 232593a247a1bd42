/* Which images a stage takes: those of a split, or the labelled share that fine-tuning learns from.
 * A share is drawn from the seed alone, so that the score can leave out the same images that the
 * extractor was trained on. Lists are in the order of the data set and hold indices into it; each
 * rank makes them for itself, from tables that all have. */
#include "src/app/stage/image_list.h"

#include "io/files/text_lines.h"
#include "mpi/ranks_where.h"
#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/base/memory.h"
#include "src/base/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

status images_of_split(image_list *out, const dataset *d, split which, bool labelled) {
    int n = dataset_count(d);
    *out = (image_list){memory_alloc((size_t)n, sizeof(int), "image list"), 0};
    if (!out->member) return STATUS_FAILED;
    for (int i = 0; i < n; i++) {
        dataset_item item = dataset_get(d, i);
        if (item.split == which && (item.labelled || !labelled)) out->member[out->count++] = i;
    }
    return STATUS_OK;
}

/* An image's name and its place in the list. */
typedef struct named {
    const char *name;
    int at;
} named;

static int by_name(const void *a, const void *b) {
    const named *p = a, *q = b;
    return strcmp(p->name, q->name);
}

/* *out [in->count]: sorted by name; owned by the caller. */
static status sort_names(const dataset *d, const image_list *in, named **out) {
    named *n = memory_alloc((size_t)in->count, sizeof *n, "names of images");
    if (!n) return STATUS_FAILED;
    for (int i = 0; i < in->count; i++) n[i] = (named){dataset_get(d, in->member[i]).name, i};
    qsort(n, (size_t)in->count, sizeof *n, by_name);
    *out = n;
    return STATUS_OK;
}

/* Marks the images that a list file names. take [train->count] is set for the images of train that
 * the file names. The first unknown name ends it: a share that is not the one meant gives figures
 * that look right. */
static status mark_listed(const dataset *d, const image_list *train, const char *path, bool *take) {
    named *sorted = NULL;
    text_lines text;
    status st = sort_names(d, train, &sorted);
    if (st != STATUS_OK) return st;
    st = text_lines_open(&text, path);
    for (char *name; st == STATUS_OK && (name = text_lines_next(&text));) {
        const named key = {name, 0};
        const named *found = bsearch(&key, sorted, (size_t)train->count, sizeof key, by_name);
        if (!found) {
            log_error("%s: line %d: \"%s\" is no labelled training image", path, text.number, name);
            st = STATUS_DATA;
        } else {
            take[found->at] = true;
        }
    }
    text_lines_close(&text);
    memory_free(sorted);
    return st;
}

/* The first of a permutation: a larger fraction holds all images of a smaller one, of the same
 * seed. */
static status mark_fraction(int count, double fraction, uint64_t seed, bool *take) {
    uint32_t *permutation = memory_alloc((size_t)count, sizeof *permutation, "labelled share");
    if (!permutation) return STATUS_FAILED;
    random_stream r = random_begin(seed, RANDOM_SUBSET, 0, 0);
    random_permutation(&r, permutation, (uint32_t)count);
    /* At least one image: a fraction that rounds to none would leave nothing to learn from. */
    int wanted = (int)fmax(1, floor(fraction * count + 0.5));
    for (int i = 0; i < wanted && i < count; i++) take[permutation[i]] = true;
    memory_free(permutation);
    return STATUS_OK;
}

status images_labelled(image_list *out, const dataset *d, const settings *s) {
    bool *take = NULL;
    image_list train;
    *out = (image_list){0};
    status st = images_of_split(&train, d, SPLIT_TRAIN, true);
    if (st == STATUS_OK && train.count == 0) {
        log_error("the data set has no labelled training image");
        st = STATUS_DATA;
    }
    if (st != STATUS_OK) goto done;
    take = memory_alloc((size_t)train.count, sizeof *take, "labelled share");
    st = !take ? STATUS_FAILED
         : s->finetune.list[0]
             ? mark_listed(d, &train, s->finetune.list, take)
             : mark_fraction(train.count, s->finetune.fraction, (uint64_t)s->run.seed, take);
    if (st != STATUS_OK) goto done;
    /* In the data set's order, whatever the list's: a list that is sorted anew is the same share.
     */
    int kept = 0;
    for (int i = 0; i < train.count; i++)
        if (take[i]) train.member[kept++] = train.member[i];
    if (kept == 0) {
        log_error("%s: names no image", s->finetune.list);
        st = STATUS_DATA;
        goto done;
    }
    *out = (image_list){train.member, kept};
    train.member = NULL;
done:
    memory_free(take);
    memory_free(train.member);
    return st;
}

status images_agree(const comm *c, const image_list *l, const settings *s, status mine) {
    status st = comm_agree(c, mine);
    if (st != STATUS_OK) return st;
    ranks_where w =
        ranks_where_other(c, hash_bytes(l->member, (size_t)l->count * sizeof *l->member));
    if (w.count == 0) return STATUS_OK;
    if (w.lowest == comm_rank(c))
        log_error("finetune.list = \"%s\" names other images on %s, than on rank 0: all ranks need "
                  "the same file",
            s->finetune.list, w.text);
    return STATUS_USAGE;
}
