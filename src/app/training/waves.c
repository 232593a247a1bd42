/* In how many waves a rank's images pass through the network. More memory would be wasted on one
 * large and one small wave than on two alike, so they are dealt evenly; a norm group is never
 * parted, as its statistics are those of its images together. */
#include "src/app/training/waves.h"

#include "src/base/log.h"

static int divide_up(int a, int b) {
    return (a + b - 1) / b;
}

/* The last unit may lack images: where all of them pass at once, so do all units. */
static waves of_most(int images, int unit, int most) {
    int units = divide_up(images, unit), each = most >= images ? units : most / unit;
    if (each < 1) each = 1;
    int count = units > each ? divide_up(units, each) : 1;
    int wave = divide_up(units, count) * unit;
    if (wave > images) wave = images;
    return (waves){wave > 0 ? wave : 1, wave > 0 ? divide_up(images, wave) : 1};
}

/* The log says which of the reasons it was: users ask why a training is slower than another. */
waves waves_choose(const waves_options *o) {
    const double mib = 1048576;
    double each = (double)o->each / mib, budget = (double)o->budget / mib;
    size_t fit = o->each > 0 ? o->budget / o->each : 0;
    /* What is asked for counts more than what fits: whoever sets model.wave knows the machine.
     * Norms over the whole batch leave no choice. */
    int most = fit < (size_t)o->images ? (int)fit : o->images;
    if (o->asked > 0) most = o->asked;
    if (o->whole) most = o->images;
    waves w = of_most(o->images, o->unit, most);
    double taken = w.images * each;
    if (w.count == 1)
        log_detail("%s: a rank's %d images pass at once: %.0f MiB", o->stage, o->images, taken);
    else if (o->asked > 0)
        log_info("%s: a rank's %d images pass in %d waves of %d (model.wave = %d): %.0f MiB",
            o->stage, o->images, w.count, w.images, o->asked, taken);
    else
        log_info("%s: a rank's %d images pass in %d waves of %d: %.0f MiB, all would take %.0f and "
                 "may take %.0f",
            o->stage, o->images, w.count, w.images, taken, o->images * each, budget);
    /* Not refused: memory that is free now says little about what the kernel can make free. */
    if (taken > budget && o->images > 0)
        log_warn("%s: activations take %.0f MiB, more than half of a rank's part of the free "
                 "memory less the gradient's sums: %.0f MiB",
            o->stage, taken, budget);
    return w;
}
