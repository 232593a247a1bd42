/* Views of images without labels. Every view is drawn once and applied twice: as it is for the
 * model that learns, and without its changes of colour and blur for what labels it, so that both
 * see the same places and labels need not be moved. Strong augmentation is that of ST++ (Yang et
 * al. 2022, arXiv:2106.05095), which methods of this kind have in common: colours as SimCLR's at
 * half of their strength, grey, blur. */
#include "src/app/training/unlabelled.h"

#include "src/base/memory.h"

#include <string.h>

/* Beside finetune.strong: probabilities, and the blur's sigma. */
static const double COLOURS = 0.8, GREY = 0.2, BLUR = 0.5, SIGMA_MIN = 0.1, SIGMA_MAX = 2;

static double or_paper(double setting, double paper) {
    return setting < 0 ? paper : setting;
}

/* Without a default, as in choices.c. */
static unlabelled_options of_paper(finetune_method m) {
    switch (m) {
    case FINETUNE_METHOD_CROSS_PSEUDO:
        /* Chen et al. 2021, with CutMix, on PASCAL VOC. */
        return (unlabelled_options){.weight = 1.5, .cutmix = 0.5};
    case FINETUNE_METHOD_MEAN_TEACHER:
        /* French et al. 2020; the colours are what later methods add. */
        return (unlabelled_options){.weight = 1, .confidence = 0.97, .cutmix = 0.5, .strong = 0.5};
    case FINETUNE_METHOD_PSEUDO_LABELS:
        /* The threshold of Sohn et al. 2020. */
        return (unlabelled_options){.weight = 1, .confidence = 0.95, .strong = 0.5};
    case FINETUNE_METHOD_PIXEL_CONTRAST:
    case FINETUNE_METHOD_SUPERVISED:
        break;
    }
    return (unlabelled_options){0};
}

unlabelled_options unlabelled_read(const settings *s) {
    unlabelled_options p = of_paper(s->finetune.method);
    return (unlabelled_options){.weight = or_paper(s->finetune.unlabelled_weight, p.weight),
        .confidence = or_paper(s->finetune.confidence, p.confidence),
        .cutmix = or_paper(s->finetune.cutmix, p.cutmix),
        .strong = or_paper(s->finetune.strong, p.strong)};
}

/* French et al. 2020. */
double unlabelled_average(const settings *s) {
    bool needed = s->finetune.method == FINETUNE_METHOD_MEAN_TEACHER;
    return needed && s->finetune.average <= 0 ? 0.99 : s->finetune.average;
}

/* What all have in common is said by the stage. Users compare figures with those of papers: what
 * may move them stands in the log. */
const char *unlabelled_adapted(finetune_method m) {
    switch (m) {
    case FINETUNE_METHOD_CROSS_PSEUDO:
        return "one box of CutMix, of half of the view, for three of a quarter to a half";
    case FINETUNE_METHOD_MEAN_TEACHER:
        return "the cross-entropy of pixels that the teacher is sure of, for squared differences "
               "weighted by how many these are; strong colours";
    case FINETUNE_METHOD_PSEUDO_LABELS:
        return "the teacher is a supervised model that stays as it is and labels each view";
    case FINETUNE_METHOD_PIXEL_CONTRAST:
    case FINETUNE_METHOD_SUPERVISED:
        break;
    }
    return "";
}

/* Both lists are in the order of the data set. */
status unlabelled_list(image_list *out, const dataset *d, const image_list *labelled) {
    status st = images_of_split(out, d, SPLIT_TRAIN, false);
    if (st != STATUS_OK || out->count == labelled->count) return st;
    int kept = 0, next = 0;
    for (int i = 0; i < out->count; i++) {
        bool has = next < labelled->count && labelled->member[next] == out->member[i];
        next += has;
        if (!has) out->member[kept++] = out->member[i];
    }
    out->count = kept;
    return STATUS_OK;
}

/* The geometry of a view is drawn before its colours, and so is the same whatever these are. */
static augment_options strong_views(const unlabelled *u) {
    augment_options o = u->views;
    bool strong = u->how.strong > 0;
    o.jitter = strong ? COLOURS : 0;
    o.brightness = o.contrast = o.saturation = u->how.strong;
    o.hue = u->how.strong / 2;
    o.grey = strong ? GREY : 0;
    o.blur = strong ? BLUR : 0;
    o.blur_min = SIGMA_MIN;
    o.blur_max = SIGMA_MAX;
    o.input = &u->t->model.input;
    return o;
}

/* View `number` of local place i, of the image that stands there or of the one that is mixed in:
 * with colours as drawn, and without changes of them. */
static status render(
    const unlabelled *u, const batch *b, int i, int number, float *strong, float *plain) {
    int j = batches_unlabelled(u->t, i);
    sample m;
    status st = samples_get(u->images, number == 0 ? b->source[i] : b->other[j], &m);
    if (st != STATUS_OK) return st;
    augment_options o = strong_views(u);
    random_stream r = batch_stream(b, i, number);
    view v = view_draw(&r, &o, m.height, m.width);
    st = view_image(&v, m.height, m.width, &m.rgb, strong);
    v.colour = colours_none(o.colours);
    v.blur = 0;
    if (st == STATUS_OK) st = view_image(&v, m.height, m.width, &m.rgb, plain);
    samples_release(&m);
    return st;
}

/* Of the second image's strong view the box alone is kept. The box has a stream of its own: the
 * views are the same without it. */
status unlabelled_views(const unlabelled *u, batch *b, int i) {
    int side = u->t->o.crop, j = batches_unlabelled(u->t, i);
    size_t pixels = (size_t)side * (size_t)side, floats = 3 * pixels;
    float *input = b->input + (size_t)i * floats;
    float *first = b->plain + 2 * (size_t)j * floats, *second = first + floats;
    memset(b->label + (size_t)i * pixels, 0xff, pixels * sizeof *b->label); /* LABEL_IGNORE */
    b->labelled[i] = 0;
    b->box[j] = (mix_box){0};
    if (u->how.cutmix <= 0) return render(u, b, i, 0, input, first);
    random_stream r = random_begin(
        (uint64_t)u->t->s->run.seed, RANDOM_CUTMIX, (uint64_t)b->step, (uint64_t)(u->t->first + i));
    b->box[j] = mix_box_draw(&r, u->how.cutmix, side);
    float *mixed = memory_alloc(floats, sizeof *mixed, "a view to be mixed in");
    if (!mixed) return STATUS_FAILED;
    status st = render(u, b, i, 0, input, first);
    if (st == STATUS_OK) st = render(u, b, i, 1, mixed, second);
    if (st == STATUS_OK) mix_views(&b->box[j], side, mixed, input);
    memory_free(mixed);
    return st;
}
