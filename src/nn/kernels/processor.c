/* The table that decides between bf16 and fp32. A measurement at run time would be simpler and was
 * tried: under load one of forty runs came out in the other arithmetic, with other results. */
#include "src/nn/kernels/processor.h"

#include "src/nn/kernels/onednn.h"

#include <stdio.h>
#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

/* Vendor, family and model as the manuals number them: extended fields are added. */
static void identify(processor *p) {
#if defined(__x86_64__) || defined(__i386__)
    unsigned a, b, c, d;
    if (!__get_cpuid(0, &a, &b, &c, &d)) return;
    memcpy(p->vendor, &b, sizeof b);
    memcpy(p->vendor + sizeof b, &d, sizeof d);
    memcpy(p->vendor + 2 * sizeof b, &c, sizeof c);
    if (!__get_cpuid(1, &a, &b, &c, &d)) return;
    int family = a >> 8 & 0xF, model = a >> 4 & 0xF;
    if (family == 6 || family == 15) model += (int)(a >> 16 & 0xF) << 4;
    if (family == 15) family += (int)(a >> 20 & 0xFF);
    p->family = family;
    p->model = model;
#else
    (void)p;
#endif
}

processor processor_here(void) {
    processor p = {.bf16 = onednn_supports(DTYPE_BF16), .amx = onednn_uses_amx()};
    identify(&p);
    return p;
}

/* Rates of one core in GFLOP/s, fp32 and bf16. Of processors without AVX512_BF16 no row is asked.
 */
static const struct rule {
    const char *vendor;
    int family; /* 0: any */
    bool amx;   /* only with it */
    bool fast;
    const char *why;
} rules[] = {
    /* Emerald Rapids (6, 207), oneDNN 2.6.3, products of 64 x 512 x 512 and 1024 x 256 x 64: 163
     * and 954, 177 and 1248; a 3 x 3 convolution of 256 channels: 144 and 1700. */
    {"GenuineIntel", 0, true, true, "AMX multiplies bf16 several times as fast as f32"},
    /* The same processor with AVX512_BF16 alone: 158 and 87, 176 and 89; the convolution 168 and
     * 84; the instructions' peaks 173 and 86. Cooper Lake (6, 85) is known to be alike. */
    {"GenuineIntel", 6, false, false, "without AMX, Intel's multiply bf16 half as fast as f32"},
    /* Zen 4, the first of AMD's with AVX512_BF16: the instructions' peaks are 117 and 234. */
    {"AuthenticAMD", 25, false, true, "AMD's multiply bf16 twice as fast as f32"},
    /* Zen 5: the same ratio. */
    {"AuthenticAMD", 26, false, true, "AMD's multiply bf16 twice as fast as f32"},
};

bool processor_fast_bf16(const processor *p, const char **why) {
    const char *phrase = "it has no bf16 arithmetic";
    bool fast = false;
    for (size_t i = 0; p->bf16 && i < sizeof rules / sizeof *rules; i++) {
        const struct rule *r = &rules[i];
        phrase = "whether it multiplies bf16 faster than f32 is not known";
        if (strcmp(r->vendor, p->vendor) != 0 || (r->family && r->family != p->family)) continue;
        if (r->amx && !p->amx) continue;
        phrase = r->why;
        fast = r->fast;
        break;
    }
    if (why) *why = phrase;
    return fast;
}

void processor_describe(const processor *p, char *text, size_t size) {
    snprintf(text, size, "%s, family %d, model %d%s", p->vendor[0] ? p->vendor : "not an x86",
        p->family, p->model,
        p->amx    ? ", AMX"
        : p->bf16 ? ", AVX512_BF16"
                  : "");
}
