/* Who works with a data set knows its classes by their colours, so pictures keep them. Label files
 * with a palette bring them along; of grey label files the names of the classes tell which data set
 * this is. Order of preference: the palette of the label files, then a published data set whose
 * list has all the names, then the program's own palette. Pictures alone depend on it, no result.
 */
#include "io/dataset/dataset_colours.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Whatever the case: "Sky" is "sky". */
static const layout_class *find(const layout_variant *v, const char *name) {
    for (int y = 0; y < v->classes; y++)
        if (strcasecmp(v->class[y].name, name) == 0) return &v->class[y];
    return NULL;
}

/* Whether the data set's names are all in the table; out is then written. All or none: with half
 * the colours of another data set a picture would mislead. */
static bool take_published(const dataset *d, const layout_variant *v, palette out) {
    int classes = dataset_classes(d);
    for (int y = 0; y < classes; y++)
        if (!find(v, dataset_class_name(d, y))) return false;
    for (int y = 0; y < classes && y < 255; y++)
        memcpy(out[y], find(v, dataset_class_name(d, y))->rgb, 3);
    return classes > 0;
}

/* In the order of the words of dataset.layout. Names of another spelling match none. */
static bool find_published(const dataset *d, palette out) {
    for (int kind = 0; dataset_layout_words[kind]; kind++) {
        const layout_spec *spec = layout_spec_of((dataset_layout)kind);
        for (int i = 0; i < spec->variants; i++) {
            const layout_variant *v = &spec->variant[i];
            if (v->coloured && take_published(d, v, out)) return true;
        }
    }
    return false;
}

/* A palette that gives two classes one colour, as grey ramps cut short do, tells nothing. */
static bool all_differ(const palette p, int n) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++)
            if (memcmp(p[i], p[j], 3) == 0) return false;
    return true;
}

status dataset_colours(const dataset *d, palette out) {
    palette own;
    int classes = dataset_classes(d), colours = 0;
    memcpy(out, palette_classes(), sizeof(palette));
    status st = dataset_palette(d, own, &colours);
    if (st != STATUS_OK) return st;
    if (classes > 0 && classes < 256 && colours == classes && all_differ(own, classes)) {
        memcpy(out, own, 3 * (size_t)classes);
        return STATUS_OK;
    }
    find_published(d, out);
    return STATUS_OK;
}
